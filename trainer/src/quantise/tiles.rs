//! Integer rows as the sections of a file: tiles of pairs, see `refrain::format`.

use refrain::Numbers;
use refrain::format::SectionKind;

use super::int8::{IntegerRow, Quantised};
use super::writer::Payload;

/// The sections of a network that computes with the integers `numbers`, and whose cell has tiles of so many pairs of
/// rows.
pub(super) fn payload(network: &Quantised, numbers: Numbers, pairs: usize) -> Payload {
    let Quantised { layers, dense, input } = network;
    let cells: Vec<&IntegerRow> = layers.iter().flatten().collect();
    let logits: Vec<&IntegerRow> = dense.iter().collect();
    let recurrent_biases: Vec<i32> = cells.iter().filter_map(|row| row.recurrent_bias).collect();
    let mut payload = Payload::default();
    let tile = if numbers == Numbers::Int4 { tile_of_nibbles } else { tile_of_bytes };
    payload.push(SectionKind::Kernel, &tiles(&cells, pairs, |row| &row.kernel, tile));
    payload.push(SectionKind::RecurrentKernel, &tiles(&cells, pairs, |row| &row.recurrent_kernel, tile));
    payload.push(SectionKind::Bias, &each(&cells, |row| row.bias));
    if !recurrent_biases.is_empty() {
        payload.push(SectionKind::RecurrentBias, &recurrent_biases);
    }
    payload.push(SectionKind::Multiplier, &each(&cells, |row| row.multiplier));
    payload.push(SectionKind::DenseKernel, &tiles(&logits, 1, |row| &row.recurrent_kernel, tile_of_bytes));
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
fn tiles(
    rows: &[&IntegerRow],
    pairs: usize,
    weights: fn(&IntegerRow) -> &[i8],
    tile: fn(&[&[i8]]) -> Vec<u32>,
) -> Vec<u32> {
    let rows: Vec<&[i8]> = rows.iter().map(|row| weights(row)).collect();
    rows.chunks(2 * pairs).flat_map(tile).collect()
}

/// One tile of `rows`, pair by pair (A, B): columns two by two, in them pair after pair, `256·A + B` each.
fn tile_of_bytes(rows: &[&[i8]]) -> Vec<u32> {
    let columns = rows[0].len();
    let mut words = Vec::with_capacity(columns.next_multiple_of(4) * rows.len() / 4);
    for first in (0..columns.next_multiple_of(4)).step_by(2) {
        for pair in rows.chunks(2) {
            let half = |column| (256 * weight(pair[0], column) + weight(pair[1], column)) as u16;
            words.push(u32::from(half(first)) | u32::from(half(first + 1)) << 16);
        }
    }
    words
}

/// One tile of `rows`, pair by pair (A, B): columns four by four, in them pair after pair. A half word holds, from its
/// lowest nibble on, B and A of a column and of the column after the next, each weight plus 8.
fn tile_of_nibbles(rows: &[&[i8]]) -> Vec<u32> {
    let columns = rows[0].len();
    let nibble = |row, column| (weight(row, column) + 8) as u32;
    let mut words = Vec::with_capacity(columns.next_multiple_of(4) * rows.len() / 8);
    for first in (0..columns.next_multiple_of(4)).step_by(4) {
        for pair in rows.chunks(2) {
            let byte = |row, column| nibble(row, column) | nibble(row, column + 2) << 4;
            let half = |column| byte(pair[1], column) | byte(pair[0], column) << 8;
            words.push(half(first) | half(first + 1) << 16);
        }
    }
    words
}

/// A row's weight in a column, 0 in the columns that fill a tile.
fn weight(row: &[i8], column: usize) -> i16 {
    row.get(column).copied().unwrap_or(0).into()
}
