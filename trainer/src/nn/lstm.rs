//! Keras's `LSTM`, forward and back through time.
//!
//! ```text
//! z_t = x_t·K + h_{t-1}·R + b                the four gates side by side: i, f, g (Keras's c), o
//! i, f, o = σ(z_i), σ(z_f), σ(z_o)           input, forget and output gate
//! g   = tanh(z_g)                            candidate
//! c_t = f c_{t-1} + i g
//! h_t = o tanh(c_t)
//! ```
//! Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000, as in
//! <https://keras.io/api/layers/recurrent_layers/lstm/>.

use multiversion::multiversion;

use super::cell::{CellWeights, Tape, add_outputs, sigmoid_of_sum, tanh_of_sum};
use super::product::{
    MatrixMut, add_product, matrix, matrix_mut, set_product, sum_rows, tensor, tensor_mut, transpose,
};
use super::timeline::Timeline;
use refrain::float::activation::tanh;

/// A row of [`Tape::gates`] holds `z` for i, f, g, o, then the gates themselves, then `dL/dz`.
pub(super) const WIDTH: usize = 4;

/// Fills `tape.hidden`, `tape.gates`, `tape.cell` and `tape.cell_tanh`.
pub(super) fn forward(weights: &CellWeights, timeline: &Timeline, tape: &mut Tape) {
    let Tape { x, hidden, gates: z, cell, cell_tanh, .. } = tape;
    let units = weights.units();
    let (recurrent_kernel, bias) = (tensor(&weights.recurrent_kernel), weights.bias_row(0));

    // z begins as x·K for all timesteps at once, [total, 4 * units]
    set_product(matrix(x, weights.inputs()), tensor(&weights.kernel), matrix_mut(z, WIDTH * units));

    for step in timeline.steps() {
        let (range, size) = (step.range(units), step.size(units));
        let z = &mut z[step.range(WIDTH * units)];
        let (past_h, future_h) = hidden.split_at_mut(range.end);
        let (past_c, future_c) = cell.split_at_mut(range.end);
        if let Some(continuing) = step.continuing(units) {
            let h_previous = matrix(&past_h[range.clone()][continuing], units);
            let z = matrix_mut(&mut z[..WIDTH * continuing.end], WIDTH * units);
            add_product(h_previous, recurrent_kernel, z);
        }
        let c_previous = &past_c[range.clone()];
        activate(z, bias, c_previous, &mut future_c[..size], &mut cell_tanh[range], &mut future_h[..size]);
    }
}

