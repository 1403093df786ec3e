//! Matrix-vector products of weights of 8 or 4 bits and 16-bit operands, a tile of rows at a time.
//!
//! A cell calls [`Packing::sums`] and does not know which kernel runs. [`reference`] is the specification; any
//! other kernel in this module equals it bit for bit, as the tests show.
//!
//! How weights are packed into tiles is written in [`format`](crate::format).
//!
//! # A kernel for another core
//!
//! is a file here, named in this module, and a line in `build.rs` that chooses it for its targets. The file has a type
//! `Operands`, made once for all tiles of a layer, and a function `sums` of one tile; [`portable`] is the shortest
//! example. It may have the whole timestep of a cell, too, as those in `dsp` and `mve` do; the module `timestep` below has
//! what it lacks. The self-test of the firmware with the feature `check-kernel` holds it against the specification on the
//! core itself.

use crate::cell::{LayerStep, gru, lstm, simple_rnn};
use crate::fixed::requantise;

#[cfg(any(test, feature = "check-kernel"))]
mod check;
mod nibbles;
#[cfg_attr(
    kernel = "mve",
    cfg_attr(
        not(test),
        expect(dead_code, reason = "the kernel for this machine makes operands in its own way")
    )
)]
mod operands;
#[cfg_attr(
    any(kernel = "armv6m", kernel = "dsp", kernel = "mve", kernel = "simd"),
    cfg_attr(not(test), expect(dead_code, reason = "another kernel runs on this machine"))
)]
mod portable;
pub(crate) mod reference;

#[cfg(kernel = "armv6m")]
#[path = "armv6m.rs"]
mod chosen;
#[cfg(kernel = "dsp")]
#[path = "dsp/mod.rs"]
mod chosen;
#[cfg(kernel = "mve")]
#[path = "mve/mod.rs"]
mod chosen;
#[cfg(kernel = "portable")]
use portable as chosen;
#[cfg(kernel = "simd")]
#[path = "simd/mod.rs"]
mod chosen;

/// The timesteps where a kernel has none of its own.
#[cfg(not(any(kernel = "dsp", kernel = "mve")))]
mod timestep {
    pub(super) use crate::cell::gru::plain as gru;
    pub(super) use crate::cell::lstm::plain as lstm;
    pub(super) use crate::cell::simple_rnn::plain as simple_rnn;
}
#[cfg(any(kernel = "dsp", kernel = "mve"))]
use chosen as timestep;

#[cfg(kernel = "mve")]
pub(crate) use chosen::{hidden_operands, shift_bytes};
#[cfg(not(kernel = "mve"))]
pub(crate) use operands::{hidden_operands, shift_bytes};

#[cfg(kernel = "dsp")]
use chosen::add_products;
#[cfg(not(kernel = "dsp"))]
use portable::add_products;

#[cfg(any(test, feature = "check-kernel"))]
pub use check::check_kernel;

/// Whether operands that are zero are multiplied like any other, so that time does not depend on the data.
pub(crate) const FIXED_TIME: bool = cfg!(feature = "fixed-time");

/// The sums of one pair of rows: A, then B.
pub(crate) type PairSums = [i32; 2];

/// How the weights of a tile are packed into words, and the kernel for them.
#[doc(hidden)]
pub trait Packing: Copy + core::fmt::Debug {
    /// Columns of a pair of rows in one word.
    const COLUMNS: usize;

    /// The operands of a layer's rows.
    type Operands<'o>: Default;

