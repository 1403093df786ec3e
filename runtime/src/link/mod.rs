//! Messages between a host and a board.
//!
//! A message is a [`Request`] or a [`Reply`] with a request number, written by `postcard`, closed by a CRC-32
//! and framed by COBS (see [`frame`]). It travels over any byte stream, such as a UART.
//!
//! ```text
//! host                                       board
//!  | Hello                             ----->  |
//!  | <----- Hello { protocol, board, models }  |
//!  | Row { sequence: 7, index: 0, count: 28 }  |   resets the state, steps
//!  | <----- Accepted                           |
//!  | Row { sequence: 7, index: 1, count: 28 }  |   steps
//!  | ...                                       |
//!  | Row { sequence: 7, index: 27, count: 28 } |   steps, reads the logits
//!  | <----- Logits                             |
//! ```
//!
//! That is for a model that answers after the last timestep of a sequence. One that answers after every timestep,
//! see [`Steps`](crate::Steps), replies `Logits` to each row. Sequences have as many rows as they have timesteps:
//! nothing is padded.
//!
//! What holds when bytes are lost, doubled, flipped or cut:
//!
//! - A broken frame fails its CRC and is dropped; the host asks again after a time-out.
//! - Both sides find the next frame at the next zero byte, and every frame starts and ends with one.
//! - A reply carries the number of the request that it answers; any other number is ignored.
//! - A row is counted: the board steps once however often it hears the same row, and refuses a row that is
//!   not the next one, so a repeated or missing row can never turn into a wrong answer.

pub mod bulk;
pub mod frame;

use serde::{Deserialize, Serialize};

use crate::{CellKind, Numbers, OutputFormat, Samples, Shape};

/// Version of the messages; a board that answers [`Reply::Hello`] with another one is not spoken to.
pub const PROTOCOL_VERSION: u8 = 2;

/// A message with the number of the request that it is, or that it answers.
///
/// ```
/// use refrain::link::{Numbered, Request};
///
/// let message = Numbered { request: 7, body: Request::Hello };
/// assert_eq!(postcard::to_slice(&message, &mut [0; 8]).unwrap(), [7, 0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbered<T> {
    /// Chosen by the host, different for each request in flight.
    pub request: u32,
    /// The message.
    pub body: T,
}

/// What a host asks of a board.
///
/// ```
/// use refrain::link::Request;
///
/// let row = Request::Row { model: 0, sequence: 1, index: 2, count: 28, values: &[9, 8] };
/// assert_eq!(postcard::to_slice(&row, &mut [0; 16]).unwrap(), [2, 0, 1, 2, 28, 2, 9, 8]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// Who is there?
    Hello,
    /// What is model number `model`?
    Describe {
        /// From 0 to `models - 1`.
        model: u8,
    },
    /// One timestep of a sequence.
    Row {
        /// The model that steps.
        model: u8,
        /// The number of the sequence, different from that of the sequence before it.
        sequence: u32,
        /// The number of the row, from 0; row 0 resets the state.
        index: u16,
        /// Rows in the sequence; the last one is answered by [`Reply::Logits`].
        count: u16,
        /// The features, as [`Samples`] says: one byte each, or two or four, little-endian.
        values: &'a [u8],
    },
    /// What has been counted since the board started?
    Statistics,
}

/// What a board answers.
///
/// ```
/// use refrain::link::Reply;
///
/// assert_eq!(postcard::from_bytes::<Reply>(&[2]).unwrap(), Reply::Accepted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// To [`Request::Hello`].
    Hello {
        /// [`PROTOCOL_VERSION`] of the firmware.
        protocol: u8,
        /// Version of the firmware.
        firmware: &'a str,
        /// Name of the board.
        board: &'a str,
        /// How many models it holds.
        models: u8,
    },
    /// To [`Request::Describe`].
    Model {
        /// Name in the model file.
        name: &'a str,
        /// Its cell.
        cell: CellKind,
        /// Integers or floats.
        numbers: Numbers,
        /// Its sizes.
        shape: Shape,
        /// What its features arrive as.
        samples: Samples,
        /// What its logits mean, and which rows they answer.
        output: OutputFormat,
        /// CRC-32 at the end of the model file: tells two models of one shape apart.
        crc: u32,
    },
    /// The row was taken, and more are wanted before there is an answer.
    Accepted,
    /// The answer after the last row of a sequence, or after any row where the model answers each.
    Logits {
        /// The sequence that is answered.
        sequence: u32,
        /// Each logit in four bytes, little-endian: an `i32` in Q16.16, or an `f32`.
        logits: &'a [u8],
    },
    /// To [`Request::Statistics`], and at the end of a [job in memory](bulk).
    Statistics(Statistics),
    /// In the course of a [job in memory](bulk), of itself.
    Progress {
        /// Sequences classified so far.
        sequences: u32,
    },
    /// The request was understood and cannot be met.
    Refused(Refusal),
}

/// What a board has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Statistics {
    /// Sequences answered.
    pub sequences: u32,
    /// Timesteps of those sequences.
    pub timesteps: u32,
    /// Timer ticks spent in inference, over all sequences, without the link.
    pub ticks: u64,
    /// Timer ticks that one thousand instructions take, where the board knows it; otherwise 0.
    pub ticks_per_1000_instructions: u32,
    /// Most stack used so far, in bytes.
    pub stack_bytes: u32,
    /// Of that, what an inference takes; 0 where that was not measured, as it is in [jobs in memory](bulk) alone.
    pub inference_stack_bytes: u32,
    /// Frames dropped because they were broken.
    pub broken_frames: u32,
}

impl Statistics {
    /// Instructions of one inference, the mean over all sequences; `None` where nothing was counted.
    ///
    /// ```
    /// use refrain::link::Statistics;
    ///
    /// let counted = Statistics { sequences: 2, ticks: 51_200, ..Statistics::default() };
    /// assert_eq!(counted.instructions_per_inference(), None);
    /// let counted = Statistics { ticks_per_1000_instructions: 25_600, ..counted };
    /// assert_eq!(counted.instructions_per_inference(), Some(1000));
    /// ```
    pub fn instructions_per_inference(&self) -> Option<u64> {
        self.instructions_for_each(self.sequences)
    }

    /// Instructions of one timestep, the mean over all timesteps of all sequences, with the reading of the logits;
    /// `None` where nothing was counted.
    ///
    /// ```
    /// use refrain::link::Statistics;
    ///
    /// let counted = Statistics { sequences: 2, timesteps: 50, ticks: 51_200, ..Statistics::default() };
    /// let counted = Statistics { ticks_per_1000_instructions: 25_600, ..counted };
    /// assert_eq!(counted.instructions_per_timestep(), Some(40));
    /// ```
    pub fn instructions_per_timestep(&self) -> Option<u64> {
        self.instructions_for_each(self.timesteps)
    }

    fn instructions_for_each(&self, count: u32) -> Option<u64> {
        let ticks = self.ticks.checked_div(u64::from(count))?;
        ticks.checked_mul(1000)?.checked_div(u64::from(self.ticks_per_1000_instructions))
    }
}

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
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSuchModel { models } => write!(f, "the board holds {models} models, none of that number"),
            Self::RowLength { found, expected } => {
                write!(f, "the row has {found} bytes, the model takes {expected}")
            }
            Self::RowOrder { expected } => {
                write!(f, "the row is out of order, the board expects row {expected}")
            }
        }
    }
}

impl core::error::Error for Refusal {}
