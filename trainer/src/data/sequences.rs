//! Sequences one behind the other in one buffer, as the integers or floats that they are on disk.

use std::ops::Range;
use std::path::Path;

use refrain::Samples;

use super::DataError;
use super::standardise::described;

/// Numbers of one of the three types that a board's sensor gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Bytes: pixels.
    U8(Vec<u8>),
    /// 16-bit integers: what an analogue-to-digital converter or an accelerometer gives.
    I16(Vec<i16>),
    /// Floats, every one of them finite.
    F32(Vec<f32>),
}

/// A borrowed run of [`Values`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValuesView<'a> {
    /// Bytes.
    U8(&'a [u8]),
    /// 16-bit integers.
    I16(&'a [i16]),
    /// Floats.
    F32(&'a [f32]),
}

impl Values {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same numbers in the type that holds those of `other` as well: bytes fit into 16-bit integers, and both
    /// into floats.
    pub(super) fn widened_for(self, other: &Values) -> Values {
        match (self, other) {
            (Self::U8(values), Self::I16(_)) => Self::I16(values.into_iter().map(i16::from).collect()),
            (values, Self::F32(_)) => Self::F32(values.into_floats()),
            (values, _) => values,
        }
    }

    /// All numbers as floats.
    pub(super) fn into_floats(self) -> Vec<f32> {
        match self {
            Self::U8(values) => values.into_iter().map(f32::from).collect(),
            Self::I16(values) => values.into_iter().map(f32::from).collect(),
            Self::F32(values) => values,
        }
    }

    /// Keeps the numbers at `kept`, ranges that ascend and do not overlap, and drops the others, in place.
    pub(super) fn keep(&mut self, kept: impl Iterator<Item = Range<usize>>) {
        match self {
            Self::U8(values) => keep(values, kept),
            Self::I16(values) => keep(values, kept),
            Self::F32(values) => keep(values, kept),
        }
    }

    /// A copy of the numbers at `ranges`, one range after the other.
    pub(super) fn copied(&self, ranges: impl Iterator<Item = Range<usize>>) -> Values {
        match self {
            Self::U8(values) => Self::U8(ranges.flat_map(|range| &values[range]).copied().collect()),
            Self::I16(values) => Self::I16(ranges.flat_map(|range| &values[range]).copied().collect()),
            Self::F32(values) => Self::F32(ranges.flat_map(|range| &values[range]).copied().collect()),
        }
    }

    /// The numbers in `range`.
    ///
    /// # Panics
    /// When the range goes beyond the end.
    pub fn slice(&self, range: Range<usize>) -> ValuesView<'_> {
        match self {
            Self::U8(values) => ValuesView::U8(&values[range]),
            Self::I16(values) => ValuesView::I16(&values[range]),
            Self::F32(values) => ValuesView::F32(&values[range]),
        }
    }
}

impl ValuesView<'_> {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a model calls numbers of this type.
    pub fn samples(&self) -> Samples {
        match self {
            Self::U8(_) => Samples::U8,
            Self::I16(_) => Samples::I16,
            Self::F32(_) => Samples::F32,
        }
    }

    /// The bytes in which the numbers travel to a board.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::U8(values) => values.to_vec(),
            Self::I16(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    /// Number `index`, exactly.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub fn get(&self, index: usize) -> f32 {
        match self {
            Self::U8(values) => values[index].into(),
            Self::I16(values) => values[index].into(),
            Self::F32(values) => values[index],
        }
    }
}

/// Keeps the elements at `kept`, ranges that ascend and do not overlap, and drops the others, in place.
pub(super) fn keep<T: Copy>(values: &mut Vec<T>, kept: impl Iterator<Item = Range<usize>>) {
    let mut end = 0;
    for range in kept {
        let size = range.len();
        values.copy_within(range, end);
        end += size;
    }
    values.truncate(end);
    values.shrink_to_fit();
}

/// Sequences of rows of `inputs` features: timestep after timestep, sequence after sequence, never padded.
///
/// ```
/// use refrain_trainer::data::{Sequences, Values, ValuesView};
///
/// // Two sequences of two features: one timestep, then two.
/// let sequences = Sequences::ragged(Values::I16(vec![7, 8, 10, 11, 20, 21]), 2, &[1, 2]);
/// assert_eq!((sequences.count(), sequences.timesteps()), (2, 2));
/// assert_eq!(sequences.sequence(1), ValuesView::I16(&[10, 11, 20, 21]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences {
    /// `[sum of lengths * inputs]`
    values: Values,
    inputs: usize,
    lengths: Lengths,
}

