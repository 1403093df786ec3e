//! Int8 weights in tiles, as a file holds them, and the checks that make them safe to compute with.

use crate::fixed::ACCUMULATOR_LIMIT;
use crate::format::{File, ModelError, SectionKind, tile_columns};
use crate::kernel;

/// A matrix of int8 weights in tiles of `P` pairs of rows: `[tiles][columns/2][P]`, two columns a word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiles<'a, const P: usize> {
    words: &'a [u32],
    words_per_tile: usize,
}

impl<'a, const P: usize> Tiles<'a, P> {
    /// The section of that kind: `count` tiles of `columns` operands.
    pub(crate) fn read(
        file: &File<'a>,
        kind: SectionKind,
        count: usize,
        columns: usize,
    ) -> Result<Self, ModelError> {
        let words_per_tile = tile_columns(columns) / 2 * P;
        Ok(Self { words: file.section(kind, count * words_per_tile)?, words_per_tile })
    }

    /// Tile after tile.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a [u32]> {
        self.words.chunks_exact(self.words_per_tile.max(1))
    }

    /// The sum of the weights' magnitudes of rows A and B of one pair of a tile.
    pub(crate) fn magnitude(tile: &[u32], pair: usize) -> [u64; 2] {
        let mut sums = [0; 2];
        for &word in tile.iter().skip(pair).step_by(P) {
            for [a, b] in kernel::reference::unpack(word) {
                sums[0] += u64::from(a.unsigned_abs());
                sums[1] += u64::from(b.unsigned_abs());
            }
        }
        sums
    }
}

/// `P` pairs out of a slice of `2·P` values.
pub(crate) fn pairs<const P: usize>(values: &[i32]) -> [[i32; 2]; P] {
    let mut pairs = [[0; 2]; P];
    for (pair, values) in pairs.iter_mut().zip(values.chunks_exact(2)) {
        *pair = [values[0], values[1]];
    }
    pairs
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
