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

use multiversion::multiversion;
use ndarray::{Array1, ArrayView2, ArrayViewMut2, Axis, s};

use super::cell::{
    CellWeights, Tape, add_outputs, add_product, fill_rows, matrix, matrix_mut, set_product, sum_rows,
};
use super::timeline::Timeline;
use refrain::float::activation::{sigmoid, tanh};

/// A row of [`Tape::gates`] is g, z, r, q. So the columns that `h·R` adds to (z, r, q) are side by side, in the order of
/// the recurrent kernel's columns, and those that `x·K` adds to (g, z, r) are too, though K has its g last.
pub(super) const WIDTH: usize = 4;

/// Fills `tape.hidden` and `tape.gates`.
pub(super) fn forward(weights: &CellWeights, timeline: &Timeline, tape: &mut Tape) {
    let Tape { x, hidden, gates, .. } = tape;
    let units = weights.units();
    let recurrent_kernel = weights.recurrent_kernel.view();

    // g, z, r and q begin as their biases and x·K, for all timesteps at once, [total, 4 * units]
    fill_rows(gates, &joint_bias(weights, units));
    let mut all = matrix_mut(gates, WIDTH * units);
    let x = matrix(x, weights.inputs());
    add_product(&x, &weights.kernel.slice(s![.., 2 * units..]), &mut all.slice_mut(s![.., ..units]));
    add_product(&x, &weights.kernel.slice(s![.., ..2 * units]), &mut all.slice_mut(s![.., units..3 * units]));

    for step in timeline.steps() {
        let gates = &mut gates[step.range(WIDTH * units)];
        let (past, future) = hidden.split_at_mut(step.range(units).end);
        let h_previous = &past[step.range(units)];
        if let Some(continuing) = step.continuing(units) {
            let mut zrq = recurrent_columns_mut(&mut gates[..WIDTH * continuing.end], units);
            add_product(&matrix(&h_previous[continuing], units), &recurrent_kernel, &mut zrq);
        }
        activate(gates, h_previous, &mut future[..step.size(units)], units);
    }
}

/// Sets `gradients` from `tape.d_hidden` and `tape.d_outputs`.
pub(super) fn backward(
    weights: &CellWeights,
    timeline: &Timeline,
    tape: &mut Tape,
    gradients: &mut CellWeights,
) {
    let Tape { x, hidden, gates, d_hidden, d_outputs, .. } = tape;
    let units = weights.units();

    for step in timeline.steps().rev() {
        let range = step.range(units);
        let gates = &mut gates[step.range(WIDTH * units)];
        add_outputs(d_outputs, range.clone(), d_hidden);
        d_activate(gates, &hidden[range], d_hidden, units);
        if let Some(continuing) = step.continuing(units) {
            // dL/dh_{t-1} = z dL/dh_t (left in d_hidden) + d(z, r, q)·Rᵀ
            let dzrq = recurrent_columns(&gates[..WIDTH * continuing.end], units);
            let d_previous = &mut matrix_mut(&mut d_hidden[continuing], units);
            add_product(&dzrq, &weights.recurrent_kernel.t(), d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·d(z, r, g), dR = h_{t-1}ᵀ·d(z, r, q), db likewise
    let (dg, dzr) = (candidate_columns(gates, units), gate_columns(gates, units));
    let dzrq = recurrent_columns(gates, units);
    let x = matrix(x, weights.inputs());
    set_product(&x.t(), &dzr, &mut gradients.kernel.slice_mut(s![.., ..2 * units]));
    set_product(&x.t(), &dg, &mut gradients.kernel.slice_mut(s![.., 2 * units..]));
    let h_previous = matrix(&hidden[..timeline.total() * units], units);
    set_product(&h_previous.t(), &dzrq, &mut gradients.recurrent_kernel.view_mut());
    sum_rows(&dzr, &mut gradients.bias.slice_mut(s![0, ..2 * units]));
    sum_rows(&dg, &mut gradients.bias.slice_mut(s![0, 2 * units..]));
    sum_rows(&dzrq, &mut gradients.bias.row_mut(1));
}

/// `dx = d(z, r, g)·Kᵀ` for all timesteps at once, `[total, inputs]`.
pub(super) fn backward_input(weights: &CellWeights, tape: &Tape, d_x: &mut ArrayViewMut2<'_, f32>) {
    let units = weights.units();
    let (kernel_zr, kernel_g) = weights.kernel.view().split_at(Axis(1), 2 * units);
    set_product(&gate_columns(&tape.gates, units), &kernel_zr.t(), d_x);
    add_product(&candidate_columns(&tape.gates, units), &kernel_g.t(), d_x);
}

/// What a row of the gates begins with: `b_h`, `b_z + b'_z`, `b_r + b'_r`, `b'_h`.
fn joint_bias(weights: &CellWeights, units: usize) -> Array1<f32> {
    let (input, recurrent) = (weights.bias.row(0), weights.bias.row(1));
    let mut joint = Array1::zeros(WIDTH * units);
    joint.slice_mut(s![..units]).assign(&input.slice(s![2 * units..]));
    joint.slice_mut(s![units..3 * units]).assign(&input.slice(s![..2 * units]));
    joint.slice_mut(s![units..]).scaled_add(1.0, &recurrent);
    joint
}

/// The column g of rows of gates, `[rows, units]`.
fn candidate_columns(gates: &[f32], units: usize) -> ArrayView2<'_, f32> {
    matrix(gates, WIDTH * units).slice_move(s![.., ..units])
}

/// The columns z, r of rows of gates, `[rows, 2 * units]`.
fn gate_columns(gates: &[f32], units: usize) -> ArrayView2<'_, f32> {
    matrix(gates, WIDTH * units).slice_move(s![.., units..3 * units])
}

/// The columns z, r, q of rows of gates, `[rows, 3 * units]`.
fn recurrent_columns(gates: &[f32], units: usize) -> ArrayView2<'_, f32> {
    matrix(gates, WIDTH * units).slice_move(s![.., units..])
}

