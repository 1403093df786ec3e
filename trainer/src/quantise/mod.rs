//! From a trained f32 network to a model file.
//!
//! 1. `fold`: batch normalisation becomes part of the dense layer.
//! 2. `rows`: weights are taken out of Keras's matrices, row by row in the order in which the runtime's tiles
//!    want them; each row is one dot product.
//! 3. `calibrate` and `input`: how far features and cell states reach, and how raw samples become operands.
//! 4. `int8`: each row gets one scale for its input and recurrent weights, a bias in accumulator units and a
//!    multiplier; the operand format is the finest for which no sum can reach 2^23.
//! 5. `tiles` and `writer`: sections, header, CRC.
//! 6. `blank`: what the cells have computed after leading blank rows, where sequences begin with some.
//!
//! [`export`] does all that, and reads the file back with the runtime, which checks every bound again.
//! `report` compares what the file computes with the network it came from.

mod aware;
#[cfg(test)]
mod aware_tests;
mod blank;
mod calibrate;
mod fold;
mod input;
mod int8;
mod report;
mod rows;
mod self_test;
mod tiles;
mod writer;

use refrain::format::{MAX_NAME_BYTES, SectionKind};
use refrain::{CellKind, MAX_LAYERS, Numbers};

pub use aware::Formats;
pub use blank::BlankStates;
pub use report::{LayerError, Report};

use crate::checkpoint::Checkpoint;
use crate::data::{InputScaling, Kind, SplitView, TargetScaling, Task};
use crate::model_file::{ModelFile, ModelFileError};
use crate::nn::Network;
use calibrate::Reach;
use input::Inputs;
use writer::Description;

/// Training sequences that formats are found on: enough, and quickly looked at.
pub const CALIBRATION: usize = 2000;

/// What messages and reports call the recurrent layers.
const LAYER_NAMES: [&str; MAX_LAYERS] = ["cell", "cell_1", "cell_2"];

/// What a model file says of its model besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// The model's name, of [`MAX_NAME_BYTES`] at most.
    pub name: String,
    /// Timesteps of the training sequences, of the longest where they differ.
    pub timesteps: u16,
    /// How raw samples become the numbers that the network was trained on.
    pub scaling: InputScaling,
    /// What the outputs stand for.
    pub task: Task,
}

impl Metadata {
    /// What a checkpoint knows of its network, under the name `name`.
    pub fn of(checkpoint: &Checkpoint, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            timesteps: checkpoint.timesteps,
            scaling: checkpoint.data.scaling.clone(),
            task: checkpoint.data.task.clone(),
        }
    }
}

/// Why a network cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A weight is infinite or not a number.
    #[error(
        "weight `{parameter}` holds {value}, a finite number is needed: training has diverged, train again with a lower learning rate"
    )]
    NotFinite {
        /// Keras's name of the tensor.
        parameter: &'static str,
        /// What it holds.
        value: f32,
    },
    /// A row's weights are so large or so small that its multiplier leaves its range.
    #[error(
        "the weights of row {row} of `{layer}` reach {greatest:e}, too large for the integer format: train again with a lower --learning-rate, or export with --float"
    )]
    Range {
        /// `cell`, `cell_1`, `cell_2` or `dense`.
        layer: &'static str,
        /// The row, in the order of the file.
        row: usize,
        /// Its greatest weight.
        greatest: f32,
    },
    /// A name that the link has no room for.
    #[error(
        "the model's name has {found} bytes, at most {MAX_NAME_BYTES} fit into a message: choose a shorter one"
    )]
    Name {
        /// Its length in bytes.
        found: usize,
    },
    /// The name of a class or of a value that a model file cannot hold.
    #[error("output name {name:?} holds a line break, which a model file cannot keep: rename it")]
    OutputName {
        /// The name.
        name: String,
    },
    /// States after blank rows for a model of floats, which has none.
    #[error(
        "an f32 model holds no states after blank rows, {found} are asked for: leave --blank-states out, or export integers"
    )]
    BlankStates {
        /// How many are asked for.
        found: u8,
    },
    /// The runtime refuses the file that was written.
    #[error("the exported model does not pass the runtime's own checks: {0}")]
    Refused(#[from] ModelFileError),
}

