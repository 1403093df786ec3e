//! The numbers of a model file as matrices, for training in them.

use ndarray::ArrayViewMut1;
use refrain::{CellKind, Numbers, Samples, Scaling};

use super::calibrate::{self, Reach};
use super::input::{InputPlan, Scales};
use super::int8::{self, IntegerRow};
use super::{ExportError, Inputs, fold, rows};
use crate::data::{InputScaling, SplitView};
use crate::nn::Network;
use crate::nn::cell::CellWeights;
use crate::nn::dense::Dense;
use crate::nn::integer::{self, IntegerDense, IntegerInput, IntegerLayer, IntegerNetwork};

/// The formats that a network is to be exported in, as [`export`](super::export) would choose them.
#[derive(Clone, Copy, Debug)]
pub struct Formats<'a> {
    inputs: Inputs<'a>,
    greatest_weight: f64,
    cell_bits: u8,
}

impl<'a> Formats<'a> {
    /// The formats for `network` as it stands, computing with the integers `numbers`; `calibration` is as in `export`.
    ///
    /// # Panics
    /// If there are no sequences in `calibration`, or `numbers` are no integers.
    pub fn new(
        network: &Network,
        scaling: &'a InputScaling,
        numbers: Numbers,
        calibration: SplitView<'_>,
    ) -> Self {
        let reach = Reach::of(network, scaling, calibration);
        let inputs = Inputs {
            samples: calibration.sequence(0).samples(),
            scaling,
            count: network.shape().inputs.into(),
            greatest: reach.feature,
        };
        let has_cell_state = network.kind() == CellKind::Lstm;
        let cell_bits = if has_cell_state { calibrate::cell_bits(reach.cell) } else { 0 };
        Self { inputs, greatest_weight: int8::greatest_weight(numbers), cell_bits }
    }

    /// What `export` would write of `network`, as matrices: the same integers by the same code.
    ///
    /// # Errors
    /// [`ExportError::Range`].
    pub fn integers(&self, network: &Network) -> Result<IntegerNetwork, ExportError> {
        let folded = fold::batch_normalization(&network.batch_normalization, &network.dense);
        let rows = rows::network_rows(&network.layers, &folded);
        let quantised = int8::quantise(&rows, &self.inputs, self.greatest_weight)?;
        let operands = &quantised.input.operands;
        let mut layers = Vec::with_capacity(network.layers.len());
        for (index, (weights, rows)) in network.layers.iter().zip(&quantised.layers).enumerate() {
            // what a kernel's weight of 1 stands for is less where an operand stands for more
            let gains = if index == 0 { &operands.gains[..] } else { &[] };
            let mut layer = layer(weights, rows, gains, operands.bits);
            layer.input = (index == 0).then(|| self.input(&quantised.input));
            layer.cell_bits = self.cell_bits.into();
            layers.push(layer);
        }
        Ok(IntegerNetwork { layers, dense: dense(&folded, &quantised.dense, operands.bits) })
    }

    fn input(&self, plan: &InputPlan) -> IntegerInput {
        let range = match self.inputs.samples {
            Samples::U8 => (0, u8::MAX.into()),
            Samples::I16 | Samples::F32 => (i16::MIN, i16::MAX),
        };
        let inputs = match (plan.format.scaling, &plan.scales) {
            (Scaling::Uniform { min, max, shift, .. }, _) => {
                integer::Inputs::Uniform { range: (min, max), shift }
            }
            (Scaling::PerFeature { shift, limit }, Scales::Integers(offset, gain)) => {
                integer::Inputs::Integers {
                    range,
                    shift: shift.into(),
                    offset: offset.clone(),
                    gain: gain.clone(),
                    limit: limit.into(),
                }
            }
            (Scaling::PerFeature { limit, .. }, Scales::Floats(offset, gain)) => {
                integer::Inputs::Floats { offset: offset.clone(), gain: gain.clone(), limit: limit.into() }
            }
            (Scaling::PerFeature { .. }, Scales::None) => unreachable!("every feature has a scale"),
        };
        let (mean, deviation) = self.inputs.moments();
        let unit = 2f64.powi(-(plan.operands.bits as i32));
        let step = plan.operands.gains.iter().map(|gain| (gain * unit) as f32).collect();
        let short = plan.operands.shifts.iter().map(|&short| short as f32).collect();
        IntegerInput { inputs, mean, deviation, step, short }
    }
}

fn layer(weights: &CellWeights, rows: &[IntegerRow], gains: &[f64], operand_bits: u32) -> IntegerLayer {
    let mut integers = CellWeights::zeros(weights.kind, weights.inputs(), weights.units());
    let mut values = integers.clone();
    let columns = integers.kernel.ncols();
    let (mut biases, mut multipliers) = (vec![0; columns], vec![0; columns]);
    let candidates = if weights.kind == CellKind::Gru { weights.units() } else { 0 };
    let mut recurrent_biases = vec![0; candidates];
    let order = rows::columns(weights.kind, weights.units());
    for (row, column) in rows.iter().zip(order).filter_map(|(row, column)| Some((row, column?))) {
        (biases[column], multipliers[column]) = (row.bias, row.multiplier);
        if let Some(bias) = row.recurrent_bias {
            recurrent_biases[column - 2 * candidates] = bias;
        }
        let (integer, value) = (&mut integers.kernel, &mut values.kernel);
        put(&row.kernel, row.scale, integer.column_mut(column), value.column_mut(column));
        for (value, gain) in value.column_mut(column).iter_mut().zip(gains) {
            *value = (f64::from(*value) / gain) as f32;
        }
        let (integer, value) = (&mut integers.recurrent_kernel, &mut values.recurrent_kernel);
        put(&row.recurrent_kernel, row.scale, integer.column_mut(column), value.column_mut(column));
    }
    IntegerLayer {
        integers,
        biases,
        recurrent_biases,
        multipliers,
        values,
        input: None,
        operand_bits,
        cell_bits: 0,
    }
}

fn dense(folded: &Dense, rows: &[IntegerRow], operand_bits: u32) -> IntegerDense {
    let mut integers = Dense::zeros(folded.kernel.nrows(), folded.kernel.ncols());
    let mut values = integers.clone();
    let outputs = folded.bias.len();
    for (output, row) in rows.iter().take(outputs).enumerate() {
        let (integer, value) = (integers.kernel.column_mut(output), values.kernel.column_mut(output));
        put(&row.recurrent_kernel, row.scale, integer, value);
        integers.bias[output] = row.bias as f32;
    }
    let multipliers = rows.iter().take(outputs).map(|row| row.multiplier).collect();
    IntegerDense { integers, multipliers, values, operand_bits }
}

/// Weights as they are, and what they stand for.
fn put(weights: &[i8], scale: f64, integers: ArrayViewMut1<'_, f32>, values: ArrayViewMut1<'_, f32>) {
    for ((&weight, integer), value) in weights.iter().zip(integers).zip(values) {
        *integer = weight.into();
        *value = (f64::from(weight) * scale) as f32;
    }
}
