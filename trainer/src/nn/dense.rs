//! Keras's `Dense` without activation: `y = x·K + b`. <https://keras.io/api/layers/core_layers/dense/>

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand_chacha::ChaCha8Rng;

use super::init;

/// The layer's weights, or their gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// `[units, outputs]`
    pub kernel: Array2<f32>,
    /// `[outputs]`
    pub bias: Array1<f32>,
}

impl Dense {
    /// All zeros.
    pub fn zeros(units: usize, outputs: usize) -> Self {
        Self { kernel: Array2::zeros((units, outputs)), bias: Array1::zeros(outputs) }
    }

    /// Keras's defaults: a Glorot uniform kernel and a zero bias.
    pub fn random(units: usize, outputs: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut layer = Self::zeros(units, outputs);
        init::glorot_uniform(&mut layer.kernel, rng);
        layer
    }

    /// `[batch, outputs]` from `x` `[batch, units]`.
    pub fn forward(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        x.dot(&self.kernel) + &self.bias
    }

    /// Gradients by the input and by the weights, from `dy`, that by the output, `[batch, outputs]`.
    pub(super) fn backward(&self, x: ArrayView2<'_, f32>, dy: ArrayView2<'_, f32>) -> (Array2<f32>, Self) {
        // into a matrix made here: `dot` lays out the product by columns where there is one output
        let mut dx = Array2::zeros(x.raw_dim());
        general_mat_mul(1.0, &dy, &self.kernel.t(), 0.0, &mut dx);
        (dx, Self { kernel: x.t().dot(&dy), bias: dy.sum_axis(Axis(0)) })
    }
}
