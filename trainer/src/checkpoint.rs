//! `.ckpt` files: a trained f32 network and what is needed to use it, train it on or quantise it.
//!
//! ```text
//! offset  bytes
//!      0      8   magic "REFRCKPT"
//!      8      4   format version, little-endian
//!     12      8   length n of the body, little-endian
//!     20      n   body: a `Checkpoint` as postcard
//! 20 + n      4   CRC-32 (ISO-HDLC) of all that precedes it, little-endian
//! ```
//! Equal training runs make equal files: nothing in them depends on the time, the machine or the number of threads.

use std::io;
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISO_HDLC, Crc};
use refrain::{CellKind, MAX_INPUTS, MAX_OUTPUTS, MAX_UNITS, Shape};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::files::write_whole;
use crate::nn::{Network, Parameter};

const MAGIC: [u8; 8] = *b"REFRCKPT";
/// Version of the format that this program reads and writes.
pub const VERSION: u32 = 1;
const HEAD_BYTES: usize = 20;
const CRC_BYTES: usize = 4;
const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A network, where it comes from and how its inputs and outputs are to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The weights.
    pub network: Network,
    /// What the run drew its random numbers from.
    pub seed: u64,
    /// Name of the recipe it was trained by.
    pub recipe: String,
    /// Epochs done.
    pub epochs: u32,
    /// Timesteps of the training sequences.
    pub timesteps: u16,
    /// A feature as the network sees it is the integer of the data times this.
    pub input_scale: f32,
    /// Name of each class, in the order of the logits.
    pub class_names: Vec<String>,
}

/// The body of the file.
#[derive(Serialize, Deserialize)]
struct Body {
    cell: CellKind,
    shape: Shape,
    seed: u64,
    recipe: String,
    epochs: u32,
    timesteps: u16,
    input_scale: f32,
    class_names: Vec<String>,
    tensors: Vec<Tensor>,
}

/// One weight tensor by Keras's name, row by row.
#[derive(Serialize, Deserialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// Why a checkpoint cannot be read or written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The operating system refused to read it.
    #[error("cannot read the checkpoint {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The operating system refused to write it.
    #[error("cannot write the checkpoint {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// It was read, but it is not a whole, sound checkpoint.
    #[error("{path} is not a usable checkpoint: {fault}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with the bytes of a checkpoint.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    /// Another kind of file.
    #[error("it does not begin with \"REFRCKPT\", so it is another kind of file")]
    Magic,
    /// A file of an earlier or later program.
    #[error("it has format version {found} where this program reads version {VERSION}; train it again")]
    Version {
        /// The file's.
        found: u32,
    },
    /// Cut, or something was appended.
    #[error("it has {found} bytes where its head announces {expected}; copy or train it again")]
    Length {
        /// Size of the file.
        found: u64,
        /// Size by the head; for a file without a whole head, the least there is.
        expected: u64,
    },
    /// Changed after it was written.
    #[error(
        "its CRC-32 is {found:08x} where its bytes give {expected:08x}; it was damaged, copy or train it again"
    )]
    Checksum {
        /// The one at its end.
        found: u32,
        /// The one of its bytes.
        expected: u32,
    },
    /// The checksum holds, but the body is not what a version of this format has.
    #[error("its body cannot be decoded ({0}); it was written by another program")]
    Body(postcard::Error),
    /// A size of zero or beyond what this library supports.
    #[error(
        "it is for {0}, and each must be at least 1 and at most {MAX_INPUTS}, {MAX_UNITS} and {MAX_OUTPUTS}"
    )]
    Shape(Shape),
    /// Class names and logits differ in number.
    #[error("it names {found} classes for {expected} logits")]
    ClassNames {
        /// Names.
        found: usize,
        /// Logits.
        expected: usize,
    },
    /// The input scale is not a positive number.
    #[error("its input scale is {0} where a finite number above zero belongs")]
    InputScale(f32),
    /// The tensors are not those of the cell.
    #[error("it holds {found} where a network of its cell and shape has {expected}")]
    Tensor {
        /// Name and shape in the file.
        found: String,
        /// Name and shape that belong there.
        expected: String,
    },
    /// A weight is infinite or not a number.
    #[error("element {element} of {tensor} is {value} where a finite number belongs; its training diverged")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// Index into its elements, row by row.
        element: usize,
        /// What is there.
        value: f32,
    },
}

