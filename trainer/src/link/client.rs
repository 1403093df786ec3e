//! The host's side of the link: asks a board, again where no answer comes, and takes no answer to another question.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::time::Duration;

use refrain::link::frame::{self, frame_bytes};
use refrain::link::{Numbered, PROTOCOL_VERSION, Provocation, Reply, Request, Statistics, protocol_of};

use super::error::LinkError;
use super::facts::{Description, Hello};
use super::inbox::Inbox;
use super::transport::{BAUD, Serial, Transport};

/// How often a board that may still be starting is asked whether it is there.
const HELLO_EVERY: Duration = Duration::from_millis(200);

/// Bytes of the longest request: what a board may take, see [`Hello::request_bytes`].
const REQUEST_BYTES: usize = u16::MAX as usize;

/// How long and how often to ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// How long a board may take to start.
    pub start: Duration,
    /// How long to wait for an answer, beside the time that the request takes on a line of [`BAUD`].
    pub time_out: Duration,
    /// How often to ask, and how often to begin a sequence, before giving up.
    pub attempts: u32,
}

impl Patience {
    /// For a real board: its link may lose bytes, and the largest row takes a fifth of a second.
    pub const WITH_PORT: Self =
        Self { start: Duration::from_secs(10), time_out: Duration::from_millis(500), attempts: 10 };
}

/// A board at the other end of a [`Transport`].
pub struct Client<T> {
    transport: T,
    pub(super) patience: Patience,
    inbox: Inbox,
    outbox: Outbox,
    request: u32,
    sequence: u32,
    retries: u64,
    sent_bytes: u64,
}

impl Client<Serial> {
    /// A client of the board at a serial port, which is its own as long as it lasts.
    ///
    /// # Errors
    /// Those of the system; [`io::ErrorKind::ResourceBusy`] where another program has it open.
    pub fn open(port: &str) -> io::Result<Self> {
        let serial = Serial::open(port)?;
        // The board may still be answering somebody else's requests; a random number tells those answers from ours.
        let first = RandomState::new().hash_one(port) as u32;
        Ok(Self::new(serial, Patience::WITH_PORT, first))
    }
}

impl<T: Transport> Client<T> {
    /// A client whose requests and sequences are numbered from `first`.
    ///
    /// A board that was in use before may still be sending answers to whoever used it: there, begin with a
    /// number that was not used lately. A fresh one gets small numbers, which are shorter on the link.
    pub fn new(transport: T, patience: Patience, first: u32) -> Self {
        Self {
            transport,
            patience,
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            request: first,
            sequence: first,
            retries: 0,
            sent_bytes: 0,
        }
    }

