//! SOAP: Adam in the basis in which a matrix's gradients are least correlated.
//!
//! For a matrix of weights W `[m, n]` with gradient G, where Q_L and Q_R are orthogonal and their columns approach
//! the eigenvectors of L and R:
//!
//! ```text
//! H = Q_Lᵀ·G·Q_R                  [m, n]
//! M ← β₁ M + (1 - β₁) H           V ← β₂ V + (1 - β₂) H²
//! W ← W - η Q_L·N·Q_Rᵀ            N = M/(1 - β₁ᵗ) / (√(V/(1 - β₂ᵗ)) + ε)
//!
//! and every `period` steps, before that
//! L ← β L + (1 - β) G·Gᵀ          Q_L ← orthonormal(L·Q_L)
//! R ← β R + (1 - β) Gᵀ·G          Q_R ← orthonormal(R·Q_R)
//! ```
//! Vyas et al. 2024, "SOAP: Improving and Stabilizing Shampoo using Adam", arXiv:2409.11321. There L and R take every
//! gradient in; one of each period is enough for them, and saves a quarter of a step's products. M turns with the bases. V
//! does not, so that what was small along an old direction would make a large step along a new one: no element of N is let
//! beyond 1, which is as far as Adam goes where a gradient does not change.
//!
//! What one gate of a recurrent cell multiplies is one vector: the input row, the hidden state and the constants
//! before the biases. So W is one gate's columns of all of the cell's weights, biases included, and L learns how inputs
//! and hidden states go together; a dense layer is one such matrix too.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, Zip, concatenate, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cell::CellWeights;
use super::dense::Dense;
use super::init::orthonormalise_rows;
use super::product::{Matrix, set_product, tensor, tensor_mut};

/// A variance whose square is still a normal number.
const LEAST_VARIANCE: f32 = 1e-15;

/// What a step needs besides the gradients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// η
    pub(super) learning_rate: f32,
    /// What the gradients are multiplied by.
    pub(super) scale: f32,
    /// β₁
    pub(super) beta_1: f32,
    /// β₂
    pub(super) beta_2: f32,
    /// β
    pub(super) beta_covariance: f32,
    /// ε
    pub(super) epsilon: f32,
    /// Steps from one change of the bases to the next.
    pub(super) period: u32,
    /// Number of the step, from 1.
    pub(super) step: u32,
}

/// The memory of all matrices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    blocks: Vec<Block>,
}

/// The memory of one matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Block {
    /// M, `[m, n]`
    momentum: Array2<f32>,
    /// V, `[m, n]`
    square: Array2<f32>,
    left: Basis,
    right: Basis,
}

/// One side's covariance, and the basis that approaches its eigenvectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Basis {
    /// L or R
    covariance: Array2<f32>,
    /// Qᵀ: a row for each direction.
    directions: Array2<f32>,
}

impl Memory {
    /// Whether it is of such layers.
    pub(super) fn fits(&self, layers: &[CellWeights], dense: &Dense) -> bool {
        let gates = layers.iter().flat_map(|cell| {
            let rows = cell.inputs() + cell.units() + cell.bias.nrows();
            (0..cell.kind.gates()).map(move |_| (rows, cell.units()))
        });
        let blocks = gates.chain([(dense.kernel.nrows() + 1, dense.kernel.ncols())]);
        blocks.eq(self.blocks.iter().map(|block| block.momentum.dim()))
            && self.blocks.iter().all(Block::is_whole)
    }

    /// Changes the weights of recurrent layers and of the dense layer behind them by their gradients.
    ///
    /// Always call it with weights of one shape.
    pub(super) fn step(
        &mut self,
        (layers, dense): (&mut [CellWeights], &mut Dense),
        (d_layers, d_dense): (&[CellWeights], &Dense),
        rule: Rule,
    ) {
        let gates = |cell: &CellWeights| 0..cell.kind.gates();
        let blocks = d_layers.iter().flat_map(|cell| gates(cell).map(move |gate| gate_block(cell, gate)));
        let read_out = stack(&[d_dense.kernel.view(), d_dense.bias.view().insert_axis(Axis(0))]);
        let blocks: Vec<Array2<f32>> = blocks.chain([read_out]).collect();
        if self.blocks.is_empty() {
            self.blocks = blocks.iter().map(|block| Block::new(block.dim())).collect();
        }
        let steps: Vec<Array2<f32>> = self
            .blocks
            .par_iter_mut()
            .zip(blocks)
            .map(|(memory, gradient)| memory.step(gradient * rule.scale, rule))
            .collect();
        let mut steps = steps.iter();
        for cell in layers {
            for (gate, step) in gates(cell).zip(&mut steps) {
                add_to_gate(cell, gate, step.view());
            }
        }
        if let Some(step) = steps.next() {
            let units = dense.kernel.nrows();
            dense.kernel += &step.slice(s![..units, ..]);
            dense.bias += &step.row(units);
        }
    }
}

