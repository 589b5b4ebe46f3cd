//! The bytes of a sealed value: prefix and protobuf `EncryptedObject` (staging/src/k8s.io/kms/apis/v2 and
//! `k8s.io/apiserver/pkg/storage/value/encrypt/envelope/kmsv2` of Kubernetes).

use thiserror::Error;

use crate::provider::Wrapped;

/// What all values of KMS v2 start with; the provider's name and a colon follow.
pub(crate) const PREFIX: &str = "k8s:enc:kms:v2:";

/// How the key of a value follows from what the provider unwraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceType {
    /// `AES_GCM_KEY`: it is the key.
    Key,
    /// `HKDF_SHA256_XNONCE_AES_GCM_SEED`: the key is expanded from it.
    Seed,
}

/// A sealed value, taken apart.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) provider: &'a str,
    pub(crate) data: &'a [u8],
    pub(crate) wrapped: Wrapped,
    pub(crate) source_type: SourceType,
}

/// The bytes are not a sealed value.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EnvelopeError {
    /// Another provider's value, or a value in clear.
    #[error("no matching prefix found")]
    Prefix,
    /// Not a protobuf message.
    #[error("cannot parse invalid wire-format data")]
    Wire,
    /// A field is missing or breaks a limit.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Made by a newer Kubernetes.
    #[error("unknown encryptedDEKSourceType: {0}")]
    UnknownType(u64),
}

/// The limits of KMS v2, which the writer keeps and the reader checks (`validateEncryptedObject`).
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LimitError {
    /// No `encryptedData`.
    #[error("encrypted data is empty")]
    NoData,
    /// No `keyID`.
    #[error("failed to validate key id: keyID is empty")]
    NoKeyId,
    /// `keyID` is too long.
    #[error("failed to validate key id: keyID is {0} bytes, which exceeds the max size of {MAX_KEY_ID}")]
    LongKeyId(usize),
    /// No `encryptedDEKSource`.
    #[error("failed to validate encrypted DEK source: encrypted DEK source is empty")]
    NoSource,
    /// `encryptedDEKSource` is too long.
    #[error(
        "failed to validate encrypted DEK source: encrypted DEK source is {0} bytes, which exceeds the max size of {MAX_SOURCE}"
    )]
    LongSource(usize),
    /// The annotations are too long.
    #[error(
        "failed to validate annotations: total size of annotations is {0} bytes, which exceeds the max size of {MAX_ANNOTATIONS}"
    )]
    LongAnnotations(usize),
    /// An annotation's name is not a domain name.
    #[error("failed to validate annotations: {0:?} is not a domain with at least two segments separated by dots")]
    Annotation(String),
}

impl<'a> Envelope<'a> {
    /// Takes a sealed value apart and checks the limits.
    pub(crate) fn parse(sealed: &'a [u8]) -> Result<Self, EnvelopeError> {
        let (provider, body) = split_prefix(sealed).ok_or(EnvelopeError::Prefix)?;
        let (mut data, mut source_type) = (&[][..], 0);
        let mut wrapped = Wrapped { key_id: String::new(), source: Vec::new(), annotations: Vec::new() };
        for field in Fields(body) {
            match field? {
                (1, Field::Bytes(bytes)) => data = bytes,
                (2, Field::Bytes(bytes)) => wrapped.key_id = text(bytes)?,
                (3, Field::Bytes(bytes)) => wrapped.source = bytes.to_vec(),
                (4, Field::Bytes(bytes)) => add_annotation(&mut wrapped.annotations, bytes)?,
                (5, Field::Number(number)) => source_type = number,
                _ => {}
            }
        }
        if data.is_empty() {
            return Err(LimitError::NoData.into());
        }
        check_limits(&wrapped)?;
        let source_type = match source_type {
            0 => SourceType::Key,
            1 => SourceType::Seed,
            other => return Err(EnvelopeError::UnknownType(other)),
        };
        Ok(Self { provider, data, wrapped, source_type })
    }
}

/// What follows `encryptedData` in every value of one seed.
pub(crate) fn tail(wrapped: &Wrapped) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, 2, wrapped.key_id.as_bytes());
    put_bytes(&mut out, 3, &wrapped.source);
    for (name, value) in &wrapped.annotations {
        let mut entry = Vec::new();
        put_bytes(&mut entry, 1, name.as_bytes());
        put_bytes(&mut entry, 2, value);
        put_bytes(&mut out, 4, &entry);
    }
    out.extend([5 << 3, 1]);
    out
}

/// The start of a value, up to the bytes of `encryptedData`.
pub(crate) fn put_head(out: &mut Vec<u8>, prefix: &str, data_length: usize) {
    out.extend_from_slice(prefix.as_bytes());
    out.push(1 << 3 | 2);
    put_varint(out, data_length as u64);
}

/// `validateKeyID`, `validateEncryptedDEKSource` and `validateAnnotations`.
pub(crate) fn check_limits(wrapped: &Wrapped) -> Result<(), LimitError> {
    match wrapped.key_id.len() {
        0 => return Err(LimitError::NoKeyId),
        1..=MAX_KEY_ID => {}
        long => return Err(LimitError::LongKeyId(long)),
    }
    match wrapped.source.len() {
        0 => return Err(LimitError::NoSource),
        1..=MAX_SOURCE => {}
        long => return Err(LimitError::LongSource(long)),
    }
    let total: usize = wrapped.annotations.iter().map(|(name, value)| name.len() + value.len()).sum();
    if total > MAX_ANNOTATIONS {
        return Err(LimitError::LongAnnotations(total));
    }
    match wrapped.annotations.iter().find(|(name, _)| !is_domain(name)) {
        Some((name, _)) => Err(LimitError::Annotation(name.clone())),
        None => Ok(()),
    }
}

fn split_prefix(sealed: &[u8]) -> Option<(&str, &[u8])> {
    let rest = sealed.strip_prefix(PREFIX.as_bytes())?;
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let (name, body) = rest.split_at_checked(colon)?;
    Some((std::str::from_utf8(name).ok()?, body.get(1..)?))
}

fn text(bytes: &[u8]) -> Result<String, EnvelopeError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| EnvelopeError::Wire)
}

/// A map of protobuf: a name that comes again replaces the one before.
fn add_annotation(annotations: &mut Vec<(String, Vec<u8>)>, entry: &[u8]) -> Result<(), EnvelopeError> {
    let (mut name, mut value) = (String::new(), Vec::new());
    for field in Fields(entry) {
        match field? {
            (1, Field::Bytes(bytes)) => name = text(bytes)?,
            (2, Field::Bytes(bytes)) => value = bytes.to_vec(),
            _ => {}
        }
    }
    match annotations.binary_search_by(|(known, _)| known.cmp(&name)) {
        Ok(place) => annotations.get_mut(place).map_or((), |slot| slot.1 = value),
        Err(place) => annotations.insert(place, (name, value)),
    }
    Ok(())
}

/// `validation.IsFullyQualifiedDomainName` without the trailing dot.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let ends = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        let bytes = label.as_bytes();
        bytes.len() <= 63 && ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(inside)
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a protobuf message with their numbers.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>), EnvelopeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(EnvelopeError::Wire);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.bytes(8).map(|_| Field::Fixed)?,
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Field::Fixed)?,
            _ => return None,
        };
        (tag >> 3 != 0).then_some((tag >> 3, field))
    }

    fn bytes(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    out.push(field << 3 | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

const MAX_KEY_ID: usize = 1024;
const MAX_SOURCE: usize = 1024;
const MAX_ANNOTATIONS: usize = 32 * 1024;

#[cfg(test)]
mod tests;
