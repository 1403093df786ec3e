//! Cell, batch normalisation and dense layer together, and their weights by name.

use ndarray::{Array2, Array3, ArrayView3, ArrayViewD, ArrayViewMutD, Axis, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use refrain::{CellKind, Shape};

use super::batch_norm::BatchNormalization;
use super::cell::{CellWeights, Tape};
use super::dense::Dense;

/// Sequences that go through inference together.
const INFERENCE_ROWS: usize = 32;

/// A recurrent cell, batch normalisation of its last hidden state, and a dense layer of logits.
///
/// ```
/// use refrain::{CellKind, Shape};
/// use refrain_trainer::nn::Network;
///
/// let shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };
/// assert_eq!(Network::new(CellKind::Lstm, shape, 1).parameter_count(), 24_714);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The recurrent cell.
    pub cell: CellWeights,
    /// Normalises the last hidden state.
    pub batch_normalization: BatchNormalization,
    /// Maps the normalised state to logits.
    pub dense: Dense,
}

/// One named tensor of a network, to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter<'a> {
    /// Keras's name: `cell/kernel`, `batch_normalization/gamma`, ...
    pub name: &'static str,
    /// Whether the optimiser changes it; the moving statistics are not trainable.
    pub trainable: bool,
    /// Its values in Keras's shape, contiguous.
    pub values: ArrayViewD<'a, f32>,
}

/// One named tensor of a network, to write.
#[derive(Debug, PartialEq)]
pub struct ParameterMut<'a> {
    /// As in [`Parameter`].
    pub name: &'static str,
    /// As in [`Parameter`].
    pub trainable: bool,
    /// As in [`Parameter`].
    pub values: ArrayViewMutD<'a, f32>,
}

/// Every state that a batch of sequences passed through.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Hidden state after each timestep, `[batch, timesteps, units]`.
    pub hidden: Array3<f32>,
    /// For the LSTM, the cell state after each timestep, `[batch, timesteps, units]`.
    pub cell: Option<Array3<f32>>,
}

impl Network {
    /// A network with Keras's initial weights, drawn from `seed`.
    pub fn new(cell: CellKind, shape: Shape, seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let (units, outputs) = (usize::from(shape.units), usize::from(shape.outputs));
        Self {
            cell: CellWeights::random(cell, shape, rng),
            batch_normalization: BatchNormalization::new(units),
            dense: Dense::random(units, outputs, rng),
        }
    }

    /// A network to put weights into: kernels and biases are zero.
    pub fn zeros(cell: CellKind, shape: Shape) -> Self {
        let (units, outputs) = (usize::from(shape.units), usize::from(shape.outputs));
        Self {
            cell: CellWeights::zeros(cell, shape),
            batch_normalization: BatchNormalization::new(units),
            dense: Dense::zeros(units, outputs),
        }
    }

    /// Which cell it has.
    pub fn kind(&self) -> CellKind {
        self.cell.kind
    }

    /// Its sizes.
    pub fn shape(&self) -> Shape {
        let size = |n: usize| u16::try_from(n).expect("a network is made from a `Shape`");
        Shape {
            inputs: size(self.cell.inputs()),
            units: size(self.cell.units()),
            outputs: size(self.dense.bias.len()),
            layers: 1,
        }
    }

