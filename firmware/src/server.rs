//! The classify loop: frames from the line, a reply to each, for ever.

use core::fmt;

use embedded_hal::digital::OutputPin;
use embedded_io::{Read, Write};
use refrain::link::{Numbered, Reply, Request, frame};

use crate::{Classifier, Clock, Parts, Session};

/// Bytes that are asked of the line at once.
const CHUNK_BYTES: usize = 64;

/// Most bytes of a message besides what it carries; `Reply::Statistics`, with every varint at its longest, has
/// 46.
const OVERHEAD_BYTES: usize = 46;

/// Bytes that a frame buffer needs for rows of `row` bytes, logits of `logits` bytes, and names (of a model, or
/// of the board with the firmware's version) of `name` bytes.
pub const fn frame_capacity(row: usize, logits: usize, name: usize) -> usize {
    let mut largest = row;
    if logits > largest {
        largest = logits;
    }
    if name > largest {
        largest = name;
    }
    frame::frame_bytes(OVERHEAD_BYTES + largest)
}

/// The board's end of the line that replies leave by; `FRAME` as [`frame_capacity`] says.
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
        let message = Numbered { request, body: reply };
        let frame =
            frame::encode(&message, &mut self.message, &mut self.frame).map_err(ServerError::Frame)?;
        self.serial.write_all(frame).map_err(ServerError::Serial)?;
        self.serial.flush().map_err(ServerError::Serial)
    }
}

/// Answers requests: the [`Session`] behind a serial line.
pub struct Server<'m, S, L, C, const FRAME: usize> {
    inbox: frame::Receiver<FRAME>,
    outbox: Outbox<S, FRAME>,
    busy: L,
    session: Session<'m, C>,
    broken_frames: u32,
}

