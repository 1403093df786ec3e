//! One training step: forward, loss, and back through every layer.

use ndarray::{Array1, Array2, ArrayView2, ArrayView3, ArrayViewD, Axis, s};
use rayon::prelude::*;
use refrain::CellKind;

use super::cell::{CellWeights, Tape};
use super::dense::Dense;
use super::loss::sparse_categorical_crossentropy;
use super::network::Network;

/// Samples that one thread takes through time together. Fixed, so that sums are taken in the same order whatever the
/// number of threads; two of these make Keras's usual batch of 64 or its 32 on two cores.
pub const SHARD_ROWS: usize = 32;

/// Gradients of the mean loss by every trainable weight, each in its weight's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// By the recurrent cell's weights.
    pub cell: CellWeights,
    /// By the batch normalisation's scale, `[units]`.
    pub gamma: Array1<f32>,
    /// By the batch normalisation's offset, `[units]`.
    pub beta: Array1<f32>,
    /// By the dense layer's weights.
    pub dense: Dense,
}

impl Gradients {
    fn zeros(network: &Network) -> Self {
        let shape = network.shape();
        let (units, outputs) = (usize::from(shape.units), usize::from(shape.outputs));
        Self {
            cell: CellWeights::zeros(network.kind(), shape),
            gamma: Array1::zeros(units),
            beta: Array1::zeros(units),
            dense: Dense::zeros(units, outputs),
        }
    }

    /// All gradients by name, in the order of the trainable ones among [`Network::parameters`].
    pub fn tensors(&self) -> [(&'static str, ArrayViewD<'_, f32>); 7] {
        let bias = match self.cell.kind {
            CellKind::Gru => self.cell.bias.view().into_dyn(),
            CellKind::SimpleRnn | CellKind::Lstm => self.cell.bias.row(0).into_dyn(),
        };
        [
            ("cell/kernel", self.cell.kernel.view().into_dyn()),
            ("cell/recurrent_kernel", self.cell.recurrent_kernel.view().into_dyn()),
            ("cell/bias", bias),
            ("batch_normalization/gamma", self.gamma.view().into_dyn()),
            ("batch_normalization/beta", self.beta.view().into_dyn()),
            ("dense/kernel", self.dense.kernel.view().into_dyn()),
            ("dense/bias", self.dense.bias.view().into_dyn()),
        ]
    }

    /// Square root of the sum of all squares.
    pub fn global_norm(&self) -> f32 {
        let squares =
            |values: &ArrayViewD<'_, f32>| values.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
        self.tensors().iter().map(|(_, values)| squares(values)).sum::<f64>().sqrt() as f32
    }
}

/// What a step found out about its batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Mean loss over the batch, before any change to the weights. Not finite if training has diverged.
    pub loss: f32,
    /// Samples of the batch whose largest logit was their label's.
    pub correct: usize,
}

/// Computes gradients, and keeps the buffers for it from step to step.
#[derive(Debug)]
pub struct Trainer {
    shards: Vec<Shard>,
    last_hidden: Array2<f32>,
    logits: Array2<f32>,
    gradients: Gradients,
}

/// One shard's record of the forward pass, and its part of the cell's gradients.
#[derive(Debug)]
struct Shard {
    tape: Tape,
    gradients: CellWeights,
}

impl Trainer {
    /// A trainer for networks of `network`'s cell and shape.
    pub fn new(network: &Network) -> Self {
        Self {
            shards: Vec::new(),
            last_hidden: Array2::default((0, 0)),
            logits: Array2::default((0, 0)),
            gradients: Gradients::zeros(network),
        }
    }

    /// Runs the batch `x` `[batch, timesteps, inputs]` with `labels` `[batch]` forward in training mode and back.
    ///
    /// Leaves the [`gradients`](Self::gradients) and [`logits`](Self::logits), and moves the network's moving statistics;
    /// its other weights stay as they are. A batch of one is allowed, but teaches the cell nothing: see
    /// [`batch_norm`](super::batch_norm). For `label_smoothing` see [`loss`](super::loss).
    ///
    /// Runs on rayon's current thread pool; the result does not depend on the number of its threads.
    ///
    /// # Panics
    /// If the batch is empty, its sizes differ from each other's or the network's, or a label is not below `outputs`.
    pub fn backpropagate(
        &mut self,
        network: &mut Network,
        x: ArrayView3<'_, f32>,
        labels: &[u8],
        label_smoothing: f32,
    ) -> Step {
        self.forward_cell(&network.cell, x);

        // The layers after the cell are small, and batch normalisation needs the whole batch at once.
        let (normalised, saved) = network.batch_normalization.forward(self.last_hidden.view());
        self.logits = network.dense.forward(normalised.view());
        let loss = sparse_categorical_crossentropy(self.logits.view(), labels, label_smoothing);
        let (d_normalised, d_dense) = network.dense.backward(normalised.view(), loss.d_logits.view());
        let (d_hidden, d_gamma, d_beta) = network.batch_normalization.backward(&saved, d_normalised.view());

        self.backward_cell(&network.cell, d_hidden.view());
        self.gradients.gamma = d_gamma;
        self.gradients.beta = d_beta;
        self.gradients.dense = d_dense;
        Step { loss: loss.mean, correct: loss.correct }
    }

    /// Gradients of the last step.
    pub fn gradients(&self) -> &Gradients {
        &self.gradients
    }

    /// Logits of the last step in training mode, `[batch, outputs]`.
    pub fn logits(&self) -> ArrayView2<'_, f32> {
        self.logits.view()
    }

    /// Runs every shard through time and joins their last hidden states.
    fn forward_cell(&mut self, cell: &CellWeights, x: ArrayView3<'_, f32>) {
        let batch = x.len_of(Axis(0));
        let empty = || Shard { tape: Tape::default(), gradients: self.gradients.cell.clone() };
        self.shards.resize_with(batch.div_ceil(SHARD_ROWS), empty);
        self.shards.par_iter_mut().enumerate().for_each(|(index, shard)| {
            let start = index * SHARD_ROWS;
            let rows = start..batch.min(start + SHARD_ROWS);
            shard.tape.load(cell, x.slice(s![rows, .., ..]));
            cell.forward(&mut shard.tape);
        });
        self.last_hidden = Array2::zeros((batch, cell.units()));
        for (to, shard) in self.last_hidden.axis_chunks_iter_mut(Axis(0), SHARD_ROWS).zip(&self.shards) {
            shard.tape.last_hidden().assign_to(to);
        }
    }

    /// Runs every shard back through time from `d_hidden` `[batch, units]`, and adds up their gradients in order.
    fn backward_cell(&mut self, cell: &CellWeights, d_hidden: ArrayView2<'_, f32>) {
        self.shards.par_iter_mut().enumerate().for_each(|(index, Shard { tape, gradients })| {
            let start = index * SHARD_ROWS;
            let rows = d_hidden.slice(s![start..start + tape.rows, ..]);
            tape.set_d_hidden(rows);
            cell.backward(tape, gradients);
        });
        for (index, shard) in self.shards.iter().enumerate() {
            if index == 0 {
                self.gradients.cell.assign(&shard.gradients);
            } else {
                self.gradients.cell.add(&shard.gradients);
            }
        }
    }
}
