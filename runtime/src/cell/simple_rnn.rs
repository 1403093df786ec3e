//! SimpleRNN, as in Keras: <https://keras.io/api/layers/recurrent_layers/simple_rnn/>
//!
//! ```text
//! z  = K·x + R·h + b        [units]
//! h' = tanh(z)
//! ```

use super::{Cell, LayerStep, Rows, sealed, tile_count};
use crate::CellKind;
use crate::activation::tanh;
use crate::format::{File, Numbers};
use crate::kernel::{Bits4, Bits8, Packing};
use crate::state::{NoMemory, StateMut};

/// The SimpleRNN cell on integers.
///
/// ```
/// use refrain::{CellKind, cell::{Cell, SimpleRnn}};
///
/// assert_eq!(SimpleRnn::KIND, CellKind::SimpleRnn);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimpleRnn;

impl sealed::Sealed for SimpleRnn {}

impl Cell for SimpleRnn {
    const KIND: CellKind = CellKind::SimpleRnn;
    const NUMBERS: Numbers = Numbers::Int8;
    type Logit = i32;
    type Weights<'a> = SimpleRnnWeights<'a, Bits8>;
    type Value = i16;
    type Memory<const UNITS: usize> = NoMemory<i32>;
}

/// The SimpleRNN cell on integers, with weights of 4 bits.
///
/// ```
/// use refrain::{Numbers, cell::{Cell, SimpleRnn4}};
///
/// assert_eq!(SimpleRnn4::NUMBERS, Numbers::Int4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimpleRnn4;

impl sealed::Sealed for SimpleRnn4 {}

impl Cell for SimpleRnn4 {
    const KIND: CellKind = CellKind::SimpleRnn;
    const NUMBERS: Numbers = Numbers::Int4;
    type Logit = i32;
    type Weights<'a> = SimpleRnnWeights<'a, Bits4>;
    type Value = i16;
    type Memory<const UNITS: usize> = NoMemory<i32>;
}

/// The weights of a SimpleRNN network.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct SimpleRnnWeights<'a, W> {
    /// A tile: four units.
    rows: Rows<'a, W, 2>,
}

weights_of_both_packings!(SimpleRnnWeights);

impl<'a, W: Packing> SimpleRnnWeights<'a, W> {
    #[inline(always)]
    fn of_file(file: &File<'a>) -> Self {
        let rows = Rows::of(file, tile_count(file.header.shape, CellKind::SimpleRnn));
        Self { rows }
    }

    #[inline(always)]
    fn step_tiles(&self, layer: usize, state: StateMut<'_, i16>, x: &[i16], old: &[i16]) {
        W::simple_rnn(LayerStep { rows: self.rows.layer(layer), x, old, hidden: state.hidden });
    }
}

/// The timestep of a layer, as the equations say: what a kernel that has it in its own way must equal.
#[inline(always)]
pub(crate) fn plain<W: Packing>(LayerStep { rows, x, old, hidden }: LayerStep<'_, W, 2>) {
    let mut operands = W::Operands::default();
    W::prepare(&mut operands, [x, old]);
    for (tile, hidden) in rows.tiles(&operands).zip(hidden.chunks_mut(4)) {
        for (hidden, &z) in hidden.iter_mut().zip(tile.preactivations().as_flattened()) {
            *hidden = tanh(z) as i16;
        }
    }
}
