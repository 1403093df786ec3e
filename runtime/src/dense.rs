//! The dense layer on integers.

use crate::format::{File, SectionKind};
use crate::kernel::{Bits8, Packing};
use crate::tiles::{Tiles, pairs};

/// The dense layer behind any cell, batch normalisation folded into it: `logits = kernel · hidden + bias`, `hidden:
/// [units]` as operands, `logits: [outputs]` in Q16.
#[inline(never)]
pub(crate) fn logits(file: &File<'_>, hidden: &[i16], logits: &mut [i32]) {
    let kernel = Tiles::<Bits8, 1>::new(file.words(SectionKind::DenseKernel), file.header.shape.units.into());
    let bias = pairs(file.integers(SectionKind::DenseBias));
    let multiplier = pairs(file.integers(SectionKind::DenseMultiplier));
    let mut operands = Default::default();
    Bits8::prepare(&mut operands, [hidden, &[]]);
    for ((tile, (bias, multiplier)), logits) in
        kernel.iter().zip(bias.iter().zip(multiplier)).zip(logits.chunks_mut(2))
    {
        let [sums] = Bits8::sums(bias, [tile, &[]], &operands, Some(multiplier));
        for (logit, sum) in logits.iter_mut().zip(sums) {
            *logit = sum;
        }
    }
}
