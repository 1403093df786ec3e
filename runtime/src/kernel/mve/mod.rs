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
mod operands;
mod products;
mod simple_rnn;

pub(crate) use self::gru::gru;
pub(crate) use self::lstm::lstm;
pub(crate) use self::operands::{hidden_operands, shift_bytes};
use self::products::Half;
pub(crate) use self::simple_rnn::simple_rnn;
use super::{Bits8, FIXED_TIME, PairSums, scaled};
use crate::cell::LayerRows;
use crate::tiles::tile_columns;

/// Operands in a vector.
const LANES: usize = 8;

/// Tiles whose sums are in memory at once.
const TILES: usize = 16;

/// The sums of a group, `256·A + B` and `B` of each pair.
type Sums<const P: usize> = [[PairSums; P]; TILES];

/// The operands of both halves of a layer's rows.
#[derive(Debug, Default)]
pub(crate) struct Operands<'o> {
    halves: [Span<'o>; 2],
}

/// What there is to multiply of one half.
#[derive(Debug, Default)]
struct Span<'o> {
    /// From the first to the last that is not zero, and some more, as far as there are any, for whole vectors.
    values: &'o [i16],
    /// Columns before them, an even number. From there on there are words for as many columns as there are values, rounded
    /// up to a multiple of four.
    first: usize,
}

impl<'o> Operands<'o> {
    /// Looks where there are zeros.
    pub(crate) fn set(&mut self, [x, hidden]: [&'o [i16]; 2]) {
        self.halves = [Span::of(x), Span::of(hidden)];
    }
}

impl<'o> Span<'o> {
    fn of(values: &'o [i16]) -> Self {
        let all = Self { values, first: 0 };
        if FIXED_TIME {
            return all;
        }
        let (twos, last) = values.as_chunks::<2>();
        let is_there = |two: &[i16; 2]| *two != [0; 2];
        let begin = twos.iter().position(is_there).unwrap_or(twos.len()) * 2;
        let end = match last {
            [] | [0] => twos.iter().rposition(is_there).map_or(begin, |last| last * 2 + 2),
            _ => values.len(),
        };
        // a vector that would go beyond the words begins earlier
        let columns = end.saturating_sub(begin).next_multiple_of(LANES);
        let first = begin.min(tile_columns(values.len()).saturating_sub(columns));
        let end = values.len().min(first + columns);
        values.get(first..end).map_or(all, |values| Self { values, first })
    }

    /// These operands and the words of so many tiles, of which each has `of_tile`; `None` where there are too few words.
    #[inline(always)]
    fn beside<const P: usize>(&self, (words, of_tile): (&[u32], usize), tiles: usize) -> Option<Half> {
        let columns = tile_columns(self.first + self.values.len());
        let enough = columns / 2 * P <= of_tile && tiles.saturating_mul(of_tile) <= words.len();
        enough.then_some(Half {
            tile_bytes: of_tile * size_of::<u32>(),
            columns: self.values.len(),
            operands: self.values.as_ptr(),
            words: words.as_ptr().wrapping_add(self.first / 2 * P),
        })
    }
}

/// The same sums as `portable::sums`, times the multipliers where there are some: for the dense layer.
pub(crate) fn sums<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    operands: &Operands<'_>,
    multipliers: Option<&[[i32; 2]; P]>,
) -> [PairSums; P] {
    let mut sums = start.map(|[a, b]| [(a << 8).wrapping_add(b), b]);
    for (words, span) in tiles.into_iter().zip(&operands.halves) {
        if let Some(mut half) = span.beside::<P>((words, words.len()), 1) {
            // SAFETY: there are the sums of one tile, and its words.
            unsafe { half.add_products::<P>(sums.as_mut_ptr(), 1) };
        }
    }
    scaled(sums.map(|[packed, low]| [packed.wrapping_sub(low) >> 8, low]), multipliers)
}

/// What a timestep has to compute with, from its next tile on.
struct Layer<const P: usize> {
    /// The input's and the hidden state's.
    halves: [Half; 2],
    /// Two of each pair.
    biases: *const i32,
    /// As many.
    multipliers: *const i32,
}

impl<const P: usize> Layer<P> {
    /// A layer of so many tiles; `None` where it lacks words or rows, which no checked model does.
    #[inline(always)]
    fn new(rows: &LayerRows<'_, Bits8, P>, [x, old]: [&[i16]; 2], tiles: usize) -> Option<Self> {
        let input = Span::of(x).beside::<P>(rows.kernel.words(), tiles)?;
        let hidden = Span::of(old).beside::<P>(rows.recurrent_kernel.words(), tiles)?;
        let has_rows = |values: &[i32]| tiles.saturating_mul(2 * P) <= values.len();
        (has_rows(rows.bias) && has_rows(rows.multiplier)).then_some(Self {
            halves: [input, hidden],
            biases: rows.bias.as_ptr(),
            multipliers: rows.multiplier.as_ptr(),
        })
    }

    /// Lets sums begin with the biases of the next tiles.
    ///
    /// # Safety
    /// There are so many tiles left, and they have room for their sums.
    #[inline(always)]
    unsafe fn begin(&mut self, sums: *mut PairSums, tiles: usize) {
        // SAFETY: a pair has two biases.
        unsafe { activations::begin(sums.cast(), tiles * P, self.biases) };
        self.biases = self.biases.wrapping_add(tiles * 2 * P);
    }

    /// The multipliers of the next tiles, which are left behind.
    #[inline(always)]
    fn next_multipliers(&mut self, tiles: usize) -> *const i32 {
        let next = self.multipliers;
        self.multipliers = next.wrapping_add(tiles * 2 * P);
        next
    }
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
