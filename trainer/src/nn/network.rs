//! Recurrent layers, batch normalisation and dense layer together, and their weights by name.

use ndarray::{Array2, Array3, ArrayView2, ArrayViewD, ArrayViewMutD, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use refrain::{CellKind, MAX_LAYERS, Shape};
use serde::{Deserialize, Serialize};

use super::batch::{Padded, Steps};
use super::batch_norm::BatchNormalization;
use super::cell::CellWeights;
use super::dense::Dense;
use super::record::Record;
use super::stack::{Layer, Stack};

/// Sequences that go through inference together.
const INFERENCE_ROWS: usize = 32;

/// Names of the tensors of each recurrent layer, as Keras names layers of one name: `cell`, `cell_1`, `cell_2`.
pub(super) const CELL_NAMES: [[&str; 3]; MAX_LAYERS] = [
    ["cell/kernel", "cell/recurrent_kernel", "cell/bias"],
    ["cell_1/kernel", "cell_1/recurrent_kernel", "cell_1/bias"],
    ["cell_2/kernel", "cell_2/recurrent_kernel", "cell_2/bias"],
];

/// Recurrent layers, batch normalisation of the last one's hidden state, and a dense layer of logits.
///
/// ```
/// use refrain::{CellKind, Shape};
/// use refrain_trainer::nn::Network;
///
/// let shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };
/// assert_eq!(Network::new(CellKind::Lstm, shape, 1).parameter_count(), 24_714);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Record", try_from = "Record")]
pub struct Network {
    /// The recurrent layers, all of one cell and as many units. The first reads the inputs, each other one the hidden
    /// states of the layer before it.
    pub layers: Vec<CellWeights>,
    /// Normalises the last layer's hidden state.
    pub batch_normalization: BatchNormalization,
    /// Maps the normalised state to logits.
    pub dense: Dense,
}

/// One named tensor of a network, to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter<'a> {
    /// Keras's name: `cell/kernel`, `cell_1/kernel`, `batch_normalization/gamma`, ...
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

/// Every state that a batch of sequences passed through in one layer. After the end of a sequence its state is held.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Hidden state after each timestep, `[batch, timesteps, units]`.
    pub hidden: Array3<f32>,
    /// For the LSTM, the cell state after each timestep, `[batch, timesteps, units]`.
    pub cell: Option<Array3<f32>>,
}

impl Network {
    /// A network with Keras's initial weights, drawn from `seed`.
    ///
    /// # Panics
    /// If there are no layers or more than [`MAX_LAYERS`].
    pub fn new(cell: CellKind, shape: Shape, seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut network = Self::zeros(cell, shape);
        for layer in &mut network.layers {
            *layer = CellWeights::random(cell, layer.inputs(), layer.units(), rng);
        }
        network.dense = Dense::random(shape.units.into(), shape.outputs.into(), rng);
        network
    }

    /// A network to put weights into: kernels and biases are zero.
    ///
    /// # Panics
    /// If there are no layers or more than [`MAX_LAYERS`].
    pub fn zeros(cell: CellKind, shape: Shape) -> Self {
        let layers = usize::from(shape.layers);
        assert!((1..=MAX_LAYERS).contains(&layers), "{layers} layers of 1 to {MAX_LAYERS}");
        let (inputs, units) = (usize::from(shape.inputs), usize::from(shape.units));
        let layer = |index| CellWeights::zeros(cell, if index == 0 { inputs } else { units }, units);
        Self {
            layers: (0..layers).map(layer).collect(),
            batch_normalization: BatchNormalization::new(units),
            dense: Dense::zeros(units, shape.outputs.into()),
        }
    }

    /// Which cell its recurrent layers are.
    pub fn kind(&self) -> CellKind {
        self.layers[0].kind
    }

    /// Its sizes.
    pub fn shape(&self) -> Shape {
        let size = |n: usize| u16::try_from(n).expect("a network is made from a `Shape`");
        Shape {
            inputs: size(self.layers[0].inputs()),
            units: size(self.units()),
            outputs: size(self.outputs()),
            layers: self.layers.len() as u8,
        }
    }

