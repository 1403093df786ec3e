//! LSTM, as in Keras: <https://keras.io/api/layers/recurrent_layers/lstm/>, after Hochreiter and Schmidhuber,
//! "Long Short-Term Memory", 1997. Gates stand in the order i, f, c, o.
//!
//! ```text
//! i  = sigmoid(Ki·x + Ri·h + bi)        input gate        [units]
//! f  = sigmoid(Kf·x + Rf·h + bf)        forget gate
//! g  = tanh   (Kc·x + Rc·h + bc)        candidate
//! o  = sigmoid(Ko·x + Ro·h + bo)        output gate
//! c' = f·c + i·g                        cell state
//! h' = o·tanh(c')                       hidden state
//! ```

use super::{Cell, LayerStep, Rows, sealed, tile_count};
use crate::CellKind;
use crate::activation::{sigmoid_of_half, tanh};
use crate::fixed::{GATE_BITS, HIDDEN_BITS, PREACTIVATION_BITS, round_shift, saturate_cell, scale_by_gate};
use crate::format::{File, Numbers};
use crate::kernel::{Bits4, Bits8, Packing};
use crate::state::{CellMemory, StateMut};

/// The LSTM cell on integers.
///
/// ```
/// use refrain::{CellKind, cell::{Cell, Lstm}};
///
/// assert_eq!(Lstm::KIND, CellKind::Lstm);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lstm;

impl sealed::Sealed for Lstm {}

impl Cell for Lstm {
    const KIND: CellKind = CellKind::Lstm;
    const NUMBERS: Numbers = Numbers::Int8;
    type Logit = i32;
    type Weights<'a> = LstmWeights<'a, Bits8>;
    type Value = i16;
    type Memory<const UNITS: usize> = CellMemory<i32, UNITS>;
}

/// The LSTM cell on integers, with weights of 4 bits.
///
/// ```
/// use refrain::{Numbers, cell::{Cell, Lstm4}};
///
/// assert_eq!(Lstm4::NUMBERS, Numbers::Int4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lstm4;

impl sealed::Sealed for Lstm4 {}

impl Cell for Lstm4 {
    const KIND: CellKind = CellKind::Lstm;
    const NUMBERS: Numbers = Numbers::Int4;
    type Logit = i32;
    type Weights<'a> = LstmWeights<'a, Bits4>;
    type Value = i16;
    type Memory<const UNITS: usize> = CellMemory<i32, UNITS>;
}

/// The weights of an LSTM network.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct LstmWeights<'a, W> {
    /// A tile: the gates (i, f), (c, o) of one unit.
    rows: Rows<'a, W, 2>,
    cell_bits: u32,
}

weights_of_both_packings!(LstmWeights);

impl<'a, W: Packing> LstmWeights<'a, W> {
    #[inline(always)]
    fn of_file(file: &File<'a>) -> Self {
        let rows = Rows::of(file, tile_count(file.header.shape, CellKind::Lstm));
        Self { rows, cell_bits: file.header.cell_bits.into() }
    }

    #[inline(always)]
    fn step_tiles(&self, layer: usize, state: StateMut<'_, i16>, x: &[i16], old: &[i16]) {
        let step = LayerStep { rows: self.rows.layer(layer), x, old, hidden: state.hidden };
        W::lstm(step, state.cell, self.cell_bits);
    }
}

/// The timestep of a layer, as the equations say: what a kernel that has it in its own way must equal. `cell: [units]`.
#[inline(always)]
pub(crate) fn plain<W: Packing>(
    LayerStep { rows, x, old, hidden }: LayerStep<'_, W, 2>,
    cell: &mut [i32],
    cell_bits: u32,
) {
    let mut operands = W::Operands::default();
    W::prepare(&mut operands, [x, old]);
    for (tile, (hidden, cell)) in rows.tiles(&operands).zip(hidden.iter_mut().zip(cell)) {
        let [[i, f], [c, o]] = tile.preactivations();
        let (i, f, g, o) = (sigmoid_of_half(i), sigmoid_of_half(f), tanh(c), sigmoid_of_half(o));
        // Q14 times Q15 is Q29, brought to the cell state's format
        let written = (i * g) >> (GATE_BITS + HIDDEN_BITS - cell_bits);
        *cell = saturate_cell(scale_by_gate(*cell, f) + written);
        let squashed = tanh(round_shift(*cell, cell_bits - PREACTIVATION_BITS));
        *hidden = round_shift(o * squashed, GATE_BITS) as i16;
    }
}
