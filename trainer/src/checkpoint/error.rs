//! What can be wrong with a checkpoint.

use std::io;
use std::path::PathBuf;

use refrain::{MAX_INPUTS, MAX_LAYERS, MAX_OUTPUTS, MAX_UNITS, Shape};
use thiserror::Error;

use super::VERSION;
use crate::train::Hyperparameters;

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
        "it is for {0}, and there may be 1 to {MAX_INPUTS} inputs, {MAX_UNITS} units, {MAX_OUTPUTS} outputs and {MAX_LAYERS} layers"
    )]
    Shape(Shape),
    /// Hyperparameters that nothing can be trained with.
    #[error("it says that it was trained with {0:?}, which cannot be")]
    Hyperparameters(Hyperparameters),
    /// Names or scalings that do not fit the network.
    #[error("what it says of its data does not fit its network: it has {0}")]
    Data(String),
    /// A network without what training needs.
    #[error(
        "it holds a network alone, and not what training needs to go on with it; only run folders have that"
    )]
    NoState,
    /// The parts of a state do not belong together.
    #[error(
        "it is of epoch {epochs} of a network of {expected}, but its state of epoch {found_epochs} of {found}"
    )]
    State {
        /// The epoch of the file.
        epochs: u32,
        /// The file's cell and shape.
        expected: String,
        /// The epoch of the state.
        found_epochs: u32,
        /// The state's cell and shape.
        found: String,
    },
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
