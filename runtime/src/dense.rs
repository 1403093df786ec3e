//! The dense layer on integers.

use crate::format::{File, ModelError, SectionKind};
use crate::kernel::{Bits8, Packing};
use crate::tiles::{Tiles, check_accumulator, check_multipliers, pairs};

/// The dense layer behind a cell, batch normalisation folded into it: `logits = kernel · hidden + bias`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense<'a> {
    kernel: Tiles<'a, Bits8, 1>,
    bias: &'a [i32],
    multiplier: &'a [i32],
}

impl<'a> Dense<'a> {
    pub(crate) fn read(file: &File<'a>) -> Result<Self, ModelError> {
        let (outputs, units) = (usize::from(file.header.shape.outputs), file.header.shape.units.into());
        let count = outputs.div_ceil(2);
        let words = count * Tiles::<Bits8, 1>::words_per_tile(units);
        let kernel = Tiles::new(file.section(SectionKind::DenseKernel, words)?, units);
        let bias: &[i32] = file.section(SectionKind::DenseBias, count * 2)?;
        let multiplier = file.section(SectionKind::DenseMultiplier, count * 2)?;
        check_multipliers(SectionKind::DenseMultiplier, multiplier)?;
        for ((index, tile), biases) in kernel.iter().enumerate().zip(bias.chunks_exact(2)) {
            for (side, (magnitude, bias)) in
                Tiles::<Bits8, 1>::magnitude(tile, 0).iter().zip(biases).enumerate()
            {
                let bound = (magnitude << file.header.operand_bits) + u64::from(bias.unsigned_abs());
                check_accumulator(SectionKind::DenseKernel, index * 2 + side, bound)?;
            }
        }
        Ok(Self { kernel, bias, multiplier })
    }

    /// `hidden: [units]` as operands, `logits: [outputs]` in Q16.
    pub(crate) fn logits(&self, hidden: &[i16], logits: &mut [i32]) {
        let rows = pairs(self.bias).iter().zip(pairs(self.multiplier));
        let mut operands = Default::default();
        Bits8::prepare(&mut operands, [hidden, &[]]);
        for ((tile, (bias, multiplier)), logits) in self.kernel.iter().zip(rows).zip(logits.chunks_mut(2)) {
            let [sums] = Bits8::sums(bias, [tile, &[]], &operands, Some(multiplier));
            for (logit, sum) in logits.iter_mut().zip(sums) {
                *logit = sum;
            }
        }
    }
}
