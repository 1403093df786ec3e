//! From bytes to sections that are known to be whole.

use bytemuck::Pod;

use super::{Header, ModelError, Section, SectionFault, SectionKind};
use crate::checksum::crc32;

/// The payload, and every section in it, begins at a multiple of this many bytes.
pub const PAYLOAD_ALIGNMENT: usize = 16;

const CRC_BYTES: usize = 4;

#[cfg(target_endian = "big")]
compile_error!("models are read in place and are little-endian; this target is big-endian");

/// Columns that a tile stores for `columns` operands: a multiple of four.
pub(crate) const fn tile_columns(columns: usize) -> usize {
    columns.next_multiple_of(4)
}

/// A model file whose length, CRC, header and section table have been checked.
#[derive(Clone, Debug)]
pub struct File<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) crc: u32,
    payload: &'a [u8],
}

impl<'a> File<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let remainder = bytes.as_ptr().addr() % PAYLOAD_ALIGNMENT;
        if remainder != 0 {
            return Err(ModelError::Misaligned { remainder });
        }
        let (header, header_bytes) = Header::read(bytes).map_err(|error| or_damage(bytes, error))?;
        let start = header_bytes.next_multiple_of(PAYLOAD_ALIGNMENT);
        let payload_bytes = payload_bytes(&header.sections).map_err(|error| or_damage(bytes, error))?;
        let expected = start.saturating_add(payload_bytes).saturating_add(CRC_BYTES);
        let found = bytes.len();
        if found < expected {
            return Err(ModelError::Truncated { found, expected });
        }
        if found > expected {
            return Err(ModelError::TrailingBytes { found, expected });
        }
        let crc = check_crc(bytes)?;
        let payload = bytes.get(start..start.saturating_add(payload_bytes)).unwrap_or_default();
        Ok(Self { header, crc, payload })
    }

    /// The section of that kind as `expected` values of `T`, borrowed from the file.
    pub(crate) fn section<T: Pod>(&self, kind: SectionKind, expected: usize) -> Result<&'a [T], ModelError> {
        cast(kind, self.sized(kind, expected.saturating_mul(size_of::<T>()))?)
    }

    /// The section of that kind, if the file has one.
    pub(crate) fn optional<T: Pod>(&self, kind: SectionKind) -> Result<Option<&'a [T]>, ModelError> {
        self.find(kind).map(|bytes| cast(kind, bytes)).transpose()
    }

    /// The section of that kind, of `expected` bytes.
    #[inline(never)]
    fn sized(&self, kind: SectionKind, expected: usize) -> Result<&'a [u8], ModelError> {
        let fault = match self.find(kind) {
            None => SectionFault::Missing,
            Some(bytes) if bytes.len() == expected => return Ok(bytes),
            Some(bytes) => SectionFault::Length { found: bytes.len(), expected },
        };
        Err(ModelError::Section { kind, fault })
    }

    /// The bytes of a section.
    #[inline(never)]
    fn find(&self, kind: SectionKind) -> Option<&'a [u8]> {
        let section = self.header.sections.iter().find(|section| section.kind == kind)?;
        let (offset, length) = (section.offset as usize, section.length as usize);
        self.payload.get(offset..offset.saturating_add(length))
    }

    /// A section of `expected` finite numbers.
    pub(crate) fn finite(&self, kind: SectionKind, expected: usize) -> Result<&'a [f32], ModelError> {
        // looks at the bits, so that no float arithmetic is linked for it
        const EXPONENT: u32 = 0x7f80_0000;
        let values: &[f32] = self.section(kind, expected)?;
        match values.iter().all(|value| value.to_bits() & EXPONENT != EXPONENT) {
            true => Ok(values),
            false => Err(ModelError::NotFinite { kind }),
        }
    }

    /// Refuses a section that a model of this kind does not have.
    #[inline(never)]
    pub(crate) fn forbid(&self, kind: SectionKind) -> Result<(), ModelError> {
        match self.find(kind) {
            Some(_) => Err(ModelError::Section { kind, fault: SectionFault::Unexpected }),
            None => Ok(()),
        }
    }
}

/// The CRC-32 at the end of a file, where it is that of the bytes before it.
#[inline(never)]
fn check_crc(bytes: &[u8]) -> Result<u32, ModelError> {
    let short = ModelError::Truncated { found: bytes.len(), expected: CRC_BYTES };
    let (body, stored) = bytes.split_last_chunk::<CRC_BYTES>().ok_or(short)?;
    let (stored, computed) = (u32::from_le_bytes(*stored), crc32(body));
    if stored == computed { Ok(stored) } else { Err(ModelError::Crc { stored, computed }) }
}

/// What is wrong with a file whose header cannot be believed: damage, where the CRC says so, otherwise `error`.
fn or_damage(bytes: &[u8], error: ModelError) -> ModelError {
    match error {
        ModelError::Magic { .. } | ModelError::Truncated { .. } => error,
        _ => check_crc(bytes).err().unwrap_or(error),
    }
}

/// The bytes of a section as values.
fn cast<T: Pod>(kind: SectionKind, bytes: &[u8]) -> Result<&[T], ModelError> {
    bytemuck::try_cast_slice(bytes).map_err(|_| {
        // every section is aligned, so it is the length that does not fit
        let (found, expected) = (bytes.len(), bytes.len().next_multiple_of(size_of::<T>()));
        ModelError::Section { kind, fault: SectionFault::Length { found, expected } }
    })
}

/// Where the payload ends, counted from its start; sections must follow one another.
fn payload_bytes(sections: &[Section]) -> Result<usize, ModelError> {
    let mut end = 0usize;
    for (index, section) in sections.iter().enumerate() {
        let kind = section.kind;
        if sections.iter().take(index).any(|earlier| earlier.kind == kind) {
            return Err(ModelError::Section { kind, fault: SectionFault::Twice });
        }
        if section.offset as usize != end.saturating_add(PAYLOAD_ALIGNMENT - 1) & !(PAYLOAD_ALIGNMENT - 1) {
            return Err(ModelError::Section { kind, fault: SectionFault::Misplaced });
        }
        end = (section.offset as usize).saturating_add(section.length as usize);
    }
    Ok(end)
}
