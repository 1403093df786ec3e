//! How raw samples become operands: what stands in the file for it, and what the first layer's weights make of it.

use refrain::fixed::{MULTIPLIER_BITS, OFFSET_LIMIT};
use refrain::format::SectionKind;
use refrain::{InputFormat, Samples, Scaling};

use super::writer::Payload;
use crate::data::InputScaling;

/// Where a feature counts as no greater than it is: so many times the greatest magnitude in the training data.
const HEADROOM: f64 = 2.0;

/// The operands of one layer: what its input weights and its recurrent weights multiply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operands {
    /// Fraction bits of a hidden state's operand.
    pub(crate) bits: u32,
    /// Of each input column: the real value of an operand of 1, over that of a hidden state's.
    pub(super) gains: Vec<f64>,
    /// Of each input column: what is missing in the operand, because its offset is rounded.
    pub(super) shifts: Vec<f64>,
    /// The greatest magnitude of an input operand.
    pub(super) greatest_input: u64,
}

impl Operands {
    /// Those of a layer whose input is the hidden state of the layer below.
    pub(crate) fn of_hidden_states(units: usize, bits: u32) -> Self {
        Self { bits, gains: vec![1.0; units], shifts: vec![0.0; units], greatest_input: 1 << bits }
    }
}

/// An input format, and the operands that it gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InputPlan {
    pub(crate) format: InputFormat,
    pub(crate) operands: Operands,
    pub(super) scales: Scales,
}

/// Offsets and gains, feature by feature.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scales {
    None,
    Integers(Vec<i32>, Vec<i32>),
    Floats(Vec<f32>, Vec<f32>),
}

/// What is known of the raw samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<'a> {
    /// Their type.
    pub(crate) samples: Samples,
    pub(crate) scaling: &'a InputScaling,
    /// How many there are in a row.
    pub(crate) count: usize,
    /// The greatest magnitude of a feature as the network sees it, in the training data.
    pub(crate) greatest: f32,
}

