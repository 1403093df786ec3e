//! Keras's `SimpleRNN`, forward and back through time.
//!
//! ```text
//! z_t = x_t·K + h_{t-1}·R + b
//! h_t = tanh(z_t)
//! ```
//! <https://keras.io/api/layers/recurrent_layers/simple_rnn/>

use multiversion::multiversion;
use ndarray::ArrayViewMut2;

use super::cell::{
    CellWeights, Tape, add_outputs, add_product, fill_rows, matrix, matrix_mut, set_product, sum_rows,
};
use super::timeline::Timeline;
use refrain::float::activation::tanh;

/// A row of [`Tape::gates`] holds `z`, then `dL/dz`.
pub(super) const WIDTH: usize = 1;

/// Fills `tape.hidden`.
pub(super) fn forward(weights: &CellWeights, timeline: &Timeline, tape: &mut Tape) {
    let Tape { x, hidden, gates: z, .. } = tape;
    let units = weights.units();
    let recurrent_kernel = weights.recurrent_kernel.view();

    // z = b + x·K for all timesteps at once, [total, units]
    fill_rows(z, &weights.bias.row(0));
    add_product(&matrix(x, weights.inputs()), &weights.kernel.view(), &mut matrix_mut(z, units));

    for step in timeline.steps() {
        let z = &mut z[step.range(units)];
        let (past, future) = hidden.split_at_mut(step.range(units).end);
        if let Some(continuing) = step.continuing(units) {
            let h_previous = &past[step.range(units)][continuing];
            add_product(
                &matrix(h_previous, units),
                &recurrent_kernel,
                &mut matrix_mut(&mut z[continuing], units),
            );
        }
        activate(z, &mut future[..step.size(units)]);
    }
}

/// Sets `gradients` from `tape.d_hidden` and `tape.d_outputs`.
pub(super) fn backward(
    weights: &CellWeights,
    timeline: &Timeline,
    tape: &mut Tape,
    gradients: &mut CellWeights,
) {
    let Tape { x, hidden, gates: dz, d_hidden, d_outputs, .. } = tape;
    let units = weights.units();

    for step in timeline.steps().rev() {
        let dz = &mut dz[step.range(units)];
        add_outputs(d_outputs, step.range(units), d_hidden);
        d_activate(&hidden[step.range_after(units)], &d_hidden[..step.size(units)], dz);
        if let Some(continuing) = step.continuing(units) {
            // dL/dh_{t-1} = dz·Rᵀ
            let d_previous = &mut matrix_mut(&mut d_hidden[continuing], units);
            set_product(&matrix(&dz[continuing], units), &weights.recurrent_kernel.t(), d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·dz, dR = h_{t-1}ᵀ·dz, db = Σ dz
    let h_previous = matrix(&hidden[..timeline.total() * units], units);
    let dz = matrix(dz, units);
    set_product(&matrix(x, weights.inputs()).t(), &dz, &mut gradients.kernel.view_mut());
    set_product(&h_previous.t(), &dz, &mut gradients.recurrent_kernel.view_mut());
    sum_rows(&dz, &mut gradients.bias.row_mut(0));
}

/// `dx = dz·Kᵀ` for all timesteps at once, `[total, inputs]`.
pub(super) fn backward_input(weights: &CellWeights, tape: &Tape, d_x: &mut ArrayViewMut2<'_, f32>) {
    set_product(&matrix(&tape.gates, weights.units()), &weights.kernel.t(), d_x);
}

/// `h = tanh(z)`, element by element.
#[multiversion(targets("x86_64+avx2"))]
fn activate(z: &[f32], h: &mut [f32]) {
    for (h, z) in h.iter_mut().zip(z) {
        *h = tanh(*z);
    }
}

/// `dz = dh (1 - h²)`, element by element.
#[multiversion(targets("x86_64+avx2"))]
fn d_activate(h: &[f32], dh: &[f32], dz: &mut [f32]) {
    for ((dz, h), dh) in dz.iter_mut().zip(h).zip(dh) {
        *dz = dh * (1.0 - h * h);
    }
}