impl Checkpoint {
    /// Writes the file: whole, or not at all. It gets a temporary name in the same folder first.
    ///
    /// # Errors
    /// If the folder or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let write = || write_whole(path, &self.to_bytes());
        write().map_err(|source| CheckpointError::Write { path: path.into(), source })
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    /// If it cannot be read, or if anything in it is not as [`save`](Self::save) writes it.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let bytes =
            std::fs::read(path).map_err(|source| CheckpointError::Read { path: path.into(), source })?;
        Self::from_bytes(&bytes).map_err(|fault| CheckpointError::Unusable { path: path.into(), fault })
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.body().to_bytes()
    }

    fn body(&self) -> Body {
        let tensor = |p: Parameter<'_>| Tensor {
            name: p.name.into(),
            shape: p.values.shape().into(),
            values: p.values.iter().copied().collect(),
        };
        Body {
            cell: self.network.kind(),
            shape: self.network.shape(),
            seed: self.seed,
            recipe: self.recipe.clone(),
            epochs: self.epochs,
            timesteps: self.timesteps,
            input_scale: self.input_scale,
            class_names: self.class_names.clone(),
            tensors: self.network.parameters().into_iter().map(tensor).collect(),
        }
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    /// A [`Fault`] if anything is not as [`to_bytes`](Self::to_bytes) writes it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let body: Body = postcard::from_bytes(checked_body(bytes)?).map_err(Fault::Body)?;
        let Body { cell, shape, seed, recipe, epochs, timesteps, input_scale, class_names, tensors } = body;
        let within = |size: u16, most: usize| (1..=most).contains(&usize::from(size));
        if !(within(shape.inputs, MAX_INPUTS)
            && within(shape.units, MAX_UNITS)
            && within(shape.outputs, MAX_OUTPUTS))
        {
            return Err(Fault::Shape(shape));
        }
        if class_names.len() != usize::from(shape.outputs) {
            return Err(Fault::ClassNames { found: class_names.len(), expected: shape.outputs.into() });
        }
        if !(input_scale.is_finite() && input_scale > 0.0) {
            return Err(Fault::InputScale(input_scale));
        }
        let network = network_of(cell, shape, &tensors)?;
        Ok(Self { network, seed, recipe, epochs, timesteps, input_scale, class_names })
    }
}

impl Body {
    /// The whole file: head, this body, checksum.
    fn to_bytes(&self) -> Vec<u8> {
        let body = postcard::to_stdvec(self).expect("strings, numbers and vectors always encode");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((body.len() as u64).to_le_bytes());
        bytes.extend(body);
        bytes.extend(CRC.checksum(&bytes).to_le_bytes());
        bytes
    }
}

/// The body of a file whose head and checksum are right.
fn checked_body(bytes: &[u8]) -> Result<&[u8], Fault> {
    let least = (HEAD_BYTES + CRC_BYTES) as u64;
    if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
        return Err(Fault::Magic);
    }
    let found = bytes.len() as u64;
    let too_short = Fault::Length { found, expected: least };
    let (_, rest) = bytes.split_first_chunk::<8>().ok_or(too_short.clone())?;
    let (version, rest) = rest.split_first_chunk().ok_or(too_short.clone())?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(Fault::Version { found: version });
    }
    let (length, rest) = rest.split_first_chunk().ok_or(too_short.clone())?;
    let expected = u64::from_le_bytes(*length).saturating_add(least);
    if found != expected {
        return Err(Fault::Length { found, expected });
    }
    let (body, crc) = rest.split_last_chunk().ok_or(too_short)?;
    let (found, expected) = (u32::from_le_bytes(*crc), CRC.checksum(&bytes[..bytes.len() - CRC_BYTES]));
    if found == expected { Ok(body) } else { Err(Fault::Checksum { found, expected }) }
}

/// A network made of `tensors`, which must be all of its tensors in order.
fn network_of(cell: CellKind, shape: Shape, tensors: &[Tensor]) -> Result<Network, Fault> {
    let mut network = Network::zeros(cell, shape);
    let parameters = network.parameters_mut();
    if tensors.len() != parameters.len() {
        let (found, expected) =
            (format!("{} tensors", tensors.len()), format!("{} tensors", parameters.len()));
        return Err(Fault::Tensor { found, expected });
    }
    for (mut parameter, tensor) in parameters.into_iter().zip(tensors) {
        let expected_shape = parameter.values.shape();
        let fits = tensor.name == parameter.name
            && tensor.shape == expected_shape
            && tensor.values.len() == parameter.values.len();
        if !fits {
            let found = format!("{} {:?} of {} values", tensor.name, tensor.shape, tensor.values.len());
            let count = parameter.values.len();
            let expected = format!("{} {expected_shape:?} of {count} values", parameter.name);
            return Err(Fault::Tensor { found, expected });
        }
        for (element, (to, value)) in parameter.values.iter_mut().zip(&tensor.values).enumerate() {
            if !value.is_finite() {
                return Err(Fault::NotFinite { tensor: tensor.name.clone(), element, value: *value });
            }
            *to = *value;
        }
    }
    Ok(network)
}

#[cfg(test)]
mod tests;
