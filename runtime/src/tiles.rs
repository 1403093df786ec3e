//! Weights in tiles, as a file holds them, and the checks that make them safe to compute with.

use core::marker::PhantomData;
use core::slice;

use crate::fixed::ACCUMULATOR_LIMIT;
use crate::format::{ModelError, Numbers, SectionKind};
use crate::kernel::{Bits4, Bits8, Packing};

/// A matrix of weights in tiles of `P` pairs of rows: `[tiles][columns/W::COLUMNS][P]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles<'a, W, const P: usize> {
    words: &'a [u32],
    words_per_tile: usize,
    packing: PhantomData<W>,
}

impl<'a, W: Packing, const P: usize> Tiles<'a, W, P> {
    /// Words of one tile of `columns` operands.
    pub(crate) const fn words_per_tile(columns: usize) -> usize {
        tile_columns(columns) / W::COLUMNS * P
    }

    /// Tiles of `columns` operands.
    pub(crate) fn new(words: &'a [u32], columns: usize) -> Self {
        Self { words, words_per_tile: Self::words_per_tile(columns), packing: PhantomData }
    }

    /// The tiles of one layer, where each has `count`.
    pub(crate) fn part(self, layer: usize, count: usize) -> Self {
        Self { words: part(self.words, layer, count * self.words_per_tile), ..self }
    }

    /// All words, and how many of them each tile has.
    #[cfg_attr(
        not(any(kernel = "dsp", kernel = "mve")),
        expect(dead_code, reason = "for kernels that walk over the tiles themselves")
    )]
    pub(crate) fn words(self) -> (&'a [u32], usize) {
        (self.words, self.words_per_tile)
    }

    /// Tile after tile.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [u32]> + use<'a, W, P> {
        self.words.chunks_exact(self.words_per_tile.max(1))
    }
}

/// Columns that a tile stores for `columns` operands: a multiple of four.
pub(crate) const fn tile_columns(columns: usize) -> usize {
    columns.next_multiple_of(4)
}

/// Words of a tile of so many pairs for `columns` operands; in an f32 model, of a row.
pub(crate) const fn words_per_tile(columns: usize, numbers: Numbers, pairs: usize) -> usize {
    match numbers {
        Numbers::F32 => columns,
        Numbers::Int8 => tile_columns(columns) / Bits8::COLUMNS * pairs,
        Numbers::Int4 => tile_columns(columns) / Bits4::COLUMNS * pairs,
    }
}

/// The values of one layer, where each has `count`.
pub(crate) fn part<T>(values: &[T], layer: usize, count: usize) -> &[T] {
    // of a checked file no such product goes round
    let start = layer.wrapping_mul(count);
    values.get(start..start.wrapping_add(count)).unwrap_or_default()
}

/// Values of the rows of tiles, each tile's in `P` pairs.
pub(crate) fn pairs<const P: usize>(values: &[i32]) -> &[[[i32; 2]; P]] {
    values.as_chunks().0.as_chunks().0
}

/// The sums of rows, tile by tile, whose bound is checked.
pub(crate) struct Sums<'a> {
    /// The section that a row is told by.
    pub(crate) kind: SectionKind,
    /// What the weights are.
    pub(crate) numbers: Numbers,
    /// Pairs of rows in a tile.
    pub(crate) pairs: usize,
    /// The greatest magnitudes of an input and of a hidden state, as operands.
    pub(crate) greatest: [u32; 2],
    /// Of each row.
    pub(crate) biases: slice::Iter<'a, i32>,
    /// What the rows of every third pair add besides.
    pub(crate) recurrent_biases: slice::Iter<'a, i32>,
    /// The row that is next.
    pub(crate) row: usize,
}

impl Sums<'_> {
    /// Refuses a row of the next tiles whose sum could reach [`ACCUMULATOR_LIMIT`] for any operands. Takes the words of so
    /// many tiles from the front of the kernel, which meets so many inputs, and of the recurrent kernel.
    #[inline(never)]
    pub(crate) fn check_tiles(
        &mut self,
        tiles: usize,
        [kernel, recurrent_kernel]: [&mut &[u32]; 2],
        columns: [usize; 2],
    ) -> Result<(), ModelError> {
        let words = columns.map(|columns| words_per_tile(columns, self.numbers, self.pairs));
        for _ in 0..tiles {
            let tile = [split_off(kernel, words[0]), split_off(recurrent_kernel, words[1])];
            for pair in 0..self.pairs {
                let magnitudes = tile.map(|words| self.magnitudes(words, pair));
                for side in 0..2 {
                    let bound = self.bound(pair, magnitudes.map(|of_half| of_half[side]));
                    if bound >= ACCUMULATOR_LIMIT {
                        return Err(ModelError::Accumulator { kind: self.kind, row: self.row, bound });
                    }
                    self.row += 1;
                }
            }
        }
        Ok(())
    }

    /// The greatest magnitude that the sum of the next row could reach, which is one of that pair, from the sums of its
    /// weights' magnitudes. Not inlined, as a loop of calls is not unrolled.
    #[inline(never)]
    fn bound(&mut self, pair: usize, magnitudes: [u32; 2]) -> u32 {
        // 512 columns of at most 2^7, times at most 2^15, are 2^31; what goes beyond 32 bits is beyond the limit
        let [input, hidden] = [0, 1].map(|half| magnitudes[half] * self.greatest[half]);
        let mut bound = input.saturating_add(hidden).saturating_add(next_magnitude(&mut self.biases));
        if pair == 2 {
            bound = bound.saturating_add(next_magnitude(&mut self.recurrent_biases));
        }
        bound
    }

    /// The sums of the weights' magnitudes of a pair of rows of a tile.
    #[inline(never)]
    fn magnitudes(&self, tile: &[u32], pair: usize) -> [u32; 2] {
        let of_word = match self.numbers {
            Numbers::Int4 => Bits4::magnitudes,
            _ => Bits8::magnitudes,
        };
        let (mut sums, mut index) = ([0; 2], pair);
        while let Some(&word) = tile.get(index) {
            let [a, b] = of_word(word);
            sums = [sums[0] + a, sums[1] + b];
            index += self.pairs;
        }
        sums
    }
}

/// Splits a tile of so many words off.
fn split_off<'a>(words: &mut &'a [u32], count: usize) -> &'a [u32] {
    let (tile, rest) = words.split_at_checked(count).unwrap_or_default();
    *words = rest;
    tile
}

/// The magnitude of the next bias.
fn next_magnitude(biases: &mut slice::Iter<'_, i32>) -> u32 {
    biases.next().map_or(0, |bias| bias.unsigned_abs())
}
