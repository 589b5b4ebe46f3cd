//! A seed and the keys that follow from it: one value, one key, and how the two make the sealed bytes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::envelope;
use crate::key::Key32;
use crate::provider::Wrapped;

/// A seed with what is written beside each value that it seals.
pub(crate) struct Seed {
    key: Key32,
    pub(crate) wrapped: Wrapped,
    prefix: String,
    tail: Vec<u8>,
}

/// `encryptedData` does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataError {
    Short,
    Authentication,
}

impl Seed {
    pub(crate) fn new(provider: &str, key: Key32, wrapped: Wrapped) -> Self {
        let (prefix, tail) = (format!("{}{provider}:", envelope::PREFIX), envelope::tail(&wrapped));
        Self { key, wrapped, prefix, tail }
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.key.is_locked()
    }

    /// Appends a sealed value. The clear bytes are not copied; when it fails, `out` is as before.
    pub(crate) fn seal(&self, plain: &[u8], aad: &[u8], out: &mut Vec<u8>) -> Result<(), Unspecified> {
        let mut random = [0; INFO + NONCE];
        rand::fill(&mut random)?;
        let (info, nonce) = random.split_first_chunk::<INFO>().ok_or(Unspecified)?;
        let key = expand(&self.key, info)?;
        let start = out.len();
        let data = INFO + NONCE + plain.len() + TAG;
        out.reserve(self.prefix.len() + FIELD_HEAD + data + self.tail.len());
        envelope::put_head(out, &self.prefix, data);
        out.extend_from_slice(&random);
        let body = out.len();
        out.resize(body + plain.len(), 0);
        let mut tag = [0; TAG];
        let sealed = out.get_mut(body..).ok_or(Unspecified).and_then(|body| {
            let nonce = Nonce::try_assume_unique_for_key(nonce)?;
            key.seal_out_of_place_scatter(nonce, Aad::from(aad), plain, body, &[], &mut tag)
        });
        if sealed.is_err() {
            out.truncate(start);
            return sealed;
        }
        out.extend_from_slice(&tag);
        out.extend_from_slice(&self.tail);
        Ok(())
    }

    /// Opens what the seed sealed.
    pub(crate) fn open(&self, data: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, DataError> {
        let (info, body) = data.split_first_chunk::<INFO>().ok_or(DataError::Short)?;
        open(&expand(&self.key, info).map_err(|Unspecified| DataError::Authentication)?, body, aad)
    }

    /// Opens what the seed itself sealed as a key (type 0).
    pub(crate) fn open_as_key(&self, data: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, DataError> {
        open(&gcm(self.key.expose()).map_err(|Unspecified| DataError::Authentication)?, data, aad)
    }
}

/// AES-256-GCM under these bytes.
pub(crate) fn gcm(key: &[u8; 32]) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new)
}

/// `HKDF-Expand-SHA256(key, info)`.
pub(crate) fn hkdf_expand(key: &Key32, info: &[u8], out: &mut [u8]) -> Result<(), Unspecified> {
    Prk::new_less_safe(HKDF_SHA256, key.expose()).expand(&[info], Length(out.len()))?.fill(out)
}

fn expand(seed: &Key32, info: &[u8; INFO]) -> Result<LessSafeKey, Unspecified> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf_expand(seed, info, key.as_mut())?;
    gcm(&key)
}

fn open(key: &LessSafeKey, body: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, DataError> {
    let (nonce, body) = body.split_first_chunk::<NONCE>().ok_or(DataError::Short)?;
    let (sealed, tag) = body.split_last_chunk::<TAG>().ok_or(DataError::Short)?;
    let mut plain = Zeroizing::new(vec![0; sealed.len()]);
    key.open_separate_gather(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), sealed, tag, &mut plain)
        .map_err(|Unspecified| DataError::Authentication)?;
    Ok(plain)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

const INFO: usize = 32;
pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;
/// A tag and the longest length that a value has (below 2^63).
const FIELD_HEAD: usize = 10;