    /// Length of the hidden state of each layer.
    pub fn units(&self) -> usize {
        self.layers[0].units()
    }

    /// Logits, or values.
    pub fn outputs(&self) -> usize {
        self.dense.bias.len()
    }

    /// Number of weights, moving statistics included, as Keras counts them.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|p| p.values.len()).sum()
    }

    /// All weights in Keras's order.
    pub fn parameters(&self) -> Vec<Parameter<'_>> {
        let Self { layers, batch_normalization: norm, dense } = self;
        let parameter = |name, trainable, values| Parameter { name, trainable, values };
        let mut parameters = Vec::new();
        for (cell, [kernel, recurrent_kernel, bias]) in layers.iter().zip(CELL_NAMES) {
            parameters.push(parameter(kernel, true, cell.kernel.view().into_dyn()));
            parameters.push(parameter(recurrent_kernel, true, cell.recurrent_kernel.view().into_dyn()));
            parameters.push(parameter(bias, true, cell.bias_as_in_keras()));
        }
        parameters.extend([
            parameter("batch_normalization/gamma", true, norm.gamma.view().into_dyn()),
            parameter("batch_normalization/beta", true, norm.beta.view().into_dyn()),
            parameter("batch_normalization/moving_mean", false, norm.moving_mean.view().into_dyn()),
            parameter("batch_normalization/moving_variance", false, norm.moving_variance.view().into_dyn()),
            parameter("dense/kernel", true, dense.kernel.view().into_dyn()),
            parameter("dense/bias", true, dense.bias.view().into_dyn()),
        ]);
        parameters
    }

    /// [`parameters`](Self::parameters), to write to.
    pub fn parameters_mut(&mut self) -> Vec<ParameterMut<'_>> {
        let Self { layers, batch_normalization: norm, dense } = self;
        let parameter = |name, trainable, values| ParameterMut { name, trainable, values };
        let mut parameters = Vec::new();
        for (cell, [kernel, recurrent_kernel, bias]) in layers.iter_mut().zip(CELL_NAMES) {
            parameters.push(parameter(kernel, true, cell.kernel.view_mut().into_dyn()));
            parameters.push(parameter(recurrent_kernel, true, cell.recurrent_kernel.view_mut().into_dyn()));
            let values = match cell.kind {
                CellKind::Gru => cell.bias.view_mut().into_dyn(),
                CellKind::SimpleRnn | CellKind::Lstm => cell.bias.row_mut(0).into_dyn(),
            };
            parameters.push(parameter(bias, true, values));
        }
        let moving_variance = norm.moving_variance.view_mut().into_dyn();
        parameters.extend([
            parameter("batch_normalization/gamma", true, norm.gamma.view_mut().into_dyn()),
            parameter("batch_normalization/beta", true, norm.beta.view_mut().into_dyn()),
            parameter("batch_normalization/moving_mean", false, norm.moving_mean.view_mut().into_dyn()),
            parameter("batch_normalization/moving_variance", false, moving_variance),
            parameter("dense/kernel", true, dense.kernel.view_mut().into_dyn()),
            parameter("dense/bias", true, dense.bias.view_mut().into_dyn()),
        ]);
        parameters
    }

    /// Copies the values of `other`, of the same cell and shape, into this network.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn assign(&mut self, other: &Self) {
        for (mut to, from) in self.parameters_mut().into_iter().zip(other.parameters()) {
            to.values.assign(&from.values);
        }
    }

    /// Logits `[sequences, outputs]` after the last timestep of each sequence, with the moving statistics.
    ///
    /// Runs on rayon's current thread pool.
    ///
    /// # Panics
    /// If the sequences have other features than the network.
    pub fn infer<'a>(&self, sequences: impl Into<Padded<'a>>) -> Array2<f32> {
        self.infer_at(Steps::Last, sequences)
    }

    /// Logits `[read-outs, outputs]` at the timesteps and in the order that `steps` says, with the moving statistics.
    ///
    /// Runs on rayon's current thread pool.
    ///
    /// # Panics
    /// If the sequences have other features than the network.
    pub fn infer_at<'a>(&self, steps: Steps, sequences: impl Into<Padded<'a>>) -> Array2<f32> {
        read_out_all(&self.layers, steps, sequences.into(), self.outputs(), |hidden| {
            self.dense.forward(self.batch_normalization.infer(hidden).view())
        })
    }

    /// Sets the moving statistics of the batch normalisation to the statistics of what it reads for these sequences, of which
    /// there are to be more than one. While the weights move on, moving statistics are those of some network before.
    ///
    /// Runs on rayon's current thread pool.
    ///
    /// # Panics
    /// If the sequences have other features than the network.
    pub fn estimate_statistics<'a>(&mut self, steps: Steps, sequences: impl Into<Padded<'a>>) {
        let hidden =
            read_out_all(&self.layers, steps, sequences.into(), self.units(), |hidden| hidden.to_owned());
        self.batch_normalization.set_statistics(hidden.view());
    }

    /// Every hidden state of each layer, and every cell state if there is one.
    ///
    /// # Panics
    /// If the sequences have other features than the network.
    pub fn trace<'a>(&self, sequences: impl Into<Padded<'a>>) -> Vec<Trace> {
        let sequences = sequences.into();
        let size = (sequences.count(), sequences.capacity(), self.units());
        let mut traces = vec![Trace::zeros(self.kind(), size); self.layers.len()];
        let mut stack = Stack::default();
        for (index, shard) in sequences.shards(INFERENCE_ROWS).enumerate() {
            stack.forward(&self.layers, shard, None);
            let rows = index * INFERENCE_ROWS..index * INFERENCE_ROWS + shard.count();
            for (trace, tape) in traces.iter_mut().zip(&stack.tapes) {
                stack.timeline.hold(&tape.hidden, trace.hidden.slice_mut(s![rows.clone(), .., ..]));
                if let Some(cell) = &mut trace.cell {
                    stack.timeline.hold(&tape.cell, cell.slice_mut(s![rows.clone(), .., ..]));
                }
            }
        }
        traces
    }
}

