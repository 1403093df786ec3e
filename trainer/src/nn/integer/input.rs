//! Features as operands, by way of the samples that the board will see.

use refrain::fixed::{shifted_operand, standardised_operand};
use refrain::{Sample, float_operand};

/// How rows of features become operands, and what operands stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegerInput {
    /// What becomes of the samples.
    pub inputs: Inputs,
    /// `[inputs]`: a feature's sample is `feature * deviation + mean`.
    pub mean: Vec<f32>,
    /// `[inputs]`, likewise.
    pub deviation: Vec<f32>,
    /// `[inputs]`: an operand stands for the feature `operand * step + short`.
    pub step: Vec<f32>,
    /// `[inputs]`, likewise.
    pub short: Vec<f32>,
}

/// What a model file says of its samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Inputs {
    /// Integers with one scale: see [`shifted_operand`].
    Uniform {
        /// The least and the greatest sample.
        range: (i16, i16),
        /// Bits to shift by.
        shift: i8,
    },
    /// Integers with a scale for each feature: see [`standardised_operand`].
    Integers {
        /// The least and the greatest sample.
        range: (i16, i16),
        /// Bits to shift by.
        shift: u32,
        /// `[inputs]`
        offset: Vec<i32>,
        /// `[inputs]`
        gain: Vec<i32>,
        /// The greatest magnitude of an operand.
        limit: i32,
    },
    /// Floats: see [`float_operand`].
    Floats {
        /// `[inputs]`
        offset: Vec<f32>,
        /// `[inputs]`
        gain: Vec<f32>,
        /// The greatest magnitude of an operand.
        limit: f32,
    },
}

impl IntegerInput {
    /// Turns rows of features, `[rows, inputs]`, into the operands of the samples that they stand for.
    pub(super) fn to_operands(&self, x: &mut [f32]) {
        let scales = || self.mean.iter().zip(&self.deviation);
        for row in x.chunks_exact_mut(self.mean.len()) {
            for (x, (mean, deviation)) in row.iter_mut().zip(scales()) {
                *x = *x * deviation + mean;
            }
            match &self.inputs {
                Inputs::Uniform { range, shift } => {
                    row.iter_mut().for_each(|x| *x = shifted_operand(sample(*x, *range), *shift) as f32);
                }
                Inputs::Integers { range, shift, offset, gain, limit } => {
                    for (x, (offset, gain)) in row.iter_mut().zip(offset.iter().zip(gain)) {
                        let sample = sample(*x, *range);
                        *x = standardised_operand(sample, *shift, *offset, *gain, *limit) as f32;
                    }
                }
                Inputs::Floats { offset, gain, limit } => {
                    for (x, (offset, gain)) in row.iter_mut().zip(offset.iter().zip(gain)) {
                        *x = float_operand(*x, *offset, *gain, *limit).into();
                    }
                }
            }
        }
    }

    /// Turns operands back into features.
    pub(super) fn to_values(&self, operands: &mut [f32]) {
        for row in operands.chunks_exact_mut(self.step.len()) {
            for (x, (step, short)) in row.iter_mut().zip(self.step.iter().zip(&self.short)) {
                *x = *x * step + short;
            }
        }
    }
}

/// The nearest sample inside the range.
fn sample(x: f32, (least, most): (i16, i16)) -> i32 {
    x.to_i16().clamp(least, most).into()
}
