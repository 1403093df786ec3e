//! What is to be learnt: labels or values.

use ndarray::{Array2, ArrayView2, Axis, s};

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

    /// The entries in `range`.
    ///
    /// # Panics
    /// When the range goes beyond the end.
    pub fn slice(&self, range: std::ops::Range<usize>) -> TargetsView<'_> {
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
