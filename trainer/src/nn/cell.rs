//! What the three recurrent cells share: their weights, and the record of a forward pass.
//!
//! A batch is cut into shards of a few rows, and every shard has a `Tape` for each layer. The forward pass writes onto it
//! all that the backward pass needs; the backward pass then overwrites the activations with gradients, in place.
//!
//! Everything on a tape is time-major, so that one timestep of all rows is one contiguous matrix, and all timesteps
//! together are one too, also where sequences have different lengths (see `timeline`). The products that do not depend
//! on the step before are then single matrix products over all timesteps: `x·K` ahead of the recurrence, and the
//! gradients of both kernels after it.

use std::ops::Range;

use ndarray::{Array2, ArrayViewD, Axis};
use rand_chacha::ChaCha8Rng;
use refrain::CellKind;
use refrain::float::activation::{sigmoid, tanh};

use super::batch::Padded;
use super::dropout::{self, Masks};
use super::product::matrix_mut;
use super::timeline::Timeline;
use super::{gru, init, lstm, simple_rnn};

/// The weights of a recurrent cell in Keras's layout, or their gradients.
///
/// The columns are the gates side by side: `SimpleRNN` has one, `LSTM` i, f, c, o and `GRU` z, r, h.
#[derive(Clone, Debug, PartialEq)]
pub struct CellWeights {
    /// Which cell's equations they belong to.
    pub kind: CellKind,
    /// `[inputs, gates * units]`
    pub kernel: Array2<f32>,
    /// `[units, gates * units]`
    pub recurrent_kernel: Array2<f32>,
    /// `[1, gates * units]`; the GRU has two rows, the bias of `x·K` and the bias of `h·R`.
    pub bias: Array2<f32>,
}

impl CellWeights {
    /// All zeros.
    pub fn zeros(kind: CellKind, inputs: usize, units: usize) -> Self {
        let columns = kind.gates() * units;
        let biases = if kind == CellKind::Gru { 2 } else { 1 };
        Self {
            kind,
            kernel: Array2::zeros((inputs, columns)),
            recurrent_kernel: Array2::zeros((units, columns)),
            bias: Array2::zeros((biases, columns)),
        }
    }

    /// Keras's defaults: a Glorot uniform kernel, an orthogonal recurrent kernel, zero biases, and for the LSTM a
    /// forget gate that starts open (its bias is one).
    pub fn random(kind: CellKind, inputs: usize, units: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut weights = Self::zeros(kind, inputs, units);
        init::glorot_uniform(&mut weights.kernel, rng);
        init::orthogonal(&mut weights.recurrent_kernel, rng);
        if kind == CellKind::Lstm {
            init::unit_forget_bias(&mut weights.bias);
        }
        weights
    }

    /// Features of one timestep.
    pub fn inputs(&self) -> usize {
        self.kernel.nrows()
    }

    /// Length of the hidden state.
    pub fn units(&self) -> usize {
        self.recurrent_kernel.nrows()
    }

    /// Row `index` of the bias, `[gates * units]`.
    pub(super) fn bias_row(&self, index: usize) -> &[f32] {
        self.bias.row(index).to_slice().expect("a bias is kept in standard layout")
    }

    /// [`bias_row`](Self::bias_row), to write to.
    pub(super) fn bias_row_mut(&mut self, index: usize) -> &mut [f32] {
        self.bias.row_mut(index).into_slice().expect("a bias is kept in standard layout")
    }

