//! Rows of f32 weights as rows of int8 weights.
//!
//! A row's sum of real numbers, `Σ K·x + Σ R·h + b`, is to come out of integers. With operands in `s` fraction bits
//! (`x` being `sample·scale`, its operand `sample·2^shift`) and one scale `q` for the row,
//!
//! ```text
//! K' = K·scale·2^(s - shift)    so that K'·2^-s·operand = K·x
//! w  = round(K'/q), round(R/q)  int8
//! B  = round(b·2^s/q)           accumulator units: one is q·2^-s
//! m  = round(q·2^-s · 2^f · 2^24)   takes the accumulator to the f fraction bits of what follows
//! ```

use refrain::fixed::{ACCUMULATOR_LIMIT, LOGIT_BITS, MULTIPLIER_BITS, PREACTIVATION_BITS};
use refrain::format::SectionKind;

use super::rows::{NetworkRows, Output, Row};
use super::writer::Payload;
use super::{ExportError, UniformInput};

/// Operand formats tried, the finest first. Finer than 12 bits gains nothing beside int8 weights; coarser than 8
/// costs accuracy, and a row that needs that gets a larger scale instead.
const OPERAND_BITS: std::ops::RangeInclusive<u32> = 8..=12;

/// The greatest int8 weight that is used; -128 is not, so that negating a row is exact.
const GREATEST_WEIGHT: f64 = 127.0;

/// The sections of an int8 model, and the operand format that they are made for.
pub(super) struct Quantised {
    pub(super) payload: Payload,
    pub(super) operand_bits: u8,
}

/// A row in integers.
#[derive(Clone, Debug, PartialEq)]
struct IntegerRow {
    kernel: Vec<i8>,
    recurrent_kernel: Vec<i8>,
    bias: i32,
    recurrent_bias: Option<i32>,
    multiplier: i32,
    /// The greatest magnitude that its sum can have.
    bound: u64,
}

/// Quantises every row; sets `input.shift`.
///
/// # Errors
/// [`ExportError::Range`].
pub(super) fn quantise(rows: &NetworkRows, input: &mut UniformInput) -> Result<Quantised, ExportError> {
    let fits = |&bits: &u32| {
        let format = OperandFormat::new(input, bits);
        let mut all = rows.cell.iter().chain(&rows.dense);
        all.all(|row| {
            format.round(row, format.finest_scale(row)).is_some_and(|row| row.bound < ACCUMULATOR_LIMIT)
        })
    };
    let bits = OPERAND_BITS.rev().find(fits).unwrap_or(*OPERAND_BITS.start());
    let format = OperandFormat::new(input, bits);
    input.shift = format.shift as i8;
    let quantise = |layer: &'static str, rows: &[Row]| -> Result<Vec<IntegerRow>, ExportError> {
        let row =
            |(index, row): (usize, &Row)| format.quantise(row).ok_or_else(|| range_error(layer, index, row));
        rows.iter().enumerate().map(row).collect()
    };
    let (cell, dense) = (quantise("cell", &rows.cell)?, quantise("dense", &rows.dense)?);
    Ok(Quantised { payload: payload(&cell, rows.pairs, &dense), operand_bits: bits as u8 })
}

fn range_error(layer: &'static str, row: usize, weights: &Row) -> ExportError {
    let all = weights.kernel.iter().chain(&weights.recurrent_kernel).chain([&weights.bias]);
    let greatest = all.fold(0.0, |greatest: f32, weight| greatest.max(weight.abs()));
    ExportError::Range { layer, row, greatest }
}

/// How inputs and hidden states become operands.
struct OperandFormat {
    bits: u32,
    shift: i32,
    /// Real value of an input operand of 1, over that of a hidden operand of 1.
    input_gain: f64,
    greatest_input: u64,
}

impl OperandFormat {
    /// Hidden states have `bits` fraction bits; the greatest sample is brought as close below `2^bits` as a shift
    /// can bring it.
    fn new(input: &UniformInput, bits: u32) -> Self {
        let (min, max) = input.range;
        let most = u32::from(min.unsigned_abs().max(max.unsigned_abs()));
        let shift = bits as i32 - (u32::BITS - most.leading_zeros()) as i32;
        let input_gain = f64::from(input.scale) * 2f64.powi(bits as i32 - shift);
        // a right shift rounds, so the greatest operand may be 2^bits itself
        let greatest_input = if shift >= 0 { u64::from(most) << shift } else { 1 << bits };
        Self { bits, shift, input_gain, greatest_input }
    }

