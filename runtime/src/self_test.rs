//! The self-test that a model file carries.

use serde::{Deserialize, Serialize};

use crate::Logit;
use crate::format::{File, SectionKind};

/// Why a self-test was not passed.
///
/// ```
/// let error = refrain::SelfTestError::Absent;
/// assert_eq!(error.to_string(), "the model file carries no self-test");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SelfTestError {
    /// The model file carries no self-test.
    Absent,
    /// The logits of a sequence are not those that the file gives.
    Mismatch {
        /// The number of the sequence.
        sequence: usize,
    },
}

impl core::fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Absent => f.write_str("the model file carries no self-test"),
            Self::Mismatch { sequence } => {
                write!(f, "self-test sequence {sequence} gives other logits than the model file expects")
            }
        }
    }
}

impl core::error::Error for SelfTestError {}

/// Sequences and the logits that they must give.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SelfTest<'a, L> {
    /// `[sequences][timesteps]` rows, as they travel on the link.
    rows: &'a [u8],
    /// `[sequences][outputs]`
    logits: &'a [L],
    row_bytes: usize,
    outputs: usize,
}

impl<'a, L: Logit> SelfTest<'a, L> {
    /// What a file carries, if it does.
    pub(crate) fn of(file: &File<'a>) -> Option<Self> {
        let logits = bytemuck::cast_slice(file.words(SectionKind::SelfTestLogits));
        let outputs = file.header.shape.outputs.into();
        let test = Self { rows: file.self_test_rows, logits, row_bytes: file.header.row_bytes(), outputs };
        (!logits.is_empty()).then_some(test)
    }

    /// Each sequence, row by row, and its logits.
    pub(crate) fn sequences(&self) -> impl Iterator<Item = (impl Iterator<Item = &'a [u8]>, &'a [L])> {
        let logits = self.logits.chunks_exact(self.outputs.max(1));
        let sequence_bytes = self.rows.len() / logits.len().max(1);
        let rows = self.rows.chunks_exact(sequence_bytes.max(1));
        let row_bytes = self.row_bytes.max(1);
        rows.map(move |rows| rows.chunks_exact(row_bytes)).zip(logits)
    }
}