/// How many timesteps each sequence has.
#[derive(Clone, Debug, PartialEq)]
enum Lengths {
    /// All the same.
    Equal { count: usize, timesteps: usize },
    /// `starts[i]` timesteps lie before sequence `i`; one entry more than there are sequences.
    Ragged { starts: Vec<usize>, longest: usize },
}

impl Sequences {
    /// `count` sequences of `timesteps` rows each: `values` is `[count, timesteps, inputs]`, row-major.
    ///
    /// # Panics
    /// If there are more or fewer values than that.
    pub fn equal(values: Values, [count, timesteps, inputs]: [usize; 3]) -> Self {
        assert_eq!(values.len(), count * timesteps * inputs, "[{count}, {timesteps}, {inputs}] values");
        Self { values, inputs, lengths: Lengths::Equal { count, timesteps } }
    }

    /// Sequences of `lengths` timesteps, one behind the other: `values` is `[sum of lengths, inputs]`, row-major.
    ///
    /// # Panics
    /// If there are more or fewer values than that.
    pub fn ragged(values: Values, inputs: usize, lengths: &[usize]) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        if lengths.iter().all(|&length| length == longest) {
            return Self::equal(values, [lengths.len(), longest, inputs]);
        }
        let mut starts = vec![0; lengths.len() + 1];
        for (index, length) in lengths.iter().enumerate() {
            starts[index + 1] = starts[index] + length;
        }
        assert_eq!(values.len(), starts[lengths.len()] * inputs, "one row for each timestep");
        Self { values, inputs, lengths: Lengths::Ragged { starts, longest } }
    }

    /// How many sequences there are.
    pub fn count(&self) -> usize {
        match &self.lengths {
            Lengths::Equal { count, .. } => *count,
            Lengths::Ragged { starts, .. } => starts.len() - 1,
        }
    }

    /// Features of a timestep.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Timesteps of the longest sequence.
    pub fn timesteps(&self) -> usize {
        match self.lengths {
            Lengths::Equal { timesteps, .. } => timesteps,
            Lengths::Ragged { longest, .. } => longest,
        }
    }

    /// Timesteps of all sequences together.
    pub fn total_timesteps(&self) -> usize {
        self.start(self.count())
    }

    /// Whether all sequences have the same number of timesteps.
    pub fn equal_lengths(&self) -> bool {
        matches!(self.lengths, Lengths::Equal { .. })
    }

    /// Timesteps of sequence `index`.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn length(&self, index: usize) -> usize {
        self.start(index + 1) - self.start(index)
    }

    /// Timesteps of the sequences before `index`; all timesteps for `index` of [`count`](Self::count).
    ///
    /// # Panics
    /// When `index` is greater than that.
    pub fn start(&self, index: usize) -> usize {
        match &self.lengths {
            Lengths::Equal { count, timesteps } => {
                assert!(index <= *count, "sequence {index} of {count}");
                index * timesteps
            }
            Lengths::Ragged { starts, .. } => starts[index],
        }
    }

    /// All numbers, sequence after sequence.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The numbers of sequence `index`, row after row: `[length * inputs]`.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn sequence(&self, index: usize) -> ValuesView<'_> {
        self.values.slice(self.number_range(index))
    }

    /// Where the numbers of sequence `index` lie.
    fn number_range(&self, index: usize) -> Range<usize> {
        self.start(index) * self.inputs..self.start(index + 1) * self.inputs
    }

    /// Which sequence timestep number `timestep` of all timesteps belongs to, and where in it.
    pub(super) fn locate(&self, timestep: usize) -> (usize, usize) {
        let index = match &self.lengths {
            Lengths::Equal { timesteps, .. } => timestep / timesteps,
            Lengths::Ragged { starts, .. } => starts.partition_point(|&start| start <= timestep) - 1,
        };
        (index, timestep - self.start(index))
    }

    /// Refuses numbers that are infinite or none; `path` is where the sequences came from, `names` the features' names.
    ///
    /// # Errors
    /// [`DataError::NotFinite`].
    pub(super) fn check_finite(&self, path: &Path, names: &[String]) -> Result<(), DataError> {
        let Values::F32(values) = &self.values else { return Ok(()) };
        let Some(index) = values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
        let (sample, timestep) = self.locate(index / self.inputs);
        let feature = described(index % self.inputs, names);
        let place = format!("sample {sample}, timestep {timestep}, feature {feature}");
        Err(DataError::NotFinite { path: path.into(), place, value: values[index] })
    }

    /// Takes the sequences that `is_taken` names out of these: a copy of those alone, the rest closes up in place.
    pub(super) fn take_out(&mut self, is_taken: &[bool]) -> Sequences {
        let numbers = |taken| (0..is_taken.len()).filter(move |&index| is_taken[index] == taken);
        let lengths_of = |taken| numbers(taken).map(|index| self.length(index)).collect::<Vec<_>>();
        let (lengths, kept_lengths) = (lengths_of(true), lengths_of(false));
        let values = self.values.copied(numbers(true).map(|index| self.number_range(index)));
        let mut all = std::mem::replace(&mut self.values, Values::U8(Vec::new()));
        all.keep(numbers(false).map(|index| self.number_range(index)));
        *self = Sequences::ragged(all, self.inputs, &kept_lengths);
        Sequences::ragged(values, self.inputs, &lengths)
    }

    /// The same sequences in the number type that holds those of `other` as well.
    pub(super) fn widened_for(self, other: &Sequences) -> Sequences {
        Sequences { values: self.values.widened_for(&other.values), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_lie_one_behind_the_other() {
        let sequences = Sequences::ragged(Values::F32((0..12u8).map(f32::from).collect()), 2, &[3, 1, 2]);
        assert_eq!((sequences.count(), sequences.inputs(), sequences.timesteps()), (3, 2, 3));
        assert_eq!([0, 1, 2].map(|index| sequences.length(index)), [3, 1, 2]);
        assert_eq!(sequences.total_timesteps(), 6);
        assert!(!sequences.equal_lengths());
        assert_eq!(sequences.sequence(1), ValuesView::F32(&[6.0, 7.0]));
        assert_eq!(sequences.sequence(2), ValuesView::F32(&[8.0, 9.0, 10.0, 11.0]));
    }

    #[test]
    fn equal_lengths_need_no_list_of_them() {
        let values = Values::U8((0..12).collect());
        let sequences = Sequences::ragged(values.clone(), 3, &[2, 2]);
        assert_eq!(sequences, Sequences::equal(values, [2, 2, 3]));
        assert!(sequences.equal_lengths());
        assert_eq!(sequences.sequence(1), ValuesView::U8(&[6, 7, 8, 9, 10, 11]));
        assert_eq!((sequences.length(1), sequences.total_timesteps()), (2, 4));
    }

    #[test]
    fn sequences_taken_out_leave_the_others_in_order() {
        let mut ragged = Sequences::ragged(Values::I16((0..7).collect()), 1, &[1, 3, 1, 2]);
        let taken = ragged.take_out(&[false, true, false, true]);
        assert_eq!(taken, Sequences::ragged(Values::I16(vec![1, 2, 3, 5, 6]), 1, &[3, 2]));
        assert_eq!(ragged, Sequences::equal(Values::I16(vec![0, 4]), [2, 1, 1]));
        let mut equal = Sequences::equal(Values::U8((0..12).collect()), [3, 2, 2]);
        assert_eq!(equal.take_out(&[true, false, false]).sequence(0), ValuesView::U8(&[0, 1, 2, 3]));
        assert_eq!(equal.sequence(1), ValuesView::U8(&[8, 9, 10, 11]));
    }

    #[test]
    fn number_types_widen_and_never_narrow() {
        let (bytes, shorts, floats) = (Values::U8(vec![200]), Values::I16(vec![-3]), Values::F32(vec![0.5]));
        assert_eq!(bytes.clone().widened_for(&shorts), Values::I16(vec![200]));
        assert_eq!(shorts.clone().widened_for(&floats), Values::F32(vec![-3.0]));
        assert_eq!(bytes.clone().widened_for(&floats), Values::F32(vec![200.0]));
        assert_eq!(floats.clone().widened_for(&bytes), floats);
    }

    #[test]
    fn numbers_travel_as_little_endian_bytes() {
        assert_eq!(ValuesView::U8(&[7, 255]).to_bytes(), [7, 255]);
        assert_eq!(ValuesView::I16(&[-2, 258]).to_bytes(), [0xfe, 0xff, 2, 1]);
        assert_eq!(ValuesView::F32(&[1.0]).to_bytes(), [0, 0, 0x80, 0x3f]);
    }

    #[test]
    fn no_number_is_changed() {
        assert_eq!(Values::I16(vec![-32_768, 32_767]).slice(0..2).get(0), -32_768.0);
        assert_eq!(Values::U8(vec![255]).slice(0..1).get(0), 255.0);
        assert_eq!(Values::F32(vec![0.1]).slice(0..1).get(0), 0.1);
    }
}