impl Inputs<'_> {
    /// The plan of an integer model: hidden states have `bits` fraction bits, and inputs, where each feature has a
    /// scale of its own, `input_bits`.
    pub(crate) fn plan(&self, bits: u32, input_bits: u32) -> InputPlan {
        match (self.scaling, self.samples) {
            (InputScaling::Uniform { scale }, Samples::U8) => self.uniform(*scale, (0, u8::MAX.into()), bits),
            (InputScaling::Uniform { scale }, Samples::I16) => {
                self.uniform(*scale, (-i16::MAX, i16::MAX), bits)
            }
            _ => self.per_feature(bits, input_bits),
        }
    }

    /// The plan of an f32 model, whose operands need none.
    pub(crate) fn float_plan(&self) -> InputPlan {
        let mut plan = self.plan(0, 0);
        match &mut plan.format.scaling {
            Scaling::Uniform { shift, .. } => *shift = 0,
            scaling @ Scaling::PerFeature { .. } => {
                *scaling = Scaling::PerFeature { shift: 0, limit: 0 };
                let (mean, deviation) = self.moments();
                let gain = deviation.iter().map(|deviation| 1.0 / deviation).collect();
                plan.scales = Scales::Floats(mean, gain);
            }
        }
        plan
    }

    /// The greatest sample is brought as close below `2^bits` as a shift can bring it.
    fn uniform(&self, scale: f32, (min, max): (i16, i16), bits: u32) -> InputPlan {
        let most = u32::from(min.unsigned_abs().max(max.unsigned_abs()));
        let shift = bits as i32 - (u32::BITS - most.leading_zeros()) as i32;
        let gain = f64::from(scale) * 2f64.powi(bits as i32 - shift);
        InputPlan {
            format: InputFormat {
                samples: self.samples,
                scaling: Scaling::Uniform { scale, min, max, shift: shift as i8 },
            },
            operands: Operands {
                bits,
                gains: vec![gain; self.count],
                shifts: vec![0.0; self.count],
                // a right shift rounds, so the greatest operand may be 2^bits itself
                greatest_input: if shift >= 0 { u64::from(most) << shift } else { 1 << bits },
            },
            scales: Scales::None,
        }
    }

    /// A standardised feature of 1 becomes `2^input_bits`, as nearly as its gain can be written; the weights take
    /// what is left.
    fn per_feature(&self, bits: u32, input_bits: u32) -> InputPlan {
        let one = 2f64.powi(input_bits as i32);
        let (mean, deviation) = self.moments();
        let moments =
            || mean.iter().zip(&deviation).map(|(&mean, &deviation)| (f64::from(mean), f64::from(deviation)));
        // the real value of an operand of 1, and what the offset's rounding takes away from a feature
        let mut steps = Vec::with_capacity(self.count);
        let shift: u8 = match self.samples {
            Samples::U8 => 14,
            Samples::I16 => 7,
            Samples::F32 => 0,
        };
        let scales = if self.samples == Samples::F32 {
            let gains: Vec<f32> = moments().map(|(_, deviation)| (one / deviation) as f32).collect();
            steps.extend(moments().zip(&gains).map(|((_, d), &gain)| (1.0 / (d * f64::from(gain)), 0.0)));
            Scales::Floats(mean.clone(), gains)
        } else {
            let unit = 2f64.powi(shift.into());
            let limit = f64::from(OFFSET_LIMIT);
            let offsets: Vec<i32> =
                moments().map(|(mean, _)| (mean * unit).round().clamp(-limit, limit) as i32).collect();
            let fraction = 2f64.powi(MULTIPLIER_BITS as i32);
            let gain = |deviation: f64| (one / (deviation * unit) * fraction).round();
            let gains: Vec<i32> =
                moments().map(|(_, deviation)| gain(deviation).clamp(1.0, i32::MAX.into()) as i32).collect();
            let rows = moments().zip(&offsets).zip(&gains);
            steps.extend(rows.map(|(((mean, deviation), &offset), &gain)| {
                let operand = deviation * unit * f64::from(gain) / fraction;
                (1.0 / operand, (f64::from(offset) / unit - mean) / deviation)
            }));
            Scales::Integers(offsets, gains)
        };
        let reach = (f64::from(self.greatest) * HEADROOM).max(1.0) * one;
        let limit = reach.ceil().min(i16::MAX.into()) as u16;
        InputPlan {
            format: InputFormat { samples: self.samples, scaling: Scaling::PerFeature { shift, limit } },
            operands: Operands {
                bits,
                gains: steps.iter().map(|(step, _)| step * 2f64.powi(bits as i32)).collect(),
                shifts: steps.iter().map(|(_, shift)| *shift).collect(),
                greatest_input: limit.into(),
            },
            scales,
        }
    }

    /// Mean and deviation of each feature.
    pub(super) fn moments(&self) -> (Vec<f32>, Vec<f32>) {
        match self.scaling {
            InputScaling::Uniform { scale } => (vec![0.0; self.count], vec![1.0 / scale; self.count]),
            InputScaling::PerFeature { mean, deviation } => (mean.clone(), deviation.clone()),
        }
    }
}

impl InputPlan {
    /// Whether a feature of `greatest` times the headroom can be written as an operand.
    pub(crate) fn reaches(&self, greatest: f32, input_bits: u32) -> bool {
        match self.format.scaling {
            Scaling::Uniform { .. } => true,
            Scaling::PerFeature { .. } => {
                f64::from(greatest) * HEADROOM * 2f64.powi(input_bits as i32) <= f64::from(i16::MAX)
            }
        }
    }

    /// Adds the offsets and gains to a file.
    pub(super) fn push(&self, payload: &mut Payload) {
        match &self.scales {
            Scales::None => {}
            Scales::Integers(offset, gain) => {
                payload.push(SectionKind::InputOffset, offset);
                payload.push(SectionKind::InputGain, gain);
            }
            Scales::Floats(offset, gain) => {
                payload.push(SectionKind::InputOffset, offset);
                payload.push(SectionKind::InputGain, gain);
            }
        }
    }
}
