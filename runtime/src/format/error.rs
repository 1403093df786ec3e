//! What can be wrong with a model file.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{HeaderField, Numbers, Samples, SectionKind, VERSION};
use crate::{CellKind, Shape};

/// Why bytes are not a model, or not the model that was asked for.
///
/// ```
/// use refrain::{Lstm, ModelError};
///
/// let file = refrain::include_model!("../../../firmware/models/lstm.rfn");
/// let error = Lstm::<28, 32, 10>::from_bytes(file).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the model has 28 inputs, 64 units, 10 outputs; expected 28 inputs, 32 units, 10 outputs"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// of whole words, so that a small core moves one with a few instructions and no call
#[repr(u32)]
pub enum ModelError {
    /// The bytes do not begin at a multiple of 16.
    Misaligned {
        /// The address, modulo 16.
        remainder: usize,
    },
    /// The file ends too early.
    Truncated {
        /// Bytes that there are.
        found: usize,
        /// Bytes that there must be.
        expected: usize,
    },
    /// There are bytes behind the file's end.
    TrailingBytes {
        /// Bytes that there are.
        found: usize,
        /// Bytes that there must be.
        expected: usize,
    },
    /// The file does not begin as a model file does.
    Magic {
        /// How it begins.
        found: [u8; 4],
    },
    /// The file is of another version of the format.
    Version {
        /// Its version.
        found: u8,
    },
    /// A byte has changed since the file was written.
    Crc {
        /// CRC-32 at the end of the file.
        stored: u32,
        /// CRC-32 of the bytes before it.
        computed: u32,
    },
    /// The header cannot be read.
    Header,
    /// A number in the header is out of its range.
    Field {
        /// Which field.
        field: HeaderField,
        /// The number in it.
        found: i32,
        /// The least that it may be.
        least: i32,
        /// The most that it may be.
        most: i32,
    },
    /// There are names, and not one for each output.
    OutputNames {
        /// Names that there are.
        found: usize,
        /// Outputs.
        expected: usize,
    },
    /// The input scale is not a positive number.
    InputScale,
    /// One scale for all features is given for floats, which need an offset and a gain for each.
    InputScaling,
    /// The model has another cell.
    Cell {
        /// The file's.
        found: CellKind,
        /// The one asked for.
        expected: CellKind,
    },
    /// The model computes with other numbers.
    Numbers {
        /// The file's.
        found: Numbers,
        /// The ones asked for.
        expected: Numbers,
    },
    /// The model has another shape.
    Shape {
        /// The file's.
        found: Shape,
        /// The one asked for.
        expected: Shape,
    },
    /// A section is not as it must be.
    Section {
        /// Which.
        kind: SectionKind,
        /// What is wrong with it.
        fault: SectionFault,
    },
    /// The model takes floats, and the type that was asked for has been compiled for integers.
    Samples {
        /// What the model takes.
        found: Samples,
    },
    /// A feature's offset is beyond [`OFFSET_LIMIT`](crate::fixed::OFFSET_LIMIT).
    Offset {
        /// The feature.
        feature: usize,
    },
    /// A multiplier is negative.
    Multiplier {
        /// Its section.
        kind: SectionKind,
        /// Its place in the section.
        row: usize,
    },
    /// The sums of a row of weights could leave the 24 bits in which every kernel is exact.
    Accumulator {
        /// The section of the row's weights.
        kind: SectionKind,
        /// Its place among the section's rows.
        row: usize,
        /// The greatest magnitude that the sum could reach, at most `u32::MAX`; it must be less than 2^23.
        bound: u32,
    },
    /// An entry of the section [`BlankStates`](super::SectionKind::BlankStates) is not the state that the cells compute, is
    /// cut short, or is one more than [`MAX_BLANK_STATES`](super::MAX_BLANK_STATES).
    BlankState {
        /// The first such entry.
        entry: usize,
    },
    /// A weight or bias of an f32 model is infinite or not a number.
    NotFinite {
        /// Its section.
        kind: SectionKind,
    },
}

