//! The kernel for cores with MVE (Helium), as the Cortex-M55: eight products an instruction, and whole timesteps of layers.
//!
//! `VMLADAVA` multiplies eight pairs of 16-bit numbers and adds the products to a sum; `VMOVLB` takes the lower bytes out
//! of eight 16-bit numbers. So the words of eight columns of a pair of rows, `w = 256·A + B` each, and their operands `p`
//! take four instructions for sixteen products, and do what the portable kernel does in its `add_columns`:
//!
//! ```text
//! VLDRW.U32    q, [addresses, #bytes]   four words, each of two columns
//! VMLADAVA.S16 S, q, p                  packed += first * p + second * q, of all four, modulo 2^32
//! VMOVLB.S8    q, q                     (first as i8, second as i8), of all four
//! VMLADAVA.S16 T, q, p                  low += the same of those
//! ```
//!
//! At the end row B's sum is `T` and row A's `(S - T) >> 8`. Sums that are there already come in the same way, as
//! `S = 256·A + B` and `T = B`.
//!
//! **Zeros.** All tiles of a layer meet the same operands, so [`Operands`] looks once where the first and the last are
//! that are not zero; what lies before and behind is left out.
//!
//! **Group after group.** A timestep goes through its tiles in groups of [`TILES`]. The [`products`] keep operands in
//! registers while all tiles of a group go by, and put their sums into memory; from there the [`activations`] take eight
//! rows at once, and the cell's equations eight units, with as many 16-bit numbers in a vector.

#![expect(unsafe_code, reason = "the assembly reads and writes through pointers")]

/// What the assembler must be told besides the target's name, which leaves the extension open.
macro_rules! assembler {
    () => {
        ".cpu cortex-m55"
    };
}

#[macro_use]
mod activations;
mod gru;
mod lstm;
mod products;
mod simple_rnn;

pub(crate) use self::gru::gru;
pub(crate) use self::lstm::lstm;
use self::products::{Half, Products};
pub(crate) use self::simple_rnn::simple_rnn;
use super::{Bits8, FIXED_TIME, PairSums, scaled};
use crate::cell::LayerStep;
use crate::tiles::{pairs, tile_columns};

/// Operands in a vector.
const LANES: usize = 8;

/// Tiles whose sums are in memory at once.
const TILES: usize = 16;

/// Of each pair of a tile, `256·A + B` and `B`.
type PackedSums<const P: usize> = [PairSums; P];

/// The operands of both halves of a layer's rows.
#[derive(Debug, Default)]
pub(crate) struct Operands<'o> {
    halves: [Span<'o>; 2],
}

/// What there is to multiply of one half.
#[derive(Clone, Copy, Debug, Default)]
struct Span<'o> {
    /// From the first to the last that is not zero, and some more, as far as there are any, for whole vectors.
    values: &'o [i16],
    /// Columns before them, an even number. From there on there are words for as many columns as there are values, rounded
    /// up to a multiple of four.
    first: usize,
}

impl<'o> Operands<'o> {
    /// Looks where there are zeros.
    pub(crate) fn set(&mut self, values: [&'o [i16]; 2]) {
        self.halves = values.map(Span::of);
    }
}

impl<'o> Span<'o> {
    fn of(values: &'o [i16]) -> Self {
        let all = Self { values, first: 0 };
        if FIXED_TIME {
            return all;
        }
        let is_there = |&value: &i16| value != 0;
        let Some(first) = values.iter().position(is_there) else { return Self::default() };
        let end = values.iter().rposition(is_there).map_or(first, |last| last + 1);
        let first = first / 2 * 2;
        // a vector that would go beyond the words begins earlier
        let columns = (end - first).next_multiple_of(LANES);
        let first = first.min(tile_columns(values.len()).saturating_sub(columns));
        let end = values.len().min(first + columns);
        values.get(first..end).map_or(all, |values| Self { values, first })
    }

    /// Adds the products with these tiles' words, of which each tile has `of_tile`. An empty half is left out, as are tiles
    /// that have too few words, which no checked model has.
    #[inline]
    fn add_products<const P: usize>(self, sums: &mut [PackedSums<P>], words: &[u32], of_tile: usize) {
        const { assert!(P == 1 || P == 2 || P == 3, "a tile has one to three pairs of rows") };
        let kernel: Products = match P {
            1 => products::one_pair,
            2 => products::two_pairs,
            _ => products::three_pairs,
        };
        let Self { values, first } = self;
        let tiles = sums.len();
        let enough = tile_columns(first + values.len()) / 2 * P <= of_tile
            && tiles.saturating_mul(of_tile) <= words.len();
        let Some(words) = words.get(first / 2 * P..) else { return };
        if enough && !values.is_empty() && !sums.is_empty() {
            let half = Half {
                tile_bytes: of_tile * size_of::<u32>(),
                columns: values.len(),
                operands: values.as_ptr(),
                words: words.as_ptr(),
            };
            // SAFETY: there are the sums of so many tiles, as many operands as columns, and in every tile words for them.
            unsafe { kernel(sums.as_mut_ptr().cast(), &raw const half, tiles) };
        }
    }
}

/// The same sums as `portable::sums`, times the multipliers where there are some: for the dense layer.
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    let mut sums = [start.map(|[a, b]| [(a << 8).wrapping_add(b), b])];
    for (words, span) in tiles.into_iter().zip(operands.halves) {
        span.add_products(&mut sums, words, words.len());
    }
    let [sums] = sums;
    scaled(sums.map(|[packed, low]| [packed.wrapping_sub(low) >> 8, low]), multipliers)
}

/// Up to [`TILES`] tiles of a layer.
struct Group<'g, const P: usize> {
    /// The words of the input's half and of the hidden state's.
    words: [&'g [u32]; 2],
    biases: &'g [[[i32; 2]; P]],
    multipliers: &'g [[[i32; 2]; P]],
    hidden: &'g mut [i16],
}

/// A layer's tiles in groups, the operands of both halves, and how many words a tile has of each.
#[inline(always)]
fn groups<'s, const P: usize>(
    LayerStep { rows, x, old, hidden }: LayerStep<'s, Bits8, P>,
    units_of_tile: usize,
) -> (impl Iterator<Item = Group<'s, P>>, [Span<'s>; 2], [usize; 2]) {
    let halves = [rows.kernel.words(), rows.recurrent_kernel.words()];
    let [input, recurrent] = halves.map(|(words, of_tile)| words.chunks((of_tile * TILES).max(1)));
    let rows = pairs(rows.bias).chunks(TILES).zip(pairs(rows.multiplier).chunks(TILES));
    let hidden = hidden.chunks_mut((units_of_tile * TILES).max(1));
    let groups = input.zip(recurrent).zip(rows).zip(hidden).map(
        |(((input, recurrent), (biases, multipliers)), hidden)| Group {
            words: [input, recurrent],
            biases,
            multipliers,
            hidden,
        },
    );
    (groups, [x, old].map(Span::of), halves.map(|(_, of_tile)| of_tile))
}

/// Lets `with` have `values`, or where they are no whole number of vectors a copy that is, and takes back what is changed.
#[inline(always)]
fn in_vectors<T: Copy + Default, const N: usize>(values: &mut [T], with: impl FnOnce(&mut [T])) {
    if values.len().is_multiple_of(LANES) {
        return with(values);
    }
    let mut copy = [T::default(); N];
    copy.iter_mut().zip(&*values).for_each(|(to, from)| *to = *from);
    with(copy.get_mut(..values.len().next_multiple_of(LANES)).unwrap_or_default());
    values.iter_mut().zip(copy).for_each(|(to, from)| *to = from);
}
