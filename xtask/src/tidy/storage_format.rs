//! The disk format is a document: code that writes it does not change without a new look at the document.

use std::fs;
use std::path::Path;

use super::Findings;
use super::exceptions::Exceptions;

const DOCUMENT: &str = "docs/storage-format.md";

pub(super) fn check(root: &Path, exceptions: &Exceptions) -> Findings {
    let mut hash = Fnv::default();
    for file in exceptions.storage_format() {
        match fs::read(root.join(file)) {
            Ok(bytes) => hash.add(&bytes),
            Err(_) => return vec![format!("{file}: named as part of the storage format, but cannot be read")],
        }
    }
    let line = format!("<!-- code: {:016x} -->", hash.0);
    match fs::read_to_string(root.join(DOCUMENT)) {
        Err(_) => vec![format!("{DOCUMENT} is missing")],
        Ok(text) if text.lines().any(|found| found == line) => Vec::new(),
        Ok(_) => vec![format!(
            "{DOCUMENT}: {} changed; read the document again, mend it, and give it this line: {line}",
            exceptions.storage_format().join(", ")
        )],
    }
}

/// FNV-1a: it notices a change, which is all that is asked of it.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_fnv_1a() {
        let mut hash = super::Fnv::default();
        hash.add(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }
}
