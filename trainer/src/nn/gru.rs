//! Keras's `GRU` with `reset_after=True`, forward and back through time.
//!
//! ```text
//! z   = σ(x_t·K_z + b_z + h_{t-1}·R_z + b'_z)        update gate
//! r   = σ(x_t·K_r + b_r + h_{t-1}·R_r + b'_r)        reset gate
//! q   = h_{t-1}·R_h + b'_h                           recurrent part of the candidate
//! g   = tanh(x_t·K_h + b_h + r q)                    candidate
//! h_t = z h_{t-1} + (1 - z) g
//! ```
//! `b` is the first row of the bias, `b'` the second. Cho et al. 2014, version 1 of the paper (arXiv:1406.1078v1), as in
//! <https://keras.io/api/layers/recurrent_layers/gru/>.

use faer::reborrow::ReborrowMut;
use multiversion::multiversion;

use super::cell::{CellWeights, Tape, add_outputs, sigmoid_of_sum, tanh_of_sum};
use super::product::{
    Matrix, MatrixMut, add_product, matrix, matrix_mut, set_product, sum_rows, tensor, tensor_mut, transpose,
};
use super::timeline::Timeline;

/// A row of [`Tape::gates`] is g, z, r, q. So the columns that `h·R` adds to (z, r, q) are side by side, in the order of
/// the recurrent kernel's columns, and those that `x·K` adds to (g, z, r) are too, though K has its g last.
pub(super) const WIDTH: usize = 4;

/// Fills `tape.hidden` and `tape.gates`.
pub(super) fn forward(weights: &CellWeights, timeline: &Timeline, tape: &mut Tape) {
    let Tape { x, hidden, gates, .. } = tape;
    let units = weights.units();
    let bias = joint_bias(weights, units);

    set_input_products(weights, x, gates);
    for step in timeline.steps() {
        let gates = &mut gates[step.range(WIDTH * units)];
        let (past, future) = hidden.split_at_mut(step.range(units).end);
        let h_previous = &past[step.range(units)];
        let continuing = step.continuing(units).map_or(&[][..], |continuing| &h_previous[continuing]);
        add_recurrent_products(weights, continuing, gates);
        activate(gates, &bias, h_previous, &mut future[..step.size(units)]);
    }
}

/// Sets `gradients` from `tape.d_hidden` and `tape.d_outputs`.
pub(super) fn backward(
    weights: &CellWeights,
    timeline: &Timeline,
    tape: &mut Tape,
    gradients: &mut CellWeights,
) {
    let Tape { x, hidden, gates, d_hidden, d_outputs, recurrent_transposed, .. } = tape;
    let units = weights.units();
    let recurrent_transposed = transpose(&weights.recurrent_kernel, recurrent_transposed);

    for step in timeline.steps().rev() {
        let range = step.range(units);
        let gates = &mut gates[step.range(WIDTH * units)];
        add_outputs(d_outputs, range.clone(), d_hidden);
        d_activate(gates, &hidden[range], d_hidden, units);
        if let Some(continuing) = step.continuing(units) {
            // dL/dh_{t-1} = z dL/dh_t (left in d_hidden) + d(z, r, q)·Rᵀ
            let dzrq = recurrent_columns(&gates[..WIDTH * continuing.end], units);
            let d_previous = matrix_mut(&mut d_hidden[continuing], units);
            add_product(dzrq, recurrent_transposed, d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·d(z, r, g), dR = h_{t-1}ᵀ·d(z, r, q), db likewise
    let x = matrix(x, weights.inputs()).transpose();
    let (d_kernel_zr, d_kernel_g) = tensor_mut(&mut gradients.kernel).split_at_col_mut(2 * units);
    set_product(x, gate_columns(gates, units), d_kernel_zr);
    set_product(x, candidate_columns(gates, units), d_kernel_g);
    let h_previous = matrix(&hidden[..timeline.total() * units], units).transpose();
    set_product(h_previous, recurrent_columns(gates, units), tensor_mut(&mut gradients.recurrent_kernel));
    let mut sums = vec![0.0; WIDTH * units];
    sum_rows(gates, &mut sums);
    let (d_input, d_recurrent) = (&sums[..3 * units], &sums[units..]);
    gradients.bias_row_mut(0).copy_from_slice(d_input);
    gradients.bias_row_mut(0).rotate_left(units);
    gradients.bias_row_mut(1).copy_from_slice(d_recurrent);
}

/// `dx = d(z, r, g)·Kᵀ` for all timesteps at once, `[total, inputs]`.
pub(super) fn backward_input(weights: &CellWeights, tape: &Tape, mut d_x: MatrixMut<'_>) {
    let units = weights.units();
    let (kernel_zr, kernel_g) = tensor(&weights.kernel).split_at_col(2 * units);
    set_product(gate_columns(&tape.gates, units), kernel_zr.transpose(), d_x.rb_mut());
    add_product(candidate_columns(&tape.gates, units), kernel_g.transpose(), d_x);
}

/// Sets g, z and r to x·K, for all timesteps at once, `[total, 4 * units]`.
pub(super) fn set_input_products(weights: &CellWeights, x: &[f32], gates: &mut [f32]) {
    let units = weights.units();
    let (kernel_zr, kernel_g) = tensor(&weights.kernel).split_at_col(2 * units);
    let (g, zrq) = matrix_mut(gates, WIDTH * units).split_at_col_mut(units);
    let x = matrix(x, weights.inputs());
    set_product(x, kernel_g, g);
    set_product(x, kernel_zr, zrq.subcols_mut(0, 2 * units));
}

/// Adds to one timestep's z and r what comes of the hidden states of its first rows, and sets q to it; the other rows begin.
pub(super) fn add_recurrent_products(weights: &CellWeights, hidden: &[f32], gates: &mut [f32]) {
    let units = weights.units();
    gates.chunks_exact_mut(WIDTH * units).for_each(|row| row[3 * units..].fill(0.0));
    if !hidden.is_empty() {
        let rows = matrix_mut(&mut gates[..WIDTH * hidden.len()], WIDTH * units);
        let (_, zrq) = rows.split_at_col_mut(units);
        add_product(matrix(hidden, units), tensor(&weights.recurrent_kernel), zrq);
    }
}

/// The bias of a row of gates: `b_h`, `b_z + b'_z`, `b_r + b'_r`, `b'_h`.
pub(super) fn joint_bias(weights: &CellWeights, units: usize) -> Vec<f32> {
    let (input, recurrent) = (weights.bias_row(0), weights.bias_row(1));
    let mut joint = vec![0.0; WIDTH * units];
    joint[..units].copy_from_slice(&input[2 * units..]);
    joint[units..3 * units].copy_from_slice(&input[..2 * units]);
    joint[units..].iter_mut().zip(recurrent).for_each(|(sum, bias)| *sum += bias);
    joint
}

/// The column g of rows of gates, `[rows, units]`.
fn candidate_columns(gates: &[f32], units: usize) -> Matrix<'_> {
    matrix(gates, WIDTH * units).subcols(0, units)
}

/// The columns z, r of rows of gates, `[rows, 2 * units]`.
fn gate_columns(gates: &[f32], units: usize) -> Matrix<'_> {
    matrix(gates, WIDTH * units).subcols(units, 2 * units)
}

/// The columns z, r, q of rows of gates, `[rows, 3 * units]`.
fn recurrent_columns(gates: &[f32], units: usize) -> Matrix<'_> {
    matrix(gates, WIDTH * units).subcols(units, 3 * units)
}