    /// How often something was asked again.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// Bytes sent so far, repeats and frames' own bytes included.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes
    }

    /// Frames that came broken and were dropped.
    pub fn broken_frames(&self) -> u64 {
        self.inbox.broken_frames()
    }

    /// The transport, where nothing more is to be asked.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// The transport.
    #[cfg(test)]
    pub(crate) fn transport_mut(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Asks who is there, and makes sure that it speaks this version of the protocol.
    ///
    /// A board that is still starting hears nothing, so this is asked often, and that does not count as retries.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::Protocol`] where the board speaks any other version.
    pub fn hello(&mut self) -> Result<Hello, LinkError> {
        let (usual, retries) = (self.patience, self.retries);
        let attempts = usual.start.div_duration_f32(HELLO_EVERY) as u32;
        self.patience = Patience { time_out: HELLO_EVERY, attempts, ..usual };
        let answer = self.ask("Hello", Request::Hello, |reply| match reply {
            Reply::Hello { protocol: PROTOCOL_VERSION, firmware, board, models, request_bytes, boot } => {
                let (firmware, board, boot) = (firmware.into(), board.into(), boot.map(String::from));
                Some(Hello { firmware, board, models, request_bytes, boot })
            }
            _ => None,
        });
        (self.patience, self.retries) = (usual, retries);
        answer
    }

    /// Asks what model number `model` is.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn describe(&mut self, model: u8) -> Result<Description, LinkError> {
        self.ask("Describe", Request::Describe { model }, |reply| match reply {
            Reply::Model { name, cell, numbers, shape, samples, output, crc, source, revision } => {
                let name = name.into();
                Some(Description { name, cell, numbers, shape, samples, output, crc, source, revision })
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

    /// Has the board forget the sequence that it is reading.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn reset(&mut self) -> Result<(), LinkError> {
        self.ask("Reset", Request::Reset, |reply| matches!(reply, Reply::Accepted).then_some(()))
    }

    /// Sends bytes that the board sends back.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::Unexpected`] where others come back.
    pub fn echo(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        self.ask("Echo", Request::Echo { bytes }, is_echo_of(bytes))
    }

    /// Ends the board's program in that way. That it does so is known only by its silence, so what came of it is what the
    /// next [`hello`](Self::hello) says.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::Refused`] where its firmware was not built for that.
    pub fn provoke(&mut self, provocation: Provocation) -> Result<(), LinkError> {
        let usual = self.patience;
        self.patience = Patience { time_out: HELLO_EVERY, ..usual };
        let number = self.post(Request::Provoke(provocation));
        let answer = number.and_then(|number| self.wait_for("Provoke", number, |_| None::<()>));
        self.patience = usual;
        answer.map(|_| ())
    }

    /// A number for a sequence.
    pub(super) fn next_sequence(&mut self) -> u32 {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        sequence
    }

    /// Counts something that is begun again.
    pub(super) fn count_retry(&mut self) {
        self.retries += 1;
    }

    /// Sends a request until an answer comes that bears its number; `read` takes out what is wanted of it.
    pub(super) fn ask<A>(
        &mut self,
        name: &'static str,
        body: Request<'_>,
        read: impl Fn(Reply<'_>) -> Option<A>,
    ) -> Result<A, LinkError> {
        let number = self.post(body)?;
        self.collect(name, number, read)
    }

    /// Sends a request and returns its number.
    pub(super) fn post(&mut self, body: Request<'_>) -> Result<u32, LinkError> {
        let number = self.request;
        self.request = number.wrapping_add(1);
        self.outbox.write(&Numbered { request: number, body });
        self.send_again()?;
        Ok(number)
    }

    /// Sends what was sent last.
    fn send_again(&mut self) -> Result<(), LinkError> {
        let frame = self.outbox.frame();
        self.transport.send(frame)?;
        self.sent_bytes += frame.len() as u64;
        Ok(())
    }

    /// Waits for the answer to the request of that number, which was sent last, and sends it again where none comes.
    fn collect<A>(
        &mut self,
        name: &'static str,
        number: u32,
        read: impl Fn(Reply<'_>) -> Option<A>,
    ) -> Result<A, LinkError> {
        let Patience { attempts, time_out, .. } = self.patience;
        for attempt in 0..attempts {
            if attempt > 0 {
                self.retries += 1;
                self.send_again()?;
            }
            if let Some(answer) = self.wait_for(name, number, &read)? {
                return Ok(answer);
            }
        }
        Err(LinkError::Silent { request: name, attempts, seconds: time_out.as_secs_f32() })
    }

    /// Waits for a reply of which `pick` makes something, out of its number and what it says.
    pub(super) fn wait_for_reply<A>(
        &mut self,
        patience: Duration,
        pick: impl Fn(u32, Reply<'_>) -> Option<A>,
    ) -> Result<Option<A>, LinkError> {
        let pick = |reply: Numbered<Reply<'_>>| pick(reply.request, reply.body);
        Ok(self.inbox.wait(&mut self.transport, patience, pick)?)
    }

    /// Waits for an answer to the request of that number; `None` where none comes in time.
    pub(super) fn wait_for<A>(
        &mut self,
        name: &'static str,
        number: u32,
        read: impl Fn(Reply<'_>) -> Option<A>,
    ) -> Result<Option<A>, LinkError> {
        let time_out = self.patience.time_out + on_the_line(self.outbox.frame().len());
        // A reply with another number is a late or doubled one to an earlier request.
        let pick = |body: &[u8]| match frame::decode::<Numbered<Reply<'_>>>(body) {
            Ok(reply) => (reply.request == number).then(|| answer(name, reply.body, &read)),
            Err(_) => other_protocol(body, number).map(Err),
        };
        self.inbox.wait_for_body(&mut self.transport, time_out, pick)?.transpose()
    }
}

/// Writes requests into frames.
struct Outbox {
    message: Vec<u8>,
    frame: Vec<u8>,
    length: usize,
}

impl Outbox {
    fn new() -> Self {
        Self { message: vec![0; REQUEST_BYTES], frame: vec![0; frame_bytes(REQUEST_BYTES)], length: 0 }
    }

    fn write(&mut self, request: &Numbered<Request<'_>>) {
        let frame = frame::encode(request, &mut self.message, &mut self.frame);
        self.length = frame.expect("the buffers hold the longest request").len();
    }

    fn frame(&self) -> &[u8] {
        &self.frame[..self.length]
    }
}

/// How long so many bytes take at [`BAUD`], ten bits each.
fn on_the_line(bytes: usize) -> Duration {
    Duration::from_secs(10).mul_f64(bytes as f64 / f64::from(BAUD))
}

/// Reads the echo of `bytes`.
pub(super) fn is_echo_of(bytes: &[u8]) -> impl Fn(Reply<'_>) -> Option<()> {
    move |reply| matches!(reply, Reply::Echo { bytes: echoed } if echoed == bytes).then_some(())
}

/// The error that a hello in another version of the protocol is, out of a body that is no reply of this version.
fn other_protocol(body: &[u8], number: u32) -> Option<LinkError> {
    let hello =
        protocol_of(body).filter(|hello| hello.request == number && hello.body != PROTOCOL_VERSION)?;
    Some(LinkError::Protocol { found: hello.body, expected: PROTOCOL_VERSION })
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
        (None, Reply::Hello { protocol, .. }) if protocol != PROTOCOL_VERSION => {
            Err(LinkError::Protocol { found: protocol, expected: PROTOCOL_VERSION })
        }
        (None, other) => Err(LinkError::Unexpected { request, reply: format!("{other:?}") }),
    }
}
