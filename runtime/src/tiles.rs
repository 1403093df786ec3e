//! Weights in tiles, as a file holds them, and the checks that make them safe to compute with.

use core::marker::PhantomData;

use crate::fixed::ACCUMULATOR_LIMIT;
use crate::format::{ModelError, SectionKind, tile_columns};
use crate::kernel::Packing;

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

    /// The sum of the weights' magnitudes of rows A and B of one pair of a tile.
    pub(crate) fn magnitude(tile: &[u32], pair: usize) -> [u64; 2] {
        let mut sums = [0; 2];
        for &word in tile.iter().skip(pair).step_by(P) {
            let [a, b] = W::magnitude(word);
            sums = [sums[0] + a, sums[1] + b];
        }
        sums
    }
}

/// The values of one layer, where each has `count`.
pub(crate) fn part<T>(values: &[T], layer: usize, count: usize) -> &[T] {
    let start = layer.saturating_mul(count);
    values.get(start..start.saturating_add(count)).unwrap_or_default()
}

/// Values of the rows of tiles, each tile's in `P` pairs.
pub(crate) fn pairs<const P: usize>(values: &[i32]) -> &[[[i32; 2]; P]] {
    values.as_chunks().0.as_chunks().0
}

/// Refuses a negative multiplier.
pub(crate) fn check_multipliers(kind: SectionKind, multipliers: &[i32]) -> Result<(), ModelError> {
    match multipliers.iter().position(|&multiplier| multiplier < 0) {
        Some(row) => Err(ModelError::Multiplier { kind, row }),
        None => Ok(()),
    }
}

/// Refuses a bound that reaches [`ACCUMULATOR_LIMIT`].
pub(crate) fn check_accumulator(kind: SectionKind, row: usize, bound: u64) -> Result<(), ModelError> {
    if bound < ACCUMULATOR_LIMIT { Ok(()) } else { Err(ModelError::Accumulator { kind, row, bound }) }
}
