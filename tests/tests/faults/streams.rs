//! Streams: each row is sent once, so on a bad line rows and answers are missing. Every answer that comes is right, and what
//! is missing is counted as it is.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use refrain::{Header, RowLength, SelfTestError, cell};
use refrain_firmware::classifier::MeasurePart;
use refrain_firmware::update::{NoFlash, Store};
use refrain_firmware::{Classifier, Network};
use refrain_tests::{random_samples, shipped_models};
use refrain_trainer::link::faults::Faulty;
use refrain_trainer::link::{Answer, Client, Patience, Stream, StreamEvent, StreamOptions, Transport};
use refrain_trainer::model_file::ModelFile;

use super::board::SimulatedBoard;

/// Rows of each stream, those that the sensor leaves out included.
const ROWS: usize = 6000;
const ROW_BYTES: usize = 28;

/// Every row whose number is a multiple of that is one that the sensor leaves out.
const LEFT_OUT_EVERY: usize = 97;

/// Rows that are sent before the host listens: as many are on their way together.
const AT_ONCE: usize = 3;

/// After so many rows the state begins anew.
const WINDOW: u32 = 28;

const OPTIONS: StreamOptions = StreamOptions {
    period: Duration::from_millis(40),
    slack: Duration::from_millis(20),
    deadline: Duration::from_millis(40),
    silence: None,
    window: WINDOW,
};

/// Even the worst line lets what is asked once through at last.
const PATIENCE: Patience = Patience { attempts: 1000, ..Patience::WITH_PORT };

/// A model that keeps which rows it took.
struct Witness<M> {
    model: M,
    rows: Vec<u8>,
    /// Their numbers.
    taken: Rc<RefCell<Vec<usize>>>,
}

impl<M: Classifier> Classifier for Witness<M> {
    fn header(&self) -> &Header<'_> {
        self.model.header()
    }

    fn crc(&self) -> u32 {
        self.model.crc()
    }

    fn reset(&mut self) {
        self.model.reset();
    }

    fn step(&mut self, row: &[u8]) -> Result<(), RowLength> {
        let number = self.rows.chunks(ROW_BYTES).position(|sent| sent == row);
        self.taken.borrow_mut().push(number.expect("what the model takes is a row that was sent"));
        self.model.step(row)
    }

    fn step_in_parts(&mut self, row: &[u8], measure: MeasurePart<'_>) -> Result<(), RowLength> {
        self.model.step_in_parts(row, measure)
    }

    fn logits(&mut self) -> &[u8] {
        self.model.logits()
    }

    fn self_test(&mut self) -> Result<(), SelfTestError> {
        self.model.self_test()
    }

    fn verdict(&self) -> Result<(), SelfTestError> {
        self.model.verdict()
    }
}

/// What a row that the board took is to say of itself, whether or not that arrives.
#[derive(Debug, PartialEq)]
struct Taken {
    index: u32,
    /// Rows missing right before it.
    missing: u32,
    /// Rows that its answer is of.
    rows: u32,
}

/// The rows of those numbers, in their order.
fn taken_in_order(numbers: &[usize]) -> Vec<Taken> {
    let (mut next, mut rows) = (0, 0);
    let taken = numbers.iter().map(|&number| {
        let index = number as u32;
        let missing = index.checked_sub(next).expect("no row is taken twice or out of order");
        rows = if missing > 0 || index.is_multiple_of(WINDOW) { 1 } else { rows + 1 };
        next = index + 1;
        Taken { index, missing, rows }
    });
    taken.collect()
}

/// What came of a stream.
#[derive(Debug)]
struct Tally {
    sent: usize,
    taken: usize,
    missing: u32,
    answered: usize,
    unanswered: u64,
}

/// Takes what has come by now.
fn listen<T: Transport>(stream: &mut Stream<'_, T>, answers: &mut Vec<Answer>) {
    // Nothing of that is waited for: a line without faults brings an answer at once, and any other one may not.
    while let Some(event) = stream.event(Duration::from_secs(60)).expect("the board goes on") {
        if let StreamEvent::Answer(answer) = event {
            answers.push(answer);
        }
    }
}

