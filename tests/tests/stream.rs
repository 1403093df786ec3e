//! Rows at a fixed rate to an emulated Cortex-M4F, whose answers must come in time and be the host's bit for bit.
//!
//! Time is the board's: with `-icount` an instruction takes it 1.024 us, so how long an answer takes does not depend on
//! this machine. While the board sleeps its time goes as this machine's does; no test says how long that is.

use std::ops::ControlFlow;
use std::path::Path;
use std::thread;
use std::time::Duration;

use refrain::Samples;
use refrain::float::activation::confidence;
use refrain::link::{Cause, Refusal, Statistics};
use refrain_tests::{dataset, shipped_models};
use refrain_trainer::device::qemu::{Emulator, Mode};
use refrain_trainer::device::{Board, firmware};
use refrain_trainer::evaluate::link_bytes;
use refrain_trainer::link::{
    Answer, Client, LinkError, Patience, Served, Stream, StreamEvent, StreamOptions,
};
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::setup::qemu;

/// An emulated board may take long to start where the machine is busy.
const PATIENCE: Patience =
    Patience { start: Duration::from_secs(120), time_out: Duration::from_secs(10), attempts: 6 };

const IMAGE_ROWS: usize = 28;
const ROW_BYTES: usize = 28;
const LOGITS_BYTES: usize = 40;

/// A row takes the GRU some 18 ms of the board's time.
const OPTIONS: StreamOptions = StreamOptions {
    period: Duration::from_millis(40),
    slack: Duration::from_secs(60),
    deadline: Duration::from_millis(100),
    silence: None,
    window: IMAGE_ROWS as u32,
};

fn gru() -> ModelFile {
    let [_, _, gru] = shipped_models();
    gru
}

/// Starts an emulated board that holds the GRU.
fn start(folder: &Path) -> (Client<Emulator>, Served) {
    start_on(Board::Mps2An386, folder)
}

fn start_on(board: Board, folder: &Path) -> (Client<Emulator>, Served) {
    let qemu = qemu(board.name(), board.minimum_qemu()).expect("QEMU is there or can be installed");
    let firmware = firmware::build(board, &[&gru()], &[], folder).expect("the firmware can be built");
    let emulator = Emulator::start(&qemu, board, &firmware, Mode::Serve, folder).expect("QEMU starts");
    let mut client = Client::new(emulator, PATIENCE, 0);
    client.hello().expect("the board starts");
    let served = client.describe(0).expect("it holds a model").served(0);
    (client, served)
}

/// The rows of some images, one image behind the other.
fn rows(images: usize) -> Vec<u8> {
    let dataset = dataset();
    let samples = dataset.test().view();
    (0..images).flat_map(|image| link_bytes(Samples::U8, samples.sequence(image)).into_owned()).collect()
}

/// The host's logits after the last of these rows.
fn expected(file: &ModelFile, rows: &[u8]) -> Vec<u8> {
    let mut logits = vec![0; LOGITS_BYTES];
    file.model().classify(rows, &mut logits).expect("whole rows");
    logits
}

/// Checks that an answer is the host's to the rows that it says it is of.
fn check(file: &ModelFile, all: &[u8], answer: &Answer) {
    let end = (answer.index as usize + 1) * ROW_BYTES;
    let start = end - answer.rows as usize * ROW_BYTES;
    assert_eq!(answer.logits, expected(file, &all[start..end]), "row {}", answer.index);
    let numbers = file.model().header().numbers;
    let values = answer.logits.as_chunks().0.iter().map(|&logit| numbers.logit_value(logit));
    assert_eq!(answer.confidence, Some(confidence(values)), "row {}", answer.index);
}

fn run(stream: &mut Stream<'_, Emulator>, rows: &[u8]) -> Vec<Answer> {
    let mut answers = Vec::new();
    let ran = stream.run(rows.chunks(ROW_BYTES), |event| {
        answers.extend(match event {
            StreamEvent::Answer(answer) => Some(answer),
            StreamEvent::Statistics(_) => None,
        });
        ControlFlow::Continue(())
    });
    assert!(ran.expect("the board answers").is_continue());
    answers
}

#[test]
fn every_row_is_answered_in_time_with_the_logits_of_the_host() {
    let (file, rows, folder) = (gru(), rows(3), tempfile::tempdir().expect("a folder can be made"));
    let (mut client, served) = start(folder.path());
    let mut stream = client.stream(served, OPTIONS).expect("it can be kept");
    let answers = run(&mut stream, &rows);
    assert_eq!((answers.len(), stream.unanswered()), (3 * IMAGE_ROWS, 0));
    stream.end().expect("the board answers");
    for (index, answer) in (0..).zip(&answers) {
        assert_eq!((answer.index, answer.missing, answer.is_late), (index, 0, false), "{answer:?}");
        assert_eq!(answer.rows, index % OPTIONS.window + 1);
        check(&file, &rows, answer);
    }
    let counted = client.statistics().expect("the board answers");
    let longest = answers.iter().map(|answer| answer.took).max().expect("there are answers");
    println!("the longest row took {longest:?}");
    let Statistics { late_rows, missing_rows, overdue_rows, longest_row_micros, .. } = counted;
    assert_eq!(counted.streamed_rows as usize, answers.len());
    assert_eq!((late_rows, missing_rows, overdue_rows), (0, 0, 0));
    assert_eq!(Duration::from_micros(longest_row_micros.into()), longest);
    assert_eq!((client.retries(), client.broken_frames(), counted.broken_frames), (0, 0, 0));
}

