//! What came of watching a board.

use std::time::{Duration, Instant};

use refrain::link::Statistics;
use refrain::{Numbers, argmax};
use serde::Serialize;

use super::{Place, Traffic};
use crate::device::log::LogLine;
use crate::link::{Answer, Hello};
use crate::model_file::ModelFile;

/// Lines of the log that a report holds: the last ones.
const LOG_LINES: usize = 1000;

/// What came of watching a board.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MonitorReport {
    /// The cell of the model.
    pub cell: String,
    /// What it computes with.
    pub numbers: String,
    /// Name of the board.
    pub board: String,
    /// Version of its firmware.
    pub firmware: String,
    /// Why the board started, the last time.
    pub boot: String,
    /// How often it started again while it was watched.
    pub restarts: u32,
    /// Seconds without a row after which the board's watchdog resets it; `None` where nothing does.
    pub silence_seconds: Option<f64>,
    /// Rows sent.
    pub rows: u64,
    /// Rows answered.
    pub answered: u64,
    /// Rows whose answers never came.
    pub unanswered: u64,
    /// Rows that the board told it missed.
    pub missing: u64,
    /// Rows whose answers came later than their deadline.
    pub late: u64,
    /// Times that a row was not there when it was due.
    pub overdue: u64,
    /// Microseconds that the slowest answer took, by the board's clock.
    pub longest_row_micros: u64,
    /// Answers that could be held against a class: those to the last rows of samples that were read whole, or to each row
    /// where each has a class.
    pub judged: u64,
    /// The part of these, from 0 to 1, that name the right class; `None` where there are none.
    pub accuracy: Option<f64>,
    /// Seconds from the first row to the last.
    pub seconds: f64,
    /// Rows sent in a second.
    pub rows_per_second: f64,
    /// Bytes sent in a second.
    pub bytes_per_second: f64,
    /// Frames that came broken to the board, and from it.
    pub broken_frames: BrokenFrames,
    /// How often something other than a row was asked again.
    pub retries: u64,
    /// The most stack that the board has used, in bytes.
    pub stack_bytes: u32,
    /// What its firmware has logged; the last thousand lines.
    pub log: Vec<String>,
}

/// Frames dropped because they were broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BrokenFrames {
    /// By the board.
    pub to_board: u64,
    /// By the host.
    pub from_board: u64,
}

impl MonitorReport {
    /// Nothing was seen.
    pub(super) fn of_nothing(file: &ModelFile) -> Self {
        let model = file.model();
        let header = model.header();
        let (cell, numbers) = (header.cell.to_string(), header.numbers.to_string());
        Self { cell, numbers, ..Self::default() }
    }
}

/// Keeps count of what is seen.
pub(super) struct Tally {
    report: MonitorReport,
    numbers: Numbers,
    board: Option<Hello>,
    /// What the board had counted when it was asked last, in this life.
    counted: Option<Statistics>,
    /// What went over the link in streams that have ended; of the other things, all.
    ended: Traffic,
    /// The same, and the stream that runs.
    traffic: Traffic,
    right: u64,
    /// When the first row was sent, and the bytes before it.
    begun: Option<(Instant, u64)>,
    lasted: Duration,
}

impl Tally {
    pub(super) fn new(file: &ModelFile) -> Self {
        Self {
            report: MonitorReport::of_nothing(file),
            numbers: file.model().header().numbers,
            board: None,
            counted: None,
            ended: Traffic::default(),
            traffic: Traffic::default(),
            right: 0,
            begun: None,
            lasted: Duration::ZERO,
        }
    }

    /// The board says who it is. Whether it has started since it did so last.
    pub(super) fn board(&mut self, hello: &Hello) -> bool {
        let is_new_life = self.board.as_ref().is_some_and(|before| before.boot != hello.boot);
        if is_new_life {
            self.report.restarts += 1;
            self.counted = Some(Statistics::default());
        }
        self.board = Some(hello.clone());
        is_new_life
    }

    /// Rows are sent now.
    pub(super) fn sending(&mut self, bytes_before: u64) {
        self.begun.get_or_insert((Instant::now(), bytes_before));
    }

    /// A stream begins whose silence is watched so.
    pub(super) fn watched(&mut self, silence: Option<Duration>) {
        self.report.silence_seconds = silence.map(|silence| silence.as_secs_f64());
    }

    /// So much has gone over the link, the stream that runs included.
    pub(super) fn sent(&mut self, stream: Traffic) {
        self.traffic = Traffic {
            rows: self.ended.rows + stream.rows,
            unanswered: self.ended.unanswered + stream.unanswered,
            ..stream
        };
        if let Some((begun, _)) = self.begun {
            self.lasted = begun.elapsed();
        }
    }

    /// A stream has ended.
    pub(super) fn ended(&mut self, stream: Traffic) {
        self.sent(stream);
        self.ended = self.traffic;
    }

    /// A row was answered.
    pub(super) fn answer(&mut self, answer: &Answer, place: Place) {
        let report = &mut self.report;
        report.answered += 1;
        report.missing += u64::from(answer.missing);
        report.late += u64::from(answer.is_late);
        let micros = u64::try_from(answer.took.as_micros()).unwrap_or(u64::MAX);
        report.longest_row_micros = report.longest_row_micros.max(micros);
        let is_whole = answer.rows as usize == place.timestep + 1;
        if let Some(label) = place.label.filter(|_| is_whole) {
            report.judged += 1;
            let logits = answer.logits.as_chunks().0.iter();
            let values: Vec<f32> = logits.map(|&logit| self.numbers.logit_value(logit)).collect();
            self.right += u64::from(argmax(&values) == usize::from(label));
        }
    }

    /// The board says what it has counted since it started. Returns what has gone over the link until now.
    pub(super) fn counted(&mut self, counted: Statistics) -> Traffic {
        // What it had counted before it was first asked is not of this watching.
        let before = self.counted.replace(counted).unwrap_or(counted);
        let report = &mut self.report;
        let since = |now: u32, before: u32| u64::from(now.saturating_sub(before));
        report.overdue += since(counted.overdue_rows, before.overdue_rows);
        report.broken_frames.to_board += since(counted.broken_frames, before.broken_frames);
        report.stack_bytes = report.stack_bytes.max(counted.stack_bytes);
        self.traffic
    }

    /// Rows answered so far.
    pub(super) fn answered(&self) -> u64 {
        self.report.answered
    }

    pub(super) fn log(&mut self, line: &LogLine) {
        let log = &mut self.report.log;
        if log.len() == LOG_LINES {
            log.remove(0);
        }
        log.push(line.to_string());
    }

    pub(super) fn into_report(self) -> MonitorReport {
        let Traffic { rows, bytes, unanswered, broken_frames, retries } = self.traffic;
        let seconds = self.lasted.as_secs_f64();
        let a_second = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let before = self.begun.map_or(bytes, |(_, before)| before);
        let mut report = self.report;
        if let Some(board) = self.board {
            (report.board, report.firmware, report.boot) =
                (board.board, board.firmware, board.boot.to_string());
        }
        report.broken_frames.from_board = broken_frames;
        MonitorReport {
            rows,
            unanswered,
            retries,
            seconds,
            rows_per_second: a_second(rows),
            bytes_per_second: a_second(bytes - before),
            accuracy: (report.judged > 0).then(|| self.right as f64 / report.judged as f64),
            ..report
        }
    }
}
