//! Fixed-point arithmetic: the whole specification of how integers are scaled and rounded.
//!
//! `Qm` below means `m` fraction bits: the integer `n` stands for `n / 2^m`.
//!
//! | number | format |
//! | --- | --- |
//! | weight | int8, times the row's scale |
//! | operand of a kernel (input or hidden state) | `i16`, [`operand_bits`](crate::Header::operand_bits) fraction bits |
//! | accumulator, bias | `i32`, less than 2^23 in magnitude |
//! | pre-activation | Q12, saturated to 16 bits; halved where a sigmoid follows |
//! | tanh | Q15 |
//! | sigmoid | Q14, so that 1 is exact and an open gate keeps a value for ever |
//! | hidden state | Q15 |
//! | LSTM cell state | 30 bits, [`cell_bits`](crate::Header::cell_bits) fraction bits |
//! | logit | Q16 in `i32` |

/// Every accumulator stays below this in magnitude: 2^23, which lets a kernel keep two of them in 32 bits
/// of a packed product and still be exact.
pub const ACCUMULATOR_LIMIT: u32 = 1 << 23;

/// The greatest magnitude of a feature's offset; as no sample is greater with its fraction bits, their difference
/// stays within [`ACCUMULATOR_LIMIT`].
pub const OFFSET_LIMIT: u32 = (1 << 22) - 1;

/// Fraction bits of a pre-activation.
pub const PREACTIVATION_BITS: u32 = 12;
/// Fraction bits of a logit.
pub const LOGIT_BITS: u32 = 16;
/// Fraction bits of a hidden state.
pub const HIDDEN_BITS: u32 = 15;
/// Fraction bits of a sigmoid.
pub const GATE_BITS: u32 = 14;
/// Fraction bits that a row's multiplier takes away again.
pub const MULTIPLIER_BITS: u32 = 24;

/// Bits of a cell state, its sign included.
const CELL_WIDTH: u32 = 30;

/// Whether the core multiplies to 32 bits and no further: there 64 bits are a call of some forty instructions.
const NARROW: bool = cfg!(kernel = "armv6m");

/// `accumulator * multiplier / 2^24`, rounded to the nearest, halves up.
///
/// On ARMv7E-M this is `SMMULR` of the accumulator shifted left by 8. With the accumulator below 2^23 and the
/// multiplier below 2^31 the result is at most 2^30.
pub const fn requantise(accumulator: i32, multiplier: i32) -> i32 {
    if NARROW {
        return narrow::requantise(accumulator, multiplier);
    }
    // the accumulator has so many bits to spare; written so, compilers find the instruction
    let product = (accumulator << (32 - MULTIPLIER_BITS)) as i64 * multiplier as i64;
    ((product + (1 << 31)) >> 32) as i32
}

/// `value / 2^bits`, rounded to the nearest, halves up, for a value of at most 2^30 in magnitude and at most 30
/// bits: what there is room for without a 64-bit shift, which small cores do slowly.
pub const fn round_shift(value: i32, bits: u32) -> i32 {
    let half = (1 << bits) >> 1;
    (value + half) >> bits
}

/// `value * gate`, the gate in Q14, rounded down.
///
/// On ARMv7E-M this is `SMULWB` of the value shifted left by 2, for values of at most 30 bits.
pub const fn scale_by_gate(value: i32, gate: i32) -> i32 {
    if NARROW {
        return narrow::scale_by_gate(value, gate);
    }
    (((value << (16 - GATE_BITS)) as i64 * gate as i16 as i64) >> 16) as i32
}

/// The same products, to the bit, out of products of at most 32 bits.
mod narrow {
    use super::{GATE_BITS, MULTIPLIER_BITS};

    /// [`requantise`](super::requantise), for an accumulator below [`ACCUMULATOR_LIMIT`](super::ACCUMULATOR_LIMIT) and a
    /// multiplier that is not negative.
    pub(super) const fn requantise(accumulator: i32, multiplier: i32) -> i32 {
        // accumulator = a * 2^16 + b, b signed; multiplier = m * 2^16 + n, n not
        let b = accumulator as i16 as i32;
        let a = (accumulator - b) >> 16;
        let (m, n) = (multiplier >> 16, multiplier & 0xffff);
        // what is below 2^16 of b * n, less than one of these, can change no bit above the 24 that go
        const HALF: i32 = 1 << (MULTIPLIER_BITS - 16) >> 1;
        let middle = a * n + b * m + ((b * n) >> 16) + HALF;
        ((a * m) << (32 - MULTIPLIER_BITS)) + (middle >> (MULTIPLIER_BITS - 16))
    }

    /// [`scale_by_gate`](super::scale_by_gate), for values of at most 30 bits and a gate from 0 to 1.
    pub(super) const fn scale_by_gate(value: i32, gate: i32) -> i32 {
        // value = v * 2^14 + w, w not negative
        let (v, w) = (value >> GATE_BITS, value & ((1 << GATE_BITS) - 1));
        v * gate + ((w * gate) >> GATE_BITS)
    }
}

/// Two numbers in a word, the first in its lower half.
pub(crate) const fn word([low, high]: [u16; 2]) -> u32 {
    low as u32 | (high as u32) << 16
}

/// The two numbers in a word.
pub(crate) const fn halves(word: u32) -> [u16; 2] {
    [word as u16, (word >> 16) as u16]
}

