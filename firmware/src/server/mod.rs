//! The classify loop: frames from the line, a reply to each, for ever.

#[cfg(all(test, feature = "stream"))]
mod stream_tests;
#[cfg(test)]
mod tests;

use core::fmt;
use core::time::Duration;

use embedded_hal::digital::OutputPin;
use embedded_io::Write;
use refrain::link::{Boot, ECHO_BYTES, Numbered, Provocation, Reply, Request, frame};

use crate::update::Updates;
use crate::{Classifier, Clock, NoWatchdog, Parts, Session, Wait, Watchdog, record};

/// A board hangs that works on a request and has done no row of it for so long. A row of a network of a few hundred units
/// takes seconds of an emulated board's time, in which a processor does a million instructions a second.
pub const WATCHDOG_TIME_OUT: Duration = Duration::from_secs(20);

/// The same where the request is about another model, whose bytes are erased, written, checked or tested.
pub const UPDATE_TIME_OUT: Duration = Duration::from_secs(120);

/// Bytes that are asked of the line at once.
const CHUNK_BYTES: usize = 64;

/// Most bytes of a message besides what it carries; `Reply::Statistics`, with every varint at its longest, has
/// 76.
const OVERHEAD_BYTES: usize = 76;

/// Bytes of the frame of a request that carries `row` bytes.
pub const fn request_frame(row: usize) -> usize {
    frame::frame_bytes(OVERHEAD_BYTES + row)
}

/// Most bytes that a hello says of why the board started: resets, a cause, the name of a file and a line.
const BOOT_BYTES: usize = 5 + 1 + (1 + record::FILE_BYTES) + 5;

/// Bytes of the longest frame of a reply, where logits have `logits` bytes, and names (of a model, or of the board with
/// the firmware's version) `name` bytes.
pub const fn reply_frame(logits: usize, name: usize) -> usize {
    let mut largest = ECHO_BYTES;
    if logits > largest {
        largest = logits;
    }
    if BOOT_BYTES + name > largest {
        largest = BOOT_BYTES + name;
    }
    frame::frame_bytes(OVERHEAD_BYTES + largest)
}

/// The board's end of the line that replies leave by; `FRAME` as [`reply_frame`] says.
#[derive(Debug)]
pub struct Outbox<S, const FRAME: usize> {
    serial: S,
    message: [u8; FRAME],
    frame: [u8; FRAME],
}

impl<S: Write, const FRAME: usize> Outbox<S, FRAME> {
    /// Replies leave by `serial`.
    pub fn new(serial: S) -> Self {
        Self { serial, message: [0; FRAME], frame: [0; FRAME] }
    }

    /// Sends a reply to the request of that number.
    ///
    /// # Errors
    /// [`ServerError::Serial`], or [`ServerError::Frame`] where `FRAME` is too small.
    pub fn send(&mut self, request: u32, reply: Reply<'_>) -> Result<(), ServerError<S::Error>> {
        let length = self.frame(request, reply)?;
        self.send_framed(length)
    }

    /// Frames a reply and returns the frame's bytes.
    fn frame(&mut self, request: u32, reply: Reply<'_>) -> Result<usize, ServerError<S::Error>> {
        let message = Numbered { request, body: reply };
        let framed = frame::encode(&message, &mut self.message, &mut self.frame);
        Ok(framed.map_err(ServerError::Frame)?.len())
    }

    /// Sends the frame of so many bytes.
    fn send_framed(&mut self, length: usize) -> Result<(), ServerError<S::Error>> {
        let frame = self.frame.get(..length).unwrap_or_default();
        self.serial.write_all(frame).map_err(ServerError::Serial)?;
        self.serial.flush().map_err(ServerError::Serial)
    }
}

/// Answers requests: the [`Session`] behind a serial line. `REQUEST` and `REPLY` are the bytes of the longest frame each
/// way, see [`request_frame`] and [`reply_frame`].
pub struct Server<'m, S, L, C, const REQUEST: usize, const REPLY: usize, W = NoWatchdog> {
    inbox: frame::Receiver<REQUEST>,
    outbox: Outbox<S, REPLY>,
    busy: L,
    session: Session<'m, C, W>,
    broken_frames: u32,
}

impl<'m, S, L, C, const REQUEST: usize, const REPLY: usize> Server<'m, S, L, C, REQUEST, REPLY>
where
    S: Wait + Write,
    L: OutputPin,
    C: Clock,
{
    /// Bytes of the longest message that it takes.
    const REQUEST_BYTES: u16 = {
        let bytes = frame::message_room(REQUEST);
        if bytes > u16::MAX as usize { u16::MAX } else { bytes as u16 }
    };

    /// A server of these models, whose numbers are their places, and of uploads of others.
    pub fn new(
        parts: Parts<S, L, C>,
        models: &'m mut [&'m mut dyn Classifier],
        updates: &'m mut dyn Updates,
    ) -> Self {
        Self {
            inbox: frame::Receiver::new(),
            outbox: Outbox::new(parts.serial),
            busy: parts.busy,
            session: Session::new(
                parts.board,
                Self::REQUEST_BYTES,
                models,
                updates,
                parts.clock,
                parts.stack_used,
                parts.lost_bytes,
            ),
            broken_frames: 0,
        }
    }
}

