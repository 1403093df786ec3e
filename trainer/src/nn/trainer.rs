//! One training step: forward, loss, and back through every layer.

use ndarray::{Array1, Array2, ArrayView2, ArrayViewD};
use rayon::prelude::*;

use super::batch::{Batch, Objective, Padded, Steps};
use super::cell::CellWeights;
use super::dense::Dense;
use super::dropout::{self, Dropout, Masks};
use super::integer::{self, IntegerNetwork};
use super::network::{CELL_NAMES, Network};
use super::stack::{Layer, Stack};

/// Samples that one thread takes through time together. Fixed, so that sums are taken in the same order whatever the
/// number of threads; two of these make Keras's usual batch of 64 or its 32 on two cores.
pub const SHARD_ROWS: usize = 32;

/// Gradients of the mean loss by every trainable weight, each in its weight's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// By the recurrent layers' weights.
    pub layers: Vec<CellWeights>,
    /// By the batch normalisation's scale, `[units]`.
    pub gamma: Array1<f32>,
    /// By the batch normalisation's offset, `[units]`.
    pub beta: Array1<f32>,
    /// By the dense layer's weights.
    pub dense: Dense,
}

impl Gradients {
    fn zeros(network: &Network) -> Self {
        let units = network.units();
        Self {
            layers: zeros_like(&network.layers),
            gamma: Array1::zeros(units),
            beta: Array1::zeros(units),
            dense: Dense::zeros(units, network.outputs()),
        }
    }

    /// All gradients by name, in the order of the trainable ones among [`Network::parameters`].
    pub fn tensors(&self) -> Vec<(&'static str, ArrayViewD<'_, f32>)> {
        let mut tensors = Vec::new();
        for (cell, [kernel, recurrent_kernel, bias]) in self.layers.iter().zip(CELL_NAMES) {
            tensors.push((kernel, cell.kernel.view().into_dyn()));
            tensors.push((recurrent_kernel, cell.recurrent_kernel.view().into_dyn()));
            tensors.push((bias, cell.bias_as_in_keras()));
        }
        tensors.extend([
            ("batch_normalization/gamma", self.gamma.view().into_dyn()),
            ("batch_normalization/beta", self.beta.view().into_dyn()),
            ("dense/kernel", self.dense.kernel.view().into_dyn()),
            ("dense/bias", self.dense.bias.view().into_dyn()),
        ]);
        tensors
    }

    /// Square root of the sum of all squares.
    pub fn global_norm(&self) -> f32 {
        let squares =
            |values: &ArrayViewD<'_, f32>| values.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
        self.tensors().iter().map(|(_, values)| squares(values)).sum::<f64>().sqrt() as f32
    }
}

fn zeros_like(layers: &[CellWeights]) -> Vec<CellWeights> {
    layers.iter().map(|layer| CellWeights::zeros(layer.kind, layer.inputs(), layer.units())).collect()
}

/// Computes gradients, and keeps the buffers for it from step to step.
#[derive(Debug)]
pub struct Trainer {
    shards: Vec<Shard>,
    /// Masks of the batch, `[batch, layers, units]`; empty without dropout.
    masks: Vec<f32>,
    /// Hidden states that are read out, `[read-outs, units]`.
    read_out: Array2<f32>,
    logits: Array2<f32>,
    gradients: Gradients,
}

/// One shard's record of the forward pass, and its part of the recurrent layers' gradients.
#[derive(Debug)]
struct Shard {
    stack: Stack,
    gradients: Vec<CellWeights>,
}

impl Trainer {
    /// A trainer for networks of `network`'s cell and shape.
    pub fn new(network: &Network) -> Self {
        Self {
            shards: Vec::new(),
            masks: Vec::new(),
            read_out: Array2::default((0, 0)),
            logits: Array2::default((0, 0)),
            gradients: Gradients::zeros(network),
        }
    }

    /// Runs a batch forward in training mode and back, and returns its loss: the mean over its read-outs, before any
    /// change to the weights. It is not finite if training has diverged.
    ///
    /// Leaves the [`gradients`](Self::gradients) and [`logits`](Self::logits), and moves the network's moving statistics;
    /// its other weights stay as they are. A batch with one read-out is allowed, but teaches the recurrent layers nothing:
    /// see [`batch_norm`](super::batch_norm).
    ///
    /// Runs on rayon's current thread pool; the result does not depend on the number of its threads, and not on how far the
    /// sequences are filled up.
    ///
    /// # Panics
    /// If the batch is empty, its sizes differ from each other's or the network's, a label is not below `outputs`, or the
    /// targets are not of the kind that the objective is for.
    pub fn backpropagate(&mut self, network: &mut Network, batch: &Batch<'_>, objective: &Objective) -> f32 {
        self.backpropagate_while(network, batch, objective, || ())
    }

