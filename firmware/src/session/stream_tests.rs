//! Tests of streams, on a clock that stands still unless a row is computed or the test moves it.

use refrain::link::{Pace, Streamed};

use super::*;
use crate::testing::{LOGITS_TICKS, Recorder, STEP_TICKS, SteppedClock};
use crate::update::{NoFlash, Store};

const PACE: Pace = Pace { period: 5000, slack: 500, deadline: 1100, silence: 60_000 };
/// A watchdog that can watch silences up to this, and that nobody hears.
const LONGEST: u32 = 90_000;

struct Patient;

impl Watchdog for Patient {
    fn longest(&self) -> Duration {
        Duration::from_micros(LONGEST.into())
    }

    fn start(&mut self, _: Duration) {}

    fn feed(&mut self) {}

    fn stop(&mut self) {}
}

const ROWS: [&[u8]; 6] = [&[1, 2], &[3, 4], &[5, 6], &[7, 8], &[9, 10], &[11, 12]];

/// Microseconds from a row to its answer.
const TOOK: u32 = (STEP_TICKS + LOGITS_TICKS) as u32;

/// A session with one model, of rows of two bytes.
struct Board<'c, 's> {
    clock: &'c SteppedClock,
    session: Session<'s, &'c SteppedClock, Patient>,
}

fn with_board(test: impl FnOnce(Board<'_, '_>)) {
    let clock = SteppedClock::new(0);
    let (mut first, mut second) = (Recorder::new("first", 2, &clock), Recorder::new("second", 3, &clock));
    let mut models: [&mut dyn Classifier; 2] = [&mut first, &mut second];
    let mut updates = Store::open(NoFlash, []);
    let session = Session::new("a board", 64, &mut models, &mut updates, &clock, || 321, || 0);
    let session = session.watched_by(Patient);
    test(Board { clock: &clock, session });
}

/// The answer to a row, without its logits and confidence.
#[derive(Debug, PartialEq)]
struct Told {
    missing: u32,
    rows: u32,
    micros: u32,
    is_late: bool,
}

impl Board<'_, '_> {
    fn begin(&mut self, stream: u32, window: u32, pace: Pace) {
        let begin = Request::BeginStream { model: 0, stream, window, pace };
        assert_eq!(self.session.answer(begin, 0), Reply::Accepted);
    }

    /// Sends a row of stream 7 now; its answer must be that of the rows that it says it is of.
    fn row(&mut self, index: u32) -> Result<Told, Refusal> {
        self.session.received(None);
        let values = ROWS[index as usize % ROWS.len()];
        let told = match self.session.answer(Request::StreamRow { stream: 7, index, values }, 0) {
            Reply::Refused(refusal) => return Err(refusal),
            Reply::Streamed(Streamed {
                index: answered,
                missing,
                rows,
                micros,
                is_late,
                confidence,
                logits,
            }) => {
                assert_eq!(answered, index);
                assert!(confidence.is_some_and(|sure| (0.5..=1.0).contains(&sure)), "{confidence:?}");
                let run =
                    (0..rows).rev().map(|before| ROWS[index.wrapping_sub(before) as usize % ROWS.len()]);
                assert_eq!(logits, Recorder::expected(&run.collect::<Vec<_>>()), "row {index} of {rows}");
                Told { missing, rows, micros, is_late }
            }
            other => panic!("no answer to a row: {other:?}"),
        };
        self.session.framed();
        Ok(told)
    }

    /// A row that comes a period after the one before.
    fn row_in_time(&mut self, index: u32) -> Told {
        self.clock.advance(u64::from(PACE.period) - u64::from(TOOK));
        self.row(index).expect("the row is in order")
    }

    fn counted(&mut self) -> (u32, u32, u32, u32, u32) {
        let Reply::Statistics(counted) = self.session.answer(Request::Statistics, 0) else {
            panic!("no statistics");
        };
        let Statistics { streamed_rows, late_rows, missing_rows, overdue_rows, longest_row_micros, .. } =
            counted;
        (streamed_rows, late_rows, missing_rows, overdue_rows, longest_row_micros)
    }
}

fn in_time(rows: u32) -> Told {
    Told { missing: 0, rows, micros: TOOK, is_late: false }
}

#[test]
fn rows_in_time_run_on_without_end() {
    with_board(|mut board| {
        board.begin(7, 0, PACE);
        for index in 0..50 {
            assert_eq!(board.row_in_time(index), in_time(index + 1));
        }
        assert_eq!(board.counted(), (50, 0, 0, 0, TOOK));
    });
}

#[test]
fn the_state_begins_anew_at_each_window() {
    with_board(|mut board| {
        board.begin(7, 3, PACE);
        let rows: Vec<u32> = (0..7).map(|index| board.row_in_time(index).rows).collect();
        assert_eq!(rows, [1, 2, 3, 1, 2, 3, 1]);
        // rows 7 to 9 are missing: 9 would have begun a window, and 12 begins the next one
        let rows: Vec<u32> = (10..14).map(|index| board.row_in_time(index).rows).collect();
        assert_eq!(rows, [1, 2, 1, 2]);
    });
}

