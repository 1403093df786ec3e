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
//! The files of a run folder hold what training needs to go on as well: they are [`Resumable`], and can be used as a
//! [`Checkpoint`] too. Equal training runs make equal files: nothing in them depends on the time, the machine or the
//! number of threads.

mod error;

use std::path::Path;

use crc::{CRC_32_ISO_HDLC, Crc};
use refrain::{CellKind, MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};
use serde::{Deserialize, Serialize};

pub use error::{CheckpointError, Fault};

use crate::data::DataRecord;
use crate::files::write_whole;
use crate::nn::{Network, Parameter};
use crate::train::{Hyperparameters, TrainingState};

/// The first eight bytes of every checkpoint.
pub const MAGIC: [u8; 8] = *b"REFRCKPT";
/// Version of the format that this program reads and writes.
pub const VERSION: u32 = 3;
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
    /// What the options made of the recipe.
    pub hyperparameters: Hyperparameters,
    /// Epochs done.
    pub epochs: u32,
    /// Timesteps of the longest sequence of the data.
    pub timesteps: u16,
    /// The data set, and how inputs and outputs are to be read.
    pub data: DataRecord,
}

/// The body of the file.
#[derive(Serialize, Deserialize)]
struct Body {
    cell: CellKind,
    shape: Shape,
    seed: u64,
    recipe: String,
    hyperparameters: Hyperparameters,
    epochs: u32,
    timesteps: u16,
    data: DataRecord,
    weights: Weights,
}

/// The network, and in a file of a run folder what training needs to go on with it.
#[derive(Serialize, Deserialize)]
enum Weights {
    Network(Vec<Tensor>),
    State(Box<TrainingState>),
}

/// One weight tensor by Keras's name, row by row.
#[derive(Serialize, Deserialize)]
struct Tensor {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
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
        self.body(Weights::Network(named(&self.network))).to_bytes()
    }

    fn body(&self, weights: Weights) -> Body {
        Body {
            cell: self.network.kind(),
            shape: self.network.shape(),
            seed: self.seed,
            recipe: self.recipe.clone(),
            hyperparameters: self.hyperparameters,
            epochs: self.epochs,
            timesteps: self.timesteps,
            data: self.data.clone(),
            weights,
        }
    }

    /// Reads the file's bytes; what training needs besides is left aside.
    ///
    /// # Errors
    /// A [`Fault`] if anything is not as [`to_bytes`](Self::to_bytes) writes it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        read(bytes).map(|(checkpoint, _)| checkpoint)
    }
}

/// A checkpoint of a run that can go on: what [`Checkpoint`] reads, and all that training needs besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumable {
    /// The network as it stands, and what it is.
    pub checkpoint: Checkpoint,
    /// The same network, and what training remembers.
    pub state: TrainingState,
}

impl Resumable {
    /// Writes the file: whole, or not at all.
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
        self.checkpoint.body(Weights::State(self.state.clone().into())).to_bytes()
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    /// A [`Fault`] if anything is not as [`to_bytes`](Self::to_bytes) writes it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let (checkpoint, state) = read(bytes)?;
        state.map(|state| Self { checkpoint, state }).ok_or(Fault::NoState)
    }
}

/// Reads and checks the bytes of either kind of file.
fn read(bytes: &[u8]) -> Result<(Checkpoint, Option<TrainingState>), Fault> {
    let body: Body = postcard::from_bytes(checked_body(bytes)?).map_err(Fault::Body)?;
    let Body { cell, shape, seed, recipe, hyperparameters, epochs, timesteps, data, weights } = body;
    let sizes = [shape.inputs, shape.units, shape.outputs, shape.layers.into()].map(usize::from);
    let most = [MAX_INPUTS, MAX_UNITS, MAX_OUTPUTS, MAX_LAYERS];
    if !sizes.iter().zip(most).all(|(size, most)| (1..=most).contains(size)) {
        return Err(Fault::Shape(shape));
    }
    if !hyperparameters.are_sound() {
        return Err(Fault::Hyperparameters(hyperparameters));
    }
    if let Some(fault) = data.fault(shape.inputs.into(), shape.outputs.into()) {
        return Err(Fault::Data(fault));
    }
    let (network, state) = match weights {
        Weights::Network(tensors) => (network_of(cell, shape, &tensors)?, None),
        Weights::State(state) => {
            let network = state.network.clone();
            if (epochs, cell, shape) != (state.epochs(), network.kind(), network.shape()) {
                return Err(Fault::State {
                    epochs,
                    expected: format!("{cell}, {shape}"),
                    found_epochs: state.epochs(),
                    found: format!("{}, {}", network.kind(), network.shape()),
                });
            }
            (network, Some(*state))
        }
    };
    check_finite(&network)?;
    Ok((Checkpoint { network, seed, recipe, hyperparameters, epochs, timesteps, data }, state))
}

/// Refuses a network that diverged.
fn check_finite(network: &Network) -> Result<(), Fault> {
    for parameter in network.parameters() {
        if let Some((element, value)) =
            parameter.values.iter().enumerate().find(|(_, value)| !value.is_finite())
        {
            return Err(Fault::NotFinite { tensor: parameter.name.into(), element, value: *value });
        }
    }
    Ok(())
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

/// All tensors of a network.
fn named(network: &Network) -> Vec<Tensor> {
    let tensor = |p: Parameter<'_>| Tensor {
        name: p.name.into(),
        shape: p.values.shape().into(),
        values: p.values.iter().copied().collect(),
    };
    network.parameters().into_iter().map(tensor).collect()
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
        parameter.values.iter_mut().zip(&tensor.values).for_each(|(to, value)| *to = *value);
    }
    Ok(network)
}

#[cfg(test)]
mod tests;
