//! SimpleRNN on floats; the equations are those of [`cell::SimpleRnn`](crate::cell::SimpleRnn).

use super::activation::tanh;
use super::rows::Rows;
use crate::CellKind;
use crate::cell::{Cell, Weights, sealed};
use crate::format::{File, Numbers};
use crate::state::{NoMemory, StateMut};

/// The SimpleRNN cell on floats.
///
/// ```
/// use refrain::{Numbers, cell::Cell, float::SimpleRnn};
///
/// assert_eq!(SimpleRnn::NUMBERS, Numbers::F32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimpleRnn;

impl sealed::Sealed for SimpleRnn {}

impl Cell for SimpleRnn {
    const KIND: CellKind = CellKind::SimpleRnn;
    const NUMBERS: Numbers = Numbers::F32;
    type Logit = f32;
    type Weights<'a> = SimpleRnnWeights<'a>;
    type Value = f32;
    type Memory<const UNITS: usize> = NoMemory<f32>;
}

/// The weights of a SimpleRNN network.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct SimpleRnnWeights<'a> {
    rows: Rows<'a, 1>,
}

impl<'a> Weights<'a> for SimpleRnnWeights<'a> {
    type Value = f32;

    fn of(file: &File<'a>) -> Self {
        Self { rows: Rows::of(file) }
    }

    fn step(&self, layer: usize, state: StateMut<'_, f32>, x: &[f32], old: &[f32]) {
        for (([input], [recurrent]), hidden) in self.rows.sums(layer, x, old).zip(state.hidden) {
            *hidden = tanh(input + recurrent);
        }
    }
}
