//! The wire format of protobuf: tags, varints, lengths.

use crate::protobuf::Fault;

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Varint,
    Fixed64,
    Bytes,
    Group,
    Fixed32,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
            Self::Bytes => 2,
            Self::Group => 3,
            Self::Fixed32 => 5,
        }
    }
}

/// What a field begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) number: u32,
    pub(super) kind: Kind,
}

/// The rest of a message.
pub(super) struct Wire<'a> {
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next field of the message `owner`, or `None` at its end.
    pub(super) fn tag(&mut self, owner: &str) -> Result<Option<Tag>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let word = self.varint()?;
        let kind = match word & 7 {
            0 => Kind::Varint,
            1 => Kind::Fixed64,
            2 => Kind::Bytes,
            3 => Kind::Group,
            4 => return Err(Fault::new(format!("proto: {owner}: wiretype end group for non-group"))),
            5 => Kind::Fixed32,
            other => return Err(Fault::new(format!("proto: illegal wireType {other}"))),
        };
        // Go keeps the low half of the number.
        match u32::try_from(word >> 3 & 0xffff_ffff) {
            Ok(number @ 1..=0x7fff_ffff) => Ok(Some(Tag { number, kind })),
            _ => Err(Fault::new(format!("proto: {owner}: illegal tag {} (wire type {})", word >> 3, word & 7))),
        }
    }

    /// A number, or a boolean.
    pub(super) fn number(&mut self, tag: Tag, field: &str) -> Result<i64, Fault> {
        check(tag, Kind::Varint, field)?;
        self.varint().map(u64::cast_signed)
    }

    pub(super) fn float(&mut self, tag: Tag, field: &str) -> Result<f64, Fault> {
        check(tag, Kind::Fixed64, field)?;
        let number = self.fixed().map(f64::from_le_bytes)?;
        Ok(if number.is_finite() { number } else { 0.0 })
    }

    pub(super) fn bytes(&mut self, tag: Tag, field: &str) -> Result<&'a [u8], Fault> {
        check(tag, Kind::Bytes, field)?;
        self.delimited()
    }

    /// Text; Go takes any bytes, and writes what is not UTF-8 as U+FFFD.
    pub(super) fn text(&mut self, tag: Tag, field: &str) -> Result<String, Fault> {
        Ok(String::from_utf8_lossy(self.bytes(tag, field)?).into_owned())
    }

    /// Passes over the field of this tag, without recursion.
    pub(super) fn skip(&mut self, tag: Tag) -> Result<(), Fault> {
        let mut groups = 0_usize;
        let mut kind = tag.kind;
        loop {
            match kind {
                Kind::Varint => drop(self.varint()?),
                Kind::Fixed64 => drop(self.fixed::<8>()?),
                Kind::Fixed32 => drop(self.fixed::<4>()?),
                Kind::Bytes => drop(self.delimited()?),
                Kind::Group => groups += 1,
            }
            loop {
                if groups == 0 {
                    return Ok(());
                }
                let word = self.varint()?;
                kind = match word & 7 {
                    0 => Kind::Varint,
                    1 => Kind::Fixed64,
                    2 => Kind::Bytes,
                    3 => Kind::Group,
                    5 => Kind::Fixed32,
                    4 => {
                        groups -= 1;
                        continue;
                    }
                    other => return Err(Fault::new(format!("proto: illegal wireType {other}"))),
                };
                break;
            }
        }
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or_else(end)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::new("proto: integer overflow"))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().ok_or_else(end)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn delimited(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.varint()?;
        if length > u64::MAX >> 1 {
            return Err(Fault::new("proto: negative length found during unmarshaling"));
        }
        let length = usize::try_from(length).map_err(|_| end())?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(end)?;
        self.rest = rest;
        Ok(bytes)
    }
}

fn end() -> Fault {
    Fault::new("unexpected EOF")
}

fn check(tag: Tag, wanted: Kind, field: &str) -> Result<(), Fault> {
    if tag.kind == wanted {
        return Ok(());
    }
    Err(Fault::new(format!("proto: wrong wireType = {} for field {field}", tag.kind.number())))
}