/// The cell state nearest to `value`: 30 bits with the sign.
pub fn saturate_cell(value: i32) -> i32 {
    const LIMIT: i32 = 1 << (CELL_WIDTH - 1);
    value.clamp(-LIMIT, LIMIT - 1)
}

/// A sample as an operand where all features have one scale: `sample * 2^shift`, rounded to the nearest.
pub const fn shifted_operand(sample: i32, shift: i8) -> i32 {
    let (left, right) = if shift >= 0 { (shift as u32, 0) } else { (0, shift.unsigned_abs() as u32) };
    round_shift(sample << left, right)
}

/// A sample as an operand where each feature has a scale of its own: `(sample * 2^shift - offset) * gain / 2^24`,
/// rounded to the nearest, at most `limit` in magnitude.
pub fn standardised_operand(sample: i32, shift: u32, offset: i32, gain: i32, limit: i32) -> i32 {
    requantise((sample << shift) - offset, gain).max(-limit).min(limit)
}

/// A hidden state, Q15, as an operand with `operand_bits` fraction bits, rounded to the nearest.
pub fn hidden_operand(hidden: i16, operand_bits: u32) -> i16 {
    round_shift(hidden.into(), HIDDEN_BITS - operand_bits) as i16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `numerator / 2^bits` rounded to the nearest, halves up, in exact arithmetic of 128 bits.
    fn nearest(numerator: i128, bits: u32) -> i128 {
        (2 * numerator + (1 << bits)).div_euclid(2 << bits)
    }

    proptest! {
        #[test]
        fn requantise_rounds_to_the_nearest(
            accumulator in -(ACCUMULATOR_LIMIT as i32 - 1)..ACCUMULATOR_LIMIT as i32,
            multiplier in 0..=i32::MAX,
        ) {
            let exact = nearest(i128::from(accumulator) * i128::from(multiplier), MULTIPLIER_BITS);
            prop_assert_eq!(i128::from(requantise(accumulator, multiplier)), exact);
        }

        #[test]
        fn narrow_products_are_those_of_64_bits(
            accumulator in -(ACCUMULATOR_LIMIT as i32 - 1)..ACCUMULATOR_LIMIT as i32,
            multiplier in 0..=i32::MAX,
            value in -(1i32 << 29)..(1 << 29),
            gate in 0..=1i32 << GATE_BITS,
        ) {
            prop_assert_eq!(narrow::requantise(accumulator, multiplier), requantise(accumulator, multiplier));
            prop_assert_eq!(narrow::scale_by_gate(value, gate), scale_by_gate(value, gate));
        }

        #[test]
        fn round_shift_rounds_to_the_nearest(value in -(1i32 << 30)..=1 << 30, bits in 0u32..=30) {
            prop_assert_eq!(i128::from(round_shift(value, bits)), nearest(value.into(), bits));
        }

        #[test]
        fn a_gate_scales_and_rounds_down(value in -(1i32 << 29)..(1 << 29), gate in 0..=1i32 << GATE_BITS) {
            let product = i64::from(value) * i64::from(gate);
            prop_assert_eq!(i64::from(scale_by_gate(value, gate)), product.div_euclid(1 << GATE_BITS));
        }

        #[test]
        fn an_open_gate_keeps_and_a_closed_gate_clears(value in -(1i32 << 29)..(1 << 29)) {
            prop_assert_eq!(scale_by_gate(value, 1 << GATE_BITS), value);
            prop_assert_eq!(scale_by_gate(value, 0), 0);
        }

        #[test]
        fn an_operand_is_within_half_a_step_of_the_hidden_state(hidden: i16, bits in 4u32..=15) {
            let hidden = hidden.max(-i16::MAX);
            let difference = (i32::from(hidden_operand(hidden, bits)) << (15 - bits)) - i32::from(hidden);
            prop_assert!(difference.abs() <= (1 << (15 - bits)) / 2);
        }

        #[test]
        fn a_cell_state_has_thirty_bits(value: i32) {
            let cell = saturate_cell(value);
            prop_assert_eq!(cell << 2 >> 2, cell);
            prop_assert!(cell == value || cell == (1 << 29) - 1 || cell == -(1 << 29));
        }
    }

    #[test]
    fn the_largest_requantised_value_fits() {
        let largest = ACCUMULATOR_LIMIT as i32 - 1;
        assert_eq!(requantise(largest, i32::MAX), (1 << 30) - 128);
        assert_eq!(requantise(-largest, i32::MAX), -(1 << 30) + 128);
    }

    /// At the ends of every range, where a product of 32 bits would go round first, and at the halves.
    #[test]
    fn narrow_products_are_those_of_64_bits_at_the_ends() {
        let ends = |most: i32| [0, 1, 127, 128, 0x7fff, 0x8000, 0xffff, 0x1_0000, most / 2, most - 1, most];
        for accumulator in ends(ACCUMULATOR_LIMIT as i32 - 1).into_iter().flat_map(|end| [end, -end]) {
            for multiplier in ends(i32::MAX) {
                let narrow = narrow::requantise(accumulator, multiplier);
                assert_eq!(narrow, requantise(accumulator, multiplier), "{accumulator} * {multiplier}");
            }
        }
        for value in ends((1 << 29) - 1).into_iter().flat_map(|end| [end, -end, -end - 1]) {
            for gate in ends(1 << GATE_BITS).into_iter().filter(|&gate| gate <= 1 << GATE_BITS) {
                assert_eq!(
                    narrow::scale_by_gate(value, gate),
                    scale_by_gate(value, gate),
                    "{value} * {gate}"
                );
            }
        }
    }
}
