//! What a board is to do.

use std::ops::Range;

use crate::data::SplitView;
use crate::evaluate::{ReadOut, link_bytes};
use crate::model_file::ModelFile;

/// Sequences for one model, as their rows travel to a board.
pub(super) struct Work {
    /// Sequence after sequence, timestep after timestep.
    rows: Vec<u8>,
    /// Timesteps before each sequence, and of all of them: one entry more than there are sequences.
    starts: Vec<usize>,
    row_bytes: usize,
    read_out: ReadOut,
}

impl Work {
    /// All of `samples`, which the model takes.
    pub(super) fn new(file: &ModelFile, samples: SplitView<'_>) -> Self {
        let model = file.model();
        let header = model.header();
        let (mut rows, mut lengths) = (Vec::new(), Vec::with_capacity(samples.count()));
        for index in 0..samples.count() {
            rows.extend_from_slice(&link_bytes(header.input.samples, samples.sequence(index)));
            lengths.push(samples.length(index));
        }
        Self::of_rows(rows, &lengths, header.row_bytes(), ReadOut::of_model(file))
    }

    /// Sequences of `lengths` timesteps out of rows of `row_bytes`.
    pub(super) fn of_rows(rows: Vec<u8>, lengths: &[usize], row_bytes: usize, read_out: ReadOut) -> Self {
        let mut starts = vec![0; lengths.len() + 1];
        for (index, length) in lengths.iter().enumerate() {
            starts[index + 1] = starts[index] + length;
        }
        Self { rows, starts, row_bytes, read_out }
    }

    /// How many sequences there are.
    pub(super) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Bytes of a row.
    pub(super) fn row_bytes(&self) -> usize {
        self.row_bytes
    }

    /// What is answered.
    pub(super) fn read_out(&self) -> ReadOut {
        self.read_out
    }

    /// Timesteps of these sequences together.
    pub(super) fn timesteps(&self, sequences: Range<usize>) -> usize {
        self.starts[sequences.end] - self.starts[sequences.start]
    }

    /// Timesteps of each sequence.
    pub(super) fn lengths(&self, sequences: Range<usize>) -> impl Iterator<Item = usize> {
        self.starts[sequences.start..=sequences.end].windows(2).map(|bounds| bounds[1] - bounds[0])
    }

    /// The rows of these sequences.
    pub(super) fn rows(&self, sequences: Range<usize>) -> &[u8] {
        &self.rows[self.starts[sequences.start] * self.row_bytes..self.starts[sequences.end] * self.row_bytes]
    }

    /// Bytes of the logits of these sequences.
    pub(super) fn logits_bytes(&self, sequences: Range<usize>) -> usize {
        self.lengths(sequences).map(|length| self.read_out.answer_bytes(length)).sum()
    }
}
