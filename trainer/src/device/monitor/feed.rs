//! The rows of samples, as a sensor would give them: without end, as long as there are any.

use crate::data::SplitView;
use crate::device::work::Work;
use crate::model_file::ModelFile;

/// Samples, one behind the other.
pub(super) struct Feed {
    work: Work,
    /// Class of each sample, or of each row of all of them; empty for a regression.
    labels: Vec<u8>,
    per_step: bool,
    /// Rows of each sample; 0 where they differ.
    window: u32,
}

/// Where in the samples a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the sample.
    pub sample: usize,
    /// Number of the row in it.
    pub timestep: usize,
    /// Rows of the sample.
    pub timesteps: usize,
    /// The class that is to come out after this row, where that is known: after the last row of a sample, or after each
    /// one where each has a class.
    pub label: Option<u8>,
}

impl Feed {
    pub(super) fn new(file: &ModelFile, samples: SplitView<'_>) -> Self {
        let work = Work::new(file, samples);
        let mut lengths = work.lengths(0..work.count());
        let first = lengths.next().unwrap_or(0);
        let window = if lengths.all(|length| length == first) { first } else { 0 };
        drop(lengths);
        let labels = samples.labels().unwrap_or_default().to_vec();
        Self { work, labels, per_step: samples.per_step(), window: u32::try_from(window).unwrap_or(0) }
    }

    /// How many samples there are.
    pub(super) fn samples(&self) -> usize {
        self.work.count()
    }

    /// Rows after which the state begins anew: those of a sample, where all have as many; otherwise 0, and it runs on.
    pub(super) fn window(&self) -> u32 {
        self.window
    }

    /// The rows of that sample and of all behind it.
    pub(super) fn rows_from(&self, sample: usize) -> impl Iterator<Item = &[u8]> {
        self.work.rows(sample..self.samples()).chunks_exact(self.work.row_bytes())
    }

    /// Where row `index` is of those from that sample on.
    pub(super) fn place(&self, first_sample: usize, index: u32) -> Place {
        let mut timestep = index as usize;
        let mut sample = first_sample;
        let mut timesteps = 0;
        for length in self.work.lengths(first_sample..self.samples()) {
            timesteps = length;
            if timestep < length {
                break;
            }
            timestep -= length;
            sample += 1;
        }
        let label = if self.per_step {
            self.labels.get(self.work.timesteps(0..sample.min(self.samples())) + timestep)
        } else {
            self.labels.get(sample).filter(|_| timestep + 1 == timesteps)
        };
        Place { sample, timestep, timesteps, label: label.copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Sequences, Split, Targets, Values};
    use crate::test_models;

    fn feed(lengths: &[usize]) -> Feed {
        let file = ModelFile::from_bytes("a model", &test_models::simple_rnn(2, 3, 2)).unwrap();
        let rows = lengths.iter().sum::<usize>();
        let values = Values::U8((0..2 * rows).map(|value| value as u8).collect());
        let labels = (0..lengths.len()).map(|sample| (sample % 2) as u8).collect();
        let sequences = Sequences::ragged(values, 2, lengths);
        let split = Split::new(sequences, Targets::Labels(labels), false, "x", "y").unwrap();
        Feed::new(&file, split.view())
    }

    fn place(sample: usize, timestep: usize, timesteps: usize, label: Option<u8>) -> Place {
        Place { sample, timestep, timesteps, label }
    }

    #[test]
    fn rows_know_their_samples() {
        let feed = feed(&[3, 3, 3]);
        assert_eq!((feed.samples(), feed.window()), (3, 3));
        assert_eq!(feed.rows_from(2).collect::<Vec<_>>(), [[12, 13], [14, 15], [16, 17]]);
        assert_eq!(feed.place(0, 0), place(0, 0, 3, None));
        assert_eq!(feed.place(0, 5), place(1, 2, 3, Some(1)));
        assert_eq!(feed.place(1, 5), place(2, 2, 3, Some(0)));
    }

    #[test]
    fn samples_of_several_lengths_run_on() {
        let feed = feed(&[2, 1, 4]);
        assert_eq!((feed.samples(), feed.window()), (3, 0));
        assert_eq!(feed.rows_from(1).count(), 5);
        assert_eq!(feed.place(0, 2), place(1, 0, 1, Some(1)));
        assert_eq!(feed.place(1, 3), place(2, 2, 4, None));
        assert_eq!(feed.place(1, 4), place(2, 3, 4, Some(0)));
    }
}
