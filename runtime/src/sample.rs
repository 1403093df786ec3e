//! What a sensor gives, and how a row of it becomes operands of the first layer.

use core::fmt::Debug;

use crate::Samples;
use crate::cell::{Value, sealed};
use crate::format::File;

/// A reading of a sensor: `u8`, `i8`, `i16` or `f32`.
///
/// Any of them may be given to any model; each model takes it as the [`Samples`] that it was trained on. So a float
/// given to a model of integers is rounded to the nearest, halves to even, and saturated; NaN counts as 0. An
/// integer given to a model of floats is the same number.
///
/// ```
/// use refrain::Sample;
///
/// assert_eq!([200u8.to_i16(), (-3i8).to_i16(), 2.5f32.to_i16(), 1e9f32.to_i16()], [200, -3, 2, i16::MAX]);
/// assert_eq!(f32::NAN.to_i16(), 0);
/// assert_eq!([200u8.to_f32(), i16::MIN.to_f32()], [200.0, -32768.0]);
/// ```
pub trait Sample: sealed::Sealed + Copy {
    /// The nearest integer.
    fn to_i16(self) -> i16;

    /// The same number.
    fn to_f32(self) -> f32;

    /// Samples as the bytes that they are, if they are bytes.
    #[doc(hidden)]
    fn as_bytes(_row: &[Self]) -> Option<&[u8]> {
        None
    }
}

macro_rules! integer_samples {
    ($($integer:ty),*) => {$(
        impl Sample for $integer {
            fn to_i16(self) -> i16 {
                self.into()
            }

            fn to_f32(self) -> f32 {
                self.into()
            }
        }
    )*};
}
integer_samples!(i8, i16);

impl Sample for u8 {
    fn to_i16(self) -> i16 {
        self.into()
    }

    fn to_f32(self) -> f32 {
        self.into()
    }

    fn as_bytes(row: &[Self]) -> Option<&[u8]> {
        Some(row)
    }
}

impl Sample for f32 {
    fn to_i16(self) -> i16 {
        nearest(saturate(self, i16::MIN.into(), i16::MAX.into()))
    }

    fn to_f32(self) -> f32 {
        self
    }
}

/// The samples that a [`Model`](crate::Model) is compiled for: `i16` for models of integers, bytes among them, or
/// `f32` for any model. Without it an integer model would carry float arithmetic into firmware that needs none.
///
/// ```
/// use refrain::{Lstm, ModelError};
///
/// // one layer, and whatever samples the file asks for
/// let file = refrain::include_model!("../../firmware/models/lstm.rfn");
/// let model = Lstm::<28, 64, 10, 1, f32>::from_bytes(file)?;
/// # Ok::<(), ModelError>(())
/// ```
pub trait SampleType: sealed::Sealed + Copy + Debug {
    /// Whether models of floats are among those.
    #[doc(hidden)]
    const TAKES_FLOATS: bool;

    /// What turns rows into operands.
    #[doc(hidden)]
    type Inputs<'a, V: Value>: Inputs<'a, V>;

    /// A row as it travels on the link, into operands.
    #[doc(hidden)]
    fn read_bytes<'a, V: Value>(
        inputs: &Self::Inputs<'a, V>,
        samples: Samples,
        row: &[u8],
        operand: &mut [V],
    );
}

/// How rows of samples become operands.
#[doc(hidden)]
pub trait Inputs<'a, V>: Copy + Debug {
    /// What a file says of it.
    fn of(file: &File<'a>) -> Self;

    /// One row, feature by feature.
    fn row<T: Sample>(&self, samples: impl Iterator<Item = T>, operand: &mut [V]);

    /// One row of bytes, the same as [`row`](Self::row).
    fn bytes(&self, row: &[u8], operand: &mut [V]) {
        self.row(row.iter().copied(), operand);
    }
}

impl SampleType for i16 {
    const TAKES_FLOATS: bool = false;

    type Inputs<'a, V: Value> = V::Integers<'a>;

    fn read_bytes<'a, V: Value>(inputs: &V::Integers<'a>, samples: Samples, row: &[u8], operand: &mut [V]) {
        integers(inputs, samples, row, operand);
    }
}

impl SampleType for f32 {
    const TAKES_FLOATS: bool = true;

    type Inputs<'a, V: Value> = AnyInputs<'a, V>;

    fn read_bytes<'a, V: Value>(inputs: &AnyInputs<'a, V>, samples: Samples, row: &[u8], operand: &mut [V]) {
        match (inputs, samples) {
            (AnyInputs::Floats(inputs), _) => {
                inputs.row(row.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)), operand);
            }
            (AnyInputs::Integers(inputs), _) => integers(inputs, samples, row, operand),
        }
    }
}

