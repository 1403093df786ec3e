//! Samples out of a data set, scaled and side by side, in buffers that are kept.

use ndarray::{Array3, ArrayView2, Axis};
use rayon::prelude::*;

use crate::data::{Kind, SplitView, TargetsView, Task};
use crate::nn::{Padded, Targets};

/// Sequences and targets as a network takes them.
#[derive(Debug)]
pub(super) struct Gathered {
    /// `[capacity, timesteps, inputs]`; what is behind the end of a sequence is left from earlier ones.
    x: Array3<f32>,
    /// `[count]`
    lengths: Vec<usize>,
    labels: Vec<u8>,
    /// `[entries, outputs]`, standardised.
    values: Vec<f32>,
    /// Columns of `values`; 0 where there are labels.
    outputs: usize,
}

impl Gathered {
    /// Room for `capacity` sequences of at most `timesteps`.
    pub(super) fn new(capacity: usize, timesteps: usize, inputs: usize) -> Self {
        Self {
            x: Array3::zeros((capacity, timesteps, inputs)),
            lengths: Vec::with_capacity(capacity),
            labels: Vec::new(),
            values: Vec::new(),
            outputs: 0,
        }
    }

    /// Takes the sequences number `indices` of `samples`, each written by `draw(index, out)` into `length * inputs` numbers.
    pub(super) fn gather(
        &mut self,
        samples: SplitView<'_>,
        indices: &[u32],
        draw: impl Fn(usize, &mut [f32]) + Sync,
    ) {
        self.lengths.clear();
        self.lengths.extend(indices.iter().map(|&index| samples.length(index as usize)));
        let (_, timesteps, inputs) = self.x.dim();
        let x = self.x.as_slice_mut().expect("made in standard layout");
        let places = x.par_chunks_exact_mut(timesteps * inputs).zip(&self.lengths).zip(indices);
        // few samples to a task: a sample takes microseconds
        places.with_min_len(8).for_each(|((out, length), &index)| {
            draw(index as usize, &mut out[..length * inputs]);
        });
    }

    /// Takes the targets of the sequences number `indices`.
    pub(super) fn gather_targets(&mut self, samples: SplitView<'_>, indices: &[u32], task: &Task) {
        self.labels.clear();
        self.values.clear();
        for &index in indices {
            match (samples.target(index as usize), &task.kind) {
                (TargetsView::Labels(labels), _) => self.labels.extend_from_slice(labels),
                (TargetsView::Values(values), Kind::Regression { scaling, .. }) => {
                    self.outputs = values.ncols();
                    let (start, values) = (self.values.len(), values.to_slice().expect("standard layout"));
                    self.values.resize(start + values.len(), 0.0);
                    scaling.standardise(values, &mut self.values[start..]);
                }
                (TargetsView::Values(_), Kind::Classification { .. }) => {
                    panic!("a data set has targets of its task's kind")
                }
            }
        }
    }

    /// The sequences gathered last.
    pub(super) fn sequences(&self) -> Padded<'_> {
        Padded::new(self.x.slice_axis(Axis(0), (..self.lengths.len()).into()), &self.lengths)
    }

    /// Their targets.
    pub(super) fn targets(&self) -> Targets<'_> {
        if self.outputs == 0 {
            return Targets::Labels(&self.labels);
        }
        let shape = (self.values.len() / self.outputs, self.outputs);
        Targets::Values(ArrayView2::from_shape(shape, &self.values).expect("whole rows of values"))
    }
}
