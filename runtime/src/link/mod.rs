//! The protocol between a host and a board, version 4.
//!
//! A message is a [`Request`] or a [`Reply`] with a request number, written by `postcard`, closed by a CRC-32
//! and framed by COBS (see [`frame`]). It travels over any byte stream: on the board any `embedded_io` one, such as a
//! UART at 115,200 baud, 8N1.
//!
//! ```text
//! host                                                      board
//!  | Hello                                            ----->  |
//!  | <----- Hello { protocol, board, models, ... }            |
//!  | Row { model: 0, sequence: 7, index: 0, count: 28 }       |   resets the state, steps
//!  | <----- Accepted                                          |
//!  | Row { model: 0, sequence: 7, index: 1, count: 28 }       |   steps
//!  | ...                                                      |
//!  | Row { model: 0, sequence: 7, index: 27, count: 28 }      |   steps, reads the logits
//!  | <----- Logits                                            |
//! ```
//!
//! That is for a model that answers after the last timestep of a sequence. One that answers after every timestep,
//! see [`Steps`](crate::Steps), replies `Logits` to each row. Sequences have as many rows as they have timesteps:
//! nothing is padded.
//!
//! | to do | request | reply |
//! | --- | --- | --- |
//! | who is there | [`Hello`](Request::Hello) | [`Hello`](Reply::Hello): version, board, how many models, why it started |
//! | what is a model | [`Describe`](Request::Describe) | [`Model`](Reply::Model): name, shape, CRC-32 |
//! | choose a model | any: each request names it | |
//! | one timestep | [`Row`](Request::Row) | `Accepted`, or `Logits` |
//! | begin anew | `Row` with index 0 | as above |
//! | stop in the middle | [`Reset`](Request::Reset) | `Accepted` |
//! | read the logits | [`Logits`](Request::Logits), after any row | [`Logits`](Reply::Logits) |
//! | a whole sequence | [`Sequence`](Request::Sequence) | `Logits` |
//! | another model | [`Begin`](Request::Begin), [`Chunk`](Request::Chunk)..., [`Commit`](Request::Commit) | [`Uploaded`](Reply::Uploaded), `Accepted` |
//! | start again | [`Restart`](Request::Restart) | `Accepted` |
//! | what a sequence costs, part by part | [`Profile`](Request::Profile) | [`Profile`](Reply::Profile) |
//! | rows at a fixed rate | [`BeginStream`](Request::BeginStream) | `Accepted` |
//! | one of them | [`StreamRow`](Request::StreamRow) | [`Streamed`](Reply::Streamed) |
//! | no more of them | [`EndStream`](Request::EndStream) | `Accepted` |
//! | what was counted | [`Statistics`](Request::Statistics) | [`Statistics`](Reply::Statistics) |
//! | what the line carries | [`Echo`](Request::Echo) | `Echo` |
//! | does it start again | [`Provoke`](Request::Provoke), in tests | none |
//!
//! There is no request that chooses a model for those after it: where it or the board's memory of it were lost, another
//! model would answer.
//!
//! # Another model
//!
//! A board that has flash for models takes another file in the place of any that its program holds, of the same cell,
//! numbers, shape, rows and kind of logits:
//!
//! ```text
//! host                                                                 board
//!  | Begin { model: 0, revision: 3, length: 29668, crc: 0x1c291ca3 }  ->  |   looks what is there of it already
//!  | <- Uploaded { bytes: 0 }                                             |
//!  | Chunk { upload: 0x1c291ca3, offset: 0, bytes }                   ->  |   erases, writes
//!  | <- Uploaded { bytes: 1000 }                                          |
//!  | ...                                                                  |
//!  | Commit { upload: 0x1c291ca3 }                                    ->  |   reads it back, tests it, commits it
//!  | <- Accepted                                                          |
//!  | Restart                                                          ->  |   answers, then starts again
//!  | <- Accepted                                                          |
//! ```
//!
//! An upload that was cut short, by either side or by a power failure, is begun again by the same `Begin`, whose reply says
//! where to go on. A revision that is not greater than that of the model in use is refused, so an old model does not come
//! back by mistake. [`UpdateRefusal`] lists what else is refused. A reply may take as long as the flash needs to erase a
//! unit, or as the model's self-test; hosts wait for some seconds. `firmware/src/update/mod.rs` says how the board keeps
//! models so that no power failure costs it more than the upload.
//!
//! # A model that computes wrongly
//!
//! A board tests its models when it starts: each file carries a few sequences and the logits that they must give. Of a model
//! that gives others, or carries none, it describes what it is, takes another one in its place, and
//! [refuses](Refusal::Unfit) all else. Its other models answer as ever.
//!
//! # Time-outs and repeats
//!
//! The host sends one request and waits for its reply, so the board needs room for one message and a slow line is never
//! overrun. Where no reply comes in time the host sends the same request, under the same number, again; after a number
//! of tries it gives up and says so. The board keeps no time and never repeats a reply of itself. Every request may be
//! repeated: no answer is another one for that. (A board that hears `Restart` again starts again.) The rows of a stream
//! alone are not: there a late row is worth nothing.
//!
//! # Streams
//!
//! A sensor gives a row every so often, for ever, and does not wait for the answer to the row before. A stream is for
//! that: the host sends each row once, when it is there, and the board answers each with the logits so far, how sure they
//! are and how long that took.
//!
//! ```text
//! host                                                      board
//!  | BeginStream { model: 0, stream: 3, window: 0, pace }     |   resets the state
//!  | <----- Accepted                                          |
//!  | StreamRow { stream: 3, index: 0 }               ----->   |   steps
//!  | <----- Streamed { index: 0, missing: 0, rows: 1 }        |   sleeps until the next row, or its time
//!  | StreamRow { stream: 3, index: 1 }               --x      |   lost on the way: overdue
//!  | StreamRow { stream: 3, index: 2 }               ----->   |   resets the state, steps
//!  | <----- Streamed { index: 2, missing: 1, rows: 1 }        |
//!  | ...                                                      |
//!  | EndStream { stream: 3 }                         ----->   |
//! ```
//!
//! **State.** It runs on from row to row without end, or, for a model that was trained on sequences of so many
//! timesteps, begins anew at every row whose number is a multiple of the window. After a missing row it begins anew as
//! well: an answer is always that of an unbroken run of rows, and says of how many ([`Streamed::rows`]).
//!
//! **Time.** The board measures each answer from the last byte of its row, be it that this had to wait there while the
//! board was at work on the rows before; an answer beyond the deadline is sent all the same, and counted as late. A row
//! that has not come when period and slack have passed since the row before it came is counted as overdue; how long that may
//! go on, [`Pace::silence`] says. Then the watchdog resets the board, which only a row feeds that was taken, and
//! rows are refused from then on: the stream is begun anew. Until the first row has come, nothing is overdue.
//!
//! Other requests may come between rows. A sequence that begins ends the stream.
//!
//! # What holds when bytes are lost, doubled, flipped, late or cut
//!
//! - A broken frame fails its CRC and is dropped; the host asks again after a time-out.
//! - Both sides find the next frame at the next zero byte, and every frame starts and ends with one.
//! - A reply carries the number of the request that it answers; any other number is ignored.
//! - A row is counted: the board steps once however often it hears the same row, and refuses a row that is
//!   not the next one, so a repeated or missing row can never turn into a wrong answer.
//!
//! So a wrong answer is accepted only where a damaged frame has a right CRC-32 and is a reply of the right kind and
//! number as well.
//!
//! # What holds when the board starts again
//!
//! A board that cannot go on, or hangs, is reset. It then knows no sequence, and refuses any row that is not a first one
//! until the host has begun a sequence anew. Its next `Hello` says why it started and how often it has, see [`Boot`]; that
//! the number of resets is the same before and after some work is how a host knows that no reset lies between.
//!
//! # Versions
//!
//! [`PROTOCOL_VERSION`] counts up with any change to a message. The request [`Hello`](Request::Hello) and the beginning
//! of its reply stay as they are for ever, see [`protocol_of`], so that each version can tell that the other end speaks
//! another one.

mod boot;
pub mod bulk;
pub mod frame;
mod profile;
mod provocation;
mod refusal;
mod reply;
mod request;
mod statistics;
mod stream;
mod update;

use serde::{Deserialize, Serialize};

pub use profile::Profile;
pub use provocation::Provocation;
pub use refusal::Refusal;
pub use reply::{Reply, protocol_of};
pub use request::Request;
pub use statistics::Statistics;
pub use stream::{Pace, Streamed, rows_ahead};
pub use update::{FlashFault, Source, UpdateRefusal, Upload};

pub use boot::{Boot, Cause};

/// Version of the messages; a board that answers [`Reply::Hello`] with another one is not spoken to.
pub const PROTOCOL_VERSION: u8 = 4;

/// Bytes of the longest echo: every board has room for them.
pub const ECHO_BYTES: usize = 128;

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
