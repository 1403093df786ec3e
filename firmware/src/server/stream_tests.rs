//! Tests of the server's waiting for the rows of a stream.

use std::collections::VecDeque;
use std::convert::Infallible;

use embedded_io::Read;
use refrain::link::{Pace, Refusal, Statistics};

use super::*;
use crate::testing::{LOGITS_TICKS, Recorder, STEP_TICKS, SteppedClock};
use crate::update::{NoFlash, Store};

const PACE: Pace = Pace { period: 10_000, slack: 2000, deadline: 1500, silence: 0 };

/// The silence of a stream that is watched.
const SILENCE: u32 = 3_000_000;

/// What the line takes for a frame.
const SENDING: u64 = 100;

/// A line on which bytes arrive at set times, and which passes the time while it is waited for. It is read up to the end of
/// a frame at once, and knows when that came.
struct TimedLine<'c> {
    clock: &'c SteppedClock,
    /// When, in microseconds, and what.
    coming: VecDeque<(u64, Vec<u8>)>,
    arrived: u64,
    outgoing: Vec<u8>,
    /// How long each wait was meant to last that was in vain.
    in_vain: Vec<u32>,
}

impl embedded_io::ErrorType for &mut TimedLine<'_> {
    type Error = Infallible;
}

impl Wait for &mut TimedLine<'_> {
    fn wait(&mut self, micros: u32) -> Result<bool, Infallible> {
        let now = self.clock.micros();
        let Some(&(at, _)) = self.coming.front() else { return Ok(true) };
        let passing = at.saturating_sub(now).min(micros.into());
        self.clock.advance(passing);
        let is_there = at <= now + passing;
        if !is_there {
            self.in_vain.push(micros);
        }
        Ok(is_there)
    }

    fn arrived(&self) -> Option<u32> {
        Some(self.arrived as u32)
    }
}

impl Read for &mut TimedLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let Some((at, mut bytes)) = self.coming.pop_front() else { return Ok(0) };
        self.clock.advance(at.saturating_sub(self.clock.micros()));
        let end = bytes.iter().position(|&byte| byte == 0).map_or(bytes.len(), |zero| zero + 1);
        let rest = bytes.split_off(end.min(buffer.len()));
        self.arrived = at;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        if !rest.is_empty() {
            self.coming.push_front((at, rest));
        }
        Ok(bytes.len())
    }
}

impl Write for &mut TimedLine<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.clock.advance(SENDING);
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A light that nobody sees.
struct Dark;

impl embedded_hal::digital::ErrorType for Dark {
    type Error = Infallible;
}

impl OutputPin for Dark {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn framed(body: Request<'_>) -> Vec<u8> {
    let (mut scratch, mut out) = ([0; 64], [0; 80]);
    frame::encode(&Numbered { request: 1, body }, &mut scratch, &mut out).unwrap().to_vec()
}

fn begin() -> Vec<u8> {
    framed(Request::BeginStream { model: 0, stream: 7, window: 0, pace: PACE })
}

fn row(index: u32) -> Vec<u8> {
    framed(Request::StreamRow { stream: 7, index, values: &[1, 2, 3, 4] })
}

/// A watchdog that writes down what it hears: `<` for the beginning of a request's work, `(` for that of a stream.
#[derive(Default)]
struct Watched(String);

impl Watchdog for &mut Watched {
    fn longest(&self) -> Duration {
        Duration::from_micros(SILENCE.into())
    }

    fn start(&mut self, time_out: Duration) {
        let silence = Duration::from_micros(SILENCE.into());
        assert!(time_out == WATCHDOG_TIME_OUT || time_out == silence, "{time_out:?}");
        self.0.push(if time_out == silence { '(' } else { '<' });
    }

    fn feed(&mut self) {
        self.0.push('.');
    }

    fn stop(&mut self) {
        self.0.push('>');
    }
}

/// What came of a stream: how long each answer took, what was counted, and the waits that were in vain.
#[derive(Debug, PartialEq)]
struct Came {
    took: Vec<u32>,
    counted: (u32, u32, u32, u32),
    in_vain: Vec<u32>,
}

/// Serves what comes, and then a request for what was counted; what is watched is another matter.
fn serve(coming: Vec<(u64, Vec<u8>)>) -> Came {
    serve_watched(coming).0
}

/// The same, and what a watchdog heard.
fn serve_watched(coming: Vec<(u64, Vec<u8>)>) -> (Came, String) {
    const FRAME: usize = request_frame(ECHO_BYTES);
    let clock = SteppedClock::new(0);
    let mut recorder = Recorder::new("recorder", 4, &clock);
    let mut models: [&mut dyn Classifier; 1] = [&mut recorder];
    let mut coming = VecDeque::from(coming);
    let last = coming.back().map_or(0, |&(at, _)| at);
    coming.push_back((last, framed(Request::Statistics)));
    let mut line = TimedLine { clock: &clock, coming, arrived: 0, outgoing: Vec::new(), in_vain: Vec::new() };
    let parts = Parts {
        board: "a board",
        serial: &mut line,
        busy: Dark,
        clock: &clock,
        memory: &mut [],
        stack_used: || 0,
        lost_bytes: || 0,
    };
    let (mut watched, mut updates) = (Watched::default(), Store::open(NoFlash, []));
    let server = Server::<_, _, _, FRAME, { reply_frame(8, 13) }>::new(parts, &mut models, &mut updates);
    server.watched_by(&mut watched).serve().unwrap();
    let (mut took, mut counted) = (Vec::new(), Statistics::default());
    let mut receiver = frame::Receiver::<FRAME>::new();
    for byte in &line.outgoing {
        let Some(body) = receiver.push(*byte) else { continue };
        match frame::decode::<Numbered<Reply<'_>>>(body.unwrap()).unwrap().body {
            Reply::Accepted | Reply::Hello { .. } | Reply::Refused(Refusal::StreamOrder { .. }) => {}
            Reply::Streamed(streamed) => took.push(streamed.micros),
            Reply::Statistics(statistics) => counted = statistics,
            other => panic!("an unexpected reply: {other:?}"),
        }
    }
    let Statistics { streamed_rows, late_rows, missing_rows, overdue_rows, .. } = counted;
    let counted = (streamed_rows, late_rows, missing_rows, overdue_rows);
    (Came { took, counted, in_vain: line.in_vain }, watched.0)
}

