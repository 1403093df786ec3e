//! The networks once more, as plainly as the equations can be written: one sample, one unit, one sum at a time, in f64.
//!
//! What the fast code must agree with, for shapes that no other framework's figures are at hand for: outputs directly,
//! gradients by finite differences, which f64 makes accurate to about eight digits.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use refrain::CellKind;

use super::batch::{Batch, Loss, Objective, Padded, Steps, Targets};
use super::batch_norm::EPSILON;
use super::network::{CELL_NAMES, Network};

/// Every weight by name, flattened row by row.
#[derive(Clone)]
pub(super) struct Reference {
    kind: CellKind,
    units: usize,
    layers: usize,
    pub(super) weights: BTreeMap<&'static str, Vec<f64>>,
}

impl Reference {
    pub(super) fn of(network: &Network) -> Self {
        let values = |p: super::Parameter<'_>| (p.name, p.values.iter().map(|w| f64::from(*w)).collect());
        let weights = network.parameters().into_iter().map(values).collect();
        Self { kind: network.kind(), units: network.units(), layers: network.layers.len(), weights }
    }

    /// `(vector · matrix)[column]` for the matrix called `name`.
    fn product(&self, vector: &[f64], name: &str, column: usize) -> f64 {
        let matrix = &self.weights[name];
        let columns = matrix.len() / vector.len();
        vector.iter().enumerate().map(|(row, v)| v * matrix[row * columns + column]).sum()
    }

    /// The state (h, c) of a layer after a timestep; c is of no meaning but to the LSTM.
    fn step(&self, layer: usize, x: &[f64], h: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let n = h.len();
        let [kernel, recurrent_kernel, bias] = CELL_NAMES[layer];
        let bias = |column: usize| self.weights[bias][column];
        let input = |column| self.product(x, kernel, column) + bias(column);
        let recurrent = |column| self.product(h, recurrent_kernel, column);
        let z = |column| input(column) + recurrent(column);
        let mut next = (vec![0.0; n], c.to_vec());
        for u in 0..n {
            match self.kind {
                CellKind::SimpleRnn => next.0[u] = z(u).tanh(),
                CellKind::Lstm => {
                    let (i, f, o) = (sigmoid(z(u)), sigmoid(z(n + u)), sigmoid(z(3 * n + u)));
                    next.1[u] = f * c[u] + i * z(2 * n + u).tanh();
                    next.0[u] = o * next.1[u].tanh();
                }
                CellKind::Gru => {
                    let second_bias = |column: usize| bias(3 * n + column);
                    let (update, reset) =
                        (sigmoid(z(u) + second_bias(u)), sigmoid(z(n + u) + second_bias(n + u)));
                    let inner = recurrent(2 * n + u) + second_bias(2 * n + u);
                    let candidate = (input(2 * n + u) + reset * inner).tanh();
                    next.0[u] = update * h[u] + (1.0 - update) * candidate;
                }
            }
        }
        next
    }

    /// The last layer's hidden state after each timestep of one sequence. `mask(layer)` is what a layer passes on is
    /// multiplied by.
    fn hidden(&self, sequence: ArrayView2<'_, f32>, mask: &dyn Fn(usize) -> Vec<f64>) -> Vec<Vec<f64>> {
        let in_f64 = |row: ndarray::ArrayView1<'_, f32>| row.iter().map(|v| f64::from(*v)).collect();
        let mut passed_on: Vec<Vec<f64>> = sequence.outer_iter().map(in_f64).collect();
        for layer in 0..self.layers {
            let mut state = (vec![0.0; self.units], vec![0.0; self.units]);
            for x in &mut passed_on {
                if layer > 0 {
                    x.iter_mut().zip(mask(layer - 1)).for_each(|(x, m)| *x *= m);
                }
                state = self.step(layer, x, &state.0, &state.1);
                x.clone_from(&state.0);
            }
        }
        passed_on
    }