    /// Looks once at what all tiles of a layer meet: the operands of both halves of their rows, `[x, hidden]`.
    fn prepare<'o>(operands: &mut Self::Operands<'o>, halves: [&'o [i16]; 2]);

    /// Of each row what `start` has of it and the products of its weights and the operands, times its multiplier where
    /// there are multipliers, as [`requantise`] says. `tiles` has the words of each half; a half with none is left out.
    fn sums<const P: usize>(
        start: &[PairSums; P],
        tiles: [&[u32]; 2],
        operands: &Self::Operands<'_>,
        multipliers: Option<&[[i32; 2]; P]>,
    ) -> [PairSums; P];

    /// The sums of the weights' magnitudes in a word, of rows A and B.
    fn magnitudes(word: u32) -> [u32; 2];

    /// One timestep of a layer of a SimpleRNN.
    #[inline(always)]
    fn simple_rnn(step: LayerStep<'_, Self, 2>) {
        simple_rnn::plain(step);
    }

    /// One timestep of a layer of an LSTM. `cell: [units]`, with `cell_bits` fraction bits.
    #[inline(always)]
    fn lstm(step: LayerStep<'_, Self, 2>, cell: &mut [i32], cell_bits: u32) {
        lstm::plain(step, cell, cell_bits);
    }

    /// One timestep of a layer of a GRU. `recurrent_bias`: that of the candidate, for whole tiles.
    #[inline(always)]
    fn gru(step: LayerStep<'_, Self, 3>, recurrent_bias: &[i32]) {
        gru::plain(step, recurrent_bias);
    }
}

/// Operands beside weights of 8 bits.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Operands8<'o>(chosen::Operands<'o>);

/// Operands beside weights of 4 bits.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Operands4<'o>(nibbles::Operands<'o>);

/// Weights of 8 bits.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Bits8;

impl Packing for Bits8 {
    const COLUMNS: usize = 2;

    type Operands<'o> = Operands8<'o>;

    fn prepare<'o>(operands: &mut Operands8<'o>, halves: [&'o [i16]; 2]) {
        operands.0.set(halves);
    }

    #[inline]
    fn sums<const P: usize>(
        start: &[PairSums; P],
        tiles: [&[u32]; 2],
        Operands8(operands): &Operands8<'_>,
        multipliers: Option<&[[i32; 2]; P]>,
    ) -> [PairSums; P] {
        chosen::sums(start, tiles, operands, multipliers)
    }

    fn magnitudes(word: u32) -> [u32; 2] {
        magnitudes(&reference::unpack(word))
    }

    #[inline(always)]
    fn simple_rnn(step: LayerStep<'_, Self, 2>) {
        timestep::simple_rnn(step);
    }

    #[inline(always)]
    fn lstm(step: LayerStep<'_, Self, 2>, cell: &mut [i32], cell_bits: u32) {
        timestep::lstm(step, cell, cell_bits);
    }

    #[inline(always)]
    fn gru(step: LayerStep<'_, Self, 3>, recurrent_bias: &[i32]) {
        timestep::gru(step, recurrent_bias);
    }
}

/// Weights of 4 bits.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Bits4;

impl Packing for Bits4 {
    const COLUMNS: usize = 4;

    type Operands<'o> = Operands4<'o>;

    fn prepare<'o>(operands: &mut Operands4<'o>, halves: [&'o [i16]; 2]) {
        operands.0.set(halves);
    }

    #[inline]
    fn sums<const P: usize>(
        start: &[PairSums; P],
        tiles: [&[u32]; 2],
        Operands4(operands): &Operands4<'_>,
        multipliers: Option<&[[i32; 2]; P]>,
    ) -> [PairSums; P] {
        nibbles::sums(start, tiles, operands, multipliers)
    }

    fn magnitudes(word: u32) -> [u32; 2] {
        magnitudes(&reference::unpack_nibbles(word))
    }
}

/// Sums times the multipliers, where there are some.
fn scaled<const P: usize>(sums: [PairSums; P], multipliers: Option<&[[i32; 2]; P]>) -> [PairSums; P] {
    let Some(multipliers) = multipliers else { return sums };
    core::array::from_fn(|pair| {
        core::array::from_fn(|side| requantise(sums[pair][side], multipliers[pair][side]))
    })
}

/// The sums of the magnitudes of rows A and B over some columns.
fn magnitudes(columns: &[[i16; 2]]) -> [u32; 2] {
    columns.iter().fold([0; 2], |[a, b], column| {
        let [of_a, of_b] = column.map(|weight| u32::from(weight.unsigned_abs()));
        [a + of_a, b + of_b]
    })
}

#[cfg(test)]
mod tests;
