//! The rows of a float cell, and the dense layer behind it.

use crate::format::{File, SectionKind};
use crate::tiles::part;

/// The rows of the float cells of a network's layers: `kernel: [units][gates][inputs]`, in the layers above the
/// first `[units][gates][units]`; `recurrent_kernel: [units][gates][units]`, `bias: [units][gates]`, with `G` gates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a, const G: usize> {
    kernel: &'a [f32],
    upper_kernels: &'a [f32],
    recurrent_kernels: &'a [f32],
    biases: &'a [f32],
}

impl<'a, const G: usize> Rows<'a, G> {
    pub(super) fn of(file: &File<'a>) -> Self {
        let rows = usize::from(file.header.shape.units) * G;
        let kernels = file.floats(SectionKind::Kernel);
        let first = rows * usize::from(file.header.shape.inputs);
        let (kernel, upper_kernels) = kernels.split_at_checked(first).unwrap_or_default();
        Self {
            kernel,
            upper_kernels,
            recurrent_kernels: file.floats(SectionKind::RecurrentKernel),
            biases: file.floats(SectionKind::Bias),
        }
    }

    /// For each unit of a layer its gates' `K·x + b` and its gates' `R·h`: `x: [inputs]`, `old: [units]`.
    pub(super) fn sums(
        &self,
        layer: usize,
        x: &[f32],
        old: &[f32],
    ) -> impl Iterator<Item = ([f32; G], [f32; G])> {
        let rows = old.len() * G;
        let kernel = match layer {
            0 => self.kernel,
            _ => part(self.upper_kernels, layer - 1, rows * old.len()),
        };
        let kernel = kernel.chunks_exact((G * x.len()).max(1));
        let recurrent_kernel = part(self.recurrent_kernels, layer, rows * old.len());
        let recurrent_kernel = recurrent_kernel.chunks_exact((G * old.len()).max(1));
        let bias = part(self.biases, layer, rows).as_chunks().0;
        kernel.zip(recurrent_kernel).zip(bias).map(move |((kernel, recurrent), &bias)| {
            let mut input: [f32; G] = bias;
            accumulate(&mut input, kernel, x);
            let mut hidden = [0.0; G];
            accumulate(&mut hidden, recurrent, old);
            (input, hidden)
        })
    }
}

/// The dense layer: `kernel: [outputs][units]`, `bias: [outputs]`, batch normalisation folded in; `hidden: [units]`,
/// `logits: [outputs]`.
pub(super) fn logits(file: &File<'_>, hidden: &[f32], logits: &mut [f32]) {
    for (logit, &bias) in logits.iter_mut().zip(file.floats(SectionKind::DenseBias)) {
        *logit = bias;
    }
    accumulate(logits, file.floats(SectionKind::DenseKernel), hidden);
}

/// `sums[r] += rows[r] · operand`, from the first column to the last.
fn accumulate(sums: &mut [f32], rows: &[f32], operand: &[f32]) {
    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(operand.len().max(1))) {
        for (&weight, &value) in row.iter().zip(operand) {
            *sum += weight * value;
        }
    }
}
