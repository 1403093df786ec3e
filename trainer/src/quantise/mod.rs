//! From a trained f32 network to a model file.
//!
//! 1. `fold`: batch normalisation becomes part of the dense layer.
//! 2. `rows`: weights are taken out of Keras's matrices, row by row in the order in which the runtime's tiles
//!    want them; each row is one dot product.
//! 3. `int8`: each row gets one scale for its input and recurrent weights, a bias in accumulator units and a
//!    multiplier; the operand format is the finest for which no sum can reach 2^23.
//! 4. `writer`: sections, header, CRC.
//!
//! [`export`] does all that, and reads the file back with the runtime, which checks every bound again.
//! `report` compares what the file computes with the network it came from.

mod calibrate;
mod fold;
mod int8;
mod report;
mod rows;
mod self_test;
mod writer;

use ndarray::ArrayView3;
use refrain::format::MAX_NAME_BYTES;
use refrain::{InputFormat, Numbers, Samples, Scaling};

pub use report::{LayerError, Report};

use crate::model_file::{ModelFile, ModelFileError};
use crate::nn::Network;
use writer::Description;

/// What a model file says of its model besides the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// The model's name, of [`MAX_NAME_BYTES`] at most.
    pub name: String,
    /// The classes, in the order of the logits.
    pub classes: Vec<String>,
    /// Timesteps of the training sequences.
    pub timesteps: u16,
    /// Real value of a raw sample of 1.
    pub input_scale: f32,
    /// Least and greatest raw sample.
    pub input_range: (i16, i16),
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
        "the weights of row {row} of `{layer}` reach {greatest:e}, too large for the integer format: export with --float, or train with weight decay"
    )]
    Range {
        /// `cell` or `dense`.
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
    /// A class name that a model file cannot hold.
    #[error("class name {name:?} holds a line break, which a model file cannot keep: rename the class")]
    ClassName {
        /// The name.
        name: String,
    },
    /// The runtime refuses the file that was written.
    #[error("the exported model does not pass the runtime's own checks: {0}")]
    Refused(#[from] ModelFileError),
}

/// Writes `network` as a model file that computes with `numbers`.
///
/// `calibration` `[count, timesteps, inputs]` holds raw training samples; the LSTM's cell state gets room for
/// twice the greatest magnitude seen on them. The same arguments give the same bytes.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    network: &Network,
    metadata: &Metadata,
    numbers: Numbers,
    calibration: ArrayView3<'_, u8>,
) -> Result<ModelFile, ExportError> {
    check(network, metadata)?;
    let dense = fold::batch_normalization(&network.batch_normalization, &network.dense);
    let mut input = UniformInput { scale: metadata.input_scale, range: metadata.input_range, shift: 0 };
    let (mut payload, operand_bits, cell_bits) = match numbers {
        Numbers::F32 => (rows::float_payload(&network.layers[0], &dense), 0, 0),
        Numbers::Int8 | Numbers::Int4 => {
            let cell_rows = rows::cell_rows(&network.layers[0], &dense);
            let quantised = int8::quantise(&cell_rows, &mut input)?;
            let greatest = calibrate::greatest_cell_state(network, metadata.input_scale, calibration);
            let cell_bits = greatest.map_or(0, calibrate::cell_bits);
            (quantised.payload, quantised.operand_bits, cell_bits)
        }
    };
    let description = Description {
        cell: network.kind(),
        numbers,
        shape: network.shape(),
        metadata,
        input: input.format(),
        operand_bits,
        cell_bits,
    };
    let plain = writer::write(&description, &payload)?;
    self_test::add(&mut payload, &plain, &input);
    Ok(writer::write(&description, &payload)?)
}

/// Integer samples with one scale for all features.
struct UniformInput {
    scale: f32,
    range: (i16, i16),
    shift: i8,
}

impl UniformInput {
    /// Bytes where all samples fit them.
    fn samples(&self) -> Samples {
        let (min, max) = self.range;
        if min >= 0 && max <= u8::MAX.into() { Samples::U8 } else { Samples::I16 }
    }

    fn format(&self) -> InputFormat {
        let Self { scale, range: (min, max), shift } = *self;
        InputFormat { samples: self.samples(), scaling: Scaling::Uniform { scale, min, max, shift } }
    }
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
    match metadata.classes.iter().find(|name| name.contains(['\n', '\r'])) {
        Some(name) => Err(ExportError::ClassName { name: name.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
