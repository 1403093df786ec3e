//! tanh and sigmoid on integers, from one table.
//!
//! `tanh` is read from points on [-8, 8], 1/32 apart, with straight lines between them.
//! `sigmoid(x) = (1 + tanh(x/2)) / 2` reads the same table: rows that feed a sigmoid carry the half in their multiplier.

use crate::fixed::{HIDDEN_BITS, PREACTIVATION_BITS};

/// Bits of a pre-activation below the table's points: 1/32 in Q12 is 128.
const FRACTION_BITS: u32 = PREACTIVATION_BITS - 5;
/// Intervals between points, one for each value of the upper bits of a pre-activation of 16 bits.
const INTERVALS: usize = 1 << (16 - FRACTION_BITS);

/// The interval that begins at 0.
pub(crate) const ZERO: usize = INTERVALS / 2;

/// Of each interval, from the least up, a word, so that one load gets all: in the upper half what tanh is at its lower end, in the lower half
/// how much it grows up to its upper end.
pub(crate) static TANH: [u32; INTERVALS] = tanh_table();

/// tanh of a pre-activation in Q12, any `i32`, in Q15. The error is at most 2^-13.
///
/// ```
/// let one = 1 << 12;
/// assert_eq!(refrain::activation::tanh(one), 24956); // tanh(1) = 0.76159
/// assert_eq!(refrain::activation::tanh(-one), -24956);
/// assert_eq!(refrain::activation::tanh(i32::MIN), -32767);
/// ```
#[inline]
pub fn tanh(preactivation: i32) -> i32 {
    let z = preactivation.clamp(i16::MIN.into(), i16::MAX.into());
    let interval = TANH[((z >> FRACTION_BITS) + ZERO as i32) as usize];
    let (value, growth) = (interval as i32 >> 16, i32::from(interval as i16));
    let fraction = z & ((1 << FRACTION_BITS) - 1);
    // halves are rounded away from zero, so that tanh is odd
    let half = (1 << (FRACTION_BITS - 1)) + (z >> 31);
    value + ((growth * fraction + half) >> FRACTION_BITS)
}

/// sigmoid in Q14, from *half* the pre-activation in Q12: from 0 to 2^14, both reached. The error is at most
/// 2^-13.
///
/// ```
/// assert_eq!(refrain::activation::sigmoid_of_half(0), 1 << 13);
/// assert_eq!(refrain::activation::sigmoid_of_half(i32::MAX), 1 << 14);
/// assert_eq!(refrain::activation::sigmoid_of_half(i32::MIN), 0);
/// ```
#[inline]
pub fn sigmoid_of_half(half_preactivation: i32) -> i32 {
    (tanh(half_preactivation) + (1 << HIDDEN_BITS) + 2) >> 2
}

/// The table, worked out by the compiler.
const fn tanh_table() -> [u32; INTERVALS] {
    const fn interval(value: i16, growth: i16) -> u32 {
        (value as u32) << 16 | growth as u32
    }
    let points = tanh_points();
    let mut table = [0; INTERVALS];
    let mut index = 0;
    while index < ZERO {
        let growth = points[index + 1] - points[index];
        table[ZERO + index] = interval(points[index], growth);
        table[ZERO - 1 - index] = interval(-points[index + 1], growth);
        index += 1;
    }
    table
}

/// `round(2^15 * tanh(k / 32))`, at most 32767. The compiler's floating point is the same on every host.
const fn tanh_points() -> [i16; ZERO + 1] {
    let mut points = [0; ZERO + 1];
    let mut index = 0;
    while index < points.len() {
        // tanh(x) = 1 - 2 / (exp(2x) + 1), with exp(k/16) = exp(1/16)^k
        let mut power = 1.0;
        let mut factor = 0;
        while factor < index {
            power *= EXP_SIXTEENTH;
            factor += 1;
        }
        let scaled = 32768.0 * (1.0 - 2.0 / (power + 1.0)) + 0.5;
        points[index] = if scaled >= 32767.0 { 32767 } else { scaled as i16 };
        index += 1;
    }
    points
}

/// exp(1/16)
const EXP_SIXTEENTH: f64 = 1.064_494_458_917_859_4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_are_tanh_rounded() {
        for (index, &point) in tanh_points().iter().enumerate() {
            let exact = (32768.0 * (index as f64 / 32.0).tanh()).round().min(32767.0);
            assert_eq!(f64::from(point), exact, "point {index}");
        }
    }

    #[test]
    fn the_line_between_two_points_is_rounded_to_the_nearest_halves_away_from_zero() {
        let points = tanh_points();
        for z in 0..=i32::from(i16::MAX) {
            let (interval, fraction) = ((z / 128) as usize, f64::from(z % 128) / 128.0);
            let [left, right] = [points[interval], points[interval + 1]].map(f64::from);
            let exact = (left + (right - left) * fraction).round();
            assert_eq!([tanh(z), tanh(-z)].map(f64::from), [exact, -exact], "{z}");
        }
    }

    #[test]
    fn tanh_is_within_its_bound_everywhere() {
        let worst = (-40_000..=40_000)
            .map(|z| (f64::from(tanh(z)) / 32768.0 - (f64::from(z) / 4096.0).tanh()).abs())
            .fold(0.0, f64::max);
        assert!(worst < f64::powi(2.0, -13), "tanh is off by {worst}");
    }

    #[test]
    fn sigmoid_is_within_its_bound_everywhere() {
        let worst = (-40_000..=40_000)
            .map(|half| {
                let exact = 1.0 / (1.0 + (-2.0 * f64::from(half) / 4096.0).exp());
                (f64::from(sigmoid_of_half(half)) / 16384.0 - exact).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < f64::powi(2.0, -13), "sigmoid is off by {worst}");
    }

    #[test]
    fn both_never_fall() {
        for z in -33_000..33_000 {
            assert!(tanh(z) <= tanh(z + 1), "tanh falls at {z}");
            assert!(sigmoid_of_half(z) <= sigmoid_of_half(z + 1), "sigmoid falls at {z}");
        }
    }

    #[test]
    fn tanh_is_odd_and_saturates() {
        assert!((0..40_000).all(|z| tanh(-z) == -tanh(z)));
        assert_eq!([tanh(i32::MAX), tanh(i32::MIN), tanh(0)], [32767, -32767, 0]);
    }
}
