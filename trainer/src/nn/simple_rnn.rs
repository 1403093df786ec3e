//! Keras's `SimpleRNN`, forward and back through time.
//!
//! ```text
//! z_t = x_t·K + h_{t-1}·R + b
//! h_t = tanh(z_t)
//! ```
//! <https://keras.io/api/layers/recurrent_layers/simple_rnn/>

use multiversion::multiversion;

use super::cell::{CellWeights, Tape, add_product, fill_rows, matrix, matrix_mut, set_product, sum_rows};
use refrain::float::activation::tanh;

/// A row of [`Tape::gates`] holds `z`, then `dL/dz`.
pub(super) const WIDTH: usize = 1;

/// Fills `tape.hidden`.
pub(super) fn forward(weights: &CellWeights, tape: &mut Tape) {
    let Tape { rows, units, inputs, x, hidden, gates: z, .. } = tape;
    let (units, step) = (*units, *rows * *units);
    let recurrent_kernel = weights.recurrent_kernel.view();

    // z = b + x·K for all timesteps at once, [timesteps * rows, units]
    fill_rows(z, &weights.bias.row(0));
    add_product(&matrix(x, *inputs), &weights.kernel.view(), &mut matrix_mut(z, units));

    for (t, z) in z.chunks_exact_mut(step).enumerate() {
        let (past, future) = hidden.split_at_mut((t + 1) * step);
        if t > 0 {
            add_product(&matrix(&past[t * step..], units), &recurrent_kernel, &mut matrix_mut(z, units));
        }
        activate(z, &mut future[..step]);
    }
}

/// Sets `gradients` from `tape.d_hidden`.
pub(super) fn backward(weights: &CellWeights, tape: &mut Tape, gradients: &mut CellWeights) {
    let Tape { rows, units, inputs, x, hidden, gates: dz, d_hidden, .. } = tape;
    let (units, step) = (*units, *rows * *units);

    for (t, dz) in dz.chunks_exact_mut(step).enumerate().rev() {
        d_activate(&hidden[(t + 1) * step..(t + 2) * step], d_hidden, dz);
        if t > 0 {
            // dL/dh_{t-1} = dz·Rᵀ
            let d_previous = &mut matrix_mut(d_hidden, units);
            set_product(&matrix(dz, units), &weights.recurrent_kernel.t(), d_previous);
        }
    }

    // Sums over all timesteps and rows: dK = xᵀ·dz, dR = h_{t-1}ᵀ·dz, db = Σ dz
    let h_previous = matrix(&hidden[..hidden.len() - step], units);
    let dz = matrix(dz, units);
    set_product(&matrix(x, *inputs).t(), &dz, &mut gradients.kernel.view_mut());
    set_product(&h_previous.t(), &dz, &mut gradients.recurrent_kernel.view_mut());
    sum_rows(&dz, &mut gradients.bias.row_mut(0));
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
