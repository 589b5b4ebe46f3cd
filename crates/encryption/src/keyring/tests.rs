//! One value, one place, one key.

use super::*;

/// Wraps nothing: the seed lies open. For tests alone.
struct Open(&'static str);

impl Provider for Open {
    fn name(&self) -> &str {
        self.0
    }

    fn key_id(&self) -> &str {
        "open"
    }

    fn wrap(&self, seed: &Key32) -> Result<Wrapped, ProviderError> {
        Ok(Wrapped { key_id: "open".into(), source: seed.expose().to_vec(), annotations: Vec::new() })
    }

    fn unwrap(&self, wrapped: &Wrapped) -> Result<Key32, ProviderError> {
        let seed = <[u8; 32]>::try_from(&wrapped.source[..]).map_err(|_| ProviderError::Authentication)?;
        Key32::build(|out| {
            *out = seed;
            Ok(())
        })
    }
}

fn keyring() -> Keyring {
    Keyring::new(Box::new(Open("open")), Vec::new()).unwrap()
}

#[test]
fn sealing_twice_gives_different_bytes() {
    let keyring = keyring();
    let (one, two) = (keyring.seal(b"value", b"place").unwrap(), keyring.seal(b"value", b"place").unwrap());
    assert_ne!(one, two);
    assert_eq!(keyring.open(&one, b"place").unwrap(), keyring.open(&two, b"place").unwrap());
}

#[test]
fn every_flipped_bit_of_the_sealed_part_is_seen() {
    let keyring = keyring();
    let sealed = keyring.seal(b"value", b"place").unwrap();
    let start = "k8s:enc:kms:v2:open:".len() + 2;
    for at in start..start + 32 + 12 + 5 + 16 {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(matches!(keyring.open(&changed, b"place"), Err(OpenError::Authentication)), "{at}");
    }
}

#[test]
fn sizes_from_nothing_to_a_megabyte_survive() {
    let keyring = keyring();
    for size in [0, 1, 15, 16, 17, 68, 69, 1 << 14, 1 << 20] {
        let plain = vec![b'x'; size];
        let sealed = keyring.seal(&plain, b"place").unwrap();
        assert!(*keyring.open(&sealed, b"place").unwrap() == plain, "{size}");
    }
}

#[test]
fn sealing_appends() {
    let mut out = b"before".to_vec();
    keyring().seal_into(b"value", b"place", &mut out).unwrap();
    assert!(out.starts_with(b"beforek8s:enc:kms:v2:open:"));
}

#[test]
fn a_name_with_a_colon_is_refused() {
    for name in ["", "a:b"] {
        assert!(matches!(Keyring::new(Box::new(Open(name)), Vec::new()), Err(KeyringError::Name(_))));
    }
}

#[test]
fn the_cache_of_seeds_is_bounded() {
    let reader = keyring();
    for _ in 0..MAX_OPENED + 10 {
        let sealed = keyring().seal(b"value", b"place").unwrap();
        assert_eq!(*reader.open(&sealed, b"place").unwrap(), b"value");
    }
    assert_eq!(reader.status().opened_seeds, MAX_OPENED);
}
