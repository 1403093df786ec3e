//! Batch normalisation as part of the dense layer behind it.

use crate::nn::batch_norm::{BatchNormalization, EPSILON};
use crate::nn::dense::Dense;

/// The dense layer that gives for a hidden state what `dense` gives for the normalised one.
///
/// ```text
/// g = γ / √(v + ε)      K'[u, o] = g[u]·K[u, o]      b' = b + Kᵀ·(β - μ·g)
/// ```
///
/// Worked out in f64, so that folding adds no error of its own.
pub(super) fn batch_normalization(norm: &BatchNormalization, dense: &Dense) -> Dense {
    let mut folded = dense.clone();
    let mut bias: Vec<f64> = dense.bias.iter().map(|&b| b.into()).collect();
    for (unit, mut row) in folded.kernel.rows_mut().into_iter().enumerate() {
        let of = |values: &ndarray::Array1<f32>| f64::from(values[unit]);
        let gain = of(&norm.gamma) / (of(&norm.moving_variance) + f64::from(EPSILON)).sqrt();
        let offset = of(&norm.beta) - of(&norm.moving_mean) * gain;
        for (weight, bias) in row.iter_mut().zip(&mut bias) {
            *bias += f64::from(*weight) * offset;
            *weight = (f64::from(*weight) * gain) as f32;
        }
    }
    folded.bias.iter_mut().zip(bias).for_each(|(to, from)| *to = from as f32);
    folded
}