/// Sets `gradients` from `tape.d_hidden` and `tape.d_outputs`.
pub(super) fn backward(
    weights: &CellWeights,
    timeline: &Timeline,
    tape: &mut Tape,
    gradients: &mut CellWeights,
) {
    let Tape { x, hidden, gates, cell, cell_tanh, d_hidden, d_outputs, d_cell, recurrent_transposed } = tape;
    let units = weights.units();
    let recurrent_transposed = transpose(&weights.recurrent_kernel, recurrent_transposed);

    d_cell.fill(0.0);
    for step in timeline.steps().rev() {
        let range = step.range(units);
        let gates = &mut gates[step.range(WIDTH * units)];
        add_outputs(d_outputs, range.clone(), d_hidden);
        d_activate(gates, &cell[range.clone()], &cell_tanh[range], d_hidden, d_cell, units);
        if let Some(continuing) = step.continuing(units) {
            // dL/dh_{t-1} = dz·Rᵀ
            let dz = matrix(&gates[..WIDTH * continuing.end], WIDTH * units);
            let d_previous = matrix_mut(&mut d_hidden[continuing], units);
            set_product(dz, recurrent_transposed, d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·dz, dR = h_{t-1}ᵀ·dz, db = Σ dz
    let h_previous = matrix(&hidden[..timeline.total() * units], units);
    let dz = matrix(gates, WIDTH * units);
    set_product(matrix(x, weights.inputs()).transpose(), dz, tensor_mut(&mut gradients.kernel));
    set_product(h_previous.transpose(), dz, tensor_mut(&mut gradients.recurrent_kernel));
    sum_rows(gates, gradients.bias_row_mut(0));
}

/// `dx = dz·Kᵀ` for all timesteps at once, `[total, inputs]`.
pub(super) fn backward_input(weights: &CellWeights, tape: &Tape, d_x: MatrixMut<'_>) {
    set_product(matrix(&tape.gates, WIDTH * weights.units()), tensor(&weights.kernel).transpose(), d_x);
}

/// Turns one timestep's `z`, but for the bias, into gates, `[rows, 4 * units]`, and computes `c`, `tanh(c)` and `h`, each
/// `[rows, units]`.
fn activate(
    z: &mut [f32],
    bias: &[f32],
    c_previous: &[f32],
    c: &mut [f32],
    c_tanh: &mut [f32],
    h: &mut [f32],
) {
    let units = bias.len() / WIDTH;
    let states = c_previous.chunks_exact(units).zip(c.chunks_exact_mut(units));
    let outputs = c_tanh.chunks_exact_mut(units).zip(h.chunks_exact_mut(units));
    for ((z, (c_previous, c)), (c_tanh, h)) in z.chunks_exact_mut(WIDTH * units).zip(states).zip(outputs) {
        activate_row(z, bias, c_previous, c, c_tanh, h);
    }
}

/// [`activate`] for one row. What runs on its own instruction set here and below is a whole function: the compiler knows
/// that a function's arguments do not overlap, and only so vectorises its loops.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn activate_row(
    z: &mut [f32],
    bias: &[f32],
    c_previous: &[f32],
    c: &mut [f32],
    c_tanh: &mut [f32],
    h: &mut [f32],
) {
    let units = h.len();
    let (i_f, z) = z.split_at_mut(2 * units);
    let (g, o) = z.split_at_mut(units);
    let (i_f_bias, bias) = bias.split_at(2 * units);
    let (g_bias, o_bias) = bias.split_at(units);
    sigmoid_of_sum(i_f, i_f_bias);
    tanh_of_sum(g, g_bias);
    sigmoid_of_sum(o, o_bias);
    let (i, f) = i_f.split_at(units);
    for ((((c, f), c_previous), i), g) in c.iter_mut().zip(f).zip(c_previous).zip(i).zip(g) {
        *c = *f * c_previous + *i * *g;
    }
    for (((h, c_tanh), c), o) in h.iter_mut().zip(c_tanh).zip(c).zip(o) {
        *c_tanh = tanh(*c);
        *h = *o * *c_tanh;
    }
}

/// Turns one timestep's gates `[rows, 4 * units]` into `dL/dz`, and `dc` `[rows, units]` from the gradient that reached
/// `c_t` through later timesteps into the one that reaches `c_{t-1}`.
fn d_activate(
    gates: &mut [f32],
    c_previous: &[f32],
    c_tanh: &[f32],
    dh: &[f32],
    dc: &mut [f32],
    units: usize,
) {
    let states = c_previous.chunks_exact(units).zip(c_tanh.chunks_exact(units));
    let incoming = dh.chunks_exact(units).zip(dc.chunks_exact_mut(units));
    for ((gates, (c_previous, c_tanh)), (dh, dc)) in
        gates.chunks_exact_mut(WIDTH * units).zip(states).zip(incoming)
    {
        let (i, gates) = gates.split_at_mut(units);
        let (f, gates) = gates.split_at_mut(units);
        let (g, o) = gates.split_at_mut(units);
        d_output_row(o, c_tanh, dh, dc);
        d_state_row(i, f, g, c_previous, dc);
    }
}

/// Back through `h = o tanh(c)`: turns `o` into `dL/dz_o`, and adds to `dc` what reaches `c_t` through `h_t`.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn d_output_row(o: &mut [f32], c_tanh: &[f32], dh: &[f32], dc: &mut [f32]) {
    for (((o, c_tanh), dh), dc) in o.iter_mut().zip(c_tanh).zip(dh).zip(dc) {
        *dc += dh * *o * (1.0 - c_tanh * c_tanh);
        *o = dh * c_tanh * *o * (1.0 - *o);
    }
}

/// Back through `c = f c_{t-1} + i g`: turns i, f and g into gradients by their `z`, and `dc` into that by `c_{t-1}`.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
fn d_state_row(i: &mut [f32], f: &mut [f32], g: &mut [f32], c_previous: &[f32], dc: &mut [f32]) {
    for ((((i, f), g), c_previous), dc) in i.iter_mut().zip(f).zip(g).zip(c_previous).zip(dc) {
        let (input, forget, candidate) = (*i, *f, *g);
        *i = *dc * candidate * input * (1.0 - input);
        *f = *dc * c_previous * forget * (1.0 - forget);
        *g = *dc * input * (1.0 - candidate * candidate);
        *dc *= forget;
    }
}
