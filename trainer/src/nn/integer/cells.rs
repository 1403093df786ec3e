//! The three cells in integers, each as in `refrain::cell`.

use refrain::activation::{sigmoid_of_half, tanh};
use refrain::fixed::{
    GATE_BITS, HIDDEN_BITS, MULTIPLIER_BITS, PREACTIVATION_BITS, hidden_operand, requantise, round_shift,
    saturate_cell, scale_by_gate,
};

use super::IntegerLayer;
use crate::nn::cell::Tape;
use crate::nn::product::{add_product, matrix, matrix_mut, set_product, tensor};
use crate::nn::timeline::Timeline;
use crate::nn::{gru, lstm};

/// A sigmoid's real value, of its integer.
const GATE: f32 = 1.0 / (1 << GATE_BITS) as f32;
/// A hidden state's and a tanh's.
const HIDDEN: f32 = 1.0 / (1 << HIDDEN_BITS) as f32;

/// The integer of a hidden state on a tape.
pub(super) fn q15(hidden: f32) -> i32 {
    (hidden * (1 << HIDDEN_BITS) as f32) as i32
}

/// A hidden state, Q15, as an operand.
pub(super) fn operand(hidden: i32, operand_bits: u32) -> f32 {
    hidden_operand(hidden as i16, operand_bits).into()
}

/// Fills `tape.hidden`.
pub(super) fn simple_rnn(layer: &IntegerLayer, timeline: &Timeline, tape: &mut Tape) {
    let weights = &layer.integers;
    let Tape { x, hidden, gates: sums, .. } = tape;
    let units = weights.units();
    let mut operands = vec![0.0; timeline.rows() * units];

    set_product(matrix(x, weights.inputs()), tensor(&weights.kernel), matrix_mut(sums, units));
    for step in timeline.steps() {
        let sums = &mut sums[step.range(units)];
        if let Some(continuing) = step.continuing(units) {
            let old = matrix(&operands[continuing], units);
            add_product(old, tensor(&weights.recurrent_kernel), matrix_mut(&mut sums[continuing], units));
        }
        let new = hidden[step.range_after(units)].chunks_exact_mut(units);
        for ((sums, hidden), operands) in
            sums.chunks_exact(units).zip(new).zip(operands.chunks_exact_mut(units))
        {
            for unit in 0..units {
                let h = tanh(layer.preactivation(sums[unit], unit));
                hidden[unit] = h as f32 * HIDDEN;
                operands[unit] = operand(h, layer.operand_bits);
            }
        }
    }
}

/// Fills `tape.hidden`, `tape.gates`, `tape.cell` and `tape.cell_tanh`.
pub(super) fn lstm(layer: &IntegerLayer, timeline: &Timeline, tape: &mut Tape) {
    let weights = &layer.integers;
    let Tape { x, hidden, gates, cell, cell_tanh, .. } = tape;
    let (units, width) = (weights.units(), lstm::WIDTH * weights.units());
    let size = timeline.rows() * units;
    let (mut operands, mut cells) = (vec![0.0; size], vec![0; size]);

    set_product(matrix(x, weights.inputs()), tensor(&weights.kernel), matrix_mut(gates, width));
    for step in timeline.steps() {
        let gates = &mut gates[step.range(width)];
        if let Some(continuing) = step.continuing(units) {
            let sums = matrix_mut(&mut gates[..lstm::WIDTH * continuing.end], width);
            add_product(matrix(&operands[continuing], units), tensor(&weights.recurrent_kernel), sums);
        }
        let (now, next) = (step.range(units), step.range_after(units));
        for (row, gates) in gates.chunks_exact_mut(width).enumerate() {
            let own = row * units..(row + 1) * units;
            let state = LstmState {
                cells: &mut cells[own.clone()],
                operands: &mut operands[own.clone()],
                cell: &mut cell[next.clone()][own.clone()],
                cell_tanh: &mut cell_tanh[now.clone()][own.clone()],
                hidden: &mut hidden[next.clone()][own],
            };
            lstm_row(layer, gates, state);
        }
    }
}

/// What one row of an LSTM writes, `[units]` each.
struct LstmState<'a> {
    /// The cell state in integers, of the timestep before and then of this one.
    cells: &'a mut [i32],
    operands: &'a mut [f32],
    cell: &'a mut [f32],
    cell_tanh: &'a mut [f32],
    hidden: &'a mut [f32],
}

