//! The table of a file's sections.

use serde::{Deserialize, Serialize};

use super::cursor::Cursor;
use super::fields::from_byte;
use super::{ModelError, PAYLOAD_ALIGNMENT, SectionFault};

/// What a section holds; the module's documentation describes each.
///
/// ```
/// use refrain::format::SectionKind;
///
/// assert_eq!(format!("{:?}", SectionKind::DenseBias), "DenseBias");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(missing_docs, reason = "the table in the module's documentation describes them together")]
pub enum SectionKind {
    Kernel,
    RecurrentKernel,
    Bias,
    RecurrentBias,
    Multiplier,
    DenseKernel,
    DenseBias,
    DenseMultiplier,
    SelfTestRows,
    SelfTestLogits,
    InputOffset,
    InputGain,
    OutputScaling,
    BlankStates,
}

from_byte! {
    SectionKind {
        Kernel, RecurrentKernel, Bias, RecurrentBias, Multiplier, DenseKernel, DenseBias, DenseMultiplier,
        SelfTestRows, SelfTestLogits, InputOffset, InputGain, OutputScaling, BlankStates
    }
}

impl SectionKind {
    /// Every kind, in the order of their bytes.
    pub(super) const ALL: [Self; 14] = [
        Self::Kernel,
        Self::RecurrentKernel,
        Self::Bias,
        Self::RecurrentBias,
        Self::Multiplier,
        Self::DenseKernel,
        Self::DenseBias,
        Self::DenseMultiplier,
        Self::SelfTestRows,
        Self::SelfTestLogits,
        Self::InputOffset,
        Self::InputGain,
        Self::OutputScaling,
        Self::BlankStates,
    ];
}

/// Most sections that a file has: one of each kind.
pub const MAX_SECTIONS: usize = SectionKind::ALL.len();

/// Where a section lies.
///
/// ```
/// use refrain::{Header, format::SectionKind};
///
/// let file = refrain::include_model!("../../../firmware/models/lstm.rfn");
/// let (header, _) = Header::read(file)?;
/// let kernel = header.sections.iter().next().expect("an LSTM has a kernel");
/// // four gates of 64 units, 28 inputs, a byte each
/// assert_eq!((kernel.kind, kernel.offset, kernel.length), (SectionKind::Kernel, 0, 4 * 64 * 28));
/// # Ok::<(), refrain::ModelError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What it holds.
    pub kind: SectionKind,
    /// Bytes from the payload's start, a multiple of 16.
    pub offset: u32,
    /// Its length in bytes.
    pub length: u32,
}

/// The table of a file's sections. It stays in the file as it is written there and is read anew whenever it is
/// looked at, which costs a board no memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections<'a> {
    /// As `postcard` writes a sequence of [`Section`]: their count, then each.
    table: &'a [u8],
}

impl<'a> Sections<'a> {
    pub(super) const EMPTY: Self = Self { table: &[] };

    /// The sections, in the order of their offsets.
    pub fn iter(self) -> impl Iterator<Item = Section> + use<'a> {
        let mut table = Cursor::new(self.table);
        let count = table.varint(usize::BITS);
        (0..count).map(move |_| section(&mut table))
    }

    /// The section of that kind, if there is one.
    #[inline(never)]
    pub fn find(self, kind: SectionKind) -> Option<Section> {
        self.iter().find(|section| section.kind == kind)
    }

    /// The table at a cursor, and where the payload ends, counted from its start; sections must follow one another.
    #[inline(never)]
    pub(super) fn read(cursor: &mut Cursor<'a>) -> (Self, usize) {
        let table = cursor.rest;
        let count = cursor.varint(usize::BITS);
        if count > MAX_SECTIONS {
            cursor.fail();
            return (Self::EMPTY, 0);
        }
        let (mut end, mut seen) = (0usize, 0u32);
        for _ in 0..count {
            let Section { kind, offset, length } = section(cursor);
            let (offset, this) = (offset as usize, 1 << kind as u32);
            let aligned = end.saturating_add(PAYLOAD_ALIGNMENT - 1) & !(PAYLOAD_ALIGNMENT - 1);
            if seen & this != 0 {
                cursor.refuse(ModelError::Section { kind, fault: SectionFault::Twice });
            } else if offset != aligned {
                cursor.refuse(ModelError::Section { kind, fault: SectionFault::Misplaced });
            }
            end = offset.saturating_add(length as usize);
            seen |= this;
        }
        let length = table.len().saturating_sub(cursor.rest.len());
        (Self { table: table.get(..length).unwrap_or_default() }, end)
    }
}

/// One section's place in the table.
#[inline(never)]
fn section(cursor: &mut Cursor<'_>) -> Section {
    Section { kind: cursor.variant(SectionKind::Kernel), offset: cursor.u32(), length: cursor.u32() }
}