/// Turns one timestep's pre-activations, but for the bias, into g, z, r and q, `[rows, 4 * units]`, and computes `h`
/// `[rows, units]`.
fn activate(gates: &mut [f32], bias: &[f32], h_previous: &[f32], h: &mut [f32]) {
    let units = bias.len() / WIDTH;
    let states = h_previous.chunks_exact(units).zip(h.chunks_exact_mut(units));
    for (gates, (h_previous, h)) in gates.chunks_exact_mut(bias.len()).zip(states) {
        activate_row(gates, bias, h_previous, h);
    }
}

/// [`activate`] for one row. What runs on its own instruction set here and below is a whole function: the compiler knows
/// that a function's arguments do not overlap, and only so vectorises its loops.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn activate_row(gates: &mut [f32], bias: &[f32], h_previous: &[f32], h: &mut [f32]) {
    let units = h.len();
    let (g, gates) = gates.split_at_mut(units);
    let (zr, q) = gates.split_at_mut(2 * units);
    let (g_bias, bias) = bias.split_at(units);
    let (zr_bias, q_bias) = bias.split_at(2 * units);
    sigmoid_of_sum(zr, zr_bias);
    let (z, r) = zr.split_at(units);
    q.iter_mut().zip(q_bias).for_each(|(q, bias)| *q += bias);
    for ((g, r), q) in g.iter_mut().zip(r).zip(q) {
        *g += r * *q;
    }
    tanh_of_sum(g, g_bias);
    for (((h, z), h_previous), g) in h.iter_mut().zip(z).zip(h_previous).zip(g) {
        *h = z * h_previous + (1.0 - z) * *g;
    }
}

/// Turns one timestep's g, z, r, q `[rows, 4 * units]` into gradients by their pre-activations (by q itself), and
/// `dh` `[rows, units]` from the gradient by `h_t` into the part of that by `h_{t-1}` that does not pass through R.
fn d_activate(gates: &mut [f32], h_previous: &[f32], dh: &mut [f32], units: usize) {
    let states = h_previous.chunks_exact(units).zip(dh.chunks_exact_mut(units));
    for (gates, (h_previous, dh)) in gates.chunks_exact_mut(WIDTH * units).zip(states) {
        let (g, gates) = gates.split_at_mut(units);
        let (z, gates) = gates.split_at_mut(units);
        let (r, q) = gates.split_at_mut(units);
        d_activate_row(g, z, r, q, h_previous, dh);
    }
}

/// [`d_activate`] for one row.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn d_activate_row(
    g: &mut [f32],
    z: &mut [f32],
    r: &mut [f32],
    q: &mut [f32],
    h_previous: &[f32],
    dh: &mut [f32],
) {
    for (((((g, z), r), q), h_previous), dh) in g.iter_mut().zip(z).zip(r).zip(q).zip(h_previous).zip(dh) {
        let (candidate, update, reset) = (*g, *z, *r);
        let d_candidate = *dh * (1.0 - update) * (1.0 - candidate * candidate);
        *g = d_candidate;
        *z = *dh * (h_previous - candidate) * update * (1.0 - update);
        *r = d_candidate * *q * reset * (1.0 - reset);
        *q = d_candidate * reset;
        *dh *= update;
    }
}
