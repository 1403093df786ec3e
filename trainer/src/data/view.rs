//! A run of a data set's sequences, borrowed.

use std::ops::Range;

use ndarray::ArrayView3;

use super::{DataError, InputScaling, Split, TargetsView, Values, ValuesView};

/// Borrowed sequences and their targets: a [`Split`] or a run of it. May be empty.
#[derive(Debug, Clone, Copy)]
pub struct SplitView<'a> {
    split: &'a Split,
    /// Number in the split of the first sequence.
    start: usize,
    /// Number in the split of the sequence after the last one.
    end: usize,
}

/// Images of one size and their labels: what image augmentation and pictures need.
#[derive(Debug, Clone, Copy)]
pub struct Images<'a> {
    /// `[count, rows, columns]`, in standard layout.
    pub pixels: ArrayView3<'a, u8>,
    /// `[count]`
    pub labels: &'a [u8],
}

impl<'a> SplitView<'a> {
    /// All of a split.
    pub(super) fn new(split: &'a Split) -> Self {
        SplitView { split, start: 0, end: split.count() }
    }

    /// How many sequences there are.
    pub fn count(&self) -> usize {
        self.end - self.start
    }

    /// Timesteps of the longest sequence of the whole split.
    pub fn timesteps(&self) -> usize {
        self.split.timesteps()
    }

    /// Features of a timestep.
    pub fn inputs(&self) -> usize {
        self.split.inputs()
    }

    /// Whether there is a target for each timestep instead of one for each sequence.
    pub fn per_step(&self) -> bool {
        self.split.per_step()
    }

    /// Timesteps of sequence `index`.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn length(&self, index: usize) -> usize {
        self.split.sequences().length(self.number(index))
    }

    /// The raw numbers of sequence `index`, row after row: `[length * inputs]`.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn sequence(&self, index: usize) -> ValuesView<'a> {
        self.split.sequences().sequence(self.number(index))
    }

    /// As [`Split::name`].
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn name(&self, index: usize) -> Option<&'a str> {
        self.split.name(self.number(index))
    }

    /// Writes sequence `index` as a network sees it into the first `length * inputs` numbers of `out`, and leaves
    /// those behind as they are.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count), or `out` is too short.
    pub fn gather(&self, index: usize, scaling: &InputScaling, out: &mut [f32]) {
        let raw = self.sequence(index);
        scaling.apply(raw, &mut out[..raw.len()]);
    }

    /// The targets: one for each sequence, or for each timestep.
    pub fn targets(&self) -> TargetsView<'a> {
        self.split.targets().slice(self.entries(self.start, self.end))
    }

    /// The target of sequence `index`: one entry, or as many as the sequence has timesteps.
    ///
    /// # Panics
    /// When `index` is not below [`count`](Self::count).
    pub fn target(&self, index: usize) -> TargetsView<'a> {
        let number = self.number(index);
        self.split.targets().slice(self.entries(number, number + 1))
    }

    /// The labels, one for each sequence or for each timestep; `None` where values are to be learnt.
    pub fn labels(&self) -> Option<&'a [u8]> {
        match self.targets() {
            TargetsView::Labels(labels) => Some(labels),
            TargetsView::Values(_) => None,
        }
    }

    /// The same as images, where that is what they are: bytes, of one length, with one label each.
    ///
    /// # Errors
    /// [`DataError::NotImages`].
    pub fn images(&self) -> Result<Images<'a>, DataError> {
        let sequences = self.split.sequences();
        let not_images = || DataError::NotImages { path: self.split.sequences_from().into() };
        let labels = self.labels().filter(|_| !self.per_step()).ok_or_else(not_images)?;
        let Values::U8(bytes) = sequences.values() else { return Err(not_images()) };
        if !sequences.equal_lengths() {
            return Err(not_images());
        }
        let shape = (self.count(), self.timesteps(), self.inputs());
        let size = shape.1 * shape.2;
        let pixels = ArrayView3::from_shape(shape, &bytes[self.start * size..self.end * size])
            .expect("as many bytes as the sequences have");
        Ok(Images { pixels, labels })
    }

    /// The first `count` sequences, or all where there are fewer.
    pub fn first(self, count: usize) -> SplitView<'a> {
        self.split_at(count.min(self.count())).0
    }

    /// The sequences before `index` and those from it on.
    ///
    /// # Panics
    /// When `index` is greater than [`count`](Self::count).
    pub fn split_at(self, index: usize) -> (SplitView<'a>, SplitView<'a>) {
        assert!(index <= self.count(), "a cut at {index} of {} sequences", self.count());
        let middle = self.start + index;
        (SplitView { end: middle, ..self }, SplitView { start: middle, ..self })
    }

    /// The number in the split of sequence `index`.
    fn number(&self, index: usize) -> usize {
        assert!(index < self.count(), "sequence {index} of {}", self.count());
        self.start + index
    }

    /// Which targets belong to the split's sequences from `start` to before `end`.
    fn entries(&self, start: usize, end: usize) -> Range<usize> {
        if self.split.per_step() {
            self.split.sequences().start(start)..self.split.sequences().start(end)
        } else {
            start..end
        }
    }
}