impl<'m, S, L, C, const REQUEST: usize, const REPLY: usize, W> Server<'m, S, L, C, REQUEST, REPLY, W>
where
    S: Wait + Write,
    L: OutputPin,
    C: Clock,
    W: Watchdog,
{
    /// The board started for that reason; otherwise it says that power came.
    pub fn started_by(self, boot: Boot<&'static str>) -> Self {
        Self { session: self.session.started_by(boot), ..self }
    }

    /// That watchdog watches the work on each request, for [`WATCHDOG_TIME_OUT`] for each of its rows, or for
    /// [`UPDATE_TIME_OUT`]; otherwise none does.
    pub fn watched_by<V: Watchdog>(self, watchdog: V) -> Server<'m, S, L, C, REQUEST, REPLY, V> {
        let Self { inbox, outbox, busy, session, broken_frames } = self;
        Server { inbox, outbox, busy, session: session.watched_by(watchdog), broken_frames }
    }

    /// Provocations are done so; otherwise they are refused.
    pub fn provoked_by(self, provoke: fn(Provocation)) -> Self {
        Self { session: self.session.provoked_by(provoke), ..self }
    }

    /// Answers until the line ends, which a UART never does, or the board is to start again.
    ///
    /// # Errors
    /// [`ServerError`]: the line or the light failed. Broken frames are no error; they are counted and dropped.
    pub fn serve(&mut self) -> Result<End, ServerError<S::Error>> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            self.wait()?;
            let count = self.outbox.serial.read(&mut chunk).map_err(ServerError::Serial)?;
            if count == 0 {
                return Ok(End::OfLine);
            }
            self.session.received(self.outbox.serial.arrived());
            for &byte in chunk.iter().take(count) {
                if self.take(byte)? {
                    return Ok(End::Restart);
                }
            }
        }
    }

    /// Waits for bytes; wakes up in between as often as a stream wants it. Without one it leaves waiting to reading.
    fn wait(&mut self) -> Result<(), ServerError<S::Error>> {
        while let Some(micros) = self.session.patience() {
            if self.outbox.serial.wait(micros).map_err(ServerError::Serial)? {
                break;
            }
            // not before, for the row may have come while the board was at work
            self.session.waited_in_vain();
        }
        Ok(())
    }

    /// Takes one byte and, at the end of a request, answers it; whether the board is to start again.
    fn take(&mut self, byte: u8) -> Result<bool, ServerError<S::Error>> {
        let Some(received) = self.inbox.push(byte) else {
            return Ok(false);
        };
        let Ok(message) = received.and_then(frame::decode::<Numbered<Request<'_>>>) else {
            self.broken_frames = self.broken_frames.saturating_add(1);
            return Ok(false);
        };
        self.session.begin_work(time_out(&message.body));
        self.busy.set_high().map_err(|_| ServerError::Light)?;
        let reply = self.session.answer(message.body, self.broken_frames);
        let length = self.outbox.frame(message.request, reply)?;
        self.session.framed();
        self.outbox.send_framed(length)?;
        self.busy.set_low().map_err(|_| ServerError::Light)?;
        self.session.end_work();
        Ok(matches!(message.body, Request::Restart))
    }
}

/// How long a board may work on a request, or on a row of it.
fn time_out(request: &Request<'_>) -> Duration {
    match request {
        Request::Begin(_) | Request::Chunk { .. } | Request::Commit { .. } => UPDATE_TIME_OUT,
        _ => WATCHDOG_TIME_OUT,
    }
}

/// Why a server has no more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The line has ended.
    OfLine,
    /// The board is asked to start again, and has said that it will.
    Restart,
}

/// What ends a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum ServerError<S> {
    /// The serial line failed.
    Serial(S),
    /// The busy light cannot be switched.
    Light,
    /// A reply does not fit the frame buffer.
    Frame(frame::FrameError),
}

impl<S: fmt::Debug> fmt::Display for ServerError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(error) => write!(f, "the serial line failed: {error:?}"),
            Self::Light => f.write_str("the busy light cannot be switched"),
            Self::Frame(error) => write!(f, "a reply cannot be sent: {error}"),
        }
    }
}

impl<S: fmt::Debug> core::error::Error for ServerError<S> {}
