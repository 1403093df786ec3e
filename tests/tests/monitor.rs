//! A board under QEMU as it is seen from outside: its answers, what it counts, and its log in words.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use refrain::{CellKind, Numbers, Samples};
use refrain_tests::Recordings;
use refrain_trainer::data::Task;
use refrain_trainer::device::log::LogLine;
use refrain_trainer::device::monitor::{MonitorReport, Seen, Watch, monitor};
use refrain_trainer::device::qemu::{Emulator, EmulatorError, Mode};
use refrain_trainer::device::{Board, Target, firmware};
use refrain_trainer::link::{Client, Patience, StreamOptions};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::setup::qemu;

const BOARD: Board = Board::Mps2An386;

/// A small model's row takes a few milliseconds of the board's time. How long this machine takes between two rows is left
/// out of account.
const OPTIONS: StreamOptions = StreamOptions {
    period: Duration::from_millis(30),
    slack: Duration::from_secs(60),
    deadline: Duration::from_millis(30),
    silence: None,
    window: 0,
};

fn recordings(lengths: &[usize]) -> (Recordings, ModelFile) {
    let task = Task::classification(["rest", "walk", "run"]);
    let recordings = Recordings::random(Samples::U8, 5, lengths, task, 3);
    let file = recordings.model(CellKind::Gru, 7, 1, Numbers::Int8);
    (recordings, file)
}

/// Builds the program for one model and starts it.
fn start(file: &ModelFile, mode: Mode<'_>, folder: &Path) -> Emulator {
    let qemu = qemu(BOARD.name(), BOARD.minimum_qemu()).expect("QEMU is there or can be installed");
    let firmware = firmware::build(BOARD, &[file], &[], folder).expect("the firmware can be built");
    Emulator::start(&qemu, BOARD, &firmware, mode, folder).expect("QEMU starts")
}

fn line(level: &'static str, message: &str) -> LogLine {
    LogLine { level: Some(level), message: message.into() }
}

#[test]
fn a_log_is_read_while_it_grows() {
    let (_, file) = recordings(&[4, 4]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let emulator = start(&file, Mode::Serve, folder.path());
    let log = emulator.log().expect("the program says what its log means");
    let patience = Patience { start: Duration::from_secs(120), ..Patience::WITH_PORT };
    Client::new(emulator, patience, 0).hello().expect("the board starts");
    let lines: Vec<LogLine> = log.last_lines().collect();
    let expected = [
        line("info", "started: power came; resets since power came: 0"),
        line("info", "mps2-an386: 1 models, mode Link"),
        line("info", "gru for recordings: passed"),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_run_that_fails_tells_what_the_firmware_logged() {
    let (_, file) = recordings(&[4, 4]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let job = folder.path().join("job.bin");
    std::fs::write(&job, [7; 100]).expect("the file can be written");
    let address = BOARD.job_memory().expect("it takes jobs").address;
    let mode = Mode::Memory { job: &job, address, plugin: None };
    let error =
        start(&file, mode, folder.path()).finish(Duration::from_secs(120)).expect_err("this is no job");
    assert!(matches!(error, EmulatorError::Ended { .. }), "{error}");
    let message = error.to_string();
    let words = "mps2-an386: 1 models, mode Memory | error the job in memory is not done: ";
    assert!(message.contains(words), "{message}");
    let (_, kept) = message.split_once("; all of it is in ").expect("the log is kept");
    let log = std::fs::read_to_string(kept).expect("it is there");
    assert!(log.lines().count() >= 3 && log.contains("error the job"), "{log}");
}

/// What is seen of a board that gets all these recordings.
fn streamed(lengths: &[usize], deadline: Duration) -> (MonitorReport, Vec<(usize, usize)>) {
    let (recordings, file) = recordings(lengths);
    let options = StreamOptions { deadline, ..OPTIONS };
    let watch = Watch { stream: Some((recordings.split.view(), options)), log: None };
    let mut rows = Vec::new();
    let mut watcher = |seen: Seen<'_>| {
        if let Seen::Answer(_, place) = seen {
            rows.push((place.sample, place.timestep));
        }
        ControlFlow::Continue(())
    };
    let report = monitor(&Target::Emulated(BOARD), &file, &watch, &mut watcher).expect("the board answers");
    (report, rows)
}

#[test]
fn every_row_is_seen() {
    let (report, rows) = streamed(&[4, 4, 4], OPTIONS.deadline);
    assert_eq!(rows, (0..12).map(|row| (row / 4, row % 4)).collect::<Vec<_>>());
    let MonitorReport { rows, answered, unanswered, missing, late, overdue, judged, .. } = report;
    assert_eq!((rows, answered, unanswered), (12, 12, 0));
    assert_eq!((missing, late, overdue, judged), (0, 0, 0, 3));
    assert_eq!((report.restarts, report.retries, report.board.as_str()), (0, 0, "mps2-an386"));
    assert_eq!(report.boot, "power came; resets since power came: 0");
    assert!((100..30_000).contains(&report.longest_row_micros) && report.stack_bytes > 0, "{report:?}");
    assert!(report.log.contains(&"info  mps2-an386: 1 models, mode Link".into()), "{:?}", report.log);
}

#[test]
fn samples_of_several_lengths_run_on_and_late_answers_are_counted() {
    let (report, rows) = streamed(&[3, 1, 5], Duration::from_micros(1));
    let places = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 4)];
    assert_eq!(rows, places);
    assert_eq!((report.answered, report.late), (9, 9));
    assert_eq!(report.judged, 1, "behind the first sample no answer is that of a whole one");
}

#[test]
fn a_board_can_be_watched_and_no_more() {
    let (_, file) = recordings(&[4, 4]);
    let (mut counted, mut lines) = (0, 0);
    let mut watcher = |seen: Seen<'_>| {
        counted += usize::from(matches!(seen, Seen::Counted(..)));
        lines += usize::from(matches!(seen, Seen::Log(_)));
        if counted == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let watch = Watch { stream: None, log: None };
    let report = monitor(&Target::Emulated(BOARD), &file, &watch, &mut watcher).expect("the board answers");
    assert_eq!((report.rows, report.answered, report.log.len()), (0, 0, 3));
    assert_eq!((counted, lines), (2, 3));
}
