//! Operands of a kernel, out of samples and out of hidden states.

use super::Value;
use crate::InputFormat;
use crate::fixed::{HIDDEN_BITS, hidden_operand, round_shift};

/// The hidden state as operands of a kernel.
pub(super) fn narrow(hidden: &[i16], operand: &mut [i16], operand_bits: u32) {
    for (operand, &hidden) in operand.iter_mut().zip(hidden) {
        *operand = hidden_operand(hidden, operand_bits);
    }
}

impl Value for i16 {
    type CellState = i32;

    fn from_sample(sample: i16, input: &InputFormat) -> i16 {
        let sample = i32::from(sample.max(input.min).min(input.max));
        if input.shift >= 0 {
            (sample << input.shift) as i16
        } else {
            round_shift(sample, u32::from(input.shift.unsigned_abs())) as i16
        }
    }

    fn to_f32(self) -> f32 {
        f32::from(self) / (1 << HIDDEN_BITS) as f32
    }
}