const TOOK: u32 = (STEP_TICKS + LOGITS_TICKS) as u32;

#[test]
fn a_board_sleeps_from_row_to_row() {
    let rows = (0..5).map(|index| (50_000 + 10_000 * u64::from(index), row(index)));
    let came = serve([(10, begin())].into_iter().chain(rows).collect());
    // Before the first row it wakes up in vain; nothing is overdue then.
    assert_eq!(came, Came { took: vec![TOOK; 5], counted: (5, 0, 0, 0), in_vain: vec![12_000; 4] });
}

#[test]
fn a_board_wakes_up_for_rows_that_do_not_come() {
    let came = serve(vec![(0, begin()), (1000, row(0)), (35_000, row(1))]);
    // Of the first wait, answering and sending have taken some; the row comes in the course of the last one.
    let first = 12_000 - TOOK - SENDING as u32;
    assert_eq!(
        came,
        Came { took: vec![TOOK; 2], counted: (2, 0, 0, 3), in_vain: vec![first, 10_000, 10_000] }
    );
}

#[test]
fn an_answer_is_timed_from_the_last_byte_of_its_row() {
    let whole = row(0);
    let (start, end) = whole.split_at(9);
    let came = serve(vec![(0, begin()), (1000, start.to_vec()), (9000, end.to_vec())]);
    assert_eq!((came.took, came.counted), (vec![TOOK], (1, 0, 0, 0)));
}

#[test]
fn rows_that_come_together_wait_for_each_other() {
    let came = serve(vec![(0, begin()), (1000, [row(0), row(1), row(3)].concat())]);
    let next = TOOK + SENDING as u32;
    assert_eq!(came.took, [TOOK, TOOK + next, TOOK + 2 * next]);
    assert_eq!(came.counted, (3, 2, 1, 0));
}

/// However many there are: each is as old as it is, and none is overdue that has come.
#[test]
fn rows_that_pile_up_are_late_by_how_long_they_wait() {
    const ROWS: u32 = 30;
    let pile: Vec<u8> = (0..ROWS).flat_map(row).collect();
    assert!(pile.len() > 5 * CHUNK_BYTES);
    let next = TOOK + SENDING as u32;
    let took: Vec<u32> = (0..ROWS).map(|before| TOOK + before * next).collect();
    assert!(took[29] > PACE.period + PACE.slack && took[1] > PACE.deadline);
    // The clock's microseconds outgrow their lower 32 bits meanwhile.
    for start in [1000, u64::from(u32::MAX) - 9000] {
        let came = serve(vec![(start - 1000, begin()), (start, pile.clone())]);
        assert_eq!((came.took, came.counted), (took.clone(), (ROWS, ROWS - 1, 0, 0)));
    }
}

#[test]
fn a_row_that_came_too_late_counts_as_overdue_however_long_it_waited() {
    let came = serve(vec![(0, begin()), (1000, row(0)), (1000, row(1)), (13_500, row(2)), (13_500, row(3))]);
    assert_eq!(came.counted, (4, 2, 0, 1), "{came:?}");
}

#[test]
fn nothing_but_its_rows_feeds_the_watchdog_of_a_stream() {
    let watched = |stream| {
        let pace = Pace { silence: SILENCE, ..PACE };
        framed(Request::BeginStream { model: 0, stream, window: 0, pace })
    };
    let heard = |requests: &[Vec<u8>]| serve_watched(vec![(1000, requests.concat())]).1;
    let (broken, hello) = (vec![1, 2, 0], framed(Request::Hello));
    let sequence = framed(Request::Row { model: 0, sequence: 1, index: 0, count: 2, values: &[0; 4] });
    // The last request is always one for what was counted.
    assert_eq!(heard(&[watched(7), row(0), row(1)]), "<(..", "while it runs, that goes on");
    assert_eq!(heard(&[watched(7), row(0), row(0), hello.clone(), broken, row(5)]), "<(..");
    assert_eq!(heard(&[watched(7), watched(7), row(0)]), "<(.", "repeating the beginning is no row");
    assert_eq!(heard(&[watched(6), watched(7), row(0)]), "<((.");
    assert_eq!(heard(&[watched(7), row(0), framed(Request::EndStream { stream: 7 })]), "<(.><>");
    assert_eq!(heard(&[watched(7), row(0), framed(Request::EndStream { stream: 6 })]), "<(.");
    assert_eq!(heard(&[watched(7), sequence]), "<(.><>");
    assert_eq!(heard(&[begin(), row(0), hello]), "<><.><><>", "where silence is not watched, work is");
}