/// Sends all rows but those that are left out; the answers, how many rows were sent, and how many are unanswered.
fn send_all<T: Transport>(stream: &mut Stream<'_, T>, rows: &[u8]) -> (Vec<Answer>, usize) {
    let (mut answers, mut sent) = (Vec::new(), 0);
    for (index, row) in rows.chunks(ROW_BYTES).enumerate() {
        if (index + 1).is_multiple_of(LEFT_OUT_EVERY) {
            stream.skip();
        } else {
            stream.send(row).expect("the line is there");
            sent += 1;
        }
        if index.is_multiple_of(AT_ONCE) {
            listen(stream, &mut answers);
        }
    }
    listen(stream, &mut answers);
    (answers, sent)
}

/// Checks that an answer is the host's to the rows that it says it is of.
fn check(file: &ModelFile, all: &[u8], answer: &Answer) {
    let end = (answer.index as usize + 1) * ROW_BYTES;
    let start = end - answer.rows as usize * ROW_BYTES;
    let mut expected = vec![0; answer.logits.len()];
    file.model().classify(&all[start..end], &mut expected).expect("whole rows");
    assert_eq!(answer.logits, expected, "row {}", answer.index);
}

/// Streams all rows with one fault in `one_in` bytes, and prints what came of it as a row of a table.
fn run(one_in: u32) -> Tally {
    let [file, ..] = shipped_models();
    let rows = random_samples(1, ROWS, ROW_BYTES, 11).into_raw_vec_and_offset().0;
    let taken = Rc::new(RefCell::new(Vec::new()));
    let model = Network::<cell::SimpleRnn, 28, 64, 10, 1, i16>::from_bytes(file.as_bytes());
    let model = model.expect("the shipped models are whole");
    let mut witness = Witness { model, rows: rows.clone(), taken: Rc::clone(&taken) };
    let (mut models, mut updates): ([&mut dyn Classifier; 1], _) = ([&mut witness], Store::open(NoFlash, []));
    let board = SimulatedBoard::new(&mut models, &mut updates, 2 * one_in, 3);
    let mut client = Client::new(Faulty::new(board, 2 * one_in, 4), PATIENCE, 0);
    let served = client.describe(0).expect("in a thousand tries it comes through").served(0);

    let mut stream = client.stream(served, OPTIONS).expect("in a thousand tries it begins");
    let (answers, sent) = send_all(&mut stream, &rows);
    let settled = stream.settle(|_| ControlFlow::Break(())).expect("the board goes on");
    assert!(settled.is_continue(), "all that comes has come");
    let unanswered = stream.unanswered();
    stream.end().expect("in a thousand tries it ends");
    let counted = client.statistics().expect("in a thousand tries it comes through");

    let taken = taken_in_order(&taken.borrow());
    let missing = taken.iter().map(|row| row.missing).sum::<u32>();
    assert_eq!((counted.streamed_rows as usize, counted.missing_rows), (taken.len(), missing));
    assert_eq!(counted.late_rows + counted.overdue_rows, 0, "no time passes on this board");
    let answered = answers.len();
    let mut of_rows = taken.iter();
    for answer in &answers {
        let said = Taken { index: answer.index, missing: answer.missing, rows: answer.rows };
        assert!(of_rows.any(|row| *row == said), "{said:?} comes in its order, and is so");
        check(&file, &rows, answer);
    }
    let tally = Tally { sent, taken: taken.len(), missing, answered, unanswered };
    println!(
        "| {one_in} | {ROWS} | {} | {sent} | {} | {missing} | {answered} | {unanswered} | 0 |",
        ROWS - sent,
        taken.len(),
    );
    tally
}

fn print_head() {
    println!(
        "| one fault in | rows | left out | sent | taken | counted as missing | answered | unanswered | wrong |"
    );
}

#[test]
fn on_a_clean_line_nothing_is_missing_but_what_was_left_out() {
    print_head();
    let Tally { sent, taken, missing, answered, unanswered } = run(0);
    assert_eq!((taken, answered, unanswered), (sent, sent, 0));
    assert_eq!(missing as usize, ROWS - sent);
}

#[test]
fn on_a_bad_line_every_answer_is_right_and_what_is_missing_is_counted() {
    print_head();
    for (one_in, shares) in [(1000, 80..100), (100, 20..60), (20, 0..2)] {
        let Tally { sent, taken, answered, unanswered, .. } = run(one_in);
        assert_eq!(answered as u64 + unanswered, sent as u64);
        assert!(sent > taken && taken > answered && answered > 0, "one in {one_in}");
        assert!(shares.contains(&(100 * answered / sent)), "one in {one_in}: {answered} of {sent}");
    }
}