/// One row of one timestep: turns its products `[4 * units]` into gates.
fn lstm_row(layer: &IntegerLayer, gates: &mut [f32], state: LstmState<'_>) {
    let units = state.cells.len();
    let cell_bits = layer.cell_bits;
    let cell_value = (-(cell_bits as f32)).exp2();
    for unit in 0..units {
        let preactivation =
            |gate: usize| layer.preactivation(gates[gate * units + unit], gate * units + unit);
        let (i, f) = (sigmoid_of_half(preactivation(0)), sigmoid_of_half(preactivation(1)));
        let (g, o) = (tanh(preactivation(2)), sigmoid_of_half(preactivation(3)));
        let written = (i * g) >> (GATE_BITS + HIDDEN_BITS - cell_bits);
        let cell = saturate_cell(scale_by_gate(state.cells[unit], f) + written);
        let squashed = tanh(round_shift(cell, cell_bits - PREACTIVATION_BITS));
        let hidden = round_shift(o * squashed, GATE_BITS);

        for (gate, value) in [(0, i as f32 * GATE), (1, f as f32 * GATE), (2, g as f32 * HIDDEN)] {
            gates[gate * units + unit] = value;
        }
        gates[3 * units + unit] = o as f32 * GATE;
        state.cells[unit] = cell;
        state.cell[unit] = cell as f32 * cell_value;
        state.cell_tanh[unit] = squashed as f32 * HIDDEN;
        state.hidden[unit] = hidden as f32 * HIDDEN;
        state.operands[unit] = operand(hidden, layer.operand_bits);
    }
}

/// Fills `tape.hidden` and `tape.gates`, in whose rows g, z, r and q lie in the f32 cell's order.
pub(super) fn gru(layer: &IntegerLayer, timeline: &Timeline, tape: &mut Tape) {
    let weights = &layer.integers;
    let Tape { x, hidden, gates, .. } = tape;
    let units = weights.units();
    let mut operands = vec![0.0; timeline.rows() * units];

    gru::set_input_products(weights, x, gates);
    for step in timeline.steps() {
        let gates = &mut gates[step.range(gru::WIDTH * units)];
        let continuing = step.continuing(units).map_or(&[][..], |continuing| &operands[continuing]);
        gru::add_recurrent_products(weights, continuing, gates);
        let (past, future) = hidden.split_at_mut(step.range(units).end);
        let states = past[step.range(units)].chunks_exact(units).zip(future.chunks_exact_mut(units));
        let rows = gates.chunks_exact_mut(gru::WIDTH * units).zip(operands.chunks_exact_mut(units));
        for ((gates, operands), (old, new)) in rows.zip(states) {
            gru_row(layer, gates, old, new, operands);
        }
    }
}

/// One row of one timestep: turns its products `[4 * units]` into g, z, r and q.
fn gru_row(layer: &IntegerLayer, gates: &mut [f32], old: &[f32], new: &mut [f32], operands: &mut [f32]) {
    let units = old.len();
    for unit in 0..units {
        let (z_column, r_column, g_column) = (unit, units + unit, 2 * units + unit);
        let z = sigmoid_of_half(layer.preactivation(gates[units + unit], z_column));
        let r = sigmoid_of_half(layer.preactivation(gates[2 * units + unit], r_column));
        let input = gates[unit] as i32 + layer.biases[g_column];
        let recurrent = gates[3 * units + unit] as i32 + layer.recurrent_biases[unit];
        let multiplier = layer.multipliers[g_column];
        let g = tanh(requantise(input + scale_by_gate(recurrent, r), multiplier));
        let hidden = g + round_shift(z * (q15(old[unit]) - g), GATE_BITS);

        gates[unit] = g as f32 * HIDDEN;
        gates[units + unit] = z as f32 * GATE;
        gates[2 * units + unit] = r as f32 * GATE;
        gates[3 * units + unit] = recurrent as f32 * accumulator_value(multiplier);
        new[unit] = hidden as f32 * HIDDEN;
        operands[unit] = operand(hidden, layer.operand_bits);
    }
}

/// What an accumulator of 1 stands for in a row that feeds a tanh.
fn accumulator_value(multiplier: i32) -> f32 {
    multiplier as f32 * (-((MULTIPLIER_BITS + PREACTIVATION_BITS) as f32)).exp2()
}
