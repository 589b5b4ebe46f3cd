//! Values that kube-apiserver 1.36 wrote through a KMS v2 plugin, and damaged ones with its answers.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine, prelude::BASE64_STANDARD};
use encryption::{Key32, Keyring, OpenError, Provider, ProviderError, Wrapped};
use serde_json::Value;

#[test]
fn values_of_kube_apiserver_open_or_fail_as_there() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("kmsv2.json")).unwrap();
    assert!(vectors.len() > 20);
    for vector in &vectors {
        check(vector);
    }
}

#[test]
fn a_value_of_ours_opens_at_its_place_alone() {
    let keyring = keyring(Plugin { name: "vault-kms".into(), key_id: "k".into(), key: vec![7; 32] });
    let sealed = keyring.seal(b"value", b"/registry/secrets/a/b").unwrap();
    assert!(sealed.starts_with(b"k8s:enc:kms:v2:vault-kms:\x0a"));
    assert_eq!(*keyring.open(&sealed, b"/registry/secrets/a/b").unwrap(), b"value");
    assert!(matches!(keyring.open(&sealed, b"/registry/secrets/a/c"), Err(OpenError::Authentication)));
    assert_eq!(Keyring::origin(&sealed).unwrap().key_id, "k");
}

fn check(vector: &Value) {
    let text = |field: &str| vector[field].as_str().unwrap().to_owned();
    let bytes = |field: &str| BASE64_STANDARD.decode(text(field)).unwrap();
    let keyring = keyring(Plugin { name: text("provider"), key_id: text("key_id"), key: bytes("key") });
    // Twice: the second time the seed is in the cache.
    for _ in 0..2 {
        match (keyring.open(&bytes("value"), text("path").as_bytes()), vector.get("error")) {
            (Ok(plain), None) => assert!(*plain == bytes("plain"), "{}", text("name")),
            (Err(error), Some(expected)) => {
                let chain = chain(&error);
                let said = KUBERNETES_WORDS
                    .iter()
                    .fold(expected.as_str().unwrap().to_owned(), |said, (theirs, ours)| said.replace(theirs, ours));
                assert!(chain.contains(&said), "{}: {chain} is not {said}", text("name"));
            }
            (Ok(_), Some(expected)) => panic!("{} opened, expected {expected}", text("name")),
            (Err(error), None) => panic!("{}: {}", text("name"), chain(&error)),
        }
    }
}

/// Where our text differs from that of the Go libraries.
const KUBERNETES_WORDS: &[(&str, &str)] = &[
    ("cipher: message", "message"),
    ("proto: cannot", "cannot"),
    (
        "failed to decrypt DEK, error: rpc error: code = Unknown desc = message authentication failed",
        "the wrapped seed is not authentic",
    ),
    ("failed to decrypt DEK, error: rpc error: code = Unknown desc = ", ""),
    ("annotations: Invalid value: \"nodots\": should be", "\"nodots\" is not"),
    ("no matching prefix found", "no provider \"other\" is configured"),
];

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn keyring(plugin: Plugin) -> Keyring {
    Keyring::new(Box::new(plugin), Vec::new()).unwrap()
}

/// Wraps as the plugin that made the vectors: nonce, then AES-256-GCM without additional data.
struct Plugin {
    name: String,
    key_id: String,
    key: Vec<u8>,
}

impl Plugin {
    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.key).unwrap())
    }
}

impl Provider for Plugin {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> &str {
        &self.key_id
    }

    fn wrap(&self, seed: &Key32) -> Result<Wrapped, ProviderError> {
        let mut body = seed.expose().to_vec();
        let nonce = Nonce::assume_unique_for_key([1; 12]);
        self.cipher().seal_in_place_append_tag(nonce, Aad::empty(), &mut body).unwrap();
        let source = [&[1; 12][..], &body].concat();
        Ok(Wrapped { key_id: self.key_id.clone(), source, annotations: Vec::new() })
    }

    fn unwrap(&self, wrapped: &Wrapped) -> Result<Key32, ProviderError> {
        if wrapped.key_id != self.key_id {
            return Err(ProviderError::UnknownKey(wrapped.key_id.clone()));
        }
        let (nonce, body) = wrapped.source.split_first_chunk().ok_or(ProviderError::Authentication)?;
        let mut body = body.to_vec();
        let opened = self.cipher().open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut body);
        let seed = <[u8; 32]>::try_from(&*opened.map_err(|_| ProviderError::Authentication)?).unwrap();
        Key32::build(|out| {
            *out = seed;
            Ok(())
        })
    }
}
