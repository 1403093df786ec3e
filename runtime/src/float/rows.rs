//! The rows of a float cell, and the dense layer behind it.

use crate::format::{File, ModelError, SectionKind};

/// The rows of a float cell: `kernel: [units][gates][inputs]`, `recurrent_kernel: [units][gates][units]`,
/// `bias: [units][gates]`, with `G` gates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a, const G: usize> {
    kernel: &'a [f32],
    recurrent_kernel: &'a [f32],
    bias: &'a [f32],
}

impl<'a, const G: usize> Rows<'a, G> {
    pub(super) fn read(file: &File<'a>) -> Result<Self, ModelError> {
        let (inputs, units) = (usize::from(file.header.shape.inputs), usize::from(file.header.shape.units));
        let rows = units * G;
        Ok(Self {
            kernel: finite(file, SectionKind::Kernel, rows * inputs)?,
            recurrent_kernel: finite(file, SectionKind::RecurrentKernel, rows * units)?,
            bias: finite(file, SectionKind::Bias, rows)?,
        })
    }

    /// For each unit its gates' `K·x + b` and its gates' `R·h`: `row: [inputs]`, `old: [units]`.
    pub(super) fn sums(&self, row: &[f32], old: &[f32]) -> impl Iterator<Item = ([f32; G], [f32; G])> {
        let kernel = self.kernel.chunks_exact((G * row.len()).max(1));
        let recurrent_kernel = self.recurrent_kernel.chunks_exact((G * old.len()).max(1));
        kernel.zip(recurrent_kernel).zip(self.bias.chunks_exact(G)).map(move |((kernel, recurrent), bias)| {
            let mut input = [0.0; G];
            input.copy_from_slice(bias);
            accumulate(&mut input, kernel, row);
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
        let kernel = finite(file, SectionKind::DenseKernel, outputs * units)?;
        Ok(Self { kernel, bias: finite(file, SectionKind::DenseBias, outputs)? })
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

/// A section of finite numbers.
pub(super) fn finite<'a>(
    file: &File<'a>,
    kind: SectionKind,
    expected: usize,
) -> Result<&'a [f32], ModelError> {
    let values: &[f32] = file.section(kind, expected)?;
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(ModelError::NotFinite { kind })
    }
}

/// Refuses the sections that only integer models have.
pub(super) fn forbid_integers(file: &File<'_>) -> Result<(), ModelError> {
    file.forbid(SectionKind::Multiplier)?;
    file.forbid(SectionKind::DenseMultiplier)
}
