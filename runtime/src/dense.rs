//! The dense layer on integers.

use crate::format::{File, SectionKind};
use crate::kernel::{Bits8, Packing};
use crate::tiles::{Tiles, pairs};

/// The dense layer behind a cell, batch normalisation folded into it: `logits = kernel · hidden + bias`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dense<'a> {
    kernel: Tiles<'a, Bits8, 1>,
    bias: &'a [i32],
    multiplier: &'a [i32],
}

impl<'a> Dense<'a> {
    #[inline(always)]
    pub(crate) fn of(file: &File<'a>) -> Self {
        Self {
            kernel: Tiles::new(file.words(SectionKind::DenseKernel), file.header.shape.units.into()),
            bias: file.integers(SectionKind::DenseBias),
            multiplier: file.integers(SectionKind::DenseMultiplier),
        }
    }

    /// `hidden: [units]` as operands, `logits: [outputs]` in Q16.
    #[inline(never)]
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
