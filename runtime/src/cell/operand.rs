//! Operands of an integer kernel, out of samples and out of hidden states.

use super::Value;
use crate::Scaling;
use crate::dense;
use crate::fixed::{HIDDEN_BITS, shifted_operand, standardised_operand};
use crate::format::{File, SectionKind};
use crate::kernel::{hidden_operands, shift_bytes};
use crate::sample::{Inputs, Sample, float_operand};

impl Value for i16 {
    type Logit = i32;
    type CellState = i32;
    type Integers<'a> = IntegerInputs<'a>;
    type Floats<'a> = FloatInputs<'a>;

    // not inlined, as a timestep that is computed and one out of a table of states both come here
    #[inline(never)]
    fn operands(hidden: &[i16], operand: &mut [i16], operand_bits: u32) {
        hidden_operands(hidden, operand, operand_bits);
    }

    fn logits(file: &File<'_>, hidden: &[i16], logits: &mut [i32]) {
        dense::logits(file, hidden, logits);
    }

    fn is_blank(row: &[i16]) -> bool {
        let (fours, last) = row.as_chunks();
        fours.iter().all(|four| *four == [0; 4]) && last.iter().all(|&operand| operand == 0)
    }

    fn to_f32(self) -> f32 {
        f32::from(self) / (1 << HIDDEN_BITS) as f32
    }
}

/// Integer samples as operands; nothing but integers is computed with.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum IntegerInputs<'a> {
    /// `sample * 2^shift`
    Uniform { least: i16, most: i16, shift: i8 },
    /// `(sample * 2^shift - offset) * gain / 2^24`
    PerFeature(PerFeature<'a>),
}

/// An offset and a gain for each feature.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct PerFeature<'a> {
    least: i16,
    most: i16,
    shift: u32,
    limit: i32,
    /// `[inputs]`, with `shift` fraction bits
    offset: &'a [i32],
    /// `[inputs]`
    gain: &'a [i32],
}

impl<'a> Inputs<'a, i16> for IntegerInputs<'a> {
    #[inline(always)]
    fn of(file: &File<'a>) -> Self {
        match file.header.input.scaling {
            Scaling::Uniform { min, max, shift, .. } => Self::Uniform { least: min, most: max, shift },
            Scaling::PerFeature { shift, limit } => {
                let (least, most) = file.header.input.samples.integers();
                let (offset, gain) =
                    (file.integers(SectionKind::InputOffset), file.integers(SectionKind::InputGain));
                let (shift, limit) = (shift.into(), limit.into());
                Self::PerFeature(PerFeature { least, most, shift, limit, offset, gain })
            }
        }
    }

    #[inline]
    fn row<T: Sample>(&self, samples: impl Iterator<Item = T>, operand: &mut [i16]) {
        for (operand, sample) in operand.iter_mut().zip(samples) {
            *operand = sample.to_i16();
        }
        self.scale(operand);
    }

    #[inline(never)]
    fn bytes(&self, row: &[u8], operand: &mut [i16]) {
        match *self {
            Self::Uniform { least: 0, most: 255, shift: shift @ 0.. } => shift_bytes(row, operand, shift),
            _ => self.row(row.iter().copied(), operand),
        }
    }
}

impl IntegerInputs<'_> {
    /// Turns samples into operands, in place. Not inlined, so that its code is there once for all types of samples.
    #[inline(never)]
    fn scale(&self, row: &mut [i16]) {
        match *self {
            Self::Uniform { least, most, shift } => {
                for value in row {
                    let sample = i32::from((*value).max(least).min(most));
                    *value = shifted_operand(sample, shift) as i16;
                }
            }
            Self::PerFeature(PerFeature { least, most, shift, limit, offset, gain }) => {
                let (mut offsets, mut gains) = (offset.iter(), gain.iter());
                for value in row {
                    // not a zip: the compiler would unroll it into four times the code
                    let (Some(&offset), Some(&gain)) = (offsets.next(), gains.next()) else { break };
                    let sample = i32::from((*value).max(least).min(most));
                    *value = standardised_operand(sample, shift, offset, gain, limit) as i16;
                }
            }
        }
    }
}

/// Float samples as operands: `(sample - offset) * gain`, rounded to the nearest, halves to even.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct FloatInputs<'a> {
    /// `[inputs]`
    offset: &'a [f32],
    /// `[inputs]`
    gain: &'a [f32],
    limit: f32,
}

impl<'a> Inputs<'a, i16> for FloatInputs<'a> {
    #[inline(always)]
    fn of(file: &File<'a>) -> Self {
        Self {
            offset: file.floats(SectionKind::InputOffset),
            gain: file.floats(SectionKind::InputGain),
            limit: file.header.input.greatest_operand() as f32,
        }
    }

    fn row<T: Sample>(&self, samples: impl Iterator<Item = T>, operand: &mut [i16]) {
        let scales = self.offset.iter().zip(self.gain);
        for ((operand, sample), (&offset, &gain)) in operand.iter_mut().zip(samples).zip(scales) {
            *operand = float_operand(sample.to_f32(), offset, gain, self.limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixed::hidden_operand;

    /// In memory for more, as a model has whose shape is known only when it runs.
    #[test]
    fn any_number_of_samples_and_states_become_operands() {
        let inputs = IntegerInputs::Uniform { least: 0, most: 255, shift: 3 };
        for count in 0..10 {
            let row: [u8; 9] = core::array::from_fn(|index| 200 + index as u8);
            let hidden: [i16; 9] = core::array::from_fn(|index| 1000 * (index as i16 - 4) + 7);
            let row_operand = |index| i16::from(row[index]) << 3;
            let state_operand = |index| hidden_operand(hidden[index], 12);
            for room in [count, count + 1, count + 5] {
                let mut operand = [-1; 14];
                inputs.bytes(&row[..count], &mut operand[..room]);
                let expected = |index| if index < count { row_operand(index) } else { -1 };
                assert_eq!(operand, core::array::from_fn(expected), "{count} bytes, room for {room}");
                let mut operand = [-1; 14];
                i16::operands(&hidden[..count], &mut operand[..room], 12);
                let expected = |index| if index < count { state_operand(index) } else { -1 };
                assert_eq!(operand, core::array::from_fn(expected), "{count} states, room for {room}");
            }
            let mut operand = [-1; 14];
            i16::operands(&hidden, &mut operand[..count], 12);
            let expected = |index| if index < count { state_operand(index) } else { -1 };
            assert_eq!(operand, core::array::from_fn(expected), "nine states, room for {count}");
        }
    }
}
