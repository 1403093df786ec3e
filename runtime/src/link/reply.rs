//! What a board answers.

use serde::{Deserialize, Serialize};

use super::{Boot, Numbered, Profile, Refusal, Source, Statistics, Streamed};
#[cfg(doc)]
use super::{PROTOCOL_VERSION, Request, bulk};
use crate::{CellKind, Numbers, OutputFormat, Samples, Shape};

/// What a board answers.
///
/// ```
/// use refrain::link::Reply;
///
/// assert_eq!(postcard::from_bytes::<Reply>(&[2]).unwrap(), Reply::Accepted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// To [`Request::Hello`]. In every version this is the first variant and begins with `protocol`, so that a host
    /// can tell any board's version, see [`protocol_of`].
    Hello {
        /// [`PROTOCOL_VERSION`] of the firmware.
        protocol: u8,
        /// Version of the firmware.
        firmware: &'a str,
        /// Name of the board.
        board: &'a str,
        /// How many models it holds.
        models: u8,
        /// Bytes of the longest message that the board takes; it drops a longer one as a broken frame.
        request_bytes: u16,
        /// Why it started.
        #[serde(borrow)]
        boot: Boot<&'a str>,
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
        /// Where the board reads it from.
        source: Source,
        /// Which of the models that have taken this place it is; 0 where it is built in.
        revision: u32,
    },
    /// Done, and there is nothing to tell: to a row before the last one, to [`Request::Reset`], [`Request::Commit`] and
    /// [`Request::Restart`], and where a stream begins or ends.
    Accepted,
    /// The answer after the last row of a sequence, after any row where the model answers each, to
    /// [`Request::Sequence`] and to [`Request::Logits`].
    Logits {
        /// The sequence that is answered.
        sequence: u32,
        /// Each logit in four bytes, little-endian: an `i32` in Q16.16, or an `f32`.
        logits: &'a [u8],
    },
    /// To [`Request::Statistics`], and at the end of a [job in memory](super::bulk).
    Statistics(Statistics),
    /// In the course of a [job in memory](super::bulk), of itself.
    Progress {
        /// Sequences classified so far.
        sequences: u32,
    },
    /// The request was understood and cannot be met.
    Refused(Refusal),
    /// To [`Request::Echo`].
    Echo {
        /// What the request brought.
        bytes: &'a [u8],
    },
    /// To [`Request::Begin`] and [`Request::Chunk`].
    Uploaded {
        /// Bytes of the model that have come so far: the next piece begins there.
        bytes: u32,
    },
    /// To [`Request::Profile`].
    Profile(Profile),
    /// To [`Request::StreamRow`].
    Streamed(#[serde(borrow)] Streamed<'a>),
}

/// The protocol that a board speaks, out of the body of a [`Reply::Hello`] of any version; `None` where the body is no
/// such reply.
///
/// ```
/// use refrain::link::{Numbered, Reply, protocol_of};
///
/// // request 7, the first variant, version 2, and what that version says of its board
/// assert_eq!(protocol_of(&[7, 0, 2, 5, 48, 46, 49, 46, 48]), Some(Numbered { request: 7, body: 2 }));
/// assert_eq!(protocol_of(&[7, 3]), None);
/// ```
pub fn protocol_of(body: &[u8]) -> Option<Numbered<u8>> {
    let (Numbered { request, body }, _) = postcard::take_from_bytes::<Numbered<(u8, u8)>>(body).ok()?;
    let (variant, protocol) = body;
    (variant == 0).then_some(Numbered { request, body: protocol })
}