    /// Number of weights, moving statistics included, as Keras counts them.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|p| p.values.len()).sum()
    }

    /// All weights in Keras's order.
    pub fn parameters(&self) -> [Parameter<'_>; 9] {
        let Self { cell, batch_normalization: norm, dense } = self;
        let bias = match cell.kind {
            CellKind::Gru => cell.bias.view().into_dyn(),
            CellKind::SimpleRnn | CellKind::Lstm => cell.bias.row(0).into_dyn(),
        };
        let parameter = |name, trainable, values| Parameter { name, trainable, values };
        [
            parameter("cell/kernel", true, cell.kernel.view().into_dyn()),
            parameter("cell/recurrent_kernel", true, cell.recurrent_kernel.view().into_dyn()),
            parameter("cell/bias", true, bias),
            parameter("batch_normalization/gamma", true, norm.gamma.view().into_dyn()),
            parameter("batch_normalization/beta", true, norm.beta.view().into_dyn()),
            parameter("batch_normalization/moving_mean", false, norm.moving_mean.view().into_dyn()),
            parameter("batch_normalization/moving_variance", false, norm.moving_variance.view().into_dyn()),
            parameter("dense/kernel", true, dense.kernel.view().into_dyn()),
            parameter("dense/bias", true, dense.bias.view().into_dyn()),
        ]
    }

    /// [`parameters`](Self::parameters), to write to.
    pub fn parameters_mut(&mut self) -> [ParameterMut<'_>; 9] {
        let Self { cell, batch_normalization: norm, dense } = self;
        let bias = match cell.kind {
            CellKind::Gru => cell.bias.view_mut().into_dyn(),
            CellKind::SimpleRnn | CellKind::Lstm => cell.bias.row_mut(0).into_dyn(),
        };
        let parameter = |name, trainable, values| ParameterMut { name, trainable, values };
        [
            parameter("cell/kernel", true, cell.kernel.view_mut().into_dyn()),
            parameter("cell/recurrent_kernel", true, cell.recurrent_kernel.view_mut().into_dyn()),
            parameter("cell/bias", true, bias),
            parameter("batch_normalization/gamma", true, norm.gamma.view_mut().into_dyn()),
            parameter("batch_normalization/beta", true, norm.beta.view_mut().into_dyn()),
            parameter("batch_normalization/moving_mean", false, norm.moving_mean.view_mut().into_dyn()),
            parameter(
                "batch_normalization/moving_variance",
                false,
                norm.moving_variance.view_mut().into_dyn(),
            ),
            parameter("dense/kernel", true, dense.kernel.view_mut().into_dyn()),
            parameter("dense/bias", true, dense.bias.view_mut().into_dyn()),
        ]
    }

    /// Logits `[batch, outputs]` of the sequences `x` `[batch, timesteps, inputs]`, with the moving statistics.
    ///
    /// Runs on rayon's current thread pool.
    ///
    /// # Panics
    /// If `x` has other features than the network.
    pub fn infer(&self, x: ArrayView3<'_, f32>) -> Array2<f32> {
        let mut logits = Array2::zeros((x.len_of(Axis(0)), self.dense.bias.len()));
        let shards: Vec<_> = x
            .axis_chunks_iter(Axis(0), INFERENCE_ROWS)
            .zip(logits.axis_chunks_iter_mut(Axis(0), INFERENCE_ROWS))
            .collect();
        shards.into_par_iter().for_each_init(Tape::default, |tape, (x, mut logits)| {
            tape.load(&self.cell, x);
            self.cell.forward(tape);
            let normalised = self.batch_normalization.infer(tape.last_hidden());
            logits.assign(&self.dense.forward(normalised.view()));
        });
        logits
    }

    /// Every hidden state of the sequences `x` `[batch, timesteps, inputs]`, and every cell state if there is one.
    ///
    /// # Panics
    /// If `x` has other features than the network.
    pub fn trace(&self, x: ArrayView3<'_, f32>) -> Trace {
        let (batch, timesteps, _) = x.dim();
        let size = (batch, timesteps, self.cell.units());
        let mut hidden = Array3::zeros(size);
        let mut cell = (self.kind() == CellKind::Lstm).then(|| Array3::zeros(size));
        let mut tape = Tape::default();
        for start in (0..batch).step_by(INFERENCE_ROWS) {
            let rows = start..batch.min(start + INFERENCE_ROWS);
            tape.load(&self.cell, x.slice(s![rows.clone(), .., ..]));
            self.cell.forward(&mut tape);
            hidden.slice_mut(s![rows.clone(), .., ..]).assign(&tape.batch_major(&tape.hidden));
            if let Some(cell) = &mut cell {
                cell.slice_mut(s![rows, .., ..]).assign(&tape.batch_major(&tape.cell));
            }
        }
        Trace { hidden, cell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };

    #[test]
    fn parameter_counts_are_those_of_keras() {
        for (cell, count) in CellKind::ALL.into_iter().zip([6_858, 24_714, 18_954]) {
            assert_eq!(Network::new(cell, SHAPE, 0).parameter_count(), count, "{cell}");
        }
    }

    #[test]
    fn names_and_shapes_are_the_same_to_read_and_to_write() {
        for cell in CellKind::ALL {
            let mut network = Network::new(cell, SHAPE, 0);
            let read = network.clone();
            for (to, from) in network.parameters_mut().iter().zip(read.parameters()) {
                assert_eq!((to.name, to.trainable), (from.name, from.trainable));
                assert_eq!(to.values, from.values);
            }
            assert_eq!(read.shape(), SHAPE);
        }
    }

    #[test]
    fn seeds_differ() {
        let of = |seed| Network::new(CellKind::Gru, SHAPE, seed);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn logits_come_from_the_last_hidden_state_of_the_trace() {
        for kind in CellKind::ALL {
            let network = Network::new(kind, Shape { inputs: 3, units: 5, outputs: 4, layers: 1 }, 3);
            // More sequences than one shard of inference holds, and not a whole number of shards.
            let x = Array3::from_shape_fn((70, 6, 3), |(b, t, i)| ((b * 18 + t * 3 + i) as f32).sin());
            let trace = network.trace(x.view());
            let last = trace.hidden.slice(s![.., 5, ..]);
            let logits = network.dense.forward(network.batch_normalization.infer(last).view());
            let difference = (logits - network.infer(x.view())).mapv(f32::abs);
            assert!(difference.iter().all(|d| *d < 1e-6), "{kind}: {difference}");
            assert_eq!(trace.cell.is_some(), kind == CellKind::Lstm);
        }
    }
}
