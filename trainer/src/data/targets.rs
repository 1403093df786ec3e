//! What is to be learnt: labels or values.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis, s};

use super::sequences::keep;

/// One entry for each sequence, or for each timestep of each sequence one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Numbers of classes.
    Labels(Vec<u8>),
    /// `[entries, outputs]`, in the units of the data, every one of them finite.
    Values(Array2<f32>),
}

/// A borrowed run of [`Targets`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetsView<'a> {
    /// Numbers of classes.
    Labels(&'a [u8]),
    /// `[entries, outputs]`, in standard layout.
    Values(ArrayView2<'a, f32>),
}

impl Targets {
    /// How many entries there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::Values(values) => values.len_of(Axis(0)),
        }
    }

    /// Takes the entries at `ranges` out: a copy of those alone; `rest` are the ranges between them, which close
    /// up. All ranges ascend.
    pub(super) fn take_out(
        &mut self,
        ranges: impl Iterator<Item = Range<usize>>,
        rest: impl Iterator<Item = Range<usize>>,
    ) -> Targets {
        match self {
            Self::Labels(labels) => {
                let taken = ranges.flat_map(|range| &labels[range]).copied().collect();
                keep(labels, rest);
                Self::Labels(taken)
            }
            Self::Values(values) => {
                let taken = values.select(Axis(0), &ranges.flatten().collect::<Vec<_>>());
                *values = values.select(Axis(0), &rest.flatten().collect::<Vec<_>>());
                Self::Values(taken)
            }
        }
    }

    /// The entries in `range`.
    ///
    /// # Panics
    /// When the range goes beyond the end.
    pub fn slice(&self, range: Range<usize>) -> TargetsView<'_> {
        match self {
            Self::Labels(labels) => TargetsView::Labels(&labels[range]),
            Self::Values(values) => TargetsView::Values(values.slice(s![range, ..])),
        }
    }
}

impl TargetsView<'_> {
    /// How many entries there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::Values(values) => values.len_of(Axis(0)),
        }
    }
}
