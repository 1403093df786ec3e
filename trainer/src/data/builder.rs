//! Collects numbers in the smallest type that holds them all exactly.

use super::Values;

/// Integers up to this are exact in an f32.
const MOST_EXACT: u64 = 1 << 24;

/// Collects numbers: 16-bit integers as long as that is what they are, floats from the first other number on.
#[derive(Debug, Default)]
pub(super) struct ValuesBuilder {
    /// While every number was a 16-bit integer.
    integers: Vec<i16>,
    /// All numbers, once one was not.
    floats: Option<Vec<f32>>,
}

impl ValuesBuilder {
    /// Appends an integer; `false` where neither an i16 nor an f32 holds it exactly.
    pub(super) fn push_integer(&mut self, value: i64) -> bool {
        match (i16::try_from(value), &mut self.floats) {
            (Ok(small), None) => self.integers.push(small),
            _ if value.unsigned_abs() > MOST_EXACT => return false,
            _ => self.floats().push(value as f32),
        }
        true
    }

    /// Appends a float.
    pub(super) fn push_float(&mut self, value: f32) {
        self.floats().push(value);
    }

    /// What was collected.
    pub(super) fn finish(self) -> Values {
        match self.floats {
            Some(floats) => Values::F32(floats),
            None => Values::I16(self.integers),
        }
    }

    fn floats(&mut self) -> &mut Vec<f32> {
        self.floats
            .get_or_insert_with(|| std::mem::take(&mut self.integers).into_iter().map(f32::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_stay_integers_until_a_number_is_none() {
        let mut builder = ValuesBuilder::default();
        assert!([0, -32_768, 32_767].map(|value| builder.push_integer(value)).iter().all(|&exact| exact));
        builder.push_float(0.5);
        assert!(builder.push_integer(-7));
        assert_eq!(builder.finish(), Values::F32(vec![0.0, -32_768.0, 32_767.0, 0.5, -7.0]));
        let mut small = ValuesBuilder::default();
        assert!(small.push_integer(12));
        assert_eq!(small.finish(), Values::I16(vec![12]));
    }

    #[test]
    fn integers_that_no_float_holds_are_refused() {
        let mut builder = ValuesBuilder::default();
        assert!(builder.push_integer(32_768) && builder.push_integer(-(1 << 24)));
        assert!(!builder.push_integer((1 << 24) + 1));
        assert!(!builder.push_integer(i64::MIN));
        assert_eq!(builder.finish(), Values::F32(vec![32_768.0, -16_777_216.0]));
    }
}
