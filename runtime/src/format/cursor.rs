//! Reads what `postcard` writes, in a quarter of the code that its own reader takes on a small core.

use super::{HeaderField, ModelError, Text};

/// Reads field by field. Behind the end of the bytes, and where they mean nothing, fields are zero and empty. What was
/// wrong first is kept: one check for a whole header.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    /// What is still to be read.
    pub(super) rest: &'a [u8],
    /// How much there was.
    length: usize,
    pub(super) accepted: Result<(), ModelError>,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len(), accepted: Ok(()) }
    }

    /// Bytes that have been read.
    pub(super) const fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Keeps what is wrong, if it is the first.
    #[inline(never)]
    pub(super) fn refuse(&mut self, error: ModelError) {
        if self.accepted.is_ok() {
            self.accepted = Err(error);
        }
    }

    /// Says that a field means nothing.
    #[inline(never)]
    pub(super) fn fail(&mut self) {
        self.refuse(ModelError::Header);
    }

    /// Refuses a number out of its range.
    #[inline(never)]
    pub(super) fn check(&mut self, field: HeaderField, found: i32, least: i32, most: i32) {
        if found < least || found > most {
            self.refuse(ModelError::Field { field, found, least, most });
        }
    }

    /// So many bytes.
    #[inline(never)]
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else {
            self.fail();
            return &[];
        };
        self.rest = rest;
        bytes
    }

    /// So many bytes as an array.
    pub(super) fn array<const COUNT: usize>(&mut self) -> [u8; COUNT] {
        self.bytes(COUNT).first_chunk().copied().unwrap_or([0; COUNT])
    }

    /// One byte: a `u8`, an `i8`, or the variant of an enum.
    #[inline(never)]
    pub(super) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// A `u8` in a range.
    #[inline(never)]
    pub(super) fn byte_within(&mut self, field: HeaderField, least: u8, most: u8) -> u8 {
        let found = self.byte();
        self.check(field, found.into(), least.into(), most.into());
        found
    }

    /// A `u16` in a range.
    #[inline(never)]
    pub(super) fn u16_within(&mut self, field: HeaderField, least: u16, most: u16) -> u16 {
        let found = self.u16();
        self.check(field, found.into(), least.into(), most.into());
        found
    }

    /// An unsigned integer of so many bits, more than 8: seven bits a byte, the lowest first, all but the last byte
    /// with its highest bit set.
    #[inline(never)]
    pub(super) fn varint(&mut self, bits: u32) -> usize {
        let (mut value, mut shift) = (0, 0);
        while shift < bits {
            let byte = usize::from(self.byte());
            value |= (byte & 0x7f) << shift;
            // of its last byte, an integer may not use bits that it has not
            let surplus = byte >> (bits - shift).min(8);
            shift += 7;
            if byte < 0x80 && surplus == 0 {
                return value;
            }
        }
        self.fail();
        0
    }

    /// A `u16`.
    #[inline(never)]
    pub(super) fn u16(&mut self) -> u16 {
        self.varint(u16::BITS) as u16
    }

    /// An `i16`, its sign in the lowest bit.
    #[inline(never)]
    pub(super) fn i16(&mut self) -> i16 {
        let zigzag = self.u16();
        (zigzag >> 1) as i16 ^ -((zigzag & 1) as i16)
    }

    /// A `u32`.
    pub(super) fn u32(&mut self) -> u32 {
        self.varint(u32::BITS) as u32
    }

    /// An enum in one byte.
    pub(super) fn variant<T: TryFrom<u8>>(&mut self, otherwise: T) -> T {
        T::try_from(self.byte()).unwrap_or_else(|_| {
            self.fail();
            otherwise
        })
    }

    /// Text behind its length.
    #[inline(never)]
    pub(super) fn text(&mut self) -> Text<'a> {
        let length = self.varint(usize::BITS);
        Text::from_utf8(self.bytes(length)).unwrap_or_else(|| {
            self.fail();
            Text::EMPTY
        })
    }
}
