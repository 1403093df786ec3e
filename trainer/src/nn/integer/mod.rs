//! The forward pass in the runtime's own integers, a batch at a time, for training a network that knows of its
//! rounding.
//!
//! An [`IntegerNetwork`] holds the numbers of a model file as matrices. Its forward pass gives the logits that
//! [`refrain`] computes from that file, bit for bit: every accumulator stays below 2^23 in magnitude, so a matrix product
//! in f32 over integers is exact whatever the order of its sums, and everything else is the runtime's own functions of
//! [`refrain::fixed`] and [`refrain::activation`].
//!
//! What it computes is written onto the tape as real numbers, so that the backward pass of the f32 cells runs on
//! it as it is, with the weights as the integers stand for them. Rounding has no slope; its gradient is taken to be one
//! ("straight through": Bengio et al. 2013, arXiv:1308.3432; for whole networks Jacob et al. 2018, arXiv:1712.05877), and
//! the f32 weights behind the integers are what the optimiser changes.

mod cells;
mod input;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use refrain::CellKind;
use refrain::fixed::{LOGIT_BITS, requantise};

use super::batch::{Padded, Steps};
use super::batch_norm::BatchNormalization;
use super::cell::{CellWeights, Tape};
use super::dense::Dense;
use super::network::read_out_all;
use super::stack::Layer;
use super::timeline::Timeline;
pub use input::{Inputs, IntegerInput};

/// A network in integers, and in the real numbers that they stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegerNetwork {
    /// The recurrent layers.
    pub layers: Vec<IntegerLayer>,
    /// The dense layer, with batch normalisation folded into it.
    pub dense: IntegerDense,
}

/// Rows of a recurrent layer, as columns in Keras's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegerLayer {
    /// Integer weights; the biases beside them are zero.
    pub integers: CellWeights,
    /// `[gates * units]`, in accumulator units.
    pub biases: Vec<i32>,
    /// `[units]`: what the GRU's candidate adds to its recurrent part; empty for the other cells.
    pub recurrent_biases: Vec<i32>,
    /// `[gates * units]`: what takes an accumulator to a pre-activation.
    pub multipliers: Vec<i32>,
    /// What the integers stand for, which gradients are computed with. The backward pass asks for no biases.
    pub values: CellWeights,
    /// How features become operands; `None` where the layer reads the hidden states of the one below it.
    pub input: Option<IntegerInput>,
    /// Fraction bits of a hidden state as an operand.
    pub operand_bits: u32,
    /// Fraction bits of the LSTM's cell state; 0 for the other cells.
    pub cell_bits: u32,
}

/// Rows of the dense layer, as columns in Keras's layout.
#[derive(Clone, Debug, PartialEq)]
pub struct IntegerDense {
    /// Integer weights and biases.
    pub integers: Dense,
    /// `[outputs]`, what takes an accumulator to a logit.
    pub multipliers: Vec<i32>,
    /// What the integers stand for.
    pub values: Dense,
    /// Fraction bits of a hidden state as an operand.
    pub operand_bits: u32,
}

impl IntegerNetwork {
    /// Logits in Q16, `[read-outs, outputs]`, at the timesteps and in the order that `steps` says. Features are taken to
    /// the nearest samples that the model knows.
    ///
    /// Runs on rayon's current thread pool.
    ///
    /// # Panics
    /// If the sequences have other features than the network.
    pub fn infer_at<'a>(&self, steps: Steps, sequences: impl Into<Padded<'a>>) -> Array2<i32> {
        let outputs = self.dense.multipliers.len();
        read_out_all(&self.layers, steps, sequences.into(), outputs, |hidden| self.dense.logits(hidden))
    }
}

impl Layer for IntegerLayer {
    fn weights(&self) -> &CellWeights {
        &self.values
    }

    fn forward(&self, timeline: &Timeline, tape: &mut Tape) {
        match &self.input {
            Some(input) => input.to_operands(&mut tape.x),
            None => tape.x.iter_mut().for_each(|x| *x = cells::operand(cells::q15(*x), self.operand_bits)),
        }
        match self.values.kind {
            CellKind::SimpleRnn => cells::simple_rnn(self, timeline, tape),
            CellKind::Lstm => cells::lstm(self, timeline, tape),
            CellKind::Gru => cells::gru(self, timeline, tape),
        }
        // the backward pass wants real numbers again
        match &self.input {
            Some(input) => input.to_values(&mut tape.x),
            None => {
                let step = (-(self.operand_bits as f32)).exp2();
                tape.x.iter_mut().for_each(|x| *x *= step);
            }
        }
    }
}

impl IntegerLayer {
    /// The pre-activation of a column whose products come to `products`.
    fn preactivation(&self, products: f32, column: usize) -> i32 {
        requantise(products as i32 + self.biases[column], self.multipliers[column])
    }
}

impl IntegerDense {
    /// Logits in Q16, `[rows, outputs]`, of hidden states `[rows, units]`.
    pub(super) fn logits(&self, hidden: ArrayView2<'_, f32>) -> Array2<i32> {
        let operands = hidden.mapv(|hidden| cells::operand(cells::q15(hidden), self.operand_bits));
        let sums = operands.dot(&self.integers.kernel) + &self.integers.bias;
        let mut logits = sums.mapv(|sum| sum as i32);
        for mut row in logits.rows_mut() {
            for (logit, &multiplier) in row.iter_mut().zip(&self.multipliers) {
                *logit = requantise(*logit, multiplier);
            }
        }
        logits
    }
}

/// Logits in Q16 as real numbers.
pub fn logit_values(logits: &Array2<i32>) -> Array2<f32> {
    logits.mapv(|logit| logit as f32 / (1 << LOGIT_BITS) as f32)
}

/// Gradients by a dense layer's weights, from those by the weights of the layer that `norm` was folded into:
/// with `K'[u, o] = g[u]·K[u, o]` and `b' = b + Kᵀ·(β - μ·g)`,
///
/// ```text
/// dK[u, o] = g[u]·dK'[u, o] + (β - μ·g)[u]·db'[o]        db = db'
/// ```
pub(crate) fn through_fold(norm: &BatchNormalization, folded: &Dense) -> Dense {
    let (gain, offset) = norm.scale_and_offset();
    let column = |values: Array1<f32>| values.insert_axis(Axis(1));
    let kernel = &folded.kernel * &column(gain) + &(column(offset) * &folded.bias);
    Dense { kernel, bias: folded.bias.clone() }
}
