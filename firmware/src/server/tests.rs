//! Tests of the server on a line in memory.

use std::convert::Infallible;

use embedded_io::Read;
use refrain::MAX_LAYERS;
use refrain::link::{Cause, Pace, Profile, Refusal, Statistics, Streamed, Upload};

use super::*;
use crate::testing::{Recorder, SteppedClock};
use crate::update::{NoFlash, Store};

const ROWS: [[u8; 4]; 3] = [[0, 0, 0, 0], [7, 0, 255, 1], [0, 9, 9, 0]];
const REQUEST: usize = request_frame(ECHO_BYTES + 4);
const REPLY: usize = reply_frame(8, 13);

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

impl Wait for &mut Line {
    fn wait(&mut self, _: u32) -> Result<bool, Infallible> {
        Ok(true)
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

/// A watchdog that writes down what it hears.
#[derive(Default)]
struct Watched(String);

impl Watchdog for &mut Watched {
    fn longest(&self) -> Duration {
        Duration::MAX
    }

    fn start(&mut self, time_out: Duration) {
        self.0.push(if time_out == WATCHDOG_TIME_OUT { '<' } else { '[' });
    }

    fn feed(&mut self) {
        self.0.push('.');
    }

    fn stop(&mut self) {
        self.0.push('>');
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

/// Serves what arrives on a line, watched, with one model that records; returns how that ends.
fn serve_line(line: &mut Line, light: &mut Light, watchdog: impl Watchdog) -> End {
    let clock = SteppedClock::new(1);
    let mut recorder = Recorder::new("recorder", 4, &clock);
    let mut models: [&mut dyn Classifier; 1] = [&mut recorder];
    let parts = Parts {
        board: "a board",
        serial: line,
        busy: light,
        clock: &clock,
        memory: &mut [],
        stack_used: || 0,
        lost_bytes: || 0,
    };
    let mut updates = Store::open(NoFlash, []);
    let server = Server::<_, _, _, REQUEST, REPLY>::new(parts, &mut models, &mut updates);
    server.watched_by(watchdog).serve().unwrap()
}

/// Serves `incoming` to its end and hands every reply to `check`; returns the light.
fn serve(incoming: Vec<u8>, piece: usize, check: impl FnMut(Numbered<Reply<'_>>)) -> Light {
    serve_until(End::OfLine, incoming, piece, check)
}

/// The same, where the server ends so.
fn serve_until(
    end: End,
    incoming: Vec<u8>,
    piece: usize,
    mut check: impl FnMut(Numbered<Reply<'_>>),
) -> Light {
    let (mut line, mut light) = (Line { incoming, piece, outgoing: Vec::new() }, Light::default());
    assert_eq!(serve_line(&mut line, &mut light, NoWatchdog), end);
    let mut receiver = frame::Receiver::<REPLY>::new();
    for byte in line.outgoing {
        if let Some(body) = receiver.push(byte) {
            check(frame::decode(body.unwrap()).unwrap());
        }
    }
    light
}

#[test]
fn a_restart_is_answered_and_nothing_behind_it_is() {
    let requests = [Request::Hello, Request::Restart, Request::Hello];
    let incoming = (1..).zip(requests).flat_map(|(number, request)| framed(number, request)).collect();
    let mut answered = Vec::new();
    let light = serve_until(End::Restart, incoming, 5, |reply| {
        answered.push((reply.request, reply.body == Reply::Accepted));
    });
    assert_eq!(answered, [(1, false), (2, true)]);
    assert_eq!((light.on, light.off), (2, 2));
}

/// With the features as they are: those of the package are there by default, and none with `--no-default-features`.
#[test]
fn what_the_firmware_is_built_without_is_refused_and_nothing_else_is() {
    let (update, profile, stream) =
        (cfg!(feature = "update"), cfg!(feature = "profile"), cfg!(feature = "stream"));
    let values = ROWS.as_flattened();
    let pace = Pace { period: 10, slack: 1, deadline: 10, silence: 0 };
    let requests = [
        (update, Request::Begin(Upload { model: 0, revision: 1, length: 100, crc: 7 })),
        (update, Request::Chunk { upload: 7, offset: 0, bytes: &[1, 2, 3] }),
        (update, Request::Commit { upload: 7 }),
        (profile, Request::Profile { model: 0, values }),
        (stream, Request::BeginStream { model: 0, stream: 1, window: 0, pace }),
        (stream, Request::StreamRow { stream: 1, index: 0, values: &ROWS[0] }),
        (stream, Request::EndStream { stream: 1 }),
        // a program may say how that is done; this one does not
        (false, Request::Provoke(Provocation::Hang)),
        (true, Request::Hello),
        (true, Request::Sequence { model: 0, sequence: 1, values }),
    ];
    let incoming = (0..).zip(requests).flat_map(|(number, (_, request))| framed(number, request)).collect();
    let mut served = Vec::new();
    serve(incoming, 7, |reply| served.push(reply.body != Reply::Refused(Refusal::NotBuiltIn)));
    assert_eq!(served, requests.map(|(is_there, _)| is_there));
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

/// What a watchdog hears while a board serves `incoming`.
fn watched(incoming: Vec<u8>) -> String {
    let (mut line, mut light) = (Line { incoming, piece: 7, outgoing: Vec::new() }, Light::default());
    let mut watched = Watched::default();
    serve_line(&mut line, &mut light, &mut watched);
    watched.0
}

#[test]
fn work_on_a_request_is_watched_row_by_row_and_waiting_is_not() {
    let whole = framed(4, Request::Sequence { model: 0, sequence: 9, values: ROWS.as_flattened() });
    let (mut broken, last_again) = (framed(5, Request::Hello), framed(6, row(2)));
    broken[3] ^= 1;
    assert_eq!(watched(sequence()), "<.><.><.>");
    assert_eq!(watched([sequence(), last_again].concat()), "<.><.><.><>");
    let commit = framed(8, Request::Commit { upload: 1 });
    assert_eq!(watched([commit, framed(9, Request::Restart)].concat()), "[><>");
    assert_eq!(watched([whole, broken, framed(7, Request::Hello)].concat()), "<...><>");
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
fn the_count_of_broken_frames_stops_at_its_last_number() {
    let clock = SteppedClock::new(1);
    let (mut line, mut light) = (
        Line { incoming: b"\0no frame\0nor this\0".to_vec(), piece: 9, outgoing: Vec::new() },
        Light::default(),
    );
    let (mut models, mut updates) = ([], Store::open(NoFlash, []));
    let parts = Parts {
        board: "a board",
        serial: &mut line,
        busy: &mut light,
        clock: &clock,
        memory: &mut [],
        stack_used: || 0,
        lost_bytes: || 0,
    };
    let mut server = Server::<_, _, _, REQUEST, REPLY>::new(parts, &mut models, &mut updates);
    server.broken_frames = u32::MAX - 1;
    server.serve().unwrap();
    assert_eq!(server.broken_frames, u32::MAX);
}

#[test]
fn broken_frames_are_counted() {
    let mut damaged = framed(1, Request::Hello);
    damaged[3] ^= 1;
    let noise = [1; 500];
    let incoming = [&damaged[..], &noise, &framed(2, Request::Statistics)].concat();
    let mut counted = Vec::new();
    serve(incoming, 64, |reply| match reply.body {
        Reply::Statistics(Statistics { broken_frames, .. }) => counted.push((reply.request, broken_frames)),
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

    let mut out = Outbox::<Vec<u8>, { reply_frame(0, 1000) }>::new(Vec::new());
    let (name, file) = ("n".repeat(1000), "f".repeat(record::FILE_BYTES));
    let hello = Reply::Hello {
        protocol: u8::MAX,
        firmware: &name[..500],
        board: &name[500..],
        models: u8::MAX,
        request_bytes: u16::MAX,
        boot: Boot { resets: u32::MAX, cause: Cause::Panic { file: &file, line: u32::MAX } },
    };
    out.send(u32::MAX, hello).unwrap();
    let mut out = Outbox::<Vec<u8>, { reply_frame(0, 0) }>::new(Vec::new());
    let statistics = Statistics {
        sequences: u32::MAX,
        timesteps: u32::MAX,
        ticks: u64::MAX,
        ticks_per_1000_instructions: u32::MAX,
        stack_bytes: u32::MAX,
        inference_stack_bytes: u32::MAX,
        broken_frames: u32::MAX,
        lost_bytes: u32::MAX,
        streamed_rows: u32::MAX,
        late_rows: u32::MAX,
        missing_rows: u32::MAX,
        overdue_rows: u32::MAX,
        longest_row_micros: u32::MAX,
    };
    out.send(u32::MAX, Reply::Statistics(statistics)).unwrap();
    let profile = Profile {
        timesteps: u16::MAX,
        ticks_per_1000_instructions: u32::MAX,
        whole: u64::MAX,
        input: u64::MAX,
        layers: [u64::MAX; MAX_LAYERS],
        logits: u64::MAX,
    };
    out.send(u32::MAX, Reply::Profile(profile)).unwrap();
    let mut out = Outbox::<Vec<u8>, { reply_frame(1024, 0) }>::new(Vec::new());
    out.send(u32::MAX, Reply::Logits { sequence: u32::MAX, logits: &[255; 1024] }).unwrap();
    let most = u32::MAX;
    let logits = &[255; 1024];
    let streamed = Streamed {
        index: most,
        missing: most,
        rows: most,
        micros: most,
        is_late: true,
        confidence: Some(0.1),
        logits,
    };
    out.send(u32::MAX, Reply::Streamed(streamed)).unwrap();
}

#[test]
fn an_echo_of_any_length_that_arrives_is_answered() {
    let mut answered = Vec::new();
    for length in 0..2 * REQUEST {
        let bytes = vec![255; length];
        let (mut scratch, mut out) = ([0; 3 * REQUEST], [0; 4 * REQUEST]);
        let echo = Numbered { request: u32::MAX, body: Request::Echo { bytes: &bytes } };
        let framed = frame::encode(&echo, &mut scratch, &mut out).unwrap().to_vec();
        serve([framed, sequence()].concat(), 64, |reply| match reply.body {
            Reply::Echo { bytes } => answered.push(Ok(bytes.len())),
            Reply::Refused(refusal) => answered.push(Err(refusal)),
            _ => {}
        });
    }
    let (echoed, refused) = answered.split_at(ECHO_BYTES + 1);
    assert!(echoed.iter().enumerate().all(|(length, echo)| *echo == Ok(length)), "{echoed:?}");
    assert!(matches!(refused[0], Err(Refusal::EchoLength { found: 129 })), "{refused:?}");
    assert!(refused.len() < 100, "what is longer than a frame is dropped");
}