/// What can be wrong with a section.
///
/// ```
/// use refrain::format::SectionFault;
///
/// assert_eq!(SectionFault::Length { found: 8, expected: 16 }.to_string(), "has 8 bytes, expected 16");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SectionFault {
    /// The model needs it and the file has none.
    Missing,
    /// The model has no use for it.
    Unexpected,
    /// It stands in the file twice.
    Twice,
    /// It begins at no multiple of 16, or before the end of the one before it.
    Misplaced,
    /// It has another length than the shape asks for.
    Length {
        /// Its length in bytes.
        found: usize,
        /// The length that it must have.
        expected: usize,
    },
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned { remainder } => write!(
                f,
                "the model begins {remainder} bytes past a multiple of 16: embed it with refrain::include_model!"
            ),
            Self::Truncated { found, expected } => {
                write!(f, "the model file is cut short: {found} bytes, at least {expected} expected")
            }
            Self::TrailingBytes { found, expected } => {
                write!(f, "the model file goes on past its end: {found} bytes, {expected} expected")
            }
            Self::Magic { found } => {
                write!(f, "not a model file: it begins with {found:02x?}, expected \"RFRN\"")
            }
            Self::Version { found } => write!(
                f,
                "the model file is of format version {found}, expected {VERSION}: export it again with this version"
            ),
            Self::Crc { stored, computed } => write!(
                f,
                "the model file is damaged: its CRC-32 is {computed:08x}, expected {stored:08x}: copy or export it again"
            ),
            Self::Header => f.write_str("the header of the model file cannot be read"),
            Self::Field { field, found, least, most } => {
                write!(f, "the model's {field} is {found}, expected {least} to {most}")
            }
            Self::OutputNames { found, expected } => {
                write!(f, "the model names {found} outputs, expected {expected}, or none")
            }
            Self::InputScaling => f.write_str(
                "the model takes f32 samples with one scale for all features, expected one for each",
            ),
            Self::InputScale => f.write_str("the model's input scale is not a positive number"),
            Self::Cell { found, expected } => write!(f, "the model is of cell {found}, expected {expected}"),
            Self::Numbers { found, expected } => {
                write!(f, "the model computes with {found}, expected {expected}")
            }
            Self::Shape { found, expected } => write!(f, "the model has {found}; expected {expected}"),
            Self::Section { kind, fault } => write!(f, "section {kind:?} of the model {fault}"),
            Self::Samples { found } => write!(
                f,
                "the model takes samples of {found}, expected u8 or i16: give the model's type f32 as its samples"
            ),
            Self::Offset { feature } => write!(f, "the offset of feature {feature} is out of range"),
            Self::Multiplier { kind, row } => write!(f, "row {row} of section {kind:?} is negative"),
            Self::Accumulator { kind, row, bound } => write!(
                f,
                "row {row} of section {kind:?} can sum to {bound}, and less than {} is needed: export it again",
                crate::fixed::ACCUMULATOR_LIMIT
            ),
            Self::BlankState { entry } => write!(
                f,
                "entry {entry} of section BlankStates is not the state after {} blank rows, or one of more than {}: export \
                 the model again",
                entry.saturating_add(1),
                super::MAX_BLANK_STATES
            ),
            Self::NotFinite { kind } => {
                write!(f, "section {kind:?} of the model holds a value that is no finite number")
            }
        }
    }
}

impl fmt::Display for SectionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Unexpected => f.write_str("does not belong to such a model"),
            Self::Twice => f.write_str("stands there twice"),
            Self::Misplaced => {
                f.write_str("begins where it must not: at no multiple of 16, or inside another")
            }
            Self::Length { found, expected } => write!(f, "has {found} bytes, expected {expected}"),
        }
    }
}

impl core::error::Error for ModelError {}