/// A row of bytes or of 16-bit integers.
fn integers<'a, V: Value>(inputs: &V::Integers<'a>, samples: Samples, row: &[u8], operand: &mut [V]) {
    match samples {
        Samples::U8 => inputs.bytes(row, operand),
        _ => inputs.row(row.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes)), operand),
    }
}

/// Rows of whatever samples the file asks for.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum AnyInputs<'a, V: Value> {
    /// Bytes or 16-bit integers.
    Integers(V::Integers<'a>),
    /// Floats.
    Floats(V::Floats<'a>),
}

impl<'a, V: Value> Inputs<'a, V> for AnyInputs<'a, V> {
    #[inline(always)]
    fn of(file: &File<'a>) -> Self {
        match file.header.input.samples {
            Samples::U8 | Samples::I16 => Self::Integers(V::Integers::of(file)),
            Samples::F32 => Self::Floats(V::Floats::of(file)),
        }
    }

    fn row<T: Sample>(&self, samples: impl Iterator<Item = T>, operand: &mut [V]) {
        match self {
            Self::Integers(inputs) => inputs.row(samples, operand),
            Self::Floats(inputs) => inputs.row(samples, operand),
        }
    }

    fn bytes(&self, row: &[u8], operand: &mut [V]) {
        match self {
            Self::Integers(inputs) => inputs.bytes(row, operand),
            Self::Floats(inputs) => inputs.bytes(row, operand),
        }
    }
}

/// `(sample - offset) * gain`, each operation rounded as IEEE 754 says; at most `limit` in magnitude, infinities
/// included, and 0, which stands for the feature's mean, where the result is not a number.
pub(crate) fn standardise(sample: f32, offset: f32, gain: f32, limit: f32) -> f32 {
    saturate((sample - offset) * gain, -limit, limit)
}

/// A float sample as an operand: `(sample - offset) * gain`, rounded to the nearest, halves to even, and at most `limit`
/// in magnitude.
///
/// ```
/// assert_eq!([2.5, 1e9, f32::NAN].map(|x| refrain::float_operand(x, 1.0, 8.0, 4096.0)), [12, 4096, 0]);
/// ```
pub fn float_operand(sample: f32, offset: f32, gain: f32, limit: f32) -> i16 {
    nearest(standardise(sample, offset, gain, limit))
}

/// The number nearest to `x` from `least` to `most`, 0 for what is no number.
fn saturate(x: f32, least: f32, most: f32) -> f32 {
    if x > most {
        most
    } else if x < least {
        least
    } else if x.is_nan() {
        0.0
    } else {
        x
    }
}

/// The integer nearest to `x`, halves to even, for a magnitude of at most 2^15.
///
/// Floats near 1.5·2^23 are whole numbers, so that the addition itself rounds, as IEEE 754 says; no library
/// function is needed, and every machine gives the same bits.
pub(crate) fn nearest(x: f32) -> i16 {
    const WHOLE: f32 = 12_582_912.0;
    (x + WHOLE).to_bits().wrapping_sub(WHOLE.to_bits()) as i16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_integer_is_the_one_of_the_standard_library(x in -32768.0f32..=32767.0) {
            prop_assert_eq!(f32::from(nearest(x)), x.round_ties_even());
        }

        #[test]
        fn any_float_becomes_an_integer(bits: u32) {
            let x = f32::from_bits(bits);
            let exact = if x.is_nan() { 0.0 } else { x.round_ties_even().clamp(-32768.0, 32767.0) };
            prop_assert_eq!(f32::from(x.to_i16()), exact);
        }

        #[test]
        fn any_reading_is_standardised_within_the_limit(bits: [u32; 3], limit in 1u16..=i16::MAX as u16) {
            let [sample, offset, gain] = bits.map(f32::from_bits);
            let limit = f32::from(limit);
            let x = standardise(sample, offset, gain, limit);
            prop_assert!(x.abs() <= limit, "{}", x);
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        assert_eq!([0.5, 1.5, 2.5, -0.5, -1.5, 0.499_999_97].map(nearest), [0, 2, 2, 0, -2, 0]);
    }

    #[test]
    fn what_is_no_number_counts_as_the_mean_and_infinities_as_the_limit() {
        let of = |sample| standardise(sample, 3.0, 0.5, 100.0);
        assert_eq!([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 5.0].map(of), [0.0, 100.0, -100.0, 1.0]);
        assert_eq!(standardise(f32::INFINITY, 3.0, 0.0, 100.0), 0.0);
    }
}