impl Trace {
    fn zeros(kind: CellKind, size: (usize, usize, usize)) -> Self {
        Self { hidden: Array3::zeros(size), cell: (kind == CellKind::Lstm).then(|| Array3::zeros(size)) }
    }
}

/// What `dense` makes of the hidden states that `steps` reads out, `[read-outs, outputs]`.
///
/// Runs on rayon's current thread pool.
pub(super) fn read_out_all<T: Copy + Default + Send>(
    layers: &[impl Layer + Sync],
    steps: Steps,
    sequences: Padded<'_>,
    outputs: usize,
    dense: impl Fn(ArrayView2<'_, f32>) -> Array2<T> + Sync,
) -> Array2<T> {
    let units = layers[0].weights().units();
    let mut logits = Array2::default((sequences.targets(steps), outputs));
    let mut rest = logits.as_slice_mut().expect("made in standard layout");
    let mut shards = Vec::new();
    for shard in sequences.shards(INFERENCE_ROWS) {
        let (own, after) = rest.split_at_mut(shard.targets(steps) * outputs);
        shards.push((shard, own));
        rest = after;
    }
    let buffers = || (Stack::default(), Vec::new());
    shards.into_par_iter().for_each_init(buffers, |(stack, hidden), (shard, logits)| {
        stack.forward(layers, shard, None);
        hidden.resize(shard.targets(steps) * units, 0.0);
        stack.read_out(steps, units, hidden);
        let hidden = ArrayView2::from_shape((hidden.len() / units, units), hidden).expect("whole states");
        logits.iter_mut().zip(&dense(hidden)).for_each(|(to, from)| *to = *from);
    });
    logits
}

#[cfg(test)]
mod tests {
    use ndarray::Axis;

    use super::*;

    const SHAPE: Shape = Shape { inputs: 28, units: 64, outputs: 10, layers: 1 };

    #[test]
    fn parameter_counts_are_those_of_keras() {
        for (cell, count) in CellKind::ALL.into_iter().zip([6_858, 24_714, 18_954]) {
            assert_eq!(Network::new(cell, SHAPE, 0).parameter_count(), count, "{cell}");
        }
        // a second layer has a kernel of [64, gates * 64] where the first has [28, gates * 64]
        for (cell, count) in CellKind::ALL.into_iter().zip([15_114, 57_738, 43_914]) {
            assert_eq!(
                Network::new(cell, Shape { layers: 2, ..SHAPE }, 0).parameter_count(),
                count,
                "{cell}"
            );
        }
    }

    #[test]
    fn names_and_shapes_are_the_same_to_read_and_to_write() {
        for cell in CellKind::ALL {
            let mut network = Network::new(cell, Shape { layers: 3, ..SHAPE }, 0);
            let read = network.clone();
            let (to, from) = (network.parameters_mut(), read.parameters());
            assert_eq!(to.len(), from.len());
            for (to, from) in to.iter().zip(&from) {
                assert_eq!((to.name, to.trainable), (from.name, from.trainable));
                assert_eq!(to.values, from.values);
            }
            let kernels = from.iter().filter(|p| p.name.ends_with("/kernel"));
            let names: Vec<_> = kernels.map(|p| (p.name, p.values.shape()[0])).collect();
            let expected =
                [("cell/kernel", 28), ("cell_1/kernel", 64), ("cell_2/kernel", 64), ("dense/kernel", 64)];
            assert_eq!(names, expected);
            assert_eq!(read.shape(), Shape { layers: 3, ..SHAPE });
        }
    }

    #[test]
    fn estimated_statistics_normalise_what_they_were_estimated_on() {
        let mut network =
            Network::new(CellKind::Lstm, Shape { inputs: 3, units: 5, outputs: 5, layers: 2 }, 3);
        network.dense.kernel = Array2::eye(5);
        let x = Array3::from_shape_fn((70, 6, 3), |(b, t, i)| 3.0 * ((b * 18 + t * 3 + i) as f32).sin());
        network.estimate_statistics(Steps::Every, x.view());
        let normalised = network.infer_at(Steps::Every, x.view());
        let (mean, variance) = (normalised.mean_axis(Axis(0)).unwrap(), normalised.var_axis(Axis(0), 0.0));
        assert!(mean.iter().all(|mean| mean.abs() < 1e-4), "{mean}");
        // ε takes its part where there is little to divide by
        assert!(variance.iter().all(|&variance| variance > 0.1 && variance < 1.0), "{variance}");
    }

    #[test]
    fn seeds_differ_and_so_do_layers() {
        let of = |seed| Network::new(CellKind::Gru, Shape { layers: 2, ..SHAPE }, seed);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_ne!(of(1).layers[0].recurrent_kernel, of(1).layers[1].recurrent_kernel);
    }

    #[test]
    fn logits_come_from_the_last_hidden_state_of_the_trace() {
        for kind in CellKind::ALL {
            let network = Network::new(kind, Shape { inputs: 3, units: 5, outputs: 4, layers: 2 }, 3);
            // More sequences than one shard of inference holds, and not a whole number of shards.
            let x = Array3::from_shape_fn((70, 6, 3), |(b, t, i)| ((b * 18 + t * 3 + i) as f32).sin());
            let lengths: Vec<usize> = (0..70).map(|sequence| 1 + sequence % 6).collect();
            let ragged = Padded::new(x.view(), &lengths);
            let traces = network.trace(ragged);
            let last = traces[1].hidden.slice(s![.., 5, ..]);
            let logits = network.dense.forward(network.batch_normalization.infer(last).view());
            let difference = (logits - network.infer(ragged)).mapv(f32::abs);
            assert!(difference.iter().all(|d| *d < 1e-6), "{kind}: {difference}");
            assert!(traces.iter().all(|trace| trace.cell.is_some() == (kind == CellKind::Lstm)));
        }
    }
}
