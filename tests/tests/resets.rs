//! A board whose program fails, in any way that it can, logs why, starts again, says why, and answers rightly as before.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use object::{Object, ObjectSection, ObjectSymbol};
use refrain::link::{Boot, Cause, Provocation};
use refrain::{CellKind, Numbers, Samples};
use refrain_tests::Recordings;
use refrain_trainer::data::Task;
use refrain_trainer::device::Board;
use refrain_trainer::device::firmware::{self, Firmware};
use refrain_trainer::device::log::{LogFollower, LogLine};
use refrain_trainer::device::qemu::{Emulator, Mode};
use refrain_trainer::evaluate::evaluate;
use refrain_trainer::link::{Client, Patience, Served};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::setup::qemu;

/// An emulated board may take long to start where the machine is busy, and the watchdog waits for seconds of its own.
const PATIENCE: Patience =
    Patience { start: Duration::from_secs(120), time_out: Duration::from_secs(10), attempts: 6 };

/// Where the program provokes itself.
const SOURCE: &str = "firmware/src/provoke.rs";

/// A program with one model that can be provoked.
fn provokable(board: Board, file: &ModelFile, folder: &Path) -> Firmware {
    firmware::build(board, &[file], &["provoke"], folder).expect("the firmware can be built so")
}

/// Starts it on an emulated board.
fn start(board: Board, firmware: &Firmware, folder: &Path) -> (Client<Emulator>, LogFollower) {
    let qemu = qemu(board.name(), board.minimum_qemu()).expect("QEMU is there or can be installed");
    let emulator = Emulator::start(&qemu, board, firmware, Mode::Serve, folder).expect("QEMU starts");
    let log = emulator.log().expect("the program says what its log means");
    (Client::new(emulator, PATIENCE, 0), log)
}

/// Whether `cause` is how a program ends after that provocation.
fn is_end_of(provocation: Provocation, cause: &Cause<String>) -> bool {
    match (provocation, cause) {
        (
            Provocation::Panic | Provocation::ArithmeticOverflow | Provocation::PanicInLog,
            Cause::Panic { file, line },
        ) => file == SOURCE && *line > 0,
        (Provocation::HardFault | Provocation::HardFaultInLog, Cause::HardFault { pc, lr }) => {
            *pc > 0 && *lr > 0
        }
        // what a call takes, and what the processor saves
        (Provocation::StackOverflow { large_frames }, Cause::StackOverflow { beyond }) => {
            *beyond <= if large_frames { 14_000 } else { 500 }
        }
        // the processor's own, for another thread to run: there is none
        (Provocation::UnexpectedInterrupt, Cause::UnexpectedInterrupt { number: -2 }) => true,
        (Provocation::Hang, Cause::Watchdog { pc }) => *pc > 0,
        // nobody is left to say where
        (Provocation::DeafHang, Cause::Watchdog { pc: 0 }) => true,
        _ => false,
    }
}

/// The last words of a program that ended so, where it had any: none where the log itself is what it ended in, or where
/// nothing but the watchdog was left.
fn last_words(provocation: Provocation, cause: &Cause<String>) -> Option<LogLine> {
    if let Provocation::PanicInLog | Provocation::HardFaultInLog | Provocation::DeafHang = provocation {
        return None;
    }
    let message = match cause {
        Cause::Panic { file, line } => format!("panic at {file}:{line}"),
        Cause::HardFault { pc, lr } => format!("hard fault at {pc:#010x}, called from {lr:#010x}"),
        Cause::StackOverflow { beyond } => format!("stack overflow, seen {beyond} bytes beyond its end"),
        Cause::UnexpectedInterrupt { number } => format!("interrupt {number} has no handler"),
        Cause::Watchdog { pc } => format!("the program hangs at {pc:#010x}"),
        other => panic!("{other:?} is no end that was provoked"),
    };
    Some(LogLine { level: Some("error"), message })
}

