//! What goes into a training step: sequences, what is to be learnt from them, and by which loss.

use ndarray::{ArrayView2, ArrayView3, Axis, s};

use super::dropout::Dropout;

/// Sequences of one width, filled up at the end to one length: `x` is `[count, timesteps, inputs]`.
///
/// What stands in the filling makes no difference to anything.
///
/// ```
/// use ndarray::Array3;
/// use refrain_trainer::nn::Padded;
///
/// let x = Array3::zeros((3, 5, 2));
/// let ragged = Padded::new(x.view(), &[5, 2, 4]);
/// assert_eq!((ragged.count(), ragged.length(1), ragged.timesteps()), (3, 2, 11));
/// assert_eq!(Padded::from(x.view()).timesteps(), 15);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Padded<'a> {
    x: ArrayView3<'a, f32>,
    /// `None` where no sequence is filled up.
    lengths: Option<&'a [usize]>,
}

impl<'a> Padded<'a> {
    /// Sequences whose first `lengths[i]` timesteps count, of those in `x` `[count, timesteps, inputs]`.
    ///
    /// # Panics
    /// If there is not one length for each sequence, or one is zero or more than the timesteps that `x` has.
    pub fn new(x: ArrayView3<'a, f32>, lengths: &'a [usize]) -> Self {
        let (count, timesteps, _) = x.dim();
        assert_eq!(lengths.len(), count, "one length for each sequence");
        for (sequence, length) in lengths.iter().enumerate() {
            assert!(
                (1..=timesteps).contains(length),
                "sequence {sequence} has {length} of {timesteps} timesteps"
            );
        }
        Self { x, lengths: Some(lengths) }
    }

    /// How many sequences there are.
    pub fn count(&self) -> usize {
        self.x.len_of(Axis(0))
    }

    /// Features of a timestep.
    pub fn inputs(&self) -> usize {
        self.x.len_of(Axis(2))
    }

    /// Timesteps of sequence `index`.
    ///
    /// # Panics
    /// If `index` is not below [`count`](Self::count).
    pub fn length(&self, index: usize) -> usize {
        self.lengths.map_or(self.x.len_of(Axis(1)), |lengths| lengths[index])
    }

    /// Timesteps of all sequences together, the filling left out.
    pub fn timesteps(&self) -> usize {
        (0..self.count()).map(|index| self.length(index)).sum()
    }

    /// Logits, or rows of values, that a network gives for these sequences.
    pub fn targets(&self, steps: Steps) -> usize {
        match steps {
            Steps::Last => self.count(),
            Steps::Every => self.timesteps(),
        }
    }

    /// All timesteps of sequence `index`, the filling included, `[timesteps, inputs]`.
    ///
    /// # Panics
    /// If `index` is not below [`count`](Self::count).
    pub fn sequence(&self, index: usize) -> ArrayView2<'a, f32> {
        self.x.index_axis_move(Axis(0), index)
    }

    /// The lengths of all sequences.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.count()).map(|index| self.length(index))
    }

    /// Timesteps of each sequence together with its filling.
    pub(super) fn capacity(&self) -> usize {
        self.x.len_of(Axis(1))
    }

    /// The shards of `rows` sequences, the last of them of fewer.
    pub(super) fn shards(&self, rows: usize) -> impl Iterator<Item = Self> + use<'a> {
        let Self { x, lengths } = *self;
        let count = self.count();
        (0..count).step_by(rows).map(move |start| {
            let range = start..count.min(start + rows);
            Self {
                x: x.slice_move(s![range.clone(), .., ..]),
                lengths: lengths.map(|lengths| &lengths[range]),
            }
        })
    }
}

impl<'a> From<ArrayView3<'a, f32>> for Padded<'a> {
    /// Sequences of one length, without filling.
    fn from(x: ArrayView3<'a, f32>) -> Self {
        Self { x, lengths: None }
    }
}

/// How often a network is read out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Once, after the last timestep of a sequence.
    Last,
    /// After every timestep (many to many). The read-outs of a batch are those of its first sequence, timestep after
    /// timestep, then those of the second, and so on; there are none for the filling.
    Every,
}

/// What is to be learnt: one entry for each read-out, in the order that [`Steps`] says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets<'a> {
    /// Numbers of classes, `[entries]`.
    Labels(&'a [u8]),
    /// Standardised values, `[entries, outputs]`.
    Values(ArrayView2<'a, f32>),
}

/// How far a network is from its targets.
#[derive(Clone, Debug, PartialEq)]
pub enum Loss {
    /// Cross-entropy of the softmax of the logits; see [`cross_entropy`](super::loss::cross_entropy).
    CrossEntropy {
        /// Part of the target that is spread evenly over all classes, from 0 to 1.
        label_smoothing: f32,
        /// `[classes]`: what an entry of each class counts; `None` for 1 each.
        class_weights: Option<Vec<f32>>,
    },
    /// Mean squared error; see [`mean_squared_error`](super::loss::mean_squared_error).
    MeanSquaredError,
}

impl Loss {
    /// Plain cross-entropy.
    pub const CROSS_ENTROPY: Self = Self::CrossEntropy { label_smoothing: 0.0, class_weights: None };
}

/// What training makes smaller.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// The loss of one read-out; that of a batch is the mean over its read-outs.
    pub loss: Loss,
    /// Where the network is read out.
    pub steps: Steps,
}

impl Objective {
    /// One class for each sequence, by plain cross-entropy.
    pub const CLASSIFICATION: Self = Self { loss: Loss::CROSS_ENTROPY, steps: Steps::Last };
}

/// The samples of one training step.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The sequences.
    pub sequences: Padded<'a>,
    /// What is to be learnt from them.
    pub targets: Targets<'a>,
    /// What is left out of the network for each of them.
    pub dropout: Option<Dropout<'a>>,
}

impl<'a> Batch<'a> {
    /// Samples without dropout.
    pub fn new(sequences: impl Into<Padded<'a>>, targets: Targets<'a>) -> Self {
        Self { sequences: sequences.into(), targets, dropout: None }
    }

    /// Sequences with one label each.
    pub fn labelled(sequences: impl Into<Padded<'a>>, labels: &'a [u8]) -> Self {
        Self::new(sequences, Targets::Labels(labels))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;

    #[test]
    fn shards_have_their_own_sequences_and_lengths() {
        let x = Array3::from_shape_fn((5, 3, 1), |(sequence, ..)| sequence as f32);
        let lengths = [1, 2, 3, 1, 2];
        let shards: Vec<_> = Padded::new(x.view(), &lengths).shards(2).collect();
        let lengths: Vec<Vec<usize>> = shards.iter().map(|shard| shard.lengths().collect()).collect();
        assert_eq!(lengths, [vec![1, 2], vec![3, 1], vec![2]]);
        assert_eq!(shards[2].sequence(0)[[0, 0]], 4.0);
        let targets: Vec<_> = shards
            .iter()
            .map(|shard| [Steps::Last, Steps::Every].map(|steps| shard.targets(steps)))
            .collect();
        assert_eq!(targets, [[2, 3], [2, 4], [1, 2]]);
    }

    #[test]
    #[should_panic(expected = "sequence 1 has 0 of 3 timesteps")]
    fn a_sequence_of_no_length_is_refused() {
        Padded::new(Array3::zeros((2, 3, 1)).view(), &[3, 0]);
    }

    #[test]
    #[should_panic(expected = "sequence 0 has 4 of 3 timesteps")]
    fn a_sequence_longer_than_its_filling_is_refused() {
        Padded::new(Array3::zeros((1, 3, 1)).view(), &[4]);
    }
}