    /// The bias in the shape that Keras gives it: a vector, but two rows for the GRU.
    pub(super) fn bias_as_in_keras(&self) -> ArrayViewD<'_, f32> {
        match self.kind {
            CellKind::Gru => self.bias.view().into_dyn(),
            CellKind::SimpleRnn | CellKind::Lstm => self.bias.row(0).into_dyn(),
        }
    }

    /// Runs the cell over the sequences loaded onto `tape`.
    pub(super) fn forward(&self, timeline: &Timeline, tape: &mut Tape) {
        match self.kind {
            CellKind::SimpleRnn => simple_rnn::forward(self, timeline, tape),
            CellKind::Lstm => lstm::forward(self, timeline, tape),
            CellKind::Gru => gru::forward(self, timeline, tape),
        }
    }

    /// Runs back through time from `tape.d_hidden`, the gradient of the loss by the last hidden states, and from
    /// `tape.d_outputs`, that by the hidden states of all timesteps. Sets `gradients` to those of this shard.
    pub(super) fn backward(&self, timeline: &Timeline, tape: &mut Tape, gradients: &mut Self) {
        match self.kind {
            CellKind::SimpleRnn => simple_rnn::backward(self, timeline, tape, gradients),
            CellKind::Lstm => lstm::backward(self, timeline, tape, gradients),
            CellKind::Gru => gru::backward(self, timeline, tape, gradients),
        }
    }

    /// After [`backward`](Self::backward): sets `d_x` to the gradient by the inputs of all timesteps, laid out as
    /// `tape.x` is.
    pub(super) fn backward_input(&self, tape: &Tape, d_x: &mut Vec<f32>) {
        d_x.resize(tape.x.len(), 0.0);
        let d_x = matrix_mut(d_x, self.inputs());
        match self.kind {
            CellKind::SimpleRnn => simple_rnn::backward_input(self, tape, d_x),
            CellKind::Lstm => lstm::backward_input(self, tape, d_x),
            CellKind::Gru => gru::backward_input(self, tape, d_x),
        }
    }

    /// Numbers that a tape keeps for a unit at a timestep.
    fn width(&self) -> usize {
        match self.kind {
            CellKind::SimpleRnn => simple_rnn::WIDTH,
            CellKind::Lstm => lstm::WIDTH,
            CellKind::Gru => gru::WIDTH,
        }
    }

    /// Copies the values of `other`, of the same kind and shape, into these.
    pub(super) fn assign(&mut self, other: &Self) {
        self.kernel.assign(&other.kernel);
        self.recurrent_kernel.assign(&other.recurrent_kernel);
        self.bias.assign(&other.bias);
    }

    /// Adds another shard's gradients to these.
    pub(super) fn add(&mut self, other: &Self) {
        self.kernel += &other.kernel;
        self.recurrent_kernel += &other.recurrent_kernel;
        self.bias += &other.bias;
    }
}

/// The record of one shard's pass through one layer. Buffers grow on first use and are kept from step to step.
///
/// A "row" is one sequence of the shard; the rows of every timestep are laid out as the shard's [`Timeline`] says. `total`
/// below are the timesteps of all sequences together, which is `timesteps * rows` where they have equal lengths.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    /// What the layer reads, `[total, inputs]`.
    pub(super) x: Vec<f32>,
    /// Hidden states, `[total + rows, units]`: those before each timestep, zero where a sequence begins, then the last
    /// ones.
    pub(super) hidden: Vec<f32>,
    /// `[total, width]`, where each cell chooses its width and the order in a row: pre-activations, then gates, then
    /// (going back) gradients by the pre-activations.
    pub(super) gates: Vec<f32>,
    /// LSTM only: cell states, laid out as `hidden`.
    pub(super) cell: Vec<f32>,
    /// LSTM only: `tanh(c)`, `[total, units]`.
    pub(super) cell_tanh: Vec<f32>,
    /// Gradient by the hidden state of the timestep at hand, `[rows, units]`.
    pub(super) d_hidden: Vec<f32>,
    /// Gradient by the hidden states after each timestep from elsewhere than the timestep after it: from the layer above
    /// or from a loss at every timestep, `[total, units]`. Empty where there is none, as in a single layer that is read
    /// out at its end.
    pub(super) d_outputs: Vec<f32>,
    /// LSTM only: gradient by the cell state of the timestep at hand, `[rows, units]`.
    pub(super) d_cell: Vec<f32>,
    /// The transposed recurrent kernel, `[gates * units, units]`.
    pub(super) recurrent_transposed: Vec<f32>,
}