/// [`recurrent_columns`], to write to.
fn recurrent_columns_mut(gates: &mut [f32], units: usize) -> ArrayViewMut2<'_, f32> {
    matrix_mut(gates, WIDTH * units).slice_move(s![.., units..])
}

/// Turns one timestep's pre-activations `[rows, 4 * units]` into g, z, r (q stays), and computes `h` `[rows, units]`.
#[multiversion(targets("x86_64+avx2"))]
fn activate(gates: &mut [f32], h_previous: &[f32], h: &mut [f32], units: usize) {
    let states = h_previous.chunks_exact(units).zip(h.chunks_exact_mut(units));
    for (gates, (h_previous, h)) in gates.chunks_exact_mut(WIDTH * units).zip(states) {
        let (g, gates) = gates.split_at_mut(units);
        let (z, gates) = gates.split_at_mut(units);
        let (r, q) = gates.split_at_mut(units);
        activate_row(g, z, r, q, h_previous, h);
    }
}

/// [`activate`] for one row. The compiler knows that arguments do not overlap, and so vectorises the loops.
#[inline(always)]
fn activate_row(g: &mut [f32], z: &mut [f32], r: &mut [f32], q: &[f32], h_previous: &[f32], h: &mut [f32]) {
    z.iter_mut().for_each(|z| *z = sigmoid(*z));
    r.iter_mut().for_each(|r| *r = sigmoid(*r));
    for ((g, r), q) in g.iter_mut().zip(r).zip(q) {
        *g += *r * q;
    }
    g.iter_mut().for_each(|g| *g = tanh(*g));
    for (((h, z), h_previous), g) in h.iter_mut().zip(z).zip(h_previous).zip(g) {
        *h = *z * h_previous + (1.0 - *z) * *g;
    }
}

/// Turns one timestep's g, z, r, q `[rows, 4 * units]` into gradients by their pre-activations (by q itself), and
/// `dh` `[rows, units]` from the gradient by `h_t` into the part of that by `h_{t-1}` that does not pass through R.
#[multiversion(targets("x86_64+avx2"))]
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
#[inline(always)]
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
