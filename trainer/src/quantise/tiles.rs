//! Integer rows as the sections of a file: tiles of pairs, see `refrain::format`.

use refrain::format::SectionKind;

use super::int8::{IntegerRow, Quantised};
use super::writer::Payload;

/// The sections of a network whose cell has tiles of so many pairs of rows.
pub(super) fn payload(network: &Quantised, pairs: usize) -> Payload {
    let Quantised { layers, dense, input } = network;
    let cells: Vec<&IntegerRow> = layers.iter().flatten().collect();
    let logits: Vec<&IntegerRow> = dense.iter().collect();
    let recurrent_biases: Vec<i32> = cells.iter().filter_map(|row| row.recurrent_bias).collect();
    let mut payload = Payload::default();
    payload.push(SectionKind::Kernel, &words(&cells, pairs, |row| &row.kernel));
    payload.push(SectionKind::RecurrentKernel, &words(&cells, pairs, |row| &row.recurrent_kernel));
    payload.push(SectionKind::Bias, &each(&cells, |row| row.bias));
    if !recurrent_biases.is_empty() {
        payload.push(SectionKind::RecurrentBias, &recurrent_biases);
    }
    payload.push(SectionKind::Multiplier, &each(&cells, |row| row.multiplier));
    payload.push(SectionKind::DenseKernel, &words(&logits, 1, |row| &row.recurrent_kernel));
    payload.push(SectionKind::DenseBias, &each(&logits, |row| row.bias));
    payload.push(SectionKind::DenseMultiplier, &each(&logits, |row| row.multiplier));
    input.push(&mut payload);
    payload
}

/// A number of each row.
fn each(rows: &[&IntegerRow], number: fn(&IntegerRow) -> i32) -> Vec<i32> {
    rows.iter().map(|row| number(row)).collect()
}

/// Tile after tile.
fn words(rows: &[&IntegerRow], pairs: usize, weights: fn(&IntegerRow) -> &[i8]) -> Vec<i16> {
    let rows: Vec<&[i8]> = rows.iter().map(|row| weights(row)).collect();
    rows.chunks(2 * pairs).flat_map(tile).collect()
}

/// One tile of `rows`, pair by pair (A, B): columns two by two, in them pair after pair, `256·A + B` each.
fn tile(rows: &[&[i8]]) -> Vec<i16> {
    let columns = rows[0].len();
    let weight = |row: &[i8], column: usize| i16::from(row.get(column).copied().unwrap_or(0));
    let mut words = Vec::with_capacity(columns.next_multiple_of(4) * rows.len() / 2);
    for first in (0..columns.next_multiple_of(4)).step_by(2) {
        for pair in rows.chunks(2) {
            for column in [first, first + 1] {
                words.push(256 * weight(pair[0], column) + weight(pair[1], column));
            }
        }
    }
    words
}