/// Writes `network` as a model file that computes with `numbers`, with as many states after leading blank rows as pay.
///
/// `calibration` holds raw training sequences, of the type of samples that the model will take: features count up to
/// twice the greatest magnitude seen among them, and the LSTM's cell state gets room for as much. The same arguments
/// give the same bytes.
///
/// # Errors
/// [`ExportError`].
///
/// # Panics
/// If there are no sequences in `calibration`.
pub fn export(
    network: &Network,
    metadata: &Metadata,
    numbers: Numbers,
    calibration: SplitView<'_>,
) -> Result<ModelFile, ExportError> {
    export_with(BlankStates::Auto, network, metadata, numbers, calibration)
}

/// [`export`] with a choice of states after leading blank rows; they change the time that a sequence takes, and no bit of
/// what comes out.
///
/// # Errors
/// [`ExportError`].
///
/// # Panics
/// If there are no sequences in `calibration`.
pub fn export_with(
    blank_states: BlankStates,
    network: &Network,
    metadata: &Metadata,
    numbers: Numbers,
    calibration: SplitView<'_>,
) -> Result<ModelFile, ExportError> {
    check(network, metadata)?;
    if let (BlankStates::Count(found @ 1..), Numbers::F32) = (blank_states, numbers) {
        return Err(ExportError::BlankStates { found });
    }
    let (layers, shape) = (&network.layers, network.shape());
    let dense = fold::batch_normalization(&network.batch_normalization, &network.dense);
    let reach = Reach::of(network, &metadata.scaling, calibration);
    let inputs = Inputs {
        samples: calibration.sequence(0).samples(),
        scaling: &metadata.scaling,
        count: shape.inputs.into(),
        greatest: reach.feature,
    };
    let (mut payload, input, operand_bits) = match numbers {
        Numbers::F32 => {
            let plan = inputs.float_plan();
            (rows::float_payload(layers, &dense, &plan), plan.format, 0)
        }
        Numbers::Int8 | Numbers::Int4 => {
            let rows = rows::network_rows(layers, &dense);
            let quantised = int8::quantise(&rows, &inputs, int8::greatest_weight(numbers))?;
            let plan = &quantised.input;
            (tiles::payload(&quantised, numbers, rows.pairs), plan.format, plan.operands.bits as u8)
        }
    };
    let has_cell_state = numbers != Numbers::F32 && network.kind() == CellKind::Lstm;
    let description = Description {
        cell: network.kind(),
        numbers,
        shape,
        metadata,
        input,
        operand_bits,
        cell_bits: if has_cell_state { calibrate::cell_bits(reach.cell) } else { 0 },
    };
    if let Kind::Regression { scaling: TargetScaling { mean, deviation }, .. } = &metadata.task.kind {
        let pairs: Vec<[f32; 2]> = mean.iter().zip(deviation).map(|(&m, &d)| [m, d]).collect();
        payload.push(SectionKind::OutputScaling, pairs.as_flattened());
    }
    let plain = writer::write(&description, &payload)?;
    self_test::add(&mut payload, &plain, &metadata.scaling);
    if numbers != Numbers::F32 {
        blank_states.add(&mut payload, &plain, calibration);
    }
    Ok(writer::write(&description, &payload)?)
}

/// Refuses what no model file can hold.
fn check(network: &Network, metadata: &Metadata) -> Result<(), ExportError> {
    for parameter in network.parameters() {
        if let Some(&value) = parameter.values.iter().find(|value| !value.is_finite()) {
            return Err(ExportError::NotFinite { parameter: parameter.name, value });
        }
    }
    if metadata.name.len() > MAX_NAME_BYTES {
        return Err(ExportError::Name { found: metadata.name.len() });
    }
    match metadata.task.output_names().iter().find(|name| name.contains(['\n', '\r'])) {
        Some(name) => Err(ExportError::OutputName { name: name.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
