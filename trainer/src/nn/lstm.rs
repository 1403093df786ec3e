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
use ndarray::ArrayViewMut2;

use super::cell::{
    CellWeights, Tape, add_outputs, add_product, fill_rows, matrix, matrix_mut, set_product, sum_rows,
};
use super::timeline::Timeline;
use refrain::float::activation::{sigmoid, tanh};

/// A row of [`Tape::gates`] holds `z` for i, f, g, o, then the gates themselves, then `dL/dz`.
pub(super) const WIDTH: usize = 4;

/// Fills `tape.hidden`, `tape.gates`, `tape.cell` and `tape.cell_tanh`.
pub(super) fn forward(weights: &CellWeights, timeline: &Timeline, tape: &mut Tape) {
    let Tape { x, hidden, gates: z, cell, cell_tanh, .. } = tape;
    let units = weights.units();
    let recurrent_kernel = weights.recurrent_kernel.view();

    // z = b + x·K for all timesteps at once, [total, 4 * units]
    fill_rows(z, &weights.bias.row(0));
    add_product(&matrix(x, weights.inputs()), &weights.kernel.view(), &mut matrix_mut(z, WIDTH * units));

    for step in timeline.steps() {
        let (range, size) = (step.range(units), step.size(units));
        let z = &mut z[step.range(WIDTH * units)];
        let (past_h, future_h) = hidden.split_at_mut(range.end);
        let (past_c, future_c) = cell.split_at_mut(range.end);
        if let Some(continuing) = step.continuing(units) {
            let h_previous = matrix(&past_h[range.clone()][continuing], units);
            let z = &mut z[..WIDTH * continuing.end];
            add_product(&h_previous, &recurrent_kernel, &mut matrix_mut(z, WIDTH * units));
        }
        let c_previous = &past_c[range.clone()];
        activate(z, c_previous, &mut future_c[..size], &mut cell_tanh[range], &mut future_h[..size], units);
    }
}

/// Sets `gradients` from `tape.d_hidden` and `tape.d_outputs`.
pub(super) fn backward(
    weights: &CellWeights,
    timeline: &Timeline,
    tape: &mut Tape,
    gradients: &mut CellWeights,
) {
    let Tape { x, hidden, gates, cell, cell_tanh, d_hidden, d_outputs, d_cell } = tape;
    let units = weights.units();

    d_cell.fill(0.0);
    for step in timeline.steps().rev() {
        let range = step.range(units);
        let gates = &mut gates[step.range(WIDTH * units)];
        add_outputs(d_outputs, range.clone(), d_hidden);
        d_activate(gates, &cell[range.clone()], &cell_tanh[range], d_hidden, d_cell, units);
        if let Some(continuing) = step.continuing(units) {
            // dL/dh_{t-1} = dz·Rᵀ
            let dz = matrix(&gates[..WIDTH * continuing.end], WIDTH * units);
            let d_previous = &mut matrix_mut(&mut d_hidden[continuing], units);
            set_product(&dz, &weights.recurrent_kernel.t(), d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·dz, dR = h_{t-1}ᵀ·dz, db = Σ dz
    let h_previous = matrix(&hidden[..timeline.total() * units], units);
    let dz = matrix(gates, WIDTH * units);
    set_product(&matrix(x, weights.inputs()).t(), &dz, &mut gradients.kernel.view_mut());
    set_product(&h_previous.t(), &dz, &mut gradients.recurrent_kernel.view_mut());
    sum_rows(&dz, &mut gradients.bias.row_mut(0));
}

/// `dx = dz·Kᵀ` for all timesteps at once, `[total, inputs]`.
pub(super) fn backward_input(weights: &CellWeights, tape: &Tape, d_x: &mut ArrayViewMut2<'_, f32>) {
    set_product(&matrix(&tape.gates, WIDTH * weights.units()), &weights.kernel.t(), d_x);
}

/// Turns one timestep's `z` `[rows, 4 * units]` into gates, and computes `c`, `tanh(c)` and `h`, each `[rows, units]`.
#[multiversion(targets("x86_64+avx2"))]
fn activate(
    z: &mut [f32],
    c_previous: &[f32],
    c: &mut [f32],
    c_tanh: &mut [f32],
    h: &mut [f32],
    units: usize,
) {
    let states = c_previous.chunks_exact(units).zip(c.chunks_exact_mut(units));
    let outputs = c_tanh.chunks_exact_mut(units).zip(h.chunks_exact_mut(units));
    for ((z, (c_previous, c)), (c_tanh, h)) in z.chunks_exact_mut(WIDTH * units).zip(states).zip(outputs) {
        let (i, z) = z.split_at_mut(units);
        let (f, z) = z.split_at_mut(units);
        let (g, o) = z.split_at_mut(units);
        i.iter_mut().for_each(|i| *i = sigmoid(*i));
        f.iter_mut().for_each(|f| *f = sigmoid(*f));
        g.iter_mut().for_each(|g| *g = tanh(*g));
        o.iter_mut().for_each(|o| *o = sigmoid(*o));
        for ((((c, f), c_previous), i), g) in c.iter_mut().zip(f).zip(c_previous).zip(i).zip(g) {
            *c = *f * c_previous + *i * *g;
        }
        for (((h, c_tanh), c), o) in h.iter_mut().zip(c_tanh).zip(c).zip(o) {
            *c_tanh = tanh(*c);
            *h = *o * *c_tanh;
        }
    }
}

/// Turns one timestep's gates `[rows, 4 * units]` into `dL/dz`, and `dc` `[rows, units]` from the gradient that reached
/// `c_t` through later timesteps into the one that reaches `c_{t-1}`.
#[multiversion(targets("x86_64+avx2"))]
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
///
/// The compiler knows that arguments do not overlap, and so vectorises the loop.
#[inline(always)]
fn d_output_row(o: &mut [f32], c_tanh: &[f32], dh: &[f32], dc: &mut [f32]) {
    for (((o, c_tanh), dh), dc) in o.iter_mut().zip(c_tanh).zip(dh).zip(dc) {
        *dc += dh * *o * (1.0 - c_tanh * c_tanh);
        *o = dh * c_tanh * *o * (1.0 - *o);
    }
}

/// Back through `c = f c_{t-1} + i g`: turns i, f and g into gradients by their `z`, and `dc` into that by `c_{t-1}`.
#[inline(always)]
fn d_state_row(i: &mut [f32], f: &mut [f32], g: &mut [f32], c_previous: &[f32], dc: &mut [f32]) {
    for ((((i, f), g), c_previous), dc) in i.iter_mut().zip(f).zip(g).zip(c_previous).zip(dc) {
        let (input, forget, candidate) = (*i, *f, *g);
        *i = *dc * candidate * input * (1.0 - input);
        *f = *dc * c_previous * forget * (1.0 - forget);
        *g = *dc * input * (1.0 - candidate * candidate);
        *dc *= forget;
    }
}