    /// What is read out of all sequences, and the number of the sequence that it is read out of.
    fn read_outs(
        &self,
        sequences: Padded<'_>,
        steps: Steps,
        mask: &dyn Fn(usize, usize) -> Vec<f64>,
    ) -> Vec<(usize, Vec<f64>)> {
        let mut read_outs = Vec::new();
        for index in 0..sequences.count() {
            let sequence = sequences.sequence(index);
            let valid = sequence.slice(ndarray::s![..sequences.length(index), ..]);
            let hidden = self.hidden(valid, &|layer| mask(index, layer));
            let first = if steps == Steps::Every { 0 } else { hidden.len() - 1 };
            read_outs.extend(hidden[first..].iter().map(|state| (index, state.clone())));
        }
        read_outs
    }

    /// Logits of a state that is normalised and then masked.
    fn logits(&self, hidden: &[f64], mean: &[f64], variance: &[f64], mask: &[f64]) -> Vec<f64> {
        let normalise = |(u, h): (usize, &f64)| {
            let scale =
                self.weights["batch_normalization/gamma"][u] / (variance[u] + f64::from(EPSILON)).sqrt();
            ((h - mean[u]) * scale + self.weights["batch_normalization/beta"][u]) * mask[u]
        };
        let normalised: Vec<f64> = hidden.iter().enumerate().map(normalise).collect();
        let bias = &self.weights["dense/bias"];
        (0..bias.len()).map(|class| self.product(&normalised, "dense/kernel", class) + bias[class]).collect()
    }

    /// Logits at inference, one row after the other.
    pub(super) fn infer(&self, sequences: Padded<'_>, steps: Steps) -> Vec<f64> {
        let ones = vec![1.0; self.units];
        let mean = &self.weights["batch_normalization/moving_mean"];
        let variance = &self.weights["batch_normalization/moving_variance"];
        let read_outs = self.read_outs(sequences, steps, &|_, _| ones.clone());
        read_outs.iter().flat_map(|(_, hidden)| self.logits(hidden, mean, variance, &ones)).collect()
    }

    /// Loss in training mode. `masks` `[batch, layers, units]` are those of the batch's dropout.
    pub(super) fn loss(&self, batch: &Batch<'_>, objective: &Objective, masks: &[f32]) -> f64 {
        let mask = |sequence: usize, layer: usize| -> Vec<f64> {
            let of_layer = &masks[(sequence * self.layers + layer) * self.units..][..self.units];
            of_layer.iter().map(|m| f64::from(*m)).collect()
        };
        let read_outs = self.read_outs(batch.sequences, objective.steps, &mask);
        let count = read_outs.len() as f64;
        let average = |of: &dyn Fn(&[f64]) -> f64| read_outs.iter().map(|(_, h)| of(h)).sum::<f64>() / count;
        let mean: Vec<f64> = (0..self.units).map(|u| average(&|h| h[u])).collect();
        let variance: Vec<f64> = (0..self.units).map(|u| average(&|h| (h[u] - mean[u]).powi(2))).collect();
        let cost = |(index, (sequence, hidden)): (usize, &(usize, Vec<f64>))| {
            let logits = self.logits(hidden, &mean, &variance, &mask(*sequence, self.layers - 1));
            cost(&logits, index, batch.targets, &objective.loss)
        };
        read_outs.iter().enumerate().map(cost).sum::<f64>() / count
    }
}

/// The loss of entry number `index`.
fn cost(outputs: &[f64], index: usize, targets: Targets<'_>, loss: &Loss) -> f64 {
    match (loss, targets) {
        (Loss::CrossEntropy { label_smoothing, class_weights }, Targets::Labels(labels)) => {
            let (label, smoothing) = (usize::from(labels[index]), f64::from(*label_smoothing));
            let log_sum = outputs.iter().map(|z| z.exp()).sum::<f64>().ln();
            let uniform = outputs.iter().map(|z| log_sum - z).sum::<f64>() / outputs.len() as f64;
            let weight = class_weights.as_ref().map_or(1.0, |weights| weights[label].into());
            weight * ((1.0 - smoothing) * (log_sum - outputs[label]) + smoothing * uniform)
        }
        (Loss::MeanSquaredError, Targets::Values(values)) => {
            let errors = outputs.iter().zip(values.row(index)).map(|(z, y)| (z - f64::from(*y)).powi(2));
            errors.sum::<f64>() / outputs.len() as f64
        }
        (loss, targets) => panic!("{loss:?} for {targets:?}"),
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
