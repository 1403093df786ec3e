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
/// assert_eq!(size_of_val(&state), 64 * (2 + 4));
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct State<C: Cell, const UNITS: usize, const LAYERS: usize = 1> {
    hidden: [[C::Value; UNITS]; LAYERS],
    memory: [C::Memory<UNITS>; LAYERS],
}

impl<C: Cell, const UNITS: usize, const LAYERS: usize> State<C, UNITS, LAYERS> {
    /// The state before the first timestep: zeros.
    pub fn new() -> Self {
        Self { hidden: [[C::Value::default(); UNITS]; LAYERS], memory: [Memory::ZERO; LAYERS] }
    }

    /// Forgets everything, as before the first timestep.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// The hidden state of each layer, `[layers][units]`: Q15 of an integer cell.
    pub fn hidden(&self) -> &[[C::Value; UNITS]; LAYERS] {
        &self.hidden
    }

    /// The first `units` units of the layers, each with its hidden and its cell state.
    pub(crate) fn layers(&mut self, units: usize) -> impl Iterator<Item = StateMut<'_, C::Value>> {
        self.hidden.iter_mut().zip(&mut self.memory).map(move |(hidden, memory)| StateMut {
            hidden: hidden.get_mut(..units).unwrap_or_default(),
            cell: memory.as_mut_slice().get_mut(..units).unwrap_or_default(),
        })
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

impl<V: Value> StateMut<'_, V> {
    /// The same, for a shorter while.
    pub(crate) fn reborrow(&mut self) -> StateMut<'_, V> {
        StateMut { hidden: self.hidden, cell: self.cell }
    }
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
