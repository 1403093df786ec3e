//! GRU on floats; the equations are those of [`cell::Gru`](crate::cell::Gru).

use super::activation::{sigmoid, tanh};
use super::rows::Rows;
use crate::CellKind;
use crate::cell::{Cell, Weights, sealed};
use crate::format::{File, Numbers, SectionKind};
use crate::state::{NoMemory, StateMut};
use crate::tiles::part;

/// The GRU cell on floats.
///
/// ```
/// use refrain::{Numbers, cell::Cell, float::Gru};
///
/// assert_eq!(Gru::NUMBERS, Numbers::F32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gru;

impl sealed::Sealed for Gru {}

impl Cell for Gru {
    const KIND: CellKind = CellKind::Gru;
    const NUMBERS: Numbers = Numbers::F32;
    type Logit = f32;
    type Weights<'a> = GruWeights<'a>;
    type Value = f32;
    type Memory<const UNITS: usize> = NoMemory<f32>;
}

/// The weights of a GRU network.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct GruWeights<'a> {
    rows: Rows<'a, 3>,
    /// `[layers][units][gates]`
    recurrent_biases: &'a [f32],
}

impl<'a> Weights<'a> for GruWeights<'a> {
    type Value = f32;

    fn of(file: &File<'a>) -> Self {
        let recurrent_biases = file.floats(SectionKind::RecurrentBias);
        Self { rows: Rows::of(file), recurrent_biases }
    }

    fn step(&self, layer: usize, state: StateMut<'_, f32>, x: &[f32], old: &[f32]) {
        let recurrent_bias = part(self.recurrent_biases, layer, old.len() * 3);
        let units = state.hidden.iter_mut().zip(recurrent_bias.chunks_exact(3));
        for ((input, recurrent), (hidden, bias)) in self.rows.sums(layer, x, old).zip(units) {
            let [z, r, _]: [f32; 3] =
                core::array::from_fn(|gate| input[gate] + (recurrent[gate] + bias[gate]));
            let (z, r) = (sigmoid(z), sigmoid(r));
            let g = tanh(input[2] + r * (recurrent[2] + bias[2]));
            *hidden = z * *hidden + (1.0 - z) * g;
        }
    }
}
