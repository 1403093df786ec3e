//! What the three recurrent cells share: their weights, and the record of a forward pass.
//!
//! A batch is cut into shards of a few rows, and every shard has a `Tape`. The forward pass writes onto it all that the
//! backward pass needs; the backward pass then overwrites the activations with gradients, in place.
//!
//! Everything on a tape is time-major, so that one timestep of all rows is one contiguous matrix, and all timesteps
//! together are one too. The products that do not depend on the step before are then single matrix products over all
//! timesteps: `x·K` ahead of the recurrence, and the gradients of both kernels after it.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayRef1, ArrayView2, ArrayView3, ArrayViewMut1, ArrayViewMut2, Axis};
use rand_chacha::ChaCha8Rng;
use refrain::{CellKind, Shape};

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
    pub fn zeros(kind: CellKind, shape: Shape) -> Self {
        let units = usize::from(shape.units);
        let columns = kind.gates() * units;
        let biases = if kind == CellKind::Gru { 2 } else { 1 };
        Self {
            kind,
            kernel: Array2::zeros((usize::from(shape.inputs), columns)),
            recurrent_kernel: Array2::zeros((units, columns)),
            bias: Array2::zeros((biases, columns)),
        }
    }

    /// Keras's defaults: a Glorot uniform kernel, an orthogonal recurrent kernel, zero biases, and for the LSTM a
    /// forget gate that starts open (its bias is one).
    pub fn random(kind: CellKind, shape: Shape, rng: &mut ChaCha8Rng) -> Self {
        let mut weights = Self::zeros(kind, shape);
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

    /// Runs the cell over the sequences loaded onto `tape`.
    pub(super) fn forward(&self, tape: &mut Tape) {
        match self.kind {
            CellKind::SimpleRnn => simple_rnn::forward(self, tape),
            CellKind::Lstm => lstm::forward(self, tape),
            CellKind::Gru => gru::forward(self, tape),
        }
    }

    /// Runs back through time from `tape.d_hidden`, the gradient of the loss by the last hidden states, and sets
    /// `gradients` to those of this shard.
    pub(super) fn backward(&self, tape: &mut Tape, gradients: &mut Self) {
        match self.kind {
            CellKind::SimpleRnn => simple_rnn::backward(self, tape, gradients),
            CellKind::Lstm => lstm::backward(self, tape, gradients),
            CellKind::Gru => gru::backward(self, tape, gradients),
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

/// The record of one shard's pass through time. Buffers grow on first use and are kept from step to step.
///
/// A "row" is one sequence of the shard; `step` below is `rows * units`, the size of one timestep's hidden states.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    pub(super) rows: usize,
    pub(super) timesteps: usize,
    pub(super) inputs: usize,
    pub(super) units: usize,
    /// The sequences, `[timesteps, rows, inputs]`.
    pub(super) x: Vec<f32>,
    /// Hidden states, `[1 + timesteps, rows, units]`; the first is the zero state before the sequence.
    pub(super) hidden: Vec<f32>,
    /// `[timesteps, rows, width]`, where each cell chooses its width and the order in a row: pre-activations, then
    /// gates, then (going back) gradients by the pre-activations.
    pub(super) gates: Vec<f32>,
    /// LSTM only: cell states, `[1 + timesteps, rows, units]`, the first zero.
    pub(super) cell: Vec<f32>,
    /// LSTM only: `tanh(c)`, `[timesteps, rows, units]`.
    pub(super) cell_tanh: Vec<f32>,
    /// Gradient by the hidden state of the timestep at hand, `[rows, units]`.
    pub(super) d_hidden: Vec<f32>,
    /// LSTM only: gradient by the cell state of the timestep at hand, `[rows, units]`.
    pub(super) d_cell: Vec<f32>,
}

impl Tape {
    /// Copies the sequences `x` `[rows, timesteps, inputs]` onto the tape, for a cell of `weights`' kind and size.
    pub(super) fn load(&mut self, weights: &CellWeights, x: ArrayView3<'_, f32>) {
        let (rows, timesteps, inputs) = x.dim();
        assert_eq!(inputs, weights.inputs(), "a timestep must have as many features as the kernel has rows");
        let units = weights.units();
        (self.rows, self.timesteps, self.inputs, self.units) = (rows, timesteps, inputs, units);
        self.x.resize(timesteps * rows * inputs, 0.0);
        for (r, sequence) in x.axis_iter(Axis(0)).enumerate() {
            for (t, features) in sequence.axis_iter(Axis(0)).enumerate() {
                let at = (t * rows + r) * inputs;
                for (to, from) in self.x[at..at + inputs].iter_mut().zip(features) {
                    *to = *from;
                }
            }
        }
        let step = rows * units;
        let width = match weights.kind {
            CellKind::SimpleRnn => simple_rnn::WIDTH,
            CellKind::Lstm => lstm::WIDTH,
            CellKind::Gru => gru::WIDTH,
        };
        self.gates.resize(timesteps * step * width, 0.0);
        self.hidden.resize((1 + timesteps) * step, 0.0);
        self.hidden[..step].fill(0.0);
        self.d_hidden.resize(step, 0.0);
        if weights.kind == CellKind::Lstm {
            self.cell.resize((1 + timesteps) * step, 0.0);
            self.cell[..step].fill(0.0);
            self.cell_tanh.resize(timesteps * step, 0.0);
            self.d_cell.resize(step, 0.0);
        }
    }

    /// The hidden states after the last timestep, `[rows, units]`.
    pub(super) fn last_hidden(&self) -> ArrayView2<'_, f32> {
        matrix(&self.hidden[self.timesteps * self.rows * self.units..], self.units)
    }

    /// Sets the gradient of the loss by the last hidden states, `[rows, units]`.
    pub(super) fn set_d_hidden(&mut self, gradient: ArrayView2<'_, f32>) {
        matrix_mut(&mut self.d_hidden, self.units).assign(&gradient);
    }

    /// The states after each timestep, `[rows, timesteps, units]`, of `states` laid out as `hidden` and `cell` are.
    pub(super) fn batch_major<'a>(&self, states: &'a [f32]) -> ArrayView3<'a, f32> {
        let after_steps = &states[self.rows * self.units..];
        ArrayView3::from_shape((self.timesteps, self.rows, self.units), after_steps)
            .expect("a state for each timestep, row and unit")
            .permuted_axes([1, 0, 2])
    }
}