impl<'m, S, L, C, const FRAME: usize> Server<'m, S, L, C, FRAME>
where
    S: Read + Write,
    L: OutputPin,
    C: Clock,
{
    /// A server of these models; their numbers are their places.
    pub fn new(parts: Parts<S, L, C>, models: &'m mut [&'m mut dyn Classifier]) -> Self {
        Self {
            inbox: frame::Receiver::new(),
            outbox: Outbox::new(parts.serial),
            busy: parts.busy,
            session: Session::new(parts.board, models, parts.clock, parts.stack_used),
            broken_frames: 0,
        }
    }

    /// Answers until the line ends, which a UART never does.
    ///
    /// # Errors
    /// [`ServerError`]: the line or the light failed. Broken frames are no error; they are counted and dropped.
    pub fn serve(&mut self) -> Result<(), ServerError<S::Error>> {
        let mut chunk = [0; CHUNK_BYTES];
        loop {
            let count = self.outbox.serial.read(&mut chunk).map_err(ServerError::Serial)?;
            if count == 0 {
                return Ok(());
            }
            for &byte in chunk.iter().take(count) {
                self.take(byte)?;
            }
        }
    }

    /// Takes one byte and, at the end of a request, answers it.
    fn take(&mut self, byte: u8) -> Result<(), ServerError<S::Error>> {
        let Some(received) = self.inbox.push(byte) else {
            return Ok(());
        };
        let Ok(message) = received.and_then(frame::decode::<Numbered<Request<'_>>>) else {
            self.broken_frames += 1;
            return Ok(());
        };
        self.busy.set_high().map_err(|_| ServerError::Light)?;
        let reply = self.session.answer(message.body, self.broken_frames);
        self.outbox.send(message.request, reply)?;
        self.busy.set_low().map_err(|_| ServerError::Light)
    }
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use refrain::link::{Refusal, Statistics};

    use super::*;
    use crate::testing::{Recorder, SteppedClock};

    const ROWS: [[u8; 4]; 3] = [[0, 0, 0, 0], [7, 0, 255, 1], [0, 9, 9, 0]];
    const FRAME: usize = frame_capacity(4, 8, 13);

    /// A line on which `incoming` arrives, in pieces of at most `piece` bytes, and then ends.
    struct Line {
        incoming: Vec<u8>,
        piece: usize,
        outgoing: Vec<u8>,
    }

    impl embedded_io::ErrorType for &mut Line {
        type Error = Infallible;
    }

    impl Read for &mut Line {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
            let count = self.incoming.len().min(self.piece).min(buffer.len());
            for (place, byte) in buffer.iter_mut().zip(self.incoming.drain(..count)) {
                *place = byte;
            }
            Ok(count)
        }
    }

    impl Write for &mut Line {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
            self.outgoing.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    /// A light that counts how often it went on and off.
    #[derive(Default)]
    struct Light {
        on: usize,
        off: usize,
    }

    impl embedded_hal::digital::ErrorType for &mut Light {
        type Error = Infallible;
    }

    impl OutputPin for &mut Light {
        fn set_high(&mut self) -> Result<(), Infallible> {
            self.on += 1;
            Ok(())
        }

        fn set_low(&mut self) -> Result<(), Infallible> {
            self.off += 1;
            Ok(())
        }
    }

    fn framed(request: u32, body: Request<'_>) -> Vec<u8> {
        let (mut scratch, mut out) = ([0; 64], [0; 80]);
        frame::encode(&Numbered { request, body }, &mut scratch, &mut out).unwrap().to_vec()
    }

    fn row(index: u16) -> Request<'static> {
        Request::Row { model: 0, sequence: 300, index, count: 3, values: &ROWS[usize::from(index)] }
    }

    /// The bytes of a whole sequence, as requests 1 to 3.
    fn sequence() -> Vec<u8> {
        (0..3).flat_map(|index| framed(index + 1, row(index as u16))).collect()
    }

    /// Serves `incoming` to its end and hands every reply to `check`; returns the light.
    fn serve(incoming: Vec<u8>, piece: usize, mut check: impl FnMut(Numbered<Reply<'_>>)) -> Light {
        let clock = SteppedClock::new(1);
        let mut recorder = Recorder::new("recorder", 4, &clock);
        let mut models: [&mut dyn Classifier; 1] = [&mut recorder];
        let mut line = Line { incoming, piece, outgoing: Vec::new() };
        let mut light = Light::default();
        let parts = Parts {
            board: "a board",
            serial: &mut line,
            busy: &mut light,
            clock: &clock,
            memory: &mut [],
            stack_used: || 0,
        };
        Server::<_, _, _, FRAME>::new(parts, &mut models).serve().unwrap();
        let mut receiver = frame::Receiver::<80>::new();
        for byte in line.outgoing {
            if let Some(body) = receiver.push(byte) {
                check(frame::decode(body.unwrap()).unwrap());
            }
        }
        light
    }

    /// Serves, and returns how many replies were the right logits; any other logits fail the test.
    fn right_answers(incoming: Vec<u8>) -> usize {
        let expected = Recorder::expected(&ROWS.each_ref().map(|row| &row[..]));
        let mut right = 0;
        serve(incoming, 1, |reply| {
            if let Reply::Logits { sequence, logits } = reply.body {
                assert_eq!((sequence, logits), (300, &expected[..]));
                right += 1;
            }
        });
        right
    }

    #[test]
    fn each_request_gets_its_reply_however_the_bytes_arrive() {
        for piece in [1, 2, 7, 1000] {
            let mut replies = Vec::new();
            let light = serve(sequence(), piece, |reply| {
                replies.push((reply.request, matches!(reply.body, Reply::Logits { .. })));
            });
            assert_eq!(replies, [(1, false), (2, false), (3, true)]);
            assert_eq!((light.on, light.off), (3, 3), "the light shows each request");
        }
    }

    #[test]
    fn a_broken_byte_never_gives_a_wrong_answer_and_the_next_sequence_is_right() {
        let bytes = sequence();
        for at in 0..bytes.len() {
            let flipped = (0..8).map(|bit| {
                let mut copy = bytes.clone();
                copy[at] ^= 1 << bit;
                copy
            });
            let lost = [&bytes[..at], &bytes[at + 1..]].concat();
            let doubled = [&bytes[..=at], &bytes[at..]].concat();
            for broken in flipped.chain([lost, doubled]) {
                let answers = right_answers([&broken[..], &bytes].concat());
                assert!((1..=2).contains(&answers), "byte {at}: {answers} answers");
            }
        }
    }

    #[test]
    fn a_frame_cut_anywhere_costs_only_itself() {
        let bytes = framed(1, row(0));
        for cut in 0..bytes.len() {
            assert_eq!(right_answers([&bytes[..cut], &sequence()].concat()), 1, "cut at {cut}");
        }
    }

    #[test]
    fn broken_frames_are_counted() {
        let mut damaged = framed(1, Request::Hello);
        damaged[3] ^= 1;
        let noise = [1; 500];
        let incoming = [&damaged[..], &noise, &framed(2, Request::Statistics)].concat();
        let mut counted = Vec::new();
        serve(incoming, 64, |reply| match reply.body {
            Reply::Statistics(Statistics { broken_frames, .. }) => {
                counted.push((reply.request, broken_frames))
            }
            other => panic!("an unexpected reply: {other:?}"),
        });
        assert_eq!(counted, [(2, 2)]);
    }

    #[test]
    fn the_largest_messages_fit_the_frame() {
        let longest = Request::Row {
            model: 255,
            sequence: u32::MAX,
            index: u16::MAX - 1,
            count: u16::MAX,
            values: &[255; 4],
        };
        let mut refused = 0;
        serve(framed(u32::MAX, longest), 64, |reply| {
            assert_eq!(reply.request, u32::MAX);
            refused += usize::from(reply.body == Reply::Refused(Refusal::NoSuchModel { models: 1 }));
        });
        assert_eq!(refused, 1);

        let mut out = Outbox::<Vec<u8>, { frame_capacity(0, 0, 0) }>::new(Vec::new());
        let statistics = Statistics {
            sequences: u32::MAX,
            timesteps: u32::MAX,
            ticks: u64::MAX,
            ticks_per_1000_instructions: u32::MAX,
            stack_bytes: u32::MAX,
            inference_stack_bytes: u32::MAX,
            broken_frames: u32::MAX,
        };
        out.send(u32::MAX, Reply::Statistics(statistics)).unwrap();
        let mut out = Outbox::<Vec<u8>, { frame_capacity(0, 1024, 0) }>::new(Vec::new());
        out.send(u32::MAX, Reply::Logits { sequence: u32::MAX, logits: &[255; 1024] }).unwrap();
    }
}
