//! The rows of an integer cell: weights in tiles, with a bias and a multiplier for each row.

use crate::fixed::requantise;
use crate::format::{File, ModelError, SectionKind};
use crate::kernel::{self, PairSums};
use crate::tiles::{Tiles, check_accumulator, check_multipliers, pairs};

/// The rows of an integer cell: what multiplies the input row and the hidden state, and what
/// is done to each sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a, const P: usize> {
    kernel: Tiles<'a, P>,
    recurrent_kernel: Tiles<'a, P>,
    bias: &'a [i32],
    multiplier: &'a [i32],
}

/// What the kernel gives for one tile: sums of the input row (with the bias) and of the hidden state, and the
/// multipliers of its rows.
pub(crate) struct TileSums<const P: usize> {
    pub(crate) input: [PairSums; P],
    pub(crate) recurrent: [PairSums; P],
    pub(crate) multiplier: [[i32; 2]; P],
}

impl<'a, const P: usize> Rows<'a, P> {
    /// The rows of a cell with `count` tiles.
    pub(crate) fn read(file: &File<'a>, count: usize) -> Result<Self, ModelError> {
        let shape = file.header.shape;
        let rows = Self {
            kernel: Tiles::read(file, SectionKind::Kernel, count, shape.inputs.into())?,
            recurrent_kernel: Tiles::read(file, SectionKind::RecurrentKernel, count, shape.units.into())?,
            bias: file.section(SectionKind::Bias, count * 2 * P)?,
            multiplier: file.section(SectionKind::Multiplier, count * 2 * P)?,
        };
        check_multipliers(SectionKind::Multiplier, rows.multiplier)?;
        Ok(rows)
    }

    /// Refuses a row whose sum could reach 2^23 for any input row and hidden state; `recurrent_bias(row)` is
    /// what the row adds besides its own bias.
    pub(crate) fn check_bound(
        &self,
        file: &File<'a>,
        recurrent_bias: impl Fn(usize) -> i32,
    ) -> Result<(), ModelError> {
        let greatest_input = u64::from(file.header.input.greatest_operand());
        let greatest_hidden = 1 << file.header.operand_bits;
        let tiles = self.kernel.iter().zip(self.recurrent_kernel.iter());
        for ((index, (kernel, recurrent)), bias) in tiles.enumerate().zip(self.bias.chunks_exact(2 * P)) {
            for (pair, biases) in bias.chunks_exact(2).enumerate() {
                let inputs = Tiles::<P>::magnitude(kernel, pair);
                let hiddens = Tiles::<P>::magnitude(recurrent, pair);
                for (side, ((input, hidden), bias)) in inputs.iter().zip(hiddens).zip(biases).enumerate() {
                    let row = (index * P + pair) * 2 + side;
                    let bound = input * greatest_input
                        + hidden * greatest_hidden
                        + u64::from(bias.unsigned_abs())
                        + u64::from(recurrent_bias(row).unsigned_abs());
                    check_accumulator(SectionKind::Kernel, row, bound)?;
                }
            }
        }
        Ok(())
    }

    /// Both halves' sums, tile after tile: `row: [inputs]`, `old: [units]`.
    pub(crate) fn sums(&self, row: &[i16], old: &[i16]) -> impl Iterator<Item = TileSums<P>> {
        let tiles = self.kernel.iter().zip(self.recurrent_kernel.iter());
        let rows = self.bias.chunks_exact(2 * P).zip(self.multiplier.chunks_exact(2 * P));
        tiles.zip(rows).map(move |((kernel, recurrent_kernel), (bias, multiplier))| {
            let mut sums =
                TileSums { input: pairs(bias), recurrent: [[0; 2]; P], multiplier: pairs(multiplier) };
            kernel::accumulate(&mut sums.input, kernel, row);
            kernel::accumulate(&mut sums.recurrent, recurrent_kernel, old);
            sums
        })
    }
}

impl<const P: usize> TileSums<P> {
    /// Each row's whole sum times its multiplier: its pre-activation, pair by pair.
    pub(crate) fn preactivations(&self) -> [[i32; 2]; P] {
        core::array::from_fn(|pair| {
            core::array::from_fn(|side| {
                let sum = self.input[pair][side] + self.recurrent[pair][side];
                requantise(sum, self.multiplier[pair][side])
            })
        })
    }
}
