//! The host's side of the link: asks a board, again where no answer comes, and takes no answer to another question.

use std::time::Duration;

use refrain::link::frame::{self, frame_bytes};
use refrain::link::{Numbered, PROTOCOL_VERSION, Refusal, Reply, Request, Statistics};
use refrain::{CellKind, Numbers, OutputFormat, Samples, Shape, Steps};

use super::inbox::{Inbox, MESSAGE_BYTES};
use super::transport::{Transport, TransportError};

/// Why a board gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No bytes come or go any more.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Nothing came back, however often it was asked.
    #[error(
        "the board is silent: {attempts} times {request} was sent and no answer came within {seconds} s; check \
         that it runs this firmware and that its link is connected"
    )]
    Silent {
        /// What was asked.
        request: &'static str,
        /// How often.
        attempts: u32,
        /// How long each answer was waited for.
        seconds: f32,
    },
    /// The firmware speaks another version of the protocol.
    #[error(
        "the board speaks version {found} of the link protocol, this program version {expected}; build both from \
         the same source"
    )]
    Protocol {
        /// The board's.
        found: u8,
        /// This program's.
        expected: u8,
    },
    /// The board understands and will not.
    #[error("the board refuses {request}: {refusal}")]
    Refused {
        /// What was asked.
        request: &'static str,
        /// Why it is refused.
        refusal: Refusal,
    },
    /// A whole answer that does not belong to the question.
    #[error("the board answers {request} with {reply}, which is no answer to it; its firmware is at fault")]
    Unexpected {
        /// What was asked.
        request: &'static str,
        /// What came.
        reply: String,
    },
    /// A sequence was begun again and again and never came through.
    #[error(
        "a sequence was begun {attempts} times and rows were lost each time; the link is too bad to be used"
    )]
    Restarts {
        /// How often it was begun.
        attempts: u32,
    },
    /// A sequence that the protocol has no room for.
    #[error("a sequence has {found} bytes, the link carries 1 to 65535 rows of {row_bytes} bytes")]
    SequenceLength {
        /// Its bytes.
        found: usize,
        /// Bytes of a row.
        row_bytes: usize,
    },
}

/// How often a board that may still be starting is asked whether it is there.
const HELLO_EVERY: Duration = Duration::from_millis(200);

/// How long and how often to ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// How long a board may take to start.
    pub start: Duration,
    /// How long to wait for an answer.
    pub time_out: Duration,
    /// How often to ask, and how often to begin a sequence, before giving up.
    pub attempts: u32,
}

/// What a board says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of the firmware.
    pub firmware: String,
    /// Name of the board.
    pub board: String,
    /// How many models it holds.
    pub models: u8,
}

/// What a board says of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its cell.
    pub cell: CellKind,
    /// What it computes with.
    pub numbers: Numbers,
    /// Its sizes.
    pub shape: Shape,
    /// What its features arrive as.
    pub samples: Samples,
    /// What it gives.
    pub output: OutputFormat,
    /// CRC-32 at the end of its file.
    pub crc: u32,
}

/// A model on a board, and what travels to and fro for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// Its number on the board.
    pub model: u8,
    /// Bytes of a row.
    pub row_bytes: usize,
    /// Bytes of the logits of one answer, four each.
    pub logits_bytes: usize,
    /// Which rows are answered by logits.
    pub steps: Steps,
}

/// What came back for a row.
enum RowAnswer {
    Accepted,
    Logits(Vec<u8>),
    OutOfOrder,
}

/// A board at the other end of a [`Transport`].
pub struct Client<T> {
    transport: T,
    patience: Patience,
    inbox: Inbox,
    request: u32,
    sequence: u32,
    retries: u64,
}

impl<T: Transport> Client<T> {
    /// A client whose requests and sequences are numbered from `first`.
    ///
    /// A board that was in use before may still be sending answers to whoever used it: there, begin with a
    /// number that was not used lately. A fresh one gets small numbers, which are shorter on the link.
    pub fn new(transport: T, patience: Patience, first: u32) -> Self {
        let inbox = Inbox::new();
        Self { transport, patience, inbox, request: first, sequence: first, retries: 0 }
    }