impl Tape {
    /// Copies sequences onto the tape, for a first layer of `weights`' kind and size.
    pub(super) fn load(&mut self, weights: &CellWeights, timeline: &Timeline, sequences: Padded<'_>) {
        let inputs = weights.inputs();
        assert_eq!(
            sequences.inputs(),
            inputs,
            "a timestep must have as many features as the kernel has rows"
        );
        self.prepare(weights, timeline);
        for (row, (sequence, length)) in timeline.sequences().enumerate() {
            let timesteps = sequences.sequence(sequence);
            for (s, features) in timesteps.axis_iter(Axis(0)).take(length).enumerate() {
                let at = timeline.position(row, s) * inputs;
                let to = &mut self.x[at..at + inputs];
                match features.as_slice() {
                    Some(features) => to.copy_from_slice(features),
                    None => to.iter_mut().zip(features).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }

    /// Copies the hidden states of `below`, layer number `layer`, onto the tape of the layer above it.
    pub(super) fn load_from(
        &mut self,
        weights: &CellWeights,
        timeline: &Timeline,
        (below, layer): (&Self, usize),
        masks: Option<Masks<'_>>,
    ) {
        self.prepare(weights, timeline);
        let units = weights.units();
        for step in timeline.steps() {
            let states = &below.hidden[step.range_after(units)];
            self.x[step.range(units)].copy_from_slice(states);
        }
        if let Some(masks) = masks {
            mask_outputs(timeline, masks, layer, units, &mut self.x);
        }
    }

    /// Sizes the buffers, and sets the states that sequences begin from to zero.
    fn prepare(&mut self, weights: &CellWeights, timeline: &Timeline) {
        let units = weights.units();
        let (all, states) = (timeline.total() * units, timeline.total_states() * units);
        self.x.resize(timeline.total() * weights.inputs(), 0.0);
        self.gates.resize(all * weights.width(), 0.0);
        self.hidden.resize(states, 0.0);
        timeline.clear_beginnings(units, &mut self.hidden);
        self.d_hidden.resize(timeline.rows() * units, 0.0);
        self.d_outputs.clear();
        if weights.kind == CellKind::Lstm {
            self.cell.resize(states, 0.0);
            timeline.clear_beginnings(units, &mut self.cell);
            self.cell_tanh.resize(all, 0.0);
            self.d_cell.resize(timeline.rows() * units, 0.0);
        }
    }
}

/// Multiplies what layer `layer` passes on, `[total, units]`, by the sequences' masks.
pub(super) fn mask_outputs(
    timeline: &Timeline,
    masks: Masks<'_>,
    layer: usize,
    units: usize,
    outputs: &mut [f32],
) {
    for step in timeline.steps() {
        let rows = outputs[step.range(units)].chunks_exact_mut(units);
        for (row, (sequence, _)) in rows.zip(timeline.sequences()) {
            dropout::apply(masks.of(sequence, layer), row);
        }
    }
}

/// Adds to `d_hidden` what reaches this timestep's hidden states from elsewhere than the next timestep, if anything does.
pub(super) fn add_outputs(d_outputs: &[f32], range: Range<usize>, d_hidden: &mut [f32]) {
    if !d_outputs.is_empty() {
        for (d_hidden, d_output) in d_hidden.iter_mut().zip(&d_outputs[range]) {
            *d_hidden += d_output;
        }
    }
}

/// `z ← σ(z + b)`, to be compiled as a part of its caller, for the caller's instruction set.
#[inline(always)]
pub(super) fn sigmoid_of_sum(z: &mut [f32], bias: &[f32]) {
    for (z, bias) in z.iter_mut().zip(bias) {
        *z = sigmoid(*z + bias);
    }
}

/// `z ← tanh(z + b)`, likewise.
#[inline(always)]
pub(super) fn tanh_of_sum(z: &mut [f32], bias: &[f32]) {
    for (z, bias) in z.iter_mut().zip(bias) {
        *z = tanh(*z + bias);
    }
}
