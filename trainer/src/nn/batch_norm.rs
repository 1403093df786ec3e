//! Keras's `BatchNormalization` of the last hidden states.
//!
//! ```text
//! μ, v = mean and variance over the batch       x̂ = (x - μ) / √(v + ε)       y = γ x̂ + β
//! ```
//! When training. At inference μ and v are the moving statistics, `m ← 0.99 m + 0.01 μ` after every training batch. The
//! variance is the biased one (divided by N) in both places, as in Keras 3. Ioffe & Szegedy 2015,
//! <https://keras.io/api/layers/normalization_layers/batch_normalization/>
//!
//! A batch of one normalises to x̂ = 0: the output is β whatever the input, and no gradient passes. That is what the
//! equations say, so it is what happens here; such a batch teaches the cell nothing.

use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Keras's default `momentum`.
const MOMENTUM: f32 = 0.99;
/// Keras's default `epsilon`.
pub const EPSILON: f32 = 1e-3;

/// The layer's weights, each `[units]`.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNormalization {
    /// Scale γ.
    pub gamma: Array1<f32>,
    /// Offset β.
    pub beta: Array1<f32>,
    /// Mean used at inference.
    pub moving_mean: Array1<f32>,
    /// Variance used at inference.
    pub moving_variance: Array1<f32>,
}

/// What the forward pass leaves for the backward pass.
#[derive(Debug)]
pub(super) struct Normalised {
    /// x̂, `[batch, units]`
    values: Array2<f32>,
    /// `1 / √(v + ε)`, `[units]`
    inverse_deviation: Array1<f32>,
}

impl BatchNormalization {
    /// Keras's defaults: γ and the variance one, β and the mean zero.
    pub fn new(units: usize) -> Self {
        Self {
            gamma: Array1::ones(units),
            beta: Array1::zeros(units),
            moving_mean: Array1::zeros(units),
            moving_variance: Array1::ones(units),
        }
    }

    /// Normalises `x` `[batch, units]` by the moving statistics.
    pub fn infer(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let (scale, offset) = self.scale_and_offset();
        &x * &scale + offset
    }

    /// The layer at inference, `y = x·scale + offset`, each `[units]`.
    pub(super) fn scale_and_offset(&self) -> (Array1<f32>, Array1<f32>) {
        let scale = &self.gamma / (&self.moving_variance + EPSILON).sqrt();
        let offset = &self.beta - &self.moving_mean * &scale;
        (scale, offset)
    }

    /// Sets the moving statistics to those of `x` `[rows, units]`.
    pub(super) fn set_statistics(&mut self, x: ArrayView2<'_, f32>) {
        let mean = x.sum_axis(Axis(0)) / x.nrows() as f32;
        let difference = &x - &mean;
        self.moving_variance = (&difference * &difference).sum_axis(Axis(0)) / x.nrows() as f32;
        self.moving_mean = mean;
    }

    /// Normalises `x` `[batch, units]` by its own statistics, and moves the moving statistics towards those.
    pub(super) fn forward(&mut self, x: ArrayView2<'_, f32>) -> (Array2<f32>, Normalised) {
        let count = x.nrows() as f32;
        let mean = x.sum_axis(Axis(0)) / count;
        let mut values = &x - &mean;
        let variance = (&values * &values).sum_axis(Axis(0)) / count;
        let inverse_deviation = (&variance + EPSILON).sqrt().recip();
        values *= &inverse_deviation;

        let move_towards = |moving: &mut Array1<f32>, batch: &Array1<f32>| {
            moving.zip_mut_with(batch, |m, b| *m = *m * MOMENTUM + b * (1.0 - MOMENTUM));
        };
        move_towards(&mut self.moving_mean, &mean);
        move_towards(&mut self.moving_variance, &variance);
        (&values * &self.gamma + &self.beta, Normalised { values, inverse_deviation })
    }

    /// Gradients by the input, γ and β, from `dy`, that by the output, `[batch, units]`.
    pub(super) fn backward(
        &self,
        saved: &Normalised,
        dy: ArrayView2<'_, f32>,
    ) -> (Array2<f32>, Array1<f32>, Array1<f32>) {
        let count = dy.nrows() as f32;
        let d_beta = dy.sum_axis(Axis(0));
        let d_gamma = (&dy * &saved.values).sum_axis(Axis(0));
        // dx = γ/√(v + ε) (dy - mean(dy) - x̂ mean(dy x̂)): what is left after the pull through mean and variance.
        let through_statistics = (&saved.values * &d_gamma + &d_beta) / count;
        let dx = (&dy - &through_statistics) * (&self.gamma * &saved.inverse_deviation);
        (dx, d_gamma, d_beta)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn batch_of_one_gives_beta_and_passes_no_gradient() {
        let mut layer = BatchNormalization::new(2);
        layer.beta = array![0.25, -1.0];
        let (y, saved) = layer.forward(array![[5.0, -3.0]].view());
        assert_eq!(y, array![[0.25, -1.0]]);
        let (dx, d_gamma, d_beta) = layer.backward(&saved, array![[2.0, 3.0]].view());
        assert_eq!(dx, array![[0.0, 0.0]]);
        assert_eq!(d_gamma, array![0.0, 0.0]);
        assert_eq!(d_beta, array![2.0, 3.0]);
        assert_eq!(layer.moving_variance, array![0.99, 0.99]);
        assert!((layer.moving_mean[0] - 0.05).abs() < 1e-6);
    }

    #[test]
    fn inference_follows_the_moving_statistics() {
        let layer = BatchNormalization {
            gamma: array![2.0],
            beta: array![1.0],
            moving_mean: array![3.0],
            moving_variance: array![4.0 - EPSILON],
        };
        let y = layer.infer(array![[3.0], [5.0]].view());
        assert!((y - array![[1.0], [3.0]]).iter().all(|e| e.abs() < 1e-6));
    }
}