    /// How often something was asked again.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// The transport, where nothing more is to be asked.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// The transport.
    #[cfg(test)]
    pub(super) fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Asks who is there, and makes sure that it speaks this version of the protocol.
    ///
    /// A board that is still starting hears nothing, so this is asked often, and that does not count as retries.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn hello(&mut self) -> Result<Hello, LinkError> {
        let (usual, retries) = (self.patience, self.retries);
        let attempts = usual.start.div_duration_f32(HELLO_EVERY) as u32;
        self.patience = Patience { time_out: HELLO_EVERY, attempts, ..usual };
        let answer = self.ask("Hello", Request::Hello, |reply| match reply {
            Reply::Hello { protocol, firmware, board, models } => {
                Some((protocol, Hello { firmware: firmware.into(), board: board.into(), models }))
            }
            _ => None,
        });
        (self.patience, self.retries) = (usual, retries);
        let (protocol, hello) = answer?;
        match protocol {
            PROTOCOL_VERSION => Ok(hello),
            found => Err(LinkError::Protocol { found, expected: PROTOCOL_VERSION }),
        }
    }

    /// Asks what model number `model` is.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn describe(&mut self, model: u8) -> Result<Description, LinkError> {
        self.ask("Describe", Request::Describe { model }, |reply| match reply {
            Reply::Model { name, cell, numbers, shape, samples, output, crc } => {
                Some(Description { name: name.into(), cell, numbers, shape, samples, output, crc })
            }
            _ => None,
        })
    }

    /// Asks what the board has counted.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn statistics(&mut self) -> Result<Statistics, LinkError> {
        self.ask("Statistics", Request::Statistics, |reply| match reply {
            Reply::Statistics(statistics) => Some(statistics),
            _ => None,
        })
    }

    /// Sends a sequence, row after row, and returns the logits that answer it, or each of its rows.
    ///
    /// Where the board has missed a row, it begins the sequence again.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn classify(&mut self, served: Served, rows: &[u8]) -> Result<Vec<u8>, LinkError> {
        let row_bytes = served.row_bytes;
        let wrong_length = LinkError::SequenceLength { found: rows.len(), row_bytes };
        if row_bytes == 0 || rows.is_empty() || !rows.len().is_multiple_of(row_bytes) {
            return Err(wrong_length);
        }
        let count = u16::try_from(rows.len() / row_bytes).map_err(|_| wrong_length)?;
        for attempt in 0..self.patience.attempts {
            self.retries += u64::from(attempt > 0);
            if let Some(logits) = self.try_classify(served, count, rows.chunks_exact(row_bytes))? {
                return Ok(logits);
            }
        }
        Err(LinkError::Restarts { attempts: self.patience.attempts })
    }

    /// Sends a sequence once, under a number of its own; `None` where the board has missed a row.
    fn try_classify<'a>(
        &mut self,
        served: Served,
        count: u16,
        rows: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Vec<u8>>, LinkError> {
        let Served { model, logits_bytes, steps, .. } = served;
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let mut all = Vec::new();
        for (index, values) in (0..count).zip(rows) {
            let request = Request::Row { model, sequence, index, count, values };
            let is_answered = steps == Steps::Every || index + 1 == count;
            let answer = self.ask("Row", request, |reply| match reply {
                Reply::Accepted if !is_answered => Some(RowAnswer::Accepted),
                Reply::Logits { sequence: answered, logits }
                    if is_answered && answered == sequence && logits.len() == logits_bytes =>
                {
                    Some(RowAnswer::Logits(logits.into()))
                }
                Reply::Refused(Refusal::RowOrder { .. }) => Some(RowAnswer::OutOfOrder),
                _ => None,
            })?;
            match answer {
                RowAnswer::Accepted => {}
                RowAnswer::Logits(logits) => all.extend(logits),
                RowAnswer::OutOfOrder => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// Sends a request until an answer comes that bears its number; `read` takes out what is wanted of it.
    fn ask<A>(
        &mut self,
        name: &'static str,
        body: Request<'_>,
        read: impl Fn(Reply<'_>) -> Option<A>,
    ) -> Result<A, LinkError> {
        let number = self.request;
        self.request = number.wrapping_add(1);
        let (mut scratch, mut out) = ([0; MESSAGE_BYTES], [0; frame_bytes(MESSAGE_BYTES)]);
        let frame = frame::encode(&Numbered { request: number, body }, &mut scratch, &mut out)
            .expect("the buffers hold the longest request");
        for attempt in 0..self.patience.attempts {
            self.retries += u64::from(attempt > 0);
            self.transport.send(frame)?;
            // A reply with another number is a late or doubled one to an earlier request.
            let pick = |reply: Numbered<Reply<'_>>| {
                (reply.request == number).then(|| answer(name, reply.body, &read))
            };
            if let Some(answer) = self.inbox.wait(&mut self.transport, self.patience.time_out, pick)? {
                return answer;
            }
        }
        let Patience { attempts, time_out, .. } = self.patience;
        Err(LinkError::Silent { request: name, attempts, seconds: time_out.as_secs_f32() })
    }
}

/// What `read` takes out of a reply; an error where the board refuses or answers something else.
fn answer<A>(
    request: &'static str,
    reply: Reply<'_>,
    read: impl Fn(Reply<'_>) -> Option<A>,
) -> Result<A, LinkError> {
    match (read(reply), reply) {
        (Some(answer), _) => Ok(answer),
        (None, Reply::Refused(refusal)) => Err(LinkError::Refused { request, refusal }),
        (None, other) => Err(LinkError::Unexpected { request, reply: format!("{other:?}") }),
    }
}
