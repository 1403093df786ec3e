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
        let (header, header_bytes) = Header::read(bytes)?;
        let start = header_bytes.next_multiple_of(PAYLOAD_ALIGNMENT);
        let end = start.saturating_add(payload_bytes(&header.sections)?);
        let expected = end.saturating_add(CRC_BYTES);
        let found = bytes.len();
        if found < expected {
            return Err(ModelError::Truncated { found, expected });
        }
        if found > expected {
            return Err(ModelError::TrailingBytes { found, expected });
        }
        let short = ModelError::Truncated { found, expected };
        let (body, stored) = bytes.split_last_chunk::<CRC_BYTES>().ok_or(short)?;
        let (stored, computed) = (u32::from_le_bytes(*stored), crc32(body));
        if stored != computed {
            return Err(ModelError::Crc { stored, computed });
        }
        let payload = body.get(start..).ok_or(short)?;
        Ok(Self { header, crc: stored, payload })
    }

    /// The section of that kind as `expected` values of `T`, borrowed from the file.
    pub(crate) fn section<T: Pod>(&self, kind: SectionKind, expected: usize) -> Result<&'a [T], ModelError> {
        let fault = |fault| ModelError::Section { kind, fault };
        let section = self.optional::<T>(kind)?.ok_or(fault(SectionFault::Missing))?;
        if section.len() == expected {
            Ok(section)
        } else {
            let (found, expected) = (size_of_val(section), expected.saturating_mul(size_of::<T>()));
            Err(fault(SectionFault::Length { found, expected }))
        }
    }

    /// The section of that kind, if the file has one.
    pub(crate) fn optional<T: Pod>(&self, kind: SectionKind) -> Result<Option<&'a [T]>, ModelError> {
        let Some(section) = self.header.sections.iter().find(|section| section.kind == kind) else {
            return Ok(None);
        };
        let (offset, found) = (section.offset as usize, section.length as usize);
        let bytes = self.payload.get(offset..offset.saturating_add(found));
        match bytes.map(bytemuck::try_cast_slice) {
            Some(Ok(values)) => Ok(Some(values)),
            _ => {
                let expected = found.next_multiple_of(size_of::<T>());
                Err(ModelError::Section { kind, fault: SectionFault::Length { found, expected } })
            }
        }
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
    pub(crate) fn forbid(&self, kind: SectionKind) -> Result<(), ModelError> {
        match self.header.sections.iter().any(|section| section.kind == kind) {
            true => Err(ModelError::Section { kind, fault: SectionFault::Unexpected }),
            false => Ok(()),
        }
    }
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
