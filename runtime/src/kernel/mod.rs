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
    any(kernel = "armv6m", kernel = "mve", kernel = "x86_64"),
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
#[cfg(kernel = "x86_64")]
#[path = "x86_64.rs"]
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

#[cfg(kernel = "dsp")]
use chosen::add_products;
#[cfg(not(kernel = "dsp"))]
use portable::add_products;

#[cfg(any(test, feature = "check-kernel"))]
pub use check::check_kernel;

/// Whether operands that are zero are multiplied like any other, so that time does not depend on the data.
const FIXED_TIME: bool = cfg!(feature = "fixed-time");

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
    fn magnitude(word: u32) -> [u32; 2];

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

    fn magnitude(word: u32) -> [u32; 2] {
        magnitude(&reference::unpack(word))
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

    fn magnitude(word: u32) -> [u32; 2] {
        magnitude(&reference::unpack_nibbles(word))
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
fn magnitude(columns: &[[i16; 2]]) -> [u32; 2] {
    columns.iter().fold([0; 2], |[a, b], column| {
        let [of_a, of_b] = column.map(|weight| u32::from(weight.unsigned_abs()));
        [a + of_a, b + of_b]
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tiles::tile_columns;

    /// Packs rows of int8 weights into one tile, as an exporter does.
    fn pack<const P: usize>(rows: &[[Vec<i8>; 2]; P]) -> Vec<u32> {
        let columns = rows[0][0].len();
        let weight = |row: &Vec<i8>, column| i16::from(row.get(column).copied().unwrap_or(0));
        let mut tile = Vec::new();
        for first in (0..tile_columns(columns)).step_by(2) {
            for [a, b] in rows {
                let column = |column| (256 * weight(a, column) + weight(b, column)) as u16;
                tile.push(u32::from(column(first)) | u32::from(column(first + 1)) << 16);
            }
        }
        tile
    }

    /// Sums by the definition, on the weights before they were packed.
    fn plain<const P: usize>(rows: &[[Vec<i8>; 2]; P], operand: &[i16]) -> [PairSums; P] {
        let dot = |row: &Vec<i8>| row.iter().zip(operand).map(|(&w, &p)| i32::from(w) * i32::from(p)).sum();
        core::array::from_fn(|pair| [dot(&rows[pair][0]), dot(&rows[pair][1])])
    }

    /// What the kernel for this machine gives.
    fn by_this_machine<W: Packing, const P: usize>(
        start: &[PairSums; P],
        tiles: [&[u32]; 2],
        halves: [&[i16]; 2],
    ) -> [PairSums; P] {
        let mut operands = W::Operands::default();
        W::prepare(&mut operands, halves);
        W::sums(start, tiles, &operands, None)
    }

    /// What the portable kernel gives.
    fn by_portable<const P: usize>(
        start: &[PairSums; P],
        tiles: [&[u32]; 2],
        halves: [&[i16]; 2],
    ) -> [PairSums; P] {
        let mut operands = portable::Operands::default();
        operands.set(halves);
        portable::sums(start, tiles, &operands, None)
    }

    /// Checks that every kernel gives the definition's sums, on top of sums that are there already.
    fn check<const P: usize>(rows: [[Vec<i8>; 2]; P], operand: &[i16]) -> Result<(), TestCaseError> {
        let tile = pack(&rows);
        let start: [PairSums; P] = core::array::from_fn(|pair| [pair as i32 * 1000 - 500, 77]);
        let mut expected = plain(&rows, operand);
        for (sums, first) in expected.iter_mut().zip(start) {
            sums[0] += first[0];
            sums[1] += first[1];
        }
        let mut by_reference = start;
        reference::accumulate(&mut by_reference, &tile, operand);
        prop_assert_eq!(by_reference, expected);
        // either half, and the columns of both
        let at = operand.len() / 2 / 4 * 4;
        for (tiles, halves) in [
            ([tile.as_slice(), &[]], [operand, &[1; 9]]),
            ([&[], tile.as_slice()], [&[1; 9], operand]),
            (tile.split_at(at / 2 * P).into(), operand.split_at(at).into()),
        ] {
            prop_assert_eq!(by_portable(&start, tiles, halves), expected);
            prop_assert_eq!(by_this_machine::<Bits8, P>(&start, tiles, halves), expected);
        }
        Ok(())
    }

    /// Rows and an operand of `1..=130` columns whose sums stay inside the accumulator's bound.
    fn tile<const P: usize>() -> impl Strategy<Value = ([[Vec<i8>; 2]; P], Vec<i16>)> {
        (1usize..=130).prop_flat_map(|columns| {
            let rows = proptest::array::uniform(proptest::array::uniform(proptest::collection::vec(
                prop_oneof![3 => -127i8..=127, 1 => Just(-127), 1 => Just(127), 1 => Just(0)],
                columns,
            )));
            // 130 * 128 * 500 < 2^23
            let value = prop_oneof![3 => -500i16..=500, 3 => Just(0), 1 => Just(500), 1 => Just(-500)];
            (rows, proptest::collection::vec(value, columns))
        })
    }

    proptest! {
        #[test]
        fn one_pair((rows, operand) in tile::<1>()) { check(rows, &operand)?; }

        #[test]
        fn two_pairs((rows, operand) in tile::<2>()) { check(rows, &operand)?; }

        #[test]
        fn three_pairs((rows, operand) in tile::<3>()) { check(rows, &operand)?; }
    }

    /// Packs rows of weights from -7 to 7 into one tile of nibbles, as an exporter does.
    fn pack_nibbles<const P: usize>(rows: &[[Vec<i8>; 2]; P]) -> Vec<u32> {
        let columns = rows[0][0].len();
        let nibble = |row: &Vec<i8>, column| (row.get(column).copied().unwrap_or(0) + 8) as u32;
        let mut tile = Vec::new();
        for first in (0..tile_columns(columns)).step_by(4) {
            for [a, b] in rows {
                let half = |column| {
                    let [even, odd] = [column, column + 2];
                    nibble(b, even) | nibble(b, odd) << 4 | nibble(a, even) << 8 | nibble(a, odd) << 12
                };
                tile.push(half(first) | half(first + 1) << 16);
            }
        }
        tile
    }

    /// As `check`, of weights of 4 bits.
    fn check_nibbles<const P: usize>(rows: [[Vec<i8>; 2]; P], operand: &[i16]) -> Result<(), TestCaseError> {
        let tile = pack_nibbles(&rows);
        let start: [PairSums; P] = core::array::from_fn(|pair| [pair as i32 * 1000 - 500, 77]);
        let mut expected = plain(&rows, operand);
        for (sums, first) in expected.iter_mut().zip(start) {
            sums[0] += first[0];
            sums[1] += first[1];
        }
        let mut by_reference = start;
        reference::accumulate_nibbles(&mut by_reference, &tile, operand);
        prop_assert_eq!(by_reference, expected);
        let at = operand.len() / 2 / 4 * 4;
        for (tiles, halves) in [
            ([tile.as_slice(), &[]], [operand, &[1; 9]]),
            ([&[], tile.as_slice()], [&[1; 9], operand]),
            (tile.split_at(at / 4 * P).into(), operand.split_at(at).into()),
        ] {
            prop_assert_eq!(by_this_machine::<Bits4, P>(&start, tiles, halves), expected);
        }
        for (pair, [a, b]) in rows.iter().enumerate() {
            let sum = |row: &Vec<i8>| row.iter().map(|weight| u32::from(weight.unsigned_abs())).sum::<u32>();
            let words = tile.iter().skip(pair).step_by(P).map(|&word| Bits4::magnitude(word));
            let found = words.fold([0; 2], |[a, b], [more_a, more_b]| [a + more_a, b + more_b]);
            prop_assert_eq!(found, [sum(a), sum(b)]);
        }
        Ok(())
    }

    /// Rows of 4-bit weights and an operand whose sums stay inside the accumulator's bound.
    fn nibble_tile<const P: usize>() -> impl Strategy<Value = ([[Vec<i8>; 2]; P], Vec<i16>)> {
        (1usize..=130).prop_flat_map(|columns| {
            let rows = proptest::array::uniform(proptest::array::uniform(proptest::collection::vec(
                prop_oneof![3 => -8i8..=7, 1 => Just(-7), 1 => Just(7), 1 => Just(0)],
                columns,
            )));
            // 130 * 8 * 8000 < 2^23
            let value = prop_oneof![3 => -8000i16..=8000, 3 => Just(0), 1 => Just(8000), 1 => Just(-8000)];
            (rows, proptest::collection::vec(value, columns))
        })
    }

    proptest! {
        #[test]
        fn one_pair_of_nibbles((rows, operand) in nibble_tile::<1>()) { check_nibbles(rows, &operand)?; }

        #[test]
        fn two_pairs_of_nibbles((rows, operand) in nibble_tile::<2>()) { check_nibbles(rows, &operand)?; }

        #[test]
        fn three_pairs_of_nibbles((rows, operand) in nibble_tile::<3>()) { check_nibbles(rows, &operand)?; }
    }

    #[test]
    fn the_largest_sum_of_nibbles_that_the_bound_allows() {
        // 36 * 7 * 32767 = 8257284, just below 2^23; opposite signs put the greatest strain on the excess
        for sign in [1, -1] {
            let rows = [[vec![7 * sign; 36], vec![-7 * sign; 36]]];
            check_nibbles(rows, &[32767; 36]).unwrap();
        }
    }

    #[test]
    fn masks_of_nibbles_give_words_of_bytes() {
        let row = |weights: [i8; 4]| weights.to_vec();
        let [word] = pack_nibbles(&[[row([1, 2, 3, 4]), row([-1, -2, -3, -4])]])[..] else { panic!("one") };
        let excess = |columns: [[i16; 2]; 2]| columns.map(|pair| pair.map(|weight| weight - 8));
        assert_eq!(excess(reference::unpack(word & 0x0f0f_0f0f)), [[1, -1], [2, -2]]);
        assert_eq!(excess(reference::unpack(word >> 4 & 0x0f0f_0f0f)), [[3, -3], [4, -4]]);
    }

    proptest! {
        #[test]
        fn any_packed_word_means_the_same_to_all(
            words in proptest::collection::vec(any::<u32>(), 36),
            operand in proptest::collection::vec(-1000i16..=1000, 24),
        ) {
            agree::<1>(&words[..12], &operand)?;
            agree::<2>(&words[..24], &operand)?;
            agree::<3>(&words, &operand)?;
            agree::<3>(&words[..30], &operand[..17])?;
        }
    }

    /// Checks that all kernels give the same for words that no exporter needs to have packed.
    fn agree<const P: usize>(tile: &[u32], operand: &[i16]) -> Result<(), TestCaseError> {
        let start = [[0; 2]; P];
        let mut by_reference = start;
        reference::accumulate(&mut by_reference, tile, operand);
        prop_assert_eq!(by_reference, by_portable(&start, [tile, &[]], [operand, &[]]));
        prop_assert_eq!(by_reference, by_this_machine::<Bits8, P>(&start, [tile, &[]], [operand, &[]]));
        Ok(())
    }

    #[test]
    fn the_largest_sum_that_the_bound_allows() {
        // 2 * 127 * 32767 = 8322818, just below 2^23 = 8388608
        for sign in [1, -1] {
            let rows = [[vec![127 * sign, 127], vec![-127, -127 * sign]]];
            check(rows, &[32767 * i16::from(sign), 32767]).unwrap();
        }
    }
}
