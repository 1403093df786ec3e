//! Operands of a kernel, out of samples and out of hidden states.

use super::Value;
use crate::fixed::{HIDDEN_BITS, hidden_operand, round_shift};
use crate::{InputFormat, Scaling};

/// The hidden state as operands of a kernel.
pub(super) fn narrow(hidden: &[i16], operand: &mut [i16], operand_bits: u32) {
    for (operand, &hidden) in operand.iter_mut().zip(hidden) {
        *operand = hidden_operand(hidden, operand_bits);
    }
}

impl Value for i16 {
    type CellState = i32;

    fn from_sample(sample: i16, input: &InputFormat) -> i16 {
        let Scaling::Uniform { min, max, shift, .. } = input.scaling else { return 0 };
        let sample = i32::from(sample.max(min).min(max));
        if shift >= 0 {
            (sample << shift) as i16
        } else {
            round_shift(sample, u32::from(shift.unsigned_abs())) as i16
        }
    }

    fn to_f32(self) -> f32 {
        f32::from(self) / (1 << HIDDEN_BITS) as f32
    }
}