    /// As [`backpropagate`](Self::backpropagate), and calls `meanwhile` once: beside the layers behind the recurrent ones,
    /// which keep a single thread busy for the time that some other threads need to fall asleep.
    ///
    /// # Panics
    /// As `backpropagate` does.
    pub fn backpropagate_while(
        &mut self,
        network: &mut Network,
        batch: &Batch<'_>,
        objective: &Objective,
        meanwhile: impl FnOnce() + Send,
    ) -> f32 {
        self.draw_masks(network, batch);
        self.forward_layers(&network.layers, batch.sequences, objective.steps);
        let ((loss, d_hidden), ()) =
            rayon::join(|| self.pass_through_read_out(network, batch, objective), meanwhile);
        self.backward_layers(&network.layers, batch.sequences, objective.steps, d_hidden.view());
        loss
    }

    /// Runs a batch forward in the integers that `network` is exported as, and back, and returns its loss.
    ///
    /// As [`backpropagate_while`](Self::backpropagate_while), but for what the board computes. Batch normalisation works by
    /// its moving statistics, which are part of the integers, and stays as it is: the gradients by its scale and offset are
    /// zero. Nothing is dropped out: rounding is noise enough.
    ///
    /// # Panics
    /// As `backpropagate` does.
    pub fn backpropagate_integers(
        &mut self,
        network: &Network,
        integers: &IntegerNetwork,
        batch: &Batch<'_>,
        objective: &Objective,
        meanwhile: impl FnOnce() + Send,
    ) -> f32 {
        self.masks.clear();
        self.forward_layers(&integers.layers, batch.sequences, objective.steps);
        let ((loss, d_hidden), ()) = rayon::join(
            || self.pass_through_integer_read_out(network, integers, batch, objective),
            meanwhile,
        );
        self.backward_layers(&integers.layers, batch.sequences, objective.steps, d_hidden.view());
        loss
    }

    /// Batch normalisation, dense layer and loss, forward and back: the loss, and its gradient by the hidden states that were
    /// read out. Batch normalisation needs the whole batch at once.
    fn pass_through_read_out(
        &mut self,
        network: &mut Network,
        batch: &Batch<'_>,
        objective: &Objective,
    ) -> (f32, Array2<f32>) {
        let (mut normalised, saved) = network.batch_normalization.forward(self.read_out.view());
        self.mask_read_outs(&network.layers, batch.sequences, objective.steps, &mut normalised);
        self.logits = network.dense.forward(normalised.view());
        let loss = objective.loss.evaluate(self.logits.view(), batch.targets);
        let (mut d_normalised, d_dense) = network.dense.backward(normalised.view(), loss.gradient.view());
        self.mask_read_outs(&network.layers, batch.sequences, objective.steps, &mut d_normalised);
        let (d_hidden, d_gamma, d_beta) = network.batch_normalization.backward(&saved, d_normalised.view());

        self.gradients.gamma = d_gamma;
        self.gradients.beta = d_beta;
        self.gradients.dense = d_dense;
        (loss.mean, d_hidden)
    }

    /// [`pass_through_read_out`](Self::pass_through_read_out) in integers.
    fn pass_through_integer_read_out(
        &mut self,
        network: &Network,
        integers: &IntegerNetwork,
        batch: &Batch<'_>,
        objective: &Objective,
    ) -> (f32, Array2<f32>) {
        self.logits = integer::logit_values(&integers.dense.logits(self.read_out.view()));
        let loss = objective.loss.evaluate(self.logits.view(), batch.targets);
        let (d_hidden, d_folded) = integers.dense.values.backward(self.read_out.view(), loss.gradient.view());
        self.gradients.gamma.fill(0.0);
        self.gradients.beta.fill(0.0);
        self.gradients.dense = integer::through_fold(&network.batch_normalization, &d_folded);
        (loss.mean, d_hidden)
    }

    /// Gradients of the last step.
    pub fn gradients(&self) -> &Gradients {
        &self.gradients
    }

