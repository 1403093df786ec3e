//! The cells on 32-bit floats, for boards with an FPU and as the reference for the integer cells.
//!
//! Only additions, multiplications and divisions are used, each rounded as IEEE 754 says and in a fixed order,
//! so a float model too gives the same bits on every machine.

pub mod activation;
mod gru;
mod lstm;
mod rows;
mod simple_rnn;

pub use gru::Gru;
pub use lstm::Lstm;
pub use simple_rnn::SimpleRnn;

use crate::Scaling;
use crate::cell::Value;
use crate::format::{File, SectionKind};
use crate::sample::{Inputs, Sample, standardise};

/// No standardised feature is greater than this, so that no infinity gets into a state.
const GREATEST_FEATURE: f32 = 32768.0;

impl Value for f32 {
    type Logit = f32;
    type CellState = f32;
    type Integers<'a> = IntegerInputs<'a>;
    type Floats<'a> = FloatInputs<'a>;

    fn operands(hidden: &[f32], operand: &mut [f32], _: u32) {
        for (operand, &hidden) in operand.iter_mut().zip(hidden) {
            *operand = hidden;
        }
    }

    fn logits(file: &File<'_>, hidden: &[f32], logits: &mut [f32]) {
        rows::logits(file, hidden, logits);
    }

    fn to_f32(self) -> f32 {
        self
    }
}

/// Integer samples as floats.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum IntegerInputs<'a> {
    /// `sample * scale`
    Uniform { least: i16, most: i16, scale: f32 },
    /// `(sample - offset) * gain`
    PerFeature { least: i16, most: i16, scales: FloatInputs<'a> },
}

impl<'a> Inputs<'a, f32> for IntegerInputs<'a> {
    fn of(file: &File<'a>) -> Self {
        match file.header.input.scaling {
            Scaling::Uniform { scale, min, max, .. } => Self::Uniform { least: min, most: max, scale },
            Scaling::PerFeature { .. } => {
                let (least, most) = file.header.input.samples.integers();
                Self::PerFeature { least, most, scales: FloatInputs::of(file) }
            }
        }
    }

    fn row<T: Sample>(&self, samples: impl Iterator<Item = T>, operand: &mut [f32]) {
        match *self {
            Self::Uniform { least, most, scale } => {
                for (operand, sample) in operand.iter_mut().zip(samples) {
                    *operand = f32::from(sample.to_i16().max(least).min(most)) * scale;
                }
            }
            Self::PerFeature { least, most, scales } => {
                scales.row(samples.map(|sample| sample.to_i16().max(least).min(most)), operand);
            }
        }
    }
}

/// Samples of any kind, standardised feature by feature.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct FloatInputs<'a> {
    /// `[inputs]`
    offset: &'a [f32],
    /// `[inputs]`
    gain: &'a [f32],
}

impl<'a> Inputs<'a, f32> for FloatInputs<'a> {
    fn of(file: &File<'a>) -> Self {
        Self { offset: file.floats(SectionKind::InputOffset), gain: file.floats(SectionKind::InputGain) }
    }

    fn row<T: Sample>(&self, samples: impl Iterator<Item = T>, operand: &mut [f32]) {
        let scales = self.offset.iter().zip(self.gain);
        for ((operand, sample), (&offset, &gain)) in operand.iter_mut().zip(samples).zip(scales) {
            *operand = standardise(sample.to_f32(), offset, gain, GREATEST_FEATURE);
        }
    }
}
