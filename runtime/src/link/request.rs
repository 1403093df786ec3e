//! What a host asks.

use serde::{Deserialize, Serialize};

use super::{Pace, Provocation, Upload};

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
        /// Rows in the sequence; the last one is answered by [`Reply::Logits`](super::Reply::Logits).
        count: u16,
        /// The features, as [`Samples`](crate::Samples) says: one byte each, or two or four, little-endian.
        values: &'a [u8],
    },
    /// What has been counted since the board started?
    Statistics,
    /// The same bytes back: tells how much the line carries.
    Echo {
        /// At most [`ECHO_BYTES`](super::ECHO_BYTES).
        bytes: &'a [u8],
    },
    /// A whole sequence at once, where it fits into a request; answered by the logits after its last row.
    Sequence {
        /// The model that steps.
        model: u8,
        /// The number of the sequence, as in [`Row`](Self::Row).
        sequence: u32,
        /// Row behind row, as in [`Row`](Self::Row).
        values: &'a [u8],
    },
    /// The logits after the row that was taken last, however many are to follow.
    Logits {
        /// The model that steps.
        model: u8,
        /// The sequence that is being read.
        sequence: u32,
    },
    /// Forgets the sequence that is being read, or ends the stream: its next row is refused.
    Reset,
    /// Begins to put another model in the place of one, or goes on with that.
    Begin(Upload),
    /// A piece of a model file.
    Chunk {
        /// The CRC-32 by which the upload was begun, see [`Upload::crc`].
        upload: u32,
        /// Where in the file the piece begins; pieces come in order, and what has come before is passed over.
        offset: u32,
        /// The piece.
        bytes: &'a [u8],
    },
    /// Makes the model whose bytes have come the one that is used after a restart, if it stands all tests.
    Commit {
        /// As in [`Chunk`](Self::Chunk).
        upload: u32,
    },
    /// Starts the board again, as the end of a power failure does.
    Restart,
    /// Ends the board's program in that way, to see that it starts again; refused by a board whose firmware was not built
    /// for such tests.
    Provoke(Provocation),
    /// What does this sequence, or as much of one as fits into a request, cost, part by part? Nothing of it is counted in
    /// the [statistics](Self::Statistics), and the sequence or stream that is being read is forgotten.
    Profile {
        /// The model that is measured.
        model: u8,
        /// Row behind row, as in [`Row`](Self::Row).
        values: &'a [u8],
    },
    /// A stream begins, and takes the place of any other stream or sequence. Where it has begun already, it goes on.
    BeginStream {
        /// The model that steps.
        model: u8,
        /// The number of the stream, different from that of the stream before it.
        stream: u32,
        /// After so many rows the state begins anew, at every row whose number is a multiple of this; 0 is never.
        window: u32,
        /// How its rows come.
        pace: Pace,
    },
    /// A row of a stream, sent when it is there and not when the row before it has been answered; answered by
    /// [`Streamed`](super::Reply::Streamed). It is sent once: a repeated row is refused.
    StreamRow {
        /// The stream.
        stream: u32,
        /// The number of the row, from 0.
        index: u32,
        /// The features, as in [`Row`](Self::Row).
        values: &'a [u8],
    },
    /// A stream ends, if that stream is the one that runs.
    EndStream {
        /// The stream.
        stream: u32,
    },
}