    /// Logits of the last step in training mode, `[read-outs, outputs]`.
    pub fn logits(&self) -> ArrayView2<'_, f32> {
        self.logits.view()
    }

    /// Draws the masks of the batch, if it has any.
    fn draw_masks(&mut self, network: &Network, batch: &Batch<'_>) {
        self.masks.clear();
        if let Some(dropout) = batch.dropout {
            let (sequences, width) = (batch.sequences.count(), network.layers.len() * network.units());
            assert_eq!(dropout.streams.len(), sequences, "one stream of random numbers for each sequence");
            self.masks.resize(sequences * width, 0.0);
            Dropout::draw(&dropout, width, &mut self.masks);
        }
    }

    /// Multiplies rows of `values` `[read-outs, units]` by the masks on what goes into the dense layer.
    fn mask_read_outs(
        &self,
        layers: &[CellWeights],
        sequences: Padded<'_>,
        steps: Steps,
        values: &mut Array2<f32>,
    ) {
        let Some(masks) = masks_of(&self.masks, layers) else { return };
        let units = layers[0].units();
        let mut rest = values.as_slice_mut().expect("computed in standard layout");
        for (sequence, length) in sequences.lengths().enumerate() {
            let read_outs = if steps == Steps::Every { length } else { 1 };
            let (own, after) = rest.split_at_mut(read_outs * units);
            let mask = masks.of(sequence, layers.len() - 1);
            own.chunks_exact_mut(units).for_each(|row| dropout::apply(mask, row));
            rest = after;
        }
    }

    /// Runs every shard through time and joins what is read out of them.
    fn forward_layers(&mut self, layers: &[impl Layer + Sync], sequences: Padded<'_>, steps: Steps) {
        let Self { shards, masks, read_out, gradients, .. } = self;
        let (units, masks) = (layers[0].weights().units(), masks_of(masks, layers));
        let empty = || Shard { stack: Stack::default(), gradients: zeros_like(&gradients.layers) };
        shards.resize_with(sequences.count().div_ceil(SHARD_ROWS), empty);
        *read_out = Array2::zeros((sequences.targets(steps), units));
        let mut rest = read_out.as_slice_mut().expect("made in standard layout");
        let mut parts = Vec::with_capacity(shards.len());
        for (index, part) in sequences.shards(SHARD_ROWS).enumerate() {
            let (own, after) = rest.split_at_mut(part.targets(steps) * units);
            parts.push((part, masks.map(|masks| masks.from(index * SHARD_ROWS)), own));
            rest = after;
        }
        shards.par_iter_mut().zip(parts).for_each(|(Shard { stack, .. }, (part, masks, read_out))| {
            stack.forward(layers, part, masks);
            stack.read_out(steps, units, read_out);
        });
    }

    /// Runs every shard back through time from `d_read_out` `[read-outs, units]`, and adds up their gradients in order.
    fn backward_layers(
        &mut self,
        layers: &[impl Layer + Sync],
        sequences: Padded<'_>,
        steps: Steps,
        d_read_out: ArrayView2<'_, f32>,
    ) {
        let Self { shards, masks, gradients, .. } = self;
        let (units, masks) = (layers[0].weights().units(), masks_of(masks, layers));
        let mut rest = d_read_out.to_slice().expect("computed in standard layout");
        let mut parts = Vec::with_capacity(shards.len());
        for (index, part) in sequences.shards(SHARD_ROWS).enumerate() {
            let (own, after) = rest.split_at(part.targets(steps) * units);
            parts.push((masks.map(|masks| masks.from(index * SHARD_ROWS)), own));
            rest = after;
        }
        shards.par_iter_mut().zip(parts).for_each(|(Shard { stack, gradients }, (masks, gradient))| {
            stack.set_gradient(steps, units, gradient);
            stack.backward(layers, gradients, masks);
        });
        for (index, shard) in shards.iter().enumerate() {
            for (sum, part) in gradients.layers.iter_mut().zip(&shard.gradients) {
                if index == 0 { sum.assign(part) } else { sum.add(part) }
            }
        }
    }
}

/// The masks in `values`, if there are any.
fn masks_of<'a>(values: &'a [f32], layers: &[impl Layer]) -> Option<Masks<'a>> {
    (!values.is_empty()).then(|| Masks::new(values, layers.len(), layers[0].weights().units()))
}
