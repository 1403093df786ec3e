//! Rows of f32 weights as rows of integers: weights of 8 bits, or of 4.
//!
//! A row's sum of real numbers, `Σ K·x + Σ R·h + b`, is to come out of integers. Hidden states are operands in `s`
//! fraction bits; input column `i` has operands of which 1 is `g[i]·2^-s`, short of `x` by `e[i]` (`input` says how
//! they come about). With one scale `q` for the row,
//!
//! ```text
//! K'[i] = K[i]·g[i]             so that K'·2^-s·operand = K·(x - e)
//! w     = round(K'/q), round(R/q)
//! B     = round((b + Σ K·e)·2^s/q)   accumulator units: one is q·2^-s
//! m     = round(q·2^-s · 2^f · 2^24)   takes the accumulator to the f fraction bits of what follows
//! ```

use refrain::Numbers;
use refrain::fixed::{ACCUMULATOR_LIMIT, LOGIT_BITS, MULTIPLIER_BITS, PREACTIVATION_BITS};

use super::input::{InputPlan, Inputs, Operands};
use super::rows::{NetworkRows, Output, Row};
use super::{ExportError, LAYER_NAMES};

/// Fraction bits of hidden states and of standardised inputs, the finest first. Finer than 12 bits gains nothing
/// beside int8 weights; hidden states coarser than 8 cost accuracy, and a row that needs that gets a larger scale
/// instead, but inputs may have outliers that are worth a few bits.
const FORMATS: [(u32, u32); 9] =
    [(12, 12), (11, 11), (10, 10), (9, 9), (8, 8), (8, 7), (8, 6), (8, 5), (8, 4)];

/// Weights of 8 bits: -128 is not used, so that negating a row is exact.
pub(crate) const INT8: f64 = 127.0;
/// Weights of 4 bits: -8 is not used either.
const INT4: f64 = 7.0;

/// The greatest weight of a recurrent layer that computes with the integers `numbers`.
///
/// # Panics
/// If they are no integers.
pub(super) fn greatest_weight(numbers: Numbers) -> f64 {
    match numbers {
        Numbers::Int8 => INT8,
        Numbers::Int4 => INT4,
        Numbers::F32 => panic!("f32 models have no integers"),
    }
}

/// A network in integers, and the operand formats that it is made for.
pub(super) struct Quantised {
    pub(super) input: InputPlan,
    /// Row after row of each layer, in whole tiles.
    pub(super) layers: Vec<Vec<IntegerRow>>,
    pub(super) dense: Vec<IntegerRow>,
}

/// A row in integers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IntegerRow {
    pub(crate) kernel: Vec<i8>,
    pub(crate) recurrent_kernel: Vec<i8>,
    /// In accumulator units, as is the other one.
    pub(crate) bias: i32,
    pub(crate) recurrent_bias: Option<i32>,
    pub(crate) multiplier: i32,
    /// The real value of a weight of 1 beside a hidden state.
    pub(crate) scale: f64,
    /// The greatest magnitude that its sum can have.
    pub(crate) bound: u64,
}

/// Quantises every row of a network whose recurrent weights reach `greatest_weight`, in the finest operand format
/// for which no sum can overflow.
///
/// # Errors
/// [`ExportError::Range`].
pub(super) fn quantise(
    rows: &NetworkRows,
    inputs: &Inputs<'_>,
    greatest_weight: f64,
) -> Result<Quantised, ExportError> {
    let finest = FORMATS.iter().find_map(|&(bits, input_bits)| {
        let plan = inputs.plan(bits, input_bits);
        let reaches = plan.reaches(inputs.greatest, input_bits);
        (reaches && fits(rows, &plan, greatest_weight)).then_some(plan)
    });
    let [.., (bits, input_bits)] = FORMATS;
    let input = finest.unwrap_or_else(|| inputs.plan(bits, input_bits));
    let quantise = |name, rows: &[Row], operands: &Operands, greatest| -> Result<Vec<_>, ExportError> {
        let row =
            |(index, row)| quantise_row(row, operands, greatest).ok_or_else(|| range_error(name, index, row));
        rows.iter().enumerate().map(row).collect()
    };
    let layers = rows.layers.iter().zip(operands_of(rows, &input)).zip(LAYER_NAMES);
    Ok(Quantised {
        layers: layers
            .map(|((rows, operands), name)| quantise(name, rows, &operands, greatest_weight))
            .collect::<Result<_, _>>()?,
        dense: quantise("dense", &rows.dense, &Operands::of_hidden_states(0, input.operands.bits), INT8)?,
        input,
    })
}

/// The operands of each layer.
fn operands_of<'a>(rows: &'a NetworkRows, input: &'a InputPlan) -> impl Iterator<Item = Operands> + 'a {
    (0..rows.layers.len()).map(|layer| match layer {
        0 => input.operands.clone(),
        _ => Operands::of_hidden_states(rows.units, input.operands.bits),
    })
}

