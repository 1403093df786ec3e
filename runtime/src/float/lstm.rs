//! LSTM on floats; the equations are those of [`cell::Lstm`](crate::cell::Lstm).

use super::activation::{sigmoid, tanh};
use super::rows::Rows;
use crate::CellKind;
use crate::cell::{Cell, Weights, sealed};
use crate::format::{File, Numbers};
use crate::state::{CellMemory, StateMut};

/// The LSTM cell on floats.
///
/// ```
/// use refrain::{Numbers, cell::Cell, float::Lstm};
///
/// assert_eq!(Lstm::NUMBERS, Numbers::F32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lstm;

impl sealed::Sealed for Lstm {}

impl Cell for Lstm {
    const KIND: CellKind = CellKind::Lstm;
    const NUMBERS: Numbers = Numbers::F32;
    type Logit = f32;
    type Weights<'a> = LstmWeights<'a>;
    type Value = f32;
    type Memory<const UNITS: usize> = CellMemory<f32, UNITS>;
}

/// The weights of an LSTM network.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct LstmWeights<'a> {
    rows: Rows<'a, 4>,
}

impl<'a> Weights<'a> for LstmWeights<'a> {
    type Value = f32;

    fn of(file: &File<'a>) -> Self {
        Self { rows: Rows::of(file) }
    }

    fn step(&self, layer: usize, state: StateMut<'_, f32>, x: &[f32], old: &[f32]) {
        let units = state.hidden.iter_mut().zip(state.cell);
        for ((input, recurrent), (hidden, cell)) in self.rows.sums(layer, x, old).zip(units) {
            let [i, f, c, o]: [f32; 4] = core::array::from_fn(|gate| input[gate] + recurrent[gate]);
            let (i, f, g, o) = (sigmoid(i), sigmoid(f), tanh(c), sigmoid(o));
            *cell = f * *cell + i * g;
            *hidden = o * tanh(*cell);
        }
    }
}
