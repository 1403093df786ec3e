//! The networks once more, as plainly as the equations can be written: one sample, one unit, one sum at a time, in f64.
//!
//! What the fast code must agree with, for shapes that no other framework's figures are at hand for: outputs directly,
//! gradients by finite differences, which f64 makes accurate to about eight digits.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3};
use refrain::{CellKind, Shape};

use super::batch_norm::EPSILON;
use super::network::Network;

/// Every weight by name, flattened row by row.
#[derive(Clone)]
pub(super) struct Reference {
    kind: CellKind,
    shape: Shape,
    pub(super) weights: BTreeMap<&'static str, Vec<f64>>,
}

impl Reference {
    pub(super) fn of(network: &Network) -> Self {
        let values = |p: super::Parameter<'_>| (p.name, p.values.iter().map(|w| f64::from(*w)).collect());
        let weights = network.parameters().into_iter().map(values).collect();
        Self { kind: network.kind(), shape: network.shape(), weights }
    }

    /// `(vector · matrix)[column]` for the matrix called `name`.
    fn product(&self, vector: &[f64], name: &str, column: usize) -> f64 {
        let matrix = &self.weights[name];
        let columns = matrix.len() / vector.len();
        vector.iter().enumerate().map(|(row, v)| v * matrix[row * columns + column]).sum()
    }

    /// `x·K + b` at one column.
    fn input_sum(&self, x: &[f64], column: usize) -> f64 {
        self.product(x, "cell/kernel", column) + self.weights["cell/bias"][column]
    }

    /// The state (h, c) after a timestep; c is of no meaning but to the LSTM.
    fn step(&self, x: &[f64], h: &[f64], c: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let n = h.len();
        let recurrent = |column| self.product(h, "cell/recurrent_kernel", column);
        let z = |column| self.input_sum(x, column) + recurrent(column);
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
                    let bias = |column: usize| self.weights["cell/bias"][3 * n + column];
                    let (update, reset) = (sigmoid(z(u) + bias(u)), sigmoid(z(n + u) + bias(n + u)));
                    let inner = recurrent(2 * n + u) + bias(2 * n + u);
                    let candidate = (self.input_sum(x, 2 * n + u) + reset * inner).tanh();
                    next.0[u] = update * h[u] + (1.0 - update) * candidate;
                }
            }
        }
        next
    }

    /// The last hidden state of each sequence of `x` `[batch, timesteps, inputs]`.
    fn last_hidden(&self, x: &Array3<f32>) -> Vec<Vec<f64>> {
        let sequence = |sequence: ndarray::ArrayView2<'_, f32>| {
            let mut state = (vec![0.0; self.shape.units.into()], vec![0.0; self.shape.units.into()]);
            for features in sequence.rows() {
                let features: Vec<f64> = features.iter().map(|v| f64::from(*v)).collect();
                state = self.step(&features, &state.0, &state.1);
            }
            state.0
        };
        x.outer_iter().map(sequence).collect()
    }

    /// Logits of normalised states.
    fn logits(&self, hidden: &[Vec<f64>], mean: &[f64], variance: &[f64]) -> Array2<f64> {
        let outputs = usize::from(self.shape.outputs);
        Array2::from_shape_fn((hidden.len(), outputs), |(row, class)| {
            let normalise = |(u, h): (usize, &f64)| {
                let scale =
                    self.weights["batch_normalization/gamma"][u] / (variance[u] + f64::from(EPSILON)).sqrt();
                (h - mean[u]) * scale + self.weights["batch_normalization/beta"][u]
            };
            let normalised: Vec<f64> = hidden[row].iter().enumerate().map(normalise).collect();
            self.product(&normalised, "dense/kernel", class) + self.weights["dense/bias"][class]
        })
    }

    pub(super) fn infer(&self, x: &Array3<f32>) -> Array2<f64> {
        let statistic = |name: &str| self.weights[name].as_slice();
        let mean = statistic("batch_normalization/moving_mean");
        self.logits(&self.last_hidden(x), mean, statistic("batch_normalization/moving_variance"))
    }

    /// Mean loss in training mode.
    pub(super) fn loss(&self, x: &Array3<f32>, labels: &[u8]) -> f64 {
        let hidden = self.last_hidden(x);
        let average =
            |of: &dyn Fn(&Vec<f64>) -> f64| hidden.iter().map(of).sum::<f64>() / hidden.len() as f64;
        let units = 0..usize::from(self.shape.units);
        let mean: Vec<f64> = units.clone().map(|u| average(&|h| h[u])).collect();
        let variance: Vec<f64> = units.map(|u| average(&|h| (h[u] - mean[u]).powi(2))).collect();
        let logits = self.logits(&hidden, &mean, &variance);
        let cost = |(row, label): (ndarray::ArrayView1<'_, f64>, &u8)| {
            row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[usize::from(*label)]
        };
        logits.outer_iter().zip(labels).map(cost).sum::<f64>() / labels.len() as f64
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
