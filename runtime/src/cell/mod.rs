//! The recurrent cells on integers, one in each file, in the order of their equations.
//!
//! A cell walks over its tiles of rows. For each tile it takes the bias, lets the kernel add the products with
//! the input row and with the old hidden state, and turns the sums into new states at once, so that no buffer
//! holds pre-activations. Number formats are those of [`fixed`](crate::fixed).
//!
//! The old hidden state comes as operands, a copy (`old`), so `hidden` can be overwritten in place.

/// Makes the weights of a cell, whose methods are generic over their packing, [`Weights`] for each packing.
///
/// Written out, so that the code of `step` is made in this crate, as well optimised as a build asks of this crate;
/// that of a generic method is made in the crate that uses it.
macro_rules! weights_of_both_packings {
    ($weights:ident) => {
        weights_of_both_packings!($weights, crate::kernel::Bits8);
        weights_of_both_packings!($weights, crate::kernel::Bits4);
    };
    ($weights:ident, $packing:ty) => {
        impl<'a> crate::cell::Weights<'a> for $weights<'a, $packing> {
            type Value = i16;

            #[inline(always)]
            fn of(file: &File<'a>) -> Self {
                Self::of_file(file)
            }

            fn step(&self, layer: usize, state: StateMut<'_, i16>, x: &[i16], old: &[i16]) {
                self.step_tiles(layer, state, x, old);
            }
        }
    };
}

pub(crate) mod gru;
pub(crate) mod lstm;
mod operand;
mod rows;
pub(crate) mod simple_rnn;

pub use gru::{Gru, Gru4};
pub use lstm::{Lstm, Lstm4};
pub use simple_rnn::{SimpleRnn, SimpleRnn4};

use rows::Rows;
#[doc(hidden)]
pub use rows::{LayerRows, LayerStep};

use crate::format::{File, Numbers};
use crate::sample::Inputs;
use crate::state::StateMut;
use crate::{CellKind, Shape};

/// A recurrent cell and the numbers it computes with; implemented by [`SimpleRnn`], [`Lstm`], [`Gru`],
/// their siblings of 4 bits and their counterparts in [`float`](crate::float), and by nothing else.
///
/// ```
/// use refrain::cell::{Cell, Gru};
///
/// fn describe<C: Cell>() -> String {
///     format!("{} on {}", C::KIND, C::NUMBERS)
/// }
/// assert_eq!(describe::<Gru>(), "gru on int8");
/// ```
pub trait Cell: sealed::Sealed + Copy + core::fmt::Debug {
    /// Which cell it is.
    const KIND: CellKind;
    /// What it computes with.
    const NUMBERS: Numbers;
    /// A logit: `i32` in Q16, or `f32`.
    type Logit: Logit;
    /// What a model file holds for it, checked.
    #[doc(hidden)]
    type Weights<'a>: Weights<'a, Value = Self::Value>;
    /// A hidden state: `i16` in Q15, or `f32`.
    #[doc(hidden)]
    type Value: Value<Logit = Self::Logit>;
    /// The memory that the cell keeps besides the hidden state: nothing, or a cell state for each unit.
    #[doc(hidden)]
    type Memory<const UNITS: usize>: Memory<Element = <Self::Value as Value>::CellState>;
}

/// The weights of a network's recurrent layers.
#[doc(hidden)]
pub trait Weights<'a>: Sized + Clone + core::fmt::Debug {
    /// A hidden state.
    type Value: Value;

    /// Where they lie in a file of such a cell.
    fn of(file: &File<'a>) -> Self;

    /// One timestep of one layer, its input and its old hidden state as operands: `x: [inputs]`, above the first
    /// layer `[units]`; `old: [units]`.
    fn step(&self, layer: usize, state: StateMut<'_, Self::Value>, x: &[Self::Value], old: &[Self::Value]);
}

/// A hidden state's element.
#[doc(hidden)]
pub trait Value: Default + core::fmt::Debug + PartialEq + bytemuck::Pod {
    /// What the dense layer makes of hidden states.
    type Logit: Logit;

    /// An element of the cell state that goes with it.
    type CellState: Default + core::fmt::Debug + PartialEq + bytemuck::Pod;

    /// How rows of integers become operands of the first layer.
    type Integers<'a>: Inputs<'a, Self>;
    /// How rows of floats do.
    type Floats<'a>: Inputs<'a, Self>;

    /// Hidden states as operands.
    fn operands(hidden: &[Self], operand: &mut [Self], operand_bits: u32);

    /// The dense layer: `logits: [outputs]` of the last layer's hidden state, as operands: `hidden: [units]`.
    fn logits(file: &File<'_>, hidden: &[Self], logits: &mut [Self::Logit]);

    /// Whether all operands are zero.
    fn is_blank(row: &[Self]) -> bool {
        row.iter().all(|&operand| operand == Self::default())
    }

    /// A hidden state as a number.
    fn to_f32(self) -> f32;
}

/// Room for the cell state.
#[doc(hidden)]
pub trait Memory: Copy + core::fmt::Debug + PartialEq {
    /// An element of it.
    type Element;

    /// All zeros.
    const ZERO: Self;

    /// The elements.
    fn as_mut_slice(&mut self) -> &mut [Self::Element];
}

/// A logit: an `i32` in Q16, or an `f32`.
///
/// ```
/// use refrain::Logit;
///
/// assert_eq!(98_304_i32.to_f32(), 1.5);
/// assert_eq!(1.5_f32.to_f32(), 1.5);
/// ```
pub trait Logit: sealed::Sealed + Copy + Default + PartialOrd + core::fmt::Debug + bytemuck::Pod {
    /// The value as a number.
    fn to_f32(self) -> f32;

    /// The four bytes in which it travels on the link.
    fn to_bytes(self) -> [u8; 4];
}

impl Logit for i32 {
    fn to_f32(self) -> f32 {
        self as f32 / (1 << crate::fixed::LOGIT_BITS) as f32
    }

    fn to_bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

impl Logit for f32 {
    fn to_f32(self) -> f32 {
        self
    }

    fn to_bytes(self) -> [u8; 4] {
        self.to_le_bytes()
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for f32 {}
    impl Sealed for i16 {}
    impl Sealed for i8 {}
    impl Sealed for u8 {}
}

/// Pairs of rows in a tile of such a cell.
pub(crate) const fn pair_count(kind: CellKind) -> usize {
    match kind {
        CellKind::SimpleRnn | CellKind::Lstm => 2,
        CellKind::Gru => 3,
    }
}

/// Tiles in the kernel of such a cell.
pub(crate) const fn tile_count(shape: Shape, kind: CellKind) -> usize {
    let units = shape.units as usize;
    match kind {
        CellKind::SimpleRnn => units.div_ceil(4),
        CellKind::Lstm => units,
        CellKind::Gru => units.div_ceil(2),
    }
}
