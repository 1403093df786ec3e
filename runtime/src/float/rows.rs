//! The rows of a float cell, and the dense layer behind it.

use crate::format::{File, ModelError, SectionKind};
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
    pub(super) fn read(file: &File<'a>) -> Result<Self, ModelError> {
        let shape = file.header.shape;
        let (inputs, units, layers) =
            (usize::from(shape.inputs), usize::from(shape.units), usize::from(shape.layers));
        let rows = units * G;
        let upper = (layers - 1) * rows * units;
        let kernels = file.finite(SectionKind::Kernel, rows * inputs + upper)?;
        let (kernel, upper_kernels) = kernels.split_at(rows * inputs);
        Ok(Self {
            kernel,
            upper_kernels,
            recurrent_kernels: file.finite(SectionKind::RecurrentKernel, layers * rows * units)?,
            biases: file.finite(SectionKind::Bias, layers * rows)?,
        })
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
        let bias = part(self.biases, layer, rows).chunks_exact(G);
        kernel.zip(recurrent_kernel).zip(bias).map(move |((kernel, recurrent), bias)| {
            let mut input = [0.0; G];
            input.copy_from_slice(bias);
            accumulate(&mut input, kernel, x);
            let mut hidden = [0.0; G];
            accumulate(&mut hidden, recurrent, old);
            (input, hidden)
        })
    }
}

/// The dense layer: `kernel: [outputs][units]`, `bias: [outputs]`, batch normalisation folded in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dense<'a> {
    kernel: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Dense<'a> {
    pub(super) fn read(file: &File<'a>) -> Result<Self, ModelError> {
        let (units, outputs) = (usize::from(file.header.shape.units), usize::from(file.header.shape.outputs));
        let kernel = file.finite(SectionKind::DenseKernel, outputs * units)?;
        Ok(Self { kernel, bias: file.finite(SectionKind::DenseBias, outputs)? })
    }

    /// `hidden: [units]`, `logits: [outputs]`.
    pub(super) fn logits(&self, hidden: &[f32], logits: &mut [f32]) {
        logits.copy_from_slice(self.bias);
        accumulate(logits, self.kernel, hidden);
    }
}

/// `sums[r] += rows[r] · operand`, from the first column to the last.
fn accumulate(sums: &mut [f32], rows: &[f32], operand: &[f32]) {
    for (sum, row) in sums.iter_mut().zip(rows.chunks_exact(operand.len().max(1))) {
        for (&weight, &value) in row.iter().zip(operand) {
            *sum += weight * value;
        }
    }
}

/// Refuses the sections that only integer models have.
pub(super) fn forbid_integers(file: &File<'_>) -> Result<(), ModelError> {
    file.forbid(SectionKind::Multiplier)?;
    file.forbid(SectionKind::DenseMultiplier)
}