/// One gate's columns of all weights of a cell, one below the other.
fn gate_block(cell: &CellWeights, gate: usize) -> Array2<f32> {
    let columns = s![.., gate * cell.units()..(gate + 1) * cell.units()];
    stack(&[cell.kernel.slice(columns), cell.recurrent_kernel.slice(columns), cell.bias.slice(columns)])
}

fn stack(parts: &[ArrayView2<'_, f32>]) -> Array2<f32> {
    concatenate(Axis(0), parts).expect("matrices of one width")
}

/// Adds to one gate's columns what [`gate_block`] has the layout of.
fn add_to_gate(cell: &mut CellWeights, gate: usize, step: ArrayView2<'_, f32>) {
    let (inputs, units) = (cell.inputs(), cell.units());
    let columns = s![.., gate * units..(gate + 1) * units];
    let add = |mut weights: ArrayViewMut2<'_, f32>, step: ArrayView2<'_, f32>| weights += &step;
    add(cell.kernel.slice_mut(columns), step.slice(s![..inputs, ..]));
    add(cell.recurrent_kernel.slice_mut(columns), step.slice(s![inputs..inputs + units, ..]));
    add(cell.bias.slice_mut(columns), step.slice(s![inputs + units.., ..]));
}

impl Block {
    fn new((rows, columns): (usize, usize)) -> Self {
        Self {
            momentum: Array2::zeros((rows, columns)),
            square: Array2::zeros((rows, columns)),
            left: Basis::new(rows),
            right: Basis::new(columns),
        }
    }

    /// Whether all its matrices are of its size.
    fn is_whole(&self) -> bool {
        let (rows, columns) = self.momentum.dim();
        let sides = |Basis { covariance, directions }: &Basis| [covariance.dim(), directions.dim()];
        self.square.dim() == (rows, columns)
            && sides(&self.left) == [(rows, rows); 2]
            && sides(&self.right) == [(columns, columns); 2]
    }

    /// What to add to the weights.
    fn step(&mut self, gradient: Array2<f32>, rule: Rule) -> Array2<f32> {
        if rule.step % rule.period == 1 % rule.period {
            self.turn(&gradient, rule.beta_covariance);
        }
        let Self { momentum, square, left, right } = self;
        let turned = product(tensor(&left.directions), tensor(&gradient));
        let gradient = product(tensor(&turned), tensor(&right.directions).transpose());
        momentum.zip_mut_with(&gradient, |m, g| *m += (g - *m) * (1.0 - rule.beta_1));
        square.zip_mut_with(&gradient, |v, g| *v += (g * g - *v) * (1.0 - rule.beta_2));

        let correction = |beta: f32| (1.0 - f64::from(beta).powi(rule.step as i32)) as f32;
        let (first, second) = (correction(rule.beta_1), correction(rule.beta_2));
        let mut step = gradient;
        Zip::from(&mut step).and(momentum).and(square).for_each(|step, m, v| {
            let whole = (*m / first) / ((*v / second).sqrt() + rule.epsilon);
            *step = -rule.learning_rate * whole.clamp(-1.0, 1.0);
        });
        let turned_back = product(tensor(&left.directions).transpose(), tensor(&step));
        product(tensor(&turned_back), tensor(&right.directions))
    }

    /// Takes a gradient into the covariances, and turns the bases, and M with them.
    fn turn(&mut self, gradient: &Array2<f32>, keep: f32) {
        let Self { momentum, left, right, .. } = self;
        let gradient = tensor(gradient);
        let left = left.turn(product(gradient, gradient.transpose()), keep);
        let right = right.turn(product(gradient.transpose(), gradient), keep);
        let turned = product(tensor(&left), tensor(momentum));
        *momentum = product(tensor(&turned), tensor(&right).transpose());
    }
}

impl Basis {
    fn new(size: usize) -> Self {
        Self { covariance: Array2::zeros((size, size)), directions: Array2::eye(size) }
    }

    /// Takes G·Gᵀ or Gᵀ·G in, and goes one step of subspace iteration. Returns the new directions in terms of the old.
    fn turn(&mut self, square: Array2<f32>, keep: f32) -> Array2<f32> {
        self.covariance.zip_mut_with(&square, |mean, new| *mean += (new - *mean) * (1.0 - keep));
        let old = tensor(&self.directions);
        let mut turned = product(old, tensor(&self.covariance)).mapv(f64::from);
        // a little of the old directions keeps those without a gradient, and those with one and the same, apart; beside
        // the others it is too little for f32
        let mean = self.covariance.diag().sum() / self.covariance.nrows() as f32;
        let least = f64::from(LEAST_VARIANCE.max(f32::EPSILON * mean));
        turned.zip_mut_with(&self.directions, |turned, old| *turned += least * f64::from(*old));
        orthonormalise_rows(&mut turned);
        let turned = turned.mapv(|value| value as f32);
        let turn = product(tensor(&turned), tensor(&self.directions).transpose());
        self.directions = turned;
        turn
    }
}

fn product(a: Matrix<'_>, b: Matrix<'_>) -> Array2<f32> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    set_product(a, b, tensor_mut(&mut out));
    out
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use refrain::CellKind;

    use super::*;
    use crate::nn::init;

    const RULE: Rule = Rule {
        learning_rate: 0.01,
        scale: 1.0,
        beta_1: 0.9,
        beta_2: 0.999,
        beta_covariance: 0.9,
        epsilon: 1e-8,
        period: 10,
        step: 1,
    };

    fn uniform(size: (usize, usize), seed: u64) -> Array2<f32> {
        let mut matrix = Array2::zeros(size);
        init::glorot_uniform(&mut matrix, &mut ChaCha8Rng::seed_from_u64(seed));
        matrix
    }

    fn greatest(matrix: &Array2<f32>) -> f32 {
        matrix.iter().fold(0.0, |greatest, value| greatest.max(value.abs()))
    }

    #[test]
    fn directions_approach_the_eigenvectors() {
        // an orthogonal matrix of known eigenvectors, and eigenvalues from 1 down to 1/10000
        let mut vectors = Array2::zeros((9, 9));
        init::orthogonal(&mut vectors, &mut ChaCha8Rng::seed_from_u64(1));
        let values = Array2::from_diag(&Array1::from_shape_fn(9, |i| 10f32.powf(-0.5 * i as f32)));
        let mut basis = Basis::new(9);
        let covariance = vectors.t().dot(&values).dot(&vectors);
        (0..20).for_each(|_| drop(basis.turn(covariance.clone(), 0.9)));
        let difference = basis.directions.dot(&vectors.t()).mapv(f32::abs) - Array2::<f32>::eye(9);
        assert!(greatest(&difference) < 1e-3, "{difference}");
    }

    #[test]
    fn directions_stay_orthonormal_whatever_the_gradients() {
        let wide = uniform((12, 3), 2);
        let equal_rows = Array2::from_shape_fn((12, 3), |(_, column)| wide[[0, column]]);
        for gradient in [Array2::zeros((12, 3)), &wide * 1e-20, &wide * 1e15, equal_rows, wide.clone()] {
            let mut block = Block::new(gradient.dim());
            for step in 1..30 {
                let change = block.step(gradient.clone(), Rule { step, ..RULE });
                assert!(change.iter().all(|value| value.is_finite()), "step {step}: {change}");
            }
            for Basis { directions, .. } in [&block.left, &block.right] {
                let difference = directions.dot(&directions.t()) - Array2::<f32>::eye(directions.nrows());
                assert!(greatest(&difference) < 1e-5, "{difference}");
            }
        }
    }

    #[test]
    fn a_narrow_valley_across_the_axes_is_descended_in_few_steps() {
        // L(W) = |A·(W - T)·B|² / 2, whose gradient is AᵀA·(W - T)·BBᵀ
        let narrow = |size, seed| {
            let mut turn = Array2::zeros((size, size));
            init::orthogonal(&mut turn, &mut ChaCha8Rng::seed_from_u64(seed));
            let widths = Array2::from_diag(&Array1::from_shape_fn(size, |i| 0.5f32.powi(i as i32)));
            turn.t().dot(&widths).dot(&turn)
        };
        let (left, right, target) = (narrow(8, 1), narrow(6, 2), uniform((8, 6), 3));
        let loss_after = |period| {
            let (mut weights, mut block) = (Array2::zeros((8, 6)), Block::new((8, 6)));
            for step in 1..=300 {
                let gradient = left.dot(&(&weights - &target)).dot(&right);
                weights += &block.step(gradient, Rule { period, step, ..RULE });
            }
            let off = weights - &target;
            0.5 * (&off * &left.dot(&off).dot(&right)).sum()
        };
        // with a basis that never turns again it is plain Adam, but for the first step
        let (soap, adam) = (loss_after(10), loss_after(u32::MAX));
        assert!(soap < 0.3 * adam, "{soap} against {adam}");
    }

    #[test]
    fn every_weight_of_a_cell_is_in_one_gates_block() {
        for kind in CellKind::ALL {
            let cell = CellWeights::random(kind, 3, 2, &mut ChaCha8Rng::seed_from_u64(4));
            let mut sum = CellWeights::zeros(kind, 3, 2);
            (0..kind.gates()).for_each(|gate| add_to_gate(&mut sum, gate, gate_block(&cell, gate).view()));
            assert_eq!(sum, cell, "{kind}");
        }
    }
}
