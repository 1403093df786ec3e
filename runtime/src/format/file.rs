//! From bytes to a model file that is known to be sound.

use core::cmp::Ordering;

use super::header::{Start, check_magic};
use super::{Header, MAX_SECTIONS, ModelError, Numbers, Samples, Section, SectionKind};
use crate::checksum::crc32;
use crate::{CellKind, Shape};

/// The payload, and every section in it, begins at a multiple of this many bytes.
pub const PAYLOAD_ALIGNMENT: usize = 16;

const CRC_BYTES: usize = 4;

/// Kinds of sections in the first of the two arrays of a [`File`].
const FIRST_KINDS: usize = 8;

#[cfg(target_endian = "big")]
compile_error!("models are read in place and are little-endian; this target is big-endian");

/// A model file of any kind that has been checked: its length, CRC and header, the length of every section, and every
/// bound that the arithmetic relies on.
///
/// Nothing here depends on the cell or the shape that a program is compiled for, so that a program with many networks
/// has this code once.
#[derive(Clone, Debug)]
pub struct File<'a> {
    pub(crate) header: Header<'a>,
    pub(crate) crc: u32,
    /// What the first [`FIRST_KINDS`] kinds of sections hold, nothing where there is none.
    first: [&'a [u32]; FIRST_KINDS],
    /// The same of the others. In two parts of at most 64 bytes, which a small core moves with a few instructions and
    /// without `memcpy`.
    others: [&'a [u32]; MAX_SECTIONS - FIRST_KINDS],
    /// The sections of bytes.
    pub(crate) self_test_rows: &'a [u8],
    pub(crate) blank_states: &'a [u8],
}

/// What a program is compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) cell: CellKind,
    pub(crate) numbers: Numbers,
    /// Whether it computes with samples that are floats.
    pub(crate) takes_floats: bool,
    pub(crate) shape: Shape,
}

impl<'a> File<'a> {
    /// What is in bytes that [`check`](Self::check) has nothing against.
    ///
    /// Checking and reading are two functions, though the first does all that the second does, since a `Result` of all of
    /// a file would be moved from place to place, which takes a small core more code than to read a header twice.
    #[inline(never)]
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let Start { header, length, .. } = Start::of(bytes);
        let mut file = Self {
            header,
            crc: bytes.last_chunk().map_or(0, |&stored| u32::from_le_bytes(stored)),
            first: [&[]; _],
            others: [&[]; _],
            self_test_rows: &[],
            blank_states: &[],
        };
        let payload = bytes.get(length.next_multiple_of(PAYLOAD_ALIGNMENT)..).unwrap_or_default();
        for Section { kind, offset, length } in header.sections.iter() {
            let bytes = payload.get(offset as usize..).and_then(|rest| rest.get(..length as usize));
            let bytes = bytes.unwrap_or_default();
            match kind {
                SectionKind::SelfTestRows => file.self_test_rows = bytes,
                SectionKind::BlankStates => file.blank_states = bytes,
                _ => file.set_words(kind, bytes),
            }
        }
        file
    }

    /// Checks a file, and whether it is one of those that a program is compiled for, if that is known.
    #[inline(never)]
    pub(crate) fn check(bytes: &'a [u8], expected: Option<&Expected>) -> Result<(), ModelError> {
        let remainder = bytes.as_ptr().addr() % PAYLOAD_ALIGNMENT;
        if remainder != 0 {
            return Err(ModelError::Misaligned { remainder });
        }
        check_magic(bytes)?;
        let Start { length, payload_bytes, accepted, .. } = Start::of(bytes);
        if accepted.is_ok() {
            check_length(bytes.len(), length, payload_bytes)?;
        }
        // a header that cannot be believed is damage, where the CRC says so
        let (body, stored) = bytes.split_last_chunk().unwrap_or((bytes, &[0; CRC_BYTES]));
        let (stored, computed) = (u32::from_le_bytes(*stored), crc32(body));
        if stored != computed {
            return Err(ModelError::Crc { stored, computed });
        }
        accepted?;
        let file = Self::of(bytes);
        if let Some(expected) = expected {
            file.expect(expected)?;
        }
        file.check_sections()
    }

    /// Refuses a file that is not what a program is compiled for.
    fn expect(&self, expected: &Expected) -> Result<(), ModelError> {
        let Header { cell, numbers, input, shape, .. } = self.header;
        if shape != expected.shape {
            Err(ModelError::Shape { found: shape, expected: expected.shape })
        } else if cell != expected.cell {
            Err(ModelError::Cell { found: cell, expected: expected.cell })
        } else if numbers != expected.numbers {
            Err(ModelError::Numbers { found: numbers, expected: expected.numbers })
        } else if input.samples == Samples::F32 && !expected.takes_floats {
            Err(ModelError::Samples { found: input.samples })
        } else {
            Ok(())
        }
    }

    /// Takes bytes as the words of a section.
    fn set_words(&mut self, kind: SectionKind, bytes: &'a [u8]) {
        let kind = kind as usize;
        let place = self.first.get_mut(kind).or_else(|| self.others.get_mut(kind.wrapping_sub(FIRST_KINDS)));
        if let Some(words) = place {
            // aligned, and where the length does not fit, that is found when it is checked
            *words = bytemuck::try_cast_slice(bytes).unwrap_or_default();
        }
    }

    /// The words of a section, nothing where the file has none.
    pub(crate) fn words(&self, kind: SectionKind) -> &'a [u32] {
        let kind = kind as usize;
        let words = self.first.get(kind).or_else(|| self.others.get(kind.wrapping_sub(FIRST_KINDS)));
        words.copied().unwrap_or_default()
    }

    /// The integers of a section.
    pub(crate) fn integers(&self, kind: SectionKind) -> &'a [i32] {
        bytemuck::cast_slice(self.words(kind))
    }

    /// The floats of a section.
    pub(crate) fn floats(&self, kind: SectionKind) -> &'a [f32] {
        bytemuck::cast_slice(self.words(kind))
    }
}

/// Refuses a file that ends elsewhere than behind its payload and the CRC.
fn check_length(found: usize, header_bytes: usize, payload_bytes: usize) -> Result<(), ModelError> {
    let start = header_bytes.next_multiple_of(PAYLOAD_ALIGNMENT);
    let expected = start.saturating_add(payload_bytes).saturating_add(CRC_BYTES);
    match found.cmp(&expected) {
        Ordering::Less => Err(ModelError::Truncated { found, expected }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(ModelError::TrailingBytes { found, expected }),
    }
}