#[test]
fn a_gap_is_told_and_begins_the_state_anew() {
    with_board(|mut board| {
        board.begin(7, 0, PACE);
        assert_eq!(board.row(2).unwrap(), Told { missing: 2, ..in_time(1) });
        assert_eq!(board.row_in_time(3), in_time(2));
        assert_eq!(board.row_in_time(9), Told { missing: 5, ..in_time(1) });
        assert_eq!(board.row_in_time(10), in_time(2));
        assert_eq!(board.counted(), (4, 0, 7, 0, TOOK));
    });
}

#[test]
fn a_row_that_comes_twice_or_is_overtaken_is_refused_and_changes_nothing() {
    with_board(|mut board| {
        board.begin(7, 0, PACE);
        board.row_in_time(0);
        assert_eq!(board.row(0), Err(Refusal::StreamOrder { expected: 1 }));
        board.row_in_time(3);
        for index in [0, 1, 2, 3, u32::MAX] {
            assert_eq!(board.row(index), Err(Refusal::StreamOrder { expected: 4 }));
        }
        assert_eq!(board.row_in_time(4), in_time(2));
        assert_eq!(board.counted(), (3, 0, 2, 0, TOOK));
    });
}

#[test]
fn an_answer_beyond_the_deadline_is_late() {
    with_board(|mut board| {
        board.begin(7, 0, Pace { deadline: TOOK, ..PACE });
        assert_eq!(board.row_in_time(0), in_time(1));
        board.session.received(None);
        board.clock.advance(1);
        let values = ROWS[1];
        let reply = board.session.answer(Request::StreamRow { stream: 7, index: 1, values }, 0);
        let Reply::Streamed(Streamed { micros, is_late, .. }) = reply else { panic!("{reply:?}") };
        assert_eq!((micros, is_late), (TOOK + 1, true));
        // its framing takes 30, and so is taken to do that of the next answer
        board.clock.advance(30);
        board.session.framed();
        assert_eq!(board.row_in_time(2), Told { micros: TOOK + 30, is_late: true, ..in_time(3) });
        assert_eq!(board.row_in_time(3), in_time(4));
        assert_eq!(board.counted(), (4, 2, 0, 0, TOOK + 30));
    });
}

#[test]
fn a_row_that_does_not_come_is_overdue_once_a_period() {
    with_board(|mut board| {
        let late = |board: &mut Board<'_, '_>, micros| {
            board.clock.advance(micros);
            board.session.waited_in_vain();
            board.session.patience()
        };
        assert_eq!(board.session.patience(), None, "no stream runs");
        board.begin(7, 0, PACE);
        assert_eq!(late(&mut board, 1_000_000), Some(5500), "until its first row there is nothing to miss");
        board.row(0).unwrap();
        assert_eq!(late(&mut board, 0), Some(5500 - TOOK));
        assert_eq!(late(&mut board, u64::from(5499 - TOOK)), Some(1));
        assert_eq!(board.counted().3, 0);
        assert_eq!(late(&mut board, 1), Some(5000));
        assert_eq!(board.counted().3, 1);
        assert_eq!(late(&mut board, 0), Some(5000), "it is counted once");
        assert_eq!(late(&mut board, 17_000), Some(3000));
        assert_eq!(board.counted().3, 4);
        // It comes at last, and the next one has a period of its own.
        assert_eq!(board.row(1).unwrap(), in_time(2));
        assert_eq!(board.row_in_time(2), in_time(3));
        assert_eq!(board.counted().3, 4);
        // What nobody has looked at in time is counted when the row comes.
        board.clock.advance(11_000 - u64::from(TOOK));
        board.row(3).unwrap();
        assert_eq!(board.counted().3, 6);
    });
}

#[test]
fn a_row_of_another_length_is_refused_and_changes_nothing() {
    with_board(|mut board| {
        board.begin(7, 0, PACE);
        board.row_in_time(0);
        let row = Request::StreamRow { stream: 7, index: 1, values: &[1, 2, 3] };
        let refused = Refusal::RowLength { found: 3, expected: 2 };
        assert_eq!(board.session.answer(row, 0), Reply::Refused(refused));
        assert_eq!(board.row_in_time(1), in_time(2));
    });
}

#[test]
fn a_stream_that_has_begun_goes_on_and_another_one_takes_its_place() {
    with_board(|mut board| {
        board.begin(7, 0, PACE);
        board.row_in_time(0);
        board.begin(7, 0, PACE);
        assert_eq!(board.row_in_time(1), in_time(2));
        board.begin(8, 0, PACE);
        assert_eq!(board.row(2), Err(Refusal::NoSuchStream));
        board.begin(7, 0, PACE);
        assert_eq!(board.row(2).unwrap(), Told { missing: 2, ..in_time(1) });
    });
}