/// What the board logs until it starts the next time, and how it says that it does.
fn logged_until_start(log: &LogFollower) -> (Vec<LogLine>, LogLine) {
    let mut lines = Vec::new();
    for _ in 0..12_000 {
        for line in log.new_lines() {
            if line.message.starts_with("started") {
                return (lines, line);
            }
            lines.push(line);
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the board does not say that it has started: {lines:?}");
}

/// Whether the log of a board under QEMU can be seen: that of a program for a real board waits in its memory for a debugger.
fn shows_its_log(board: Board) -> bool {
    board.job_memory().is_some()
}

/// Provokes one end after the other.
fn every_end_is_a_start(board: Board, ends: &[Provocation]) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let task = Task::classification(["rest", "walk", "run"]);
    let recordings = Recordings::random(Samples::U8, 5, &[9, 1, 4], task, 3);
    let file = recordings.model(CellKind::Gru, 7, 1, Numbers::Int8);
    let sequences = recordings.split.view();
    let expected = evaluate(&file, sequences).expect("the host can evaluate it").logits;
    let (mut client, log) = start(board, &provokable(board, &file, folder.path()), folder.path());

    let mut hello = client.hello().expect("the board starts");
    assert_eq!(hello.boot, Boot::POWER_ON);
    if shows_its_log(board) {
        let (before, started) = logged_until_start(&log);
        assert_eq!((before.len(), started.level), (0, Some("info")), "{before:?} {started}");
    }
    let served: Served = client.describe(0).expect("it holds a model").served(0);
    for (resets, &provocation) in (1..).zip(ends) {
        let mut logits = Vec::new();
        for sequence in 0..sequences.count() {
            let rows = refrain_trainer::evaluate::link_bytes(Samples::U8, sequences.sequence(sequence));
            logits.extend(client.classify(served, &rows).expect("the board answers"));
        }
        assert_eq!(logits, expected, "before {provocation:?}");
        let counted = client.statistics().expect("the board answers");
        assert_eq!(
            counted.sequences,
            sequences.count() as u32,
            "what is counted begins anew with each start"
        );

        client.provoke(provocation).expect("the firmware was built for that");
        hello = client.hello().expect("the board starts again");
        assert_eq!(hello.boot.resets, resets, "after {provocation:?}");
        assert!(is_end_of(provocation, &hello.boot.cause), "after {provocation:?}: {}", hello.boot);
        if shows_its_log(board) {
            let (lines, started) = logged_until_start(&log);
            let words = last_words(provocation, &hello.boot.cause);
            assert!(words.iter().all(|words| lines.contains(words)), "{words:?} is not in {lines:?}");
            let anew = LogLine { level: Some("warn"), message: format!("started anew: {}", hello.boot) };
            assert_eq!(started, anew, "after {provocation:?}");
        }
    }
    client.restart().expect("the board says that it will");
    hello = client.hello().expect("the board starts again");
    assert_eq!(hello.boot, Boot { resets: ends.len() as u32 + 1, cause: Cause::Requested });
    if shows_its_log(board) {
        let (lines, started) = logged_until_start(&log);
        let line = |message: &str| LogLine { level: Some("info"), message: message.into() };
        assert_eq!(lines.last(), Some(&line("starting again, as asked")));
        assert_eq!(started, line(&format!("started: {}", hello.boot)));
    }
}

#[test]
fn a_cortex_m4_starts_again_after_every_end() {
    every_end_is_a_start(Board::Mps2An386, &Provocation::ALL);
}

#[test]
fn a_cortex_m33_starts_again_after_every_end() {
    every_end_is_a_start(Board::Mps2An505, &Provocation::ALL);
}

/// QEMU's machine has no watchdog.
#[test]
fn a_board_that_one_can_buy_starts_again_after_every_end_but_a_hang() {
    let hangs = [Provocation::Hang, Provocation::DeafHang];
    let ends = Provocation::ALL.into_iter().filter(|end| !hangs.contains(end)).collect::<Vec<_>>();
    every_end_is_a_start(Board::BL475eIot01a, &ends);
}

/// Has a program's RTT channel wait for a debugger from the start, as one sets it that reads the log. Nobody reads it.
fn leave_debugger(elf: &Path) {
    /// Of the channel's flags in RTT's control block.
    const FLAGS: u64 = 44;
    const NO_WAITING: [u8; 4] = 1_u32.to_le_bytes();
    const WAITING: [u8; 4] = 2_u32.to_le_bytes();
    let mut bytes = fs::read(elf).expect("it was built");
    let program = object::File::parse(&*bytes).expect("it is an ELF");
    let block = program.symbol_by_name("_SEGGER_RTT").expect("it logs by RTT").address();
    let values = program.section_by_name(".data").expect("it has variables");
    let (start, _) = values.file_range().expect("their first values are in the file");
    let place = (start + block - values.address() + FLAGS) as usize;
    let flags = &mut bytes[place..place + 4];
    assert_eq!(flags, NO_WAITING);
    flags.copy_from_slice(&WAITING);
    fs::write(elf, bytes).expect("it can be written");
}

#[test]
fn a_board_that_a_debugger_has_left_starts_again() {
    let (board, folder) = (Board::BL475eIot01a, tempfile::tempdir().expect("a folder can be made"));
    let recordings = Recordings::random(Samples::U8, 5, &[4], Task::classification(["rest", "walk"]), 3);
    let firmware = provokable(board, &recordings.model(CellKind::Gru, 7, 1, Numbers::Int8), folder.path());
    leave_debugger(&firmware.elf);
    let (mut client, _) = start(board, &firmware, folder.path());
    assert_eq!(client.hello().expect("the board starts").boot, Boot::POWER_ON);
    for (resets, provocation) in [(1, Provocation::Panic), (2, Provocation::HardFaultInLog)] {
        client.provoke(provocation).expect("the firmware was built for that");
        let boot = client.hello().expect("the board starts again").boot;
        assert_eq!(boot.resets, resets);
        assert!(is_end_of(provocation, &boot.cause), "{boot}");
    }
    client.restart().expect("the board says that it will");
    let boot = client.hello().expect("the board starts again").boot;
    assert_eq!(boot, Boot { resets: 3, cause: Cause::Requested });
}

/// What a board does that dies again and again before it has done anything.
#[test]
fn a_board_that_never_gets_to_work_waits_between_its_starts() {
    let (board, folder) = (Board::Mps2An386, tempfile::tempdir().expect("a folder can be made"));
    let recordings = Recordings::random(Samples::U8, 5, &[4], Task::classification(["rest", "walk"]), 3);
    let firmware = provokable(board, &recordings.model(CellKind::Gru, 7, 1, Numbers::Int8), folder.path());
    let (mut client, log) = start(board, &firmware, folder.path());
    let mut lines = Vec::new();
    // A request may be lost in a start, so there are more than it takes.
    for _ in 0..100 {
        client.provoke(Provocation::Panic).expect("the firmware was built for that");
        lines.extend(log.new_lines().map(|line| line.message));
        if lines.iter().any(|line| line.contains("times in a row")) {
            break;
        }
    }
    lines.retain(|line| line.starts_with("started anew") || line.contains("times in a row"));
    let (anew, waited) = lines.split_at(lines.len().min(5));
    assert!(anew.iter().all(|line| line.starts_with("started anew: ")), "{lines:?}");
    let words = "5 times in a row that was so before any work was done: waited for 2 turns of SysTick";
    assert_eq!(waited.first().map(String::as_str), Some(words), "{lines:?}");

    // What is answered is work.
    client.hello().expect("it goes on all the same");
    lines.extend(log.new_lines().map(|line| line.message));
    client.provoke(Provocation::Panic).expect("the firmware was built for that");
    client.hello().expect("the board starts again");
    let after: Vec<String> = log.last_lines().map(|line| line.message).collect();
    assert!(after.iter().any(|line| line.starts_with("started anew: ")), "{after:?}");
    assert!(!after.iter().any(|line| line.contains("times in a row")), "{after:?}");
}
