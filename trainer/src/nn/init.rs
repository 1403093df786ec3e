//! Keras's initialisers, from one seeded generator.
//!
//! Drawn in f64 and rounded once, so that a seed gives the same weights wherever `ln`, `cos` and `sin` agree to f64.

use std::f64::consts::TAU;

use ndarray::{Array2, s};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Glorot & Bengio 2010: uniform within ±√(6 / (rows + columns)).
pub fn glorot_uniform(kernel: &mut Array2<f32>, rng: &mut ChaCha8Rng) {
    let limit = (6.0 / (kernel.nrows() + kernel.ncols()) as f64).sqrt();
    kernel.mapv_inplace(|_| ((2.0 * rng.random::<f64>() - 1.0) * limit) as f32);
}

/// Saxe et al. 2014: the orthogonal factor of a gaussian matrix. The rows of `kernel`, of which there are no more than
/// columns, become orthonormal.
///
/// Keras takes the QR decomposition of the transpose and makes the diagonal of R positive. Gram-Schmidt on the rows gives
/// that very factor, and in f64 it is orthogonal to well beyond f32's last bit.
pub fn orthogonal(kernel: &mut Array2<f32>, rng: &mut ChaCha8Rng) {
    assert!(kernel.nrows() <= kernel.ncols(), "only as many orthogonal rows as columns exist");
    let mut q = Array2::from_shape_simple_fn(kernel.raw_dim(), || gaussian(rng));
    orthonormalise_rows(&mut q);
    kernel.zip_mut_with(&q, |to, from| *to = *from as f32);
}

/// Makes the rows of `matrix` orthonormal, each in the space of those up to it (Gram-Schmidt). They are to be linearly
/// independent.
pub(super) fn orthonormalise_rows(matrix: &mut Array2<f64>) {
    for r in 0..matrix.nrows() {
        let (earlier, mut later) = matrix.multi_slice_mut((s![..r, ..], s![r.., ..]));
        let mut row = later.row_mut(0);
        for other in earlier.rows() {
            let shared = row.dot(&other);
            row.scaled_add(-shared, &other);
        }
        let length = row.dot(&row).sqrt();
        row /= length;
    }
}

/// Jozefowicz et al. 2015: the second quarter of an LSTM's bias, the forget gate's, is one; the rest is zero.
pub fn unit_forget_bias(bias: &mut Array2<f32>) {
    let units = bias.ncols() / 4;
    bias.fill(0.0);
    bias.slice_mut(s![.., units..2 * units]).fill(1.0);
}

/// One draw from the standard normal distribution (Box & Muller 1958).
fn gaussian(rng: &mut ChaCha8Rng) -> f64 {
    // 1 - u lies in (0, 1], where the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (TAU * rng.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(7)
    }

    #[test]
    fn glorot_uniform_fills_its_range() {
        let mut kernel = Array2::zeros((28, 256));
        glorot_uniform(&mut kernel, &mut rng());
        let limit = (6.0_f32 / 284.0).sqrt();
        let variance = kernel.iter().map(|w| w * w).sum::<f32>() / kernel.len() as f32;
        assert!(kernel.iter().all(|w| w.abs() <= limit));
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.05, "variance {variance}");
        assert!(kernel.mean().unwrap().abs() < 0.03 * limit);
    }

    #[test]
    fn orthogonal_rows_are_orthonormal() {
        for (rows, columns) in [(1, 1), (1, 4), (7, 7), (7, 28), (64, 64), (64, 192), (256, 256)] {
            let mut kernel = Array2::zeros((rows, columns));
            orthogonal(&mut kernel, &mut rng());
            let error = (kernel.dot(&kernel.t()) - Array2::<f32>::eye(rows)).mapv(f32::abs);
            assert!(error.iter().all(|e| *e < 1e-6), "{rows} x {columns}: {error}");
        }
    }

    #[test]
    fn gaussian_has_the_moments_of_the_normal_distribution() {
        let mut rng = rng();
        let draws: Vec<f64> = (0..100_000).map(|_| gaussian(&mut rng)).collect();
        let moment = |power| draws.iter().map(|d| d.powi(power)).sum::<f64>() / draws.len() as f64;
        let expected = [0.0, 1.0, 0.0, 3.0];
        for (power, expected) in (1..).zip(expected) {
            assert!((moment(power) - expected).abs() < 0.06, "moment {power}: {}", moment(power));
        }
    }

    #[test]
    fn forget_gate_starts_open() {
        let mut bias = Array2::from_elem((1, 8), 0.5);
        unit_forget_bias(&mut bias);
        assert_eq!(bias, ndarray::array![[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]);
    }
}
