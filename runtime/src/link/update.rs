//! What is said about models that are put in the place of those that a program was built with.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::format::ModelError;
use crate::{OutputFormat, Samples, SelfTestError};

/// A model that is to take the place of one on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Upload {
    /// The number of the model whose place it takes.
    pub model: u8,
    /// Which of the models that take this place it is; the board takes none that is not newer than the one that it
    /// uses. The one that the program was built with has revision 0; [`u32::MAX`], behind which none could come, is
    /// refused.
    pub revision: u32,
    /// Bytes of the model file.
    pub length: u32,
    /// The CRC-32 in the last four bytes of the model file, which is that of all bytes before them. (That of all bytes of a
    /// file, those four included, is the same for every whole file, and would tell nothing.)
    pub crc: u32,
}

/// Where a board reads a model from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Source {
    /// The program itself.
    BuiltIn,
    /// The first of the two slots in flash for the model.
    SlotA,
    /// The second.
    SlotB,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built in",
            Self::SlotA => "slot A",
            Self::SlotB => "slot B",
        })
    }
}

/// Why a board does not take a model.
///
/// ```
/// use refrain::link::UpdateRefusal;
///
/// let refusal = UpdateRefusal::NotNewer { found: 3, newest: 4 };
/// assert_eq!(refusal.to_string(), "it is revision 3 and the board has revision 4: give a greater one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UpdateRefusal {
    /// The board has no flash for models, or none for this one.
    NoStorage,
    /// It is longer than a slot.
    TooLong {
        /// Bytes of the model.
        found: u32,
        /// Bytes that a slot for this model has.
        room: u32,
    },
    /// It is not newer than what the board has.
    NotNewer {
        /// Its revision.
        found: u32,
        /// The newest revision on the board that can be used.
        newest: u32,
    },
    /// No upload has begun, or another one than that which the request belongs to.
    NotBegun,
    /// Bytes that are not the next ones, or the end before all bytes have come.
    Offset {
        /// The byte that comes next.
        expected: u32,
    },
    /// Bytes behind the end of the model.
    Beyond {
        /// Bytes of the model, as the upload was begun.
        length: u32,
    },
    /// What is in flash is not what the upload was begun with.
    Crc {
        /// CRC-32 of what is in flash.
        found: u32,
        /// The one that was promised.
        expected: u32,
    },
    /// The bytes are no model, or one of another cell, of other numbers or of another shape than the one whose place it
    /// is to take.
    Model(ModelError),
    /// Its rows are of another kind.
    Samples {
        /// The model's.
        found: Samples,
        /// Those that the program was built for.
        expected: Samples,
    },
    /// Its logits are of another kind.
    Output {
        /// The model's.
        found: OutputFormat,
        /// What the program was built for.
        expected: OutputFormat,
    },
    /// It does not give the logits that it says it gives, or says nothing.
    SelfTest(SelfTestError),
    /// The flash failed.
    Flash(FlashFault),
    /// Its revision is the greatest that there is: no model could ever take its place.
    LastRevision,
}

/// What a flash failed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FlashFault {
    /// Erase.
    Erase,
    /// Write.
    Write,
    /// Read.
    Read,
}

impl fmt::Display for UpdateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStorage => f.write_str(
                "the board has no flash for models: build its firmware around the new one, and flash that",
            ),
            Self::TooLong { found, room } => {
                write!(f, "it has {found} bytes, a slot for this model has room for {room}")
            }
            Self::NotNewer { found, newest } => {
                write!(f, "it is revision {found} and the board has revision {newest}: give a greater one")
            }
            Self::NotBegun => f.write_str("the board knows of no such upload: begin it again"),
            Self::Offset { expected } => write!(f, "the board expects byte {expected} next"),
            Self::Beyond { length } => write!(f, "bytes came behind the {length} that were promised"),
            Self::Crc { found, expected } => {
                write!(f, "what came is damaged: its CRC-32 is {found:08x}, expected {expected:08x}")
            }
            Self::Model(error) => write!(f, "{error}"),
            Self::Samples { found, expected } => {
                write!(f, "its rows are of {found}, those of the model in its place of {expected}")
            }
            Self::Output { found, expected } => {
                write!(f, "it gives {found}, the model in its place {expected}")
            }
            Self::SelfTest(error) => write!(f, "{error}"),
            Self::Flash(fault) => write!(f, "the board's flash failed to {fault}: try again"),
            Self::LastRevision => write!(
                f,
                "it is revision {}, the greatest there is, so no model could ever take its place: give a smaller one",
                u32::MAX
            ),
        }
    }
}

impl core::error::Error for UpdateRefusal {}

impl fmt::Display for FlashFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Erase => "erase",
            Self::Write => "write",
            Self::Read => "read",
        })
    }
}
