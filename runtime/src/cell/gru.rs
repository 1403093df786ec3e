//! GRU, as in Keras with `reset_after=True`: <https://keras.io/api/layers/recurrent_layers/gru/>, after Cho et
//! al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014. Gates stand in the order z, r, h.
//!
//! ```text
//! z  = sigmoid(Kz·x + Rz·h + bz)             update gate        [units]
//! r  = sigmoid(Kr·x + Rr·h + br)             reset gate
//! g  = tanh(Kh·x + bh + r·(Rh·h + ch))       candidate; ch is the recurrent bias
//! h' = z·h + (1 - z)·g = g + z·(h - g)       hidden state
//! ```
//!
//! `bz` and `br` are the sums of Keras's two biases.

use super::{Cell, LayerStep, Rows, sealed, tile_count};
use crate::CellKind;
use crate::activation::{sigmoid_of_half, tanh};
use crate::fixed::{GATE_BITS, round_shift, scale_by_gate};
use crate::format::{File, Numbers, SectionKind};
use crate::kernel::{Bits4, Bits8, Packing};
use crate::state::{NoMemory, StateMut};
use crate::tiles::part;

/// The GRU cell on integers.
///
/// ```
/// use refrain::{CellKind, cell::{Cell, Gru}};
///
/// assert_eq!(Gru::KIND, CellKind::Gru);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gru;

impl sealed::Sealed for Gru {}

impl Cell for Gru {
    const KIND: CellKind = CellKind::Gru;
    const NUMBERS: Numbers = Numbers::Int8;
    type Logit = i32;
    type Weights<'a> = GruWeights<'a, Bits8>;
    type Value = i16;
    type Memory<const UNITS: usize> = NoMemory<i32>;
}

/// The GRU cell on integers, with weights of 4 bits.
///
/// ```
/// use refrain::{Numbers, cell::{Cell, Gru4}};
///
/// assert_eq!(Gru4::NUMBERS, Numbers::Int4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gru4;

impl sealed::Sealed for Gru4 {}

impl Cell for Gru4 {
    const KIND: CellKind = CellKind::Gru;
    const NUMBERS: Numbers = Numbers::Int4;
    type Logit = i32;
    type Weights<'a> = GruWeights<'a, Bits4>;
    type Value = i16;
    type Memory<const UNITS: usize> = NoMemory<i32>;
}

/// The weights of a GRU network.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct GruWeights<'a, W> {
    /// A tile: the gates z, r, h of two units.
    rows: Rows<'a, W, 3>,
    /// `ch` of all layers, for whole tiles.
    recurrent_biases: &'a [i32],
    /// Tiles of one layer.
    count: usize,
}

weights_of_both_packings!(GruWeights);

impl<'a, W: Packing> GruWeights<'a, W> {
    #[inline(always)]
    fn of_file(file: &File<'a>) -> Self {
        let count = tile_count(file.header.shape, CellKind::Gru);
        let recurrent_biases = file.integers(SectionKind::RecurrentBias);
        Self { rows: Rows::of(file, count), recurrent_biases, count }
    }

    #[inline(always)]
    fn step_tiles(&self, layer: usize, state: StateMut<'_, i16>, x: &[i16], old: &[i16]) {
        let step = LayerStep { rows: self.rows.layer(layer), x, old, hidden: state.hidden };
        W::gru(step, part(self.recurrent_biases, layer, self.count * 2));
    }
}

/// The timestep of a layer, as the equations say: what a kernel that has it in its own way must equal.
/// `recurrent_bias`: `ch` of each unit, for whole tiles.
#[inline(always)]
pub(crate) fn plain<W: Packing>(
    LayerStep { rows, x, old, hidden }: LayerStep<'_, W, 3>,
    recurrent_bias: &[i32],
) {
    let mut operands = W::Operands::default();
    W::prepare(&mut operands, [x, old]);
    let units = hidden.chunks_mut(2).zip(recurrent_bias.chunks_exact(2));
    for (tile, (hidden, bias)) in rows.tiles(&operands).zip(units) {
        let [z, r, input] = tile.input_sums();
        let [z, r, recurrent] = tile.recurrent_sums(&[z, r, [bias[0], bias[1]]]);
        let [z, r] = [tile.scale(0, z), tile.scale(1, r)].map(|gate| gate.map(sigmoid_of_half));
        let candidate = core::array::from_fn(|side| input[side] + scale_by_gate(recurrent[side], r[side]));
        let g = tile.scale(2, candidate).map(tanh);
        for (hidden, (z, g)) in hidden.iter_mut().zip(z.into_iter().zip(g)) {
            *hidden = (g + round_shift(z * (i32::from(*hidden) - g), GATE_BITS)) as i16;
        }
    }
}
