//! What a board will not do.

use core::fmt;

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Pace;
use super::{ECHO_BYTES, UpdateRefusal};
use crate::SelfTestError;

/// Why a board refuses a request.
///
/// ```
/// use refrain::link::Refusal;
///
/// let refusal = Refusal::RowLength { found: 27, expected: 28 };
/// assert_eq!(refusal.to_string(), "the row has 27 bytes, the model takes 28");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// There is no model of that number.
    NoSuchModel {
        /// How many there are.
        models: u8,
    },
    /// A row of another length than the model's.
    RowLength {
        /// Bytes that came.
        found: u16,
        /// Bytes of one row.
        expected: u16,
    },
    /// A row that is not the next one: a row before it was lost, or another sequence came between.
    RowOrder {
        /// The row of that sequence that would be taken: 0 where the sequence is not the current one.
        expected: u16,
    },
    /// A [`Request::Sequence`](super::Request::Sequence) or [`Request::Profile`](super::Request::Profile) whose bytes are no
    /// rows, or none at all.
    SequenceLength {
        /// Bytes that came.
        found: u16,
        /// Bytes of one row.
        row: u16,
    },
    /// An echo of more bytes than a board has room for.
    EchoLength {
        /// Bytes that came.
        found: u16,
    },
    /// A model that is not to take another one's place.
    Update(UpdateRefusal),
    /// The firmware was built without what is asked for.
    NotBuiltIn,
    /// A row of a stream that does not run: it was never begun or has ended, or the board has started since.
    NoSuchStream,
    /// A row of a stream that was taken before, or that rows behind it have overtaken.
    StreamOrder {
        /// The row that comes next.
        expected: u32,
    },
    /// A stream that cannot be kept, see [`Pace::is_sound`].
    Pace,
    /// A model that did not pass its self-test when the board started.
    Unfit(SelfTestError),
    /// A stream whose [silence](Pace::silence) lasts longer than the board's watchdog can watch.
    Silence {
        /// The longest that it can, in microseconds; 0 where nothing watches the board.
        longest: u32,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchModel { models } => write!(f, "the board holds {models} models, none of that number"),
            Self::RowLength { found, expected } => {
                write!(f, "the row has {found} bytes, the model takes {expected}")
            }
            Self::RowOrder { expected } => {
                write!(f, "the row is out of order, the board expects row {expected}")
            }
            Self::SequenceLength { found, row } => {
                write!(f, "the sequence has {found} bytes, the model takes 1 to 65535 rows of {row} bytes")
            }
            Self::EchoLength { found } => {
                write!(f, "an echo of {found} bytes was asked for, a board sends back at most {ECHO_BYTES}")
            }
            Self::Update(refusal) => write!(f, "{refusal}"),
            Self::NotBuiltIn => f.write_str("its firmware was built without that"),
            Self::NoSuchStream => f.write_str("the stream does not run, begin one"),
            Self::StreamOrder { expected } => {
                write!(f, "the row of the stream was taken or passed over before, the board expects row {expected}")
            }
            Self::Unfit(error) => {
                write!(f, "the model is not used, for it failed when the board started: {error}; flash the board again")
            }
            Self::Pace => f.write_str(
                "the stream cannot be kept: its period and deadline must be more than 0, and its silence, unless it is 0, \
                 more than period and slack",
            ),
            Self::Silence { longest: 0 } => {
                f.write_str("no watchdog would reset it after a silence, begin the stream with none")
            }
            Self::Silence { longest } => {
                write!(f, "its watchdog cannot wait for so long a silence, only for up to {longest} us")
            }
        }
    }
}

impl core::error::Error for Refusal {}