#[test]
fn what_is_too_late_or_missing_is_counted_and_every_answer_is_right() {
    let (file, rows, folder) = (gru(), rows(2), tempfile::tempdir().expect("a folder can be made"));
    let (mut client, served) = start(folder.path());

    // A deadline and a period that are shorter than the work on a row.
    let (period, slack, deadline) = (Duration::from_millis(2), Duration::ZERO, Duration::from_millis(3));
    let hurried = StreamOptions { period, slack, deadline, window: 0, ..OPTIONS };
    let mut stream = client.stream(served, hurried).expect("it can be kept");
    let answers = run(&mut stream, &rows);
    stream.end().expect("the board answers");
    for (index, answer) in (0..).zip(&answers) {
        assert_eq!((answer.index, answer.missing, answer.rows), (index, 0, index + 1));
        assert!(answer.is_late && answer.took > deadline, "{answer:?}");
        check(&file, &rows, answer);
    }
    let counted = client.statistics().expect("the board answers");
    assert_eq!((answers.len(), counted.late_rows as usize), (2 * IMAGE_ROWS, 2 * IMAGE_ROWS));
    assert!(counted.overdue_rows as usize >= answers.len() - 1, "{counted:?}");

    // Rows that were never sent.
    let mut stream = client.stream(served, OPTIONS).expect("it can be kept");
    let mut answers = run(&mut stream, &rows[..5 * ROW_BYTES]);
    stream.skip();
    stream.skip();
    answers.extend(run(&mut stream, &rows[7 * ROW_BYTES..]));
    stream.end().expect("the board answers");
    for answer in &answers {
        assert_eq!(answer.missing, if answer.index == 7 { 2 } else { 0 });
        let begun = if (7..28).contains(&answer.index) { 7 } else { answer.index / 28 * 28 };
        assert_eq!(answer.rows, answer.index - begun + 1);
        check(&file, &rows, answer);
    }
    let after = client.statistics().expect("the board answers");
    assert_eq!((answers.len(), after.missing_rows), (54, 2));
    assert_eq!((after.late_rows, after.streamed_rows), (counted.late_rows, 56 + 54));
}

#[test]
fn a_board_whose_rows_stop_is_reset_and_says_so() {
    let (file, rows, folder) = (gru(), rows(1), tempfile::tempdir().expect("a folder can be made"));
    let (mut client, served) = start(folder.path());
    let watched =
        StreamOptions { slack: Duration::from_secs(1), silence: Some(Duration::from_secs(6)), ..OPTIONS };
    let mut stream = client.stream(served, watched).expect("it can be kept");
    assert_eq!(run(&mut stream, &rows).len(), IMAGE_ROWS, "as long as rows come it goes on");

    // Nothing is sent but what feeds no watchdog.
    let boot = (0..600).find_map(|_| {
        thread::sleep(Duration::from_millis(100));
        stream.ask_statistics().expect("the board can be asked");
        let counted = stream.event(PATIENCE.time_out).expect("that is answered");
        let Some(StreamEvent::Statistics(counted)) = counted else { return Some(()) };
        (counted.streamed_rows == 0).then_some(())
    });
    assert_eq!(boot, Some(()), "what is counted begins anew when the board starts again");
    let refused = stream.send(&rows[..ROW_BYTES]).and_then(|()| stream.event(PATIENCE.time_out));
    let is_lost = matches!(refused, Err(LinkError::Refused { refusal: Refusal::NoSuchStream, .. }));
    assert!(is_lost, "{refused:?}");

    let hello = client.hello().expect("the board has started again");
    assert_eq!(hello.boot.resets, 1);
    assert!(matches!(hello.boot.cause, Cause::Watchdog { .. }), "{}", hello.boot);
    let mut stream = client.stream(served, OPTIONS).expect("it can be kept");
    for answer in run(&mut stream, &rows) {
        check(&file, &rows, &answer);
    }
    stream.end().expect("the board answers");
}

#[test]
fn a_silence_that_no_watchdog_can_watch_is_refused_and_said() {
    // 32 bits at 25 MHz; QEMU's other machine has no watchdog.
    for (board, longest) in [(Board::Mps2An386, 171_798_691), (Board::BL475eIot01a, 0)] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (mut client, served) = start_on(board, folder.path());
        let with = |silence| StreamOptions { silence: Some(Duration::from_micros(silence)), ..OPTIONS };
        let too_long = with(u64::from(longest).max(100_000_000) + 1);
        let refused = client.stream(served, too_long).err();
        let is_told = matches!(
            refused,
            Some(LinkError::Refused { refusal: Refusal::Silence { longest: most }, .. }) if most == longest
        );
        assert!(is_told, "{board}: {refused:?}");
        let stream = client.stream_watched_at_most(served, too_long).expect("it can be kept");
        assert_eq!(stream.silence(), (longest > 0).then(|| Duration::from_micros(longest.into())));
        stream.end().expect("the board answers");
    }
}