/// A contiguous slice seen as a matrix `[data.len() / columns, columns]`.
pub(super) fn matrix(data: &[f32], columns: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((data.len() / columns, columns), data).expect("a whole number of rows")
}

/// [`matrix`], to write to.
pub(super) fn matrix_mut(data: &mut [f32], columns: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((data.len() / columns, columns), data).expect("a whole number of rows")
}

/// `out += a·b`
pub(super) fn add_product(
    a: &ArrayView2<'_, f32>,
    b: &ArrayView2<'_, f32>,
    out: &mut ArrayViewMut2<'_, f32>,
) {
    general_mat_mul(1.0, a, b, 1.0, out);
}

/// `out = a·b`
pub(super) fn set_product(
    a: &ArrayView2<'_, f32>,
    b: &ArrayView2<'_, f32>,
    out: &mut ArrayViewMut2<'_, f32>,
) {
    general_mat_mul(1.0, a, b, 0.0, out);
}

/// Sets every row of `out` to `row`.
pub(super) fn fill_rows(out: &mut [f32], row: &ArrayRef1<f32>) {
    let row = row.as_slice().expect("a bias is contiguous");
    for to in out.chunks_exact_mut(row.len()) {
        to.copy_from_slice(row);
    }
}

/// Sets `out` to the sum of the rows of `matrix`.
pub(super) fn sum_rows(matrix: &ArrayView2<'_, f32>, out: &mut ArrayViewMut1<'_, f32>) {
    out.fill(0.0);
    for row in matrix.rows() {
        *out += &row;
    }
}
