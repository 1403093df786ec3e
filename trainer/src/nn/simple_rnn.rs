//! Keras's `SimpleRNN`, forward and back through time.
//!
//! ```text
//! z_t = x_t·K + h_{t-1}·R + b
//! h_t = tanh(z_t)
//! ```
//! <https://keras.io/api/layers/recurrent_layers/simple_rnn/>

use multiversion::multiversion;

use super::cell::{CellWeights, Tape, add_outputs};
use super::product::{
    MatrixMut, add_product, matrix, matrix_mut, set_product, sum_rows, tensor, tensor_mut, transpose,
};
use super::timeline::Timeline;
use refrain::float::activation::tanh;

/// A row of [`Tape::gates`] holds `z`, then `dL/dz`.
pub(super) const WIDTH: usize = 1;

/// Fills `tape.hidden`.
pub(super) fn forward(weights: &CellWeights, timeline: &Timeline, tape: &mut Tape) {
    let Tape { x, hidden, gates: z, .. } = tape;
    let units = weights.units();
    let (recurrent_kernel, bias) = (tensor(&weights.recurrent_kernel), weights.bias_row(0));

    // z begins as x·K for all timesteps at once, [total, units]
    set_product(matrix(x, weights.inputs()), tensor(&weights.kernel), matrix_mut(z, units));

    for step in timeline.steps() {
        let z = &mut z[step.range(units)];
        let (past, future) = hidden.split_at_mut(step.range(units).end);
        if let Some(continuing) = step.continuing(units) {
            let h_previous = &past[step.range(units)][continuing];
            let z = matrix_mut(&mut z[continuing], units);
            add_product(matrix(h_previous, units), recurrent_kernel, z);
        }
        activate(z, bias, &mut future[..step.size(units)]);
    }
}

/// Sets `gradients` from `tape.d_hidden` and `tape.d_outputs`.
pub(super) fn backward(
    weights: &CellWeights,
    timeline: &Timeline,
    tape: &mut Tape,
    gradients: &mut CellWeights,
) {
    let Tape { x, hidden, gates: dz, d_hidden, d_outputs, recurrent_transposed, .. } = tape;
    let units = weights.units();
    let recurrent_transposed = transpose(&weights.recurrent_kernel, recurrent_transposed);

    for step in timeline.steps().rev() {
        let dz = &mut dz[step.range(units)];
        add_outputs(d_outputs, step.range(units), d_hidden);
        d_activate(&hidden[step.range_after(units)], &d_hidden[..step.size(units)], dz);
        if let Some(continuing) = step.continuing(units) {
            // dL/dh_{t-1} = dz·Rᵀ
            let d_previous = matrix_mut(&mut d_hidden[continuing], units);
            set_product(matrix(&dz[continuing], units), recurrent_transposed, d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·dz, dR = h_{t-1}ᵀ·dz, db = Σ dz
    let h_previous = matrix(&hidden[..timeline.total() * units], units);
    sum_rows(dz, gradients.bias_row_mut(0));
    let dz = matrix(dz, units);
    set_product(matrix(x, weights.inputs()).transpose(), dz, tensor_mut(&mut gradients.kernel));
    set_product(h_previous.transpose(), dz, tensor_mut(&mut gradients.recurrent_kernel));
}

/// `dx = dz·Kᵀ` for all timesteps at once, `[total, inputs]`.
pub(super) fn backward_input(weights: &CellWeights, tape: &Tape, d_x: MatrixMut<'_>) {
    set_product(matrix(&tape.gates, weights.units()), tensor(&weights.kernel).transpose(), d_x);
}

/// `h = tanh(z + b)`, row after row: `z` and `h` `[rows, units]`, `b` `[units]`.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn activate(z: &[f32], bias: &[f32], h: &mut [f32]) {
    for (h, z) in h.chunks_exact_mut(bias.len()).zip(z.chunks_exact(bias.len())) {
        for ((h, z), bias) in h.iter_mut().zip(z).zip(bias) {
            *h = tanh(z + bias);
        }
    }
}

/// `dz = dh (1 - h²)`, element by element.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn d_activate(h: &[f32], dh: &[f32], dz: &mut [f32]) {
    for ((dz, h), dh) in dz.iter_mut().zip(h).zip(dh) {
        *dz = dh * (1.0 - h * h);
    }
}
