//! Base64 as Go's `base64.StdEncoding` reads it: line breaks anywhere, odd trailing bits, and the same offset in
//! the error.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, Zeroizing};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The bytes, or the offset that Go names in `illegal base64 data at input byte N`.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, usize> {
    // What was read before a fault is wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 4 * 3 + 3));
    if LENIENT.decode_vec(text, &mut bytes).is_err() {
        bytes.zeroize();
        let mut rest = Quanta { text, at: 0 };
        while rest.next_into(&mut bytes)? {}
    }
    Ok(std::mem::take(&mut *bytes))
}

/// Reads groups of four characters with line breaks between them.
struct Quanta<'a> {
    text: &'a [u8],
    at: usize,
}

impl Quanta<'_> {
    /// Adds the bytes of one group; false at the end.
    fn next_into(&mut self, bytes: &mut Vec<u8>) -> Result<bool, usize> {
        let mut group = 0_u32;
        for place in 0..4 {
            self.skip_breaks();
            let Some(&character) = self.text.get(self.at) else {
                // A group that ends early is told at its first character.
                return if place == 0 { Ok(false) } else { Err(self.at - place) };
            };
            self.at += 1;
            if character == b'=' {
                self.padding(place)?;
                let [_, first, second, _] = (group << (6 * (4 - place))).to_be_bytes();
                bytes.push(first);
                if place == 3 {
                    bytes.push(second);
                }
                return Ok(false);
            }
            group = group << 6 | sextet(character).ok_or(self.at - 1)?;
        }
        let [_, first, second, third] = group.to_be_bytes();
        bytes.extend([first, second, third]);
        Ok(true)
    }

    /// What may follow the first `=` of a group, which was read.
    fn padding(&mut self, place: usize) -> Result<(), usize> {
        if place < 2 {
            return Err(self.at - 1);
        }
        self.skip_breaks();
        if place == 2 {
            match self.text.get(self.at) {
                None => return Err(self.text.len()),
                Some(b'=') => self.at += 1,
                Some(_) => return Err(self.at - 1),
            }
            self.skip_breaks();
        }
        if self.at < self.text.len() { Err(self.at) } else { Ok(()) }
    }

    fn skip_breaks(&mut self) {
        while matches!(self.text.get(self.at), Some(b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

fn sextet(character: u8) -> Option<u32> {
    Some(u32::from(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