/// Whether every row with its best scale stays inside the accumulator.
fn fits(rows: &NetworkRows, input: &InputPlan, greatest_weight: f64) -> bool {
    let fit = |rows: &[Row], operands: &Operands, greatest: f64| {
        rows.iter().all(|row| {
            let scale = best_scale(row, operands, greatest);
            round(row, operands, scale, greatest).is_some_and(|row| row.bound < ACCUMULATOR_LIMIT.into())
        })
    };
    let dense = Operands::of_hidden_states(0, input.operands.bits);
    let mut layers = rows.layers.iter().zip(operands_of(rows, input));
    layers.all(|(rows, operands)| fit(rows, &operands, greatest_weight)) && fit(&rows.dense, &dense, INT8)
}

fn range_error(layer: &'static str, row: usize, weights: &Row) -> ExportError {
    let all = weights.kernel.iter().chain(&weights.recurrent_kernel).chain([&weights.bias]);
    let greatest = all.fold(0.0, |greatest: f32, weight| greatest.max(weight.abs()));
    ExportError::Range { layer, row, greatest }
}

/// The row with the best scale that keeps its sums inside the accumulator and its weights from
/// `-greatest_weight` to `greatest_weight`; `None` where its multiplier has no room for that scale.
pub(crate) fn quantise_row(row: &Row, operands: &Operands, greatest_weight: f64) -> Option<IntegerRow> {
    let mut scale = best_scale(row, operands, greatest_weight);
    loop {
        let rounded = round(row, operands, scale, greatest_weight)?;
        if rounded.bound < ACCUMULATOR_LIMIT.into() {
            return Some(rounded);
        }
        scale *= 1.001 * rounded.bound as f64 / ACCUMULATOR_LIMIT as f64;
    }
}

/// The scale with which the row's greatest weight becomes `greatest_weight`. Of 4 bits there are so few that room for one
/// great weight costs all others more than it gains, so that those beyond some deviations become the greatest there is;
/// a search for the best scale of all would do no better, and its choices would unsettle training in integers.
fn best_scale(row: &Row, operands: &Operands, greatest_weight: f64) -> f64 {
    /// Deviations that have room in 4 bits: the best for normally distributed weights.
    const ROOM: f64 = 2.5;
    let inputs = row.kernel.iter().zip(&operands.gains).map(|(&w, gain)| f64::from(w) * gain);
    let (mut greatest, mut squares, mut count) = (0.0_f64, 0.0, 0.0);
    for weight in inputs.chain(row.recurrent_kernel.iter().map(|&w| w.into())) {
        greatest = greatest.max(weight.abs());
        squares += weight * weight;
        count += 1.0;
    }
    if greatest_weight < INT8 {
        greatest = greatest.min(ROOM * (squares / count).sqrt());
    }
    if greatest > 0.0 { greatest / greatest_weight } else { 1.0 / greatest_weight }
}

/// The whole number nearest to a weight in units of its scale, of at most `greatest`.
fn nearest_weight(weight: f64, greatest: f64) -> f64 {
    weight.round().clamp(-greatest, greatest)
}

/// The row in units of `scale`.
fn round(row: &Row, operands: &Operands, scale: f64, greatest_weight: f64) -> Option<IntegerRow> {
    let weight = |weight: f64| nearest_weight(weight / scale, greatest_weight) as i8;
    let kernel = row.kernel.iter().zip(&operands.gains).map(|(&w, gain)| weight(f64::from(w) * gain));
    let kernel: Vec<i8> = kernel.collect();
    let recurrent_kernel: Vec<i8> = row.recurrent_kernel.iter().map(|&w| weight(w.into())).collect();
    let unit = scale * 2f64.powi(-(operands.bits as i32));
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
    let short: f64 = row.kernel.iter().zip(&operands.shifts).map(|(&w, shift)| f64::from(w) * shift).sum();
    let bias = |bias: f64| (bias / unit).round();
    let (own, recurrent) =
        (bias(f64::from(row.bias) + short), row.recurrent_bias.map(|value| bias(value.into())));
    let products =
        magnitude(&kernel) * operands.greatest_input + (magnitude(&recurrent_kernel) << operands.bits);
    // beside tiny weights a bias may be more accumulator units than any integer holds
    let bound = products.saturating_add((own.abs() + recurrent.unwrap_or(0.0).abs()) as u64);
    Some(IntegerRow {
        kernel,
        recurrent_kernel,
        bias: own as i32,
        recurrent_bias: recurrent.map(|bias| bias as i32),
        multiplier: multiplier as i32,
        scale,
        bound,
    })
}