#[test]
fn rows_are_refused_where_no_stream_runs() {
    with_board(|mut board| {
        assert_eq!(board.row(0), Err(Refusal::NoSuchStream));
        let sequence = Request::Row { model: 0, sequence: 1, index: 0, count: 3, values: ROWS[0] };
        let ends = [(Request::EndStream { stream: 7 }, 2), (Request::Reset, 2), (sequence, 1)];
        for (end, times) in ends {
            board.begin(7, 0, PACE);
            assert_eq!(board.session.answer(Request::EndStream { stream: 6 }, 0), Reply::Accepted);
            board.row(0).unwrap();
            for _ in 0..times {
                assert_eq!(board.session.answer(end, 0), Reply::Accepted);
            }
            assert_eq!(board.row(1), Err(Refusal::NoSuchStream), "{end:?}");
            assert_eq!(board.session.patience(), None);
        }
        board.begin(7, 0, PACE);
        let next = Request::Row { model: 0, sequence: 1, index: 1, count: 3, values: ROWS[1] };
        assert_eq!(board.session.answer(next, 0), Reply::Refused(Refusal::RowOrder { expected: 0 }));
        assert_eq!(board.row(0).unwrap(), in_time(1), "what is refused ends nothing");
    });
}

#[test]
fn a_stream_that_cannot_be_kept_is_refused() {
    with_board(|mut board| {
        let begin = |model, pace| Request::BeginStream { model, stream: 7, window: 0, pace };
        let unknown = board.session.answer(begin(2, PACE), 0);
        assert_eq!(unknown, Reply::Refused(Refusal::NoSuchModel { models: 2 }));
        let most = u32::MAX;
        let unsound = [
            Pace { period: 0, ..PACE },
            Pace { deadline: 0, ..PACE },
            Pace { silence: 5500, ..PACE },
            Pace { period: most, slack: most, silence: most, ..PACE },
        ];
        for pace in unsound {
            assert_eq!(board.session.answer(begin(0, pace), 0), Reply::Refused(Refusal::Pace), "{pace}");
        }
        for pace in
            [Pace { silence: 0, ..PACE }, Pace { period: most, slack: most, deadline: most, silence: 0 }]
        {
            assert_eq!(board.session.answer(begin(0, pace), 0), Reply::Accepted);
            board.row(0).unwrap();
            assert!(board.session.patience().is_some());
        }
    });
}

#[test]
fn a_silence_that_no_watchdog_watches_is_refused() {
    let begin = |silence| {
        let pace = Pace { silence, ..PACE };
        Request::BeginStream { model: 0, stream: 7, window: 0, pace }
    };
    with_board(|mut board| {
        let refused = Reply::Refused(Refusal::Silence { longest: LONGEST });
        assert_eq!(board.session.answer(begin(LONGEST + 1), 0), refused);
        assert_eq!(board.row(0), Err(Refusal::NoSuchStream));
        assert_eq!(board.session.answer(begin(LONGEST), 0), Reply::Accepted);
        let mut unwatched = board.session.watched_by(NoWatchdog);
        let refused = Reply::Refused(Refusal::Silence { longest: 0 });
        assert_eq!(unwatched.answer(begin(PACE.silence), 0), refused);
        assert_eq!(unwatched.answer(begin(0), 0), Reply::Accepted);
    });
}

#[test]
fn the_numbers_of_rows_begin_anew_behind_the_last() {
    with_board(|mut board| {
        board.begin(7, 0, PACE);
        // A host cannot be so far ahead at once: half of all numbers count as before.
        for index in [u32::MAX / 2, u32::MAX - 2] {
            board.row(index).unwrap();
        }
        for (rows, index) in (2..).zip([u32::MAX - 1, u32::MAX]) {
            assert_eq!(board.row(index).unwrap().rows, rows);
        }
        board.session.received(None);
        let first = Request::StreamRow { stream: 7, index: 0, values: ROWS[0] };
        let reply = board.session.answer(first, 0);
        assert!(matches!(reply, Reply::Streamed(Streamed { missing: 0, rows: 4, .. })), "{reply:?}");
    });
}

#[test]
fn a_regression_has_no_confidence() {
    let clock = SteppedClock::new(0);
    let mut model = Recorder::new("first", 2, &clock).for_regression();
    let mut models: [&mut dyn Classifier; 1] = [&mut model];
    let mut updates = Store::open(NoFlash, []);
    let mut session =
        Session::new("a board", 64, &mut models, &mut updates, &clock, || 0, || 0).watched_by(Patient);
    session.answer(Request::BeginStream { model: 0, stream: 1, window: 0, pace: PACE }, 0);
    let reply = session.answer(Request::StreamRow { stream: 1, index: 0, values: ROWS[0] }, 0);
    assert!(matches!(reply, Reply::Streamed(Streamed { confidence: None, .. })), "{reply:?}");
}