    /// The scale with which the row's greatest weight becomes 127.
    fn finest_scale(&self, row: &Row) -> f64 {
        let inputs = row.kernel.iter().map(|&weight| (f64::from(weight) * self.input_gain).abs());
        let greatest = inputs.chain(row.recurrent_kernel.iter().map(|&weight| f64::from(weight).abs()));
        let greatest = greatest.fold(0.0, f64::max);
        if greatest > 0.0 { greatest / GREATEST_WEIGHT } else { 1.0 / GREATEST_WEIGHT }
    }

    /// The row with the finest scale that keeps its sums inside the accumulator; `None` where its multiplier has
    /// no room for that scale.
    fn quantise(&self, row: &Row) -> Option<IntegerRow> {
        let mut scale = self.finest_scale(row);
        loop {
            let rounded = self.round(row, scale)?;
            if rounded.bound < ACCUMULATOR_LIMIT {
                return Some(rounded);
            }
            scale *= 1.001 * rounded.bound as f64 / ACCUMULATOR_LIMIT as f64;
        }
    }

    /// The row in units of `scale`.
    fn round(&self, row: &Row, scale: f64) -> Option<IntegerRow> {
        let weight = |weight: f64| (weight / scale).round() as i8;
        let kernel: Vec<i8> = row.kernel.iter().map(|&w| weight(f64::from(w) * self.input_gain)).collect();
        let recurrent_kernel: Vec<i8> = row.recurrent_kernel.iter().map(|&w| weight(w.into())).collect();
        let unit = scale * 2f64.powi(-(self.bits as i32));
        let bias = |bias: f32| (f64::from(bias) / unit).round();
        let fraction_bits = match row.output {
            Output::Tanh => PREACTIVATION_BITS,
            Output::Sigmoid => PREACTIVATION_BITS - 1,
            Output::Logit => LOGIT_BITS,
        };
        let multiplier = (unit * 2f64.powi((fraction_bits + MULTIPLIER_BITS) as i32)).round();
        if multiplier > f64::from(i32::MAX) {
            return None;
        }
        let magnitude = |weights: &[i8]| weights.iter().map(|w| u64::from(w.unsigned_abs())).sum::<u64>();
        let (own, recurrent) = (bias(row.bias), row.recurrent_bias.map(bias));
        let products = magnitude(&kernel) * self.greatest_input + (magnitude(&recurrent_kernel) << self.bits);
        // beside tiny weights a bias may be more accumulator units than any integer holds
        let bound = products.saturating_add((own.abs() + recurrent.unwrap_or(0.0).abs()) as u64);
        Some(IntegerRow {
            kernel,
            recurrent_kernel,
            bias: own as i32,
            recurrent_bias: recurrent.map(|bias| bias as i32),
            multiplier: multiplier as i32,
            bound,
        })
    }
}

/// The sections of the rows.
fn payload(cell: &[IntegerRow], pairs: usize, dense: &[IntegerRow]) -> Payload {
    let words = |rows: &[IntegerRow], pairs, weights: fn(&IntegerRow) -> &[i8]| -> Vec<i16> {
        let rows: Vec<&[i8]> = rows.iter().map(weights).collect();
        rows.chunks(2 * pairs).flat_map(tile).collect()
    };
    let biases = |rows: &[IntegerRow]| rows.iter().map(|row| row.bias).collect::<Vec<i32>>();
    let multipliers = |rows: &[IntegerRow]| rows.iter().map(|row| row.multiplier).collect::<Vec<i32>>();
    let recurrent_biases: Vec<i32> = cell.iter().filter_map(|row| row.recurrent_bias).collect();
    let mut payload = Payload::default();
    payload.push(SectionKind::Kernel, &words(cell, pairs, |row| &row.kernel));
    payload.push(SectionKind::RecurrentKernel, &words(cell, pairs, |row| &row.recurrent_kernel));
    payload.push(SectionKind::Bias, &biases(cell));
    if !recurrent_biases.is_empty() {
        payload.push(SectionKind::RecurrentBias, &recurrent_biases);
    }
    payload.push(SectionKind::Multiplier, &multipliers(cell));
    payload.push(SectionKind::DenseKernel, &words(dense, 1, |row| &row.recurrent_kernel));
    payload.push(SectionKind::DenseBias, &biases(dense));
    payload.push(SectionKind::DenseMultiplier, &multipliers(dense));
    payload
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
