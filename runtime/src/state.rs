//! What a network remembers from one timestep to the next.

use core::fmt;

use crate::cell::{Cell, Memory, Value};

/// The state of a sequence that is being read, owned by the caller.
///
/// It is `Copy`: save it, hand it on, come back to it. A sequence may be cut anywhere, and a fresh state is all
/// zeros.
///
/// ```
/// use refrain::{State, cell::Lstm};
///
/// let mut state = State::<Lstm, 64>::new();
/// let saved = state;
/// state.reset();
/// assert_eq!(state, saved);
/// // the hidden state, the same as operands of the kernel, and the cell state; a place in a table of blank rows
/// assert_eq!(size_of_val(&state), 64 * (2 + 2 + 4) + 4);
/// ```
#[derive(Clone, Copy)]
pub struct State<C: Cell, const UNITS: usize, const LAYERS: usize = 1> {
    hidden: [[C::Value; UNITS]; LAYERS],
    /// The hidden state as operands of the kernel, which every timestep reads while it writes the other.
    operands: [[C::Value; UNITS]; LAYERS],
    memory: [C::Memory<UNITS>; LAYERS],
    /// While all rows have been blank and the model has a state for each: where in its table, see
    /// [`blank`](crate::blank), the next one begins; the operands are not made so long. Then [`BEGUN`].
    pub(crate) next_blank: u32,
}

/// The sequence is past the blank rows that it begins with, as far as the model knows of them.
pub(crate) const BEGUN: u32 = u32::MAX;

impl<C: Cell, const UNITS: usize, const LAYERS: usize> State<C, UNITS, LAYERS> {
    /// The state before the first timestep: zeros.
    pub fn new() -> Self {
        let zeros = [[C::Value::default(); UNITS]; LAYERS];
        Self { hidden: zeros, operands: zeros, memory: [Memory::ZERO; LAYERS], next_blank: 0 }
    }

    /// Forgets everything, as before the first timestep.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The hidden state of each layer, `[layers][units]`: Q15 of an integer cell.
    pub fn hidden(&self) -> &[[C::Value; UNITS]; LAYERS] {
        &self.hidden
    }

    /// Goes through the first `layers` layers, from the first on, with `step`: it gets the layer's number, the first
    /// `units` units of its hidden and its cell state, its input, which is `row` or the hidden state of the layer below,
    /// and its own hidden state before the timestep, both as operands. What it writes becomes operands of
    /// `operand_bits`.
    pub(crate) fn step_layers(
        &mut self,
        [layers, units]: [usize; 2],
        row: &[C::Value],
        operand_bits: u32,
        mut step: impl FnMut(usize, StateMut<'_, C::Value>, &[C::Value], &[C::Value]),
    ) {
        let mut below = row;
        let states = self.hidden.iter_mut().zip(&mut self.memory);
        for (layer, ((hidden, memory), operands)) in states.zip(&mut self.operands).take(layers).enumerate() {
            let hidden = hidden.get_mut(..units).unwrap_or_default();
            let cell = memory.as_mut_slice().get_mut(..units).unwrap_or_default();
            let operands = operands.get_mut(..units).unwrap_or_default();
            step(layer, StateMut { hidden: &mut *hidden, cell }, below, operands);
            C::Value::operands(hidden, operands, operand_bits);
            below = operands;
        }
    }

    /// The first `units` units of the first `layers` layers, each with its hidden and its cell state.
    pub(crate) fn layers(
        &mut self,
        [layers, units]: [usize; 2],
    ) -> impl Iterator<Item = StateMut<'_, C::Value>> {
        let states = self.hidden.iter_mut().zip(&mut self.memory).take(layers);
        states.map(move |(hidden, memory)| StateMut {
            hidden: hidden.get_mut(..units).unwrap_or_default(),
            cell: memory.as_mut_slice().get_mut(..units).unwrap_or_default(),
        })
    }

    /// Whether the hidden state came out of a model's table and has not become operands yet.
    pub(crate) fn lacks_operands(&self) -> bool {
        self.next_blank != 0 && self.next_blank != BEGUN
    }

    /// Makes the first `units` units of the first `layers` layers operands.
    pub(crate) fn make_operands(&mut self, [layers, units]: [usize; 2], operand_bits: u32) {
        for (hidden, operands) in self.hidden.iter().zip(&mut self.operands).take(layers) {
            let hidden = hidden.get(..units).unwrap_or_default();
            C::Value::operands(hidden, operands.get_mut(..units).unwrap_or_default(), operand_bits);
        }
    }

    /// The hidden state of a layer as operands: `[units]`.
    pub(crate) fn operands(&self, layer: usize, units: usize) -> &[C::Value] {
        self.operands.get(layer).and_then(|operands| operands.get(..units)).unwrap_or_default()
    }
}

/// What the network remembers is compared. How it came to it, by computing or out of a model's table, changes nothing
/// of what it will compute.
impl<C: Cell, const UNITS: usize, const LAYERS: usize> PartialEq for State<C, UNITS, LAYERS> {
    fn eq(&self, other: &Self) -> bool {
        (self.hidden, self.memory) == (other.hidden, other.memory)
    }
}

impl<C: Cell, const UNITS: usize, const LAYERS: usize> Default for State<C, UNITS, LAYERS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Cell, const UNITS: usize, const LAYERS: usize> fmt::Debug for State<C, UNITS, LAYERS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("hidden", &self.hidden).field("memory", &self.memory).finish()
    }
}

/// The state as a cell sees it.
#[doc(hidden)]
#[derive(Debug)]
pub struct StateMut<'s, V: Value> {
    /// `[units]`
    pub(crate) hidden: &'s mut [V],
    /// `[units]` in an LSTM, otherwise empty.
    pub(crate) cell: &'s mut [V::CellState],
}

/// No cell state: SimpleRNN and GRU.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoMemory<T>(core::marker::PhantomData<T>);

impl<T: Copy + fmt::Debug + PartialEq> Memory for NoMemory<T> {
    type Element = T;

    const ZERO: Self = Self(core::marker::PhantomData);

    fn as_mut_slice(&mut self) -> &mut [T] {
        &mut []
    }
}

/// A cell state for each unit: LSTM.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellMemory<T, const UNITS: usize>([T; UNITS]);

impl<const UNITS: usize> Memory for CellMemory<i32, UNITS> {
    type Element = i32;

    const ZERO: Self = Self([0; UNITS]);

    fn as_mut_slice(&mut self) -> &mut [i32] {
        &mut self.0
    }
}

impl<const UNITS: usize> Memory for CellMemory<f32, UNITS> {
    type Element = f32;

    const ZERO: Self = Self([0.0; UNITS]);

    fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.0
    }
}
