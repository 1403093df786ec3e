//! Tests of the host's side of a stream, against a board in memory.

use std::ops::ControlFlow;
use std::time::Duration;

use refrain::link::Refusal;

use super::client::{Client, Patience};
use super::error::LinkError;
use super::fake_board::{Faults, FaultyLink, ROW_BYTES, SERVED, fake_logits};
use super::stream::{Answer, StreamEvent, StreamOptions};

/// A board in memory answers at once.
const PATIENCE: Patience =
    Patience { start: Duration::from_secs(6), time_out: Duration::from_millis(1), attempts: 30 };
const OPTIONS: StreamOptions = StreamOptions {
    period: Duration::from_micros(10),
    slack: Duration::ZERO,
    deadline: Duration::from_micros(1),
    silence: None,
    window: 0,
};

fn client(faults: Faults, seed: u64) -> Client<FaultyLink> {
    Client::new(FaultyLink::new(faults, seed), PATIENCE, 250)
}

fn rows(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|row| (0..ROW_BYTES).map(|place| (row * 7 + place * 31 + row / 5) as u8).collect())
        .collect()
}

/// What came of a stream of `count` rows.
struct Ran {
    answers: Vec<Answer>,
    unanswered: u64,
    broken_frames: u64,
}

fn run(client: &mut Client<FaultyLink>, count: usize) -> Result<Ran, LinkError> {
    let mut answers = Vec::new();
    let mut stream = client.stream(SERVED, OPTIONS)?;
    let ran = stream.run(rows(count), |event| {
        match event {
            StreamEvent::Answer(answer) => answers.push(answer),
            other => panic!("nobody asked for {other:?}"),
        }
        ControlFlow::Continue(())
    })?;
    assert!(ran.is_continue());
    let unanswered = stream.unanswered();
    stream.end()?;
    Ok(Ran { answers, unanswered, broken_frames: client.broken_frames() })
}

#[test]
fn every_row_is_answered_over_a_good_link() {
    let mut client = client(Faults::NONE, 0);
    let ran = run(&mut client, 100).unwrap();
    assert_eq!((ran.answers.len(), ran.unanswered, ran.broken_frames), (100, 0, 0));
    for (index, (answer, row)) in ran.answers.iter().zip(rows(100)).enumerate() {
        let expected = Answer {
            index: index as u32,
            missing: 0,
            rows: 1,
            took: Duration::from_micros(250),
            is_late: index % 4 == 0,
            confidence: Some(0.5),
            logits: fake_logits(&row),
        };
        assert_eq!(*answer, expected);
    }
    assert_eq!(client.statistics().unwrap().streamed_rows, 100);
}

#[test]
fn over_a_bad_link_no_answer_is_wrong_and_every_loss_is_told() {
    let (mut unanswered, mut broken_frames) = (0, 0);
    for seed in 0..20 {
        let mut client = client(Faults { lost: 400, doubled: 400, flipped: 400, restarts: 0 }, seed);
        let ran = run(&mut client, 200).unwrap();
        let rows = rows(200);
        let mut next = 0;
        for answer in &ran.answers {
            assert_eq!(answer.logits, fake_logits(&rows[answer.index as usize]), "seed {seed}");
            assert!(answer.index >= next && answer.missing <= answer.index - next, "seed {seed}: {answer:?}");
            next = answer.index + 1;
        }
        assert_eq!(ran.answers.len() as u64 + ran.unanswered, 200, "seed {seed}");
        unanswered += ran.unanswered;
        broken_frames += ran.broken_frames;
    }
    assert!(
        unanswered > 200 && broken_frames > 100,
        "{unanswered}, {broken_frames}: the link did little harm"
    );
}

#[test]
fn rows_left_out_are_told() {
    let mut client = client(Faults::NONE, 0);
    let mut stream = client.stream(SERVED, OPTIONS).unwrap();
    let mut missing = Vec::new();
    for row in rows(3) {
        stream.send(&row).unwrap();
        stream.skip();
        stream.skip();
    }
    assert_eq!(stream.rows(), 9);
    let settled = stream.settle(|event| {
        let StreamEvent::Answer(answer) = event else { panic!("{event:?}") };
        missing.push((answer.index, answer.missing));
        ControlFlow::Continue(())
    });
    assert!(settled.unwrap().is_continue());
    assert_eq!(missing, [(0, 0), (3, 2), (6, 2)]);
}

#[test]
fn a_silence_is_watched_for_as_long_as_the_board_can() {
    let options = StreamOptions { silence: Some(Duration::from_micros(60)), ..OPTIONS };
    // A period takes 10 us: a watchdog that waits no longer would take it for silence.
    for (longest, watched) in [(60, Some(60)), (59, Some(59)), (11, Some(11)), (10, None), (0, None)] {
        let mut link = FaultyLink::new(Faults::NONE, 0);
        link.board.longest_silence = longest;
        let mut client = Client::new(link, PATIENCE, 250);
        let stream = client.stream_watched_at_most(SERVED, options).unwrap();
        assert_eq!(stream.silence(), watched.map(Duration::from_micros), "{longest}");
        let refused = client.stream(SERVED, options).err().map(|error| error.to_string());
        let expected = match longest {
            60 => None,
            0 => Some("no watchdog would reset it after a silence, begin the stream with none".to_owned()),
            _ => Some(format!("its watchdog cannot wait for so long a silence, only for up to {longest} us")),
        };
        assert_eq!(refused, expected.map(|words| format!("the board refuses BeginStream: {words}")));
    }
}

#[test]
fn statistics_come_among_the_answers() {
    let mut client = client(Faults::NONE, 0);
    let mut stream = client.stream(SERVED, OPTIONS).unwrap();
    for row in rows(2) {
        stream.send(&row).unwrap();
        stream.ask_statistics().unwrap();
    }
    let mut events = Vec::new();
    while let Some(event) = stream.event(Duration::from_secs(60)).unwrap() {
        events.push(match event {
            StreamEvent::Answer(answer) => answer.index,
            StreamEvent::Statistics(counted) => 100 + counted.streamed_rows,
        });
    }
    assert_eq!(events, [0, 101, 1, 102]);
}

#[test]
fn whoever_listens_can_stop_it() {
    let mut client = client(Faults::NONE, 0);
    let mut stream = client.stream(SERVED, OPTIONS).unwrap();
    let mut answers = 0;
    let ran = stream.run(rows(100), |_| {
        answers += 1;
        if answers < 7 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(ran.unwrap().is_break());
    assert_eq!(answers, 7);
    assert!(stream.rows() < 20, "{}", stream.rows());
}

#[test]
fn a_board_that_has_started_anew_knows_no_stream() {
    let mut client = client(Faults { restarts: 50, ..Faults::NONE }, 1);
    let error = run(&mut client, 1000).err().unwrap();
    let is_lost =
        matches!(error, LinkError::Refused { request: "StreamRow", refusal: Refusal::NoSuchStream });
    assert!(is_lost, "{error}");
    assert_eq!(error.to_string(), "the board refuses StreamRow: the stream does not run, begin one");
}

#[test]
fn rows_that_were_under_way_when_the_board_started_anew_are_told_as_unanswered() {
    let mut client = client(Faults::NONE, 0);
    // the stream begins, a row, the restart, two rows
    client.transport_mut().restart_before = Some(2);
    let mut stream = client.stream(SERVED, OPTIONS).unwrap();
    rows(3).iter().for_each(|row| stream.send(row).unwrap());
    let mut answers = 0;
    let error = stream.settle(|_| {
        answers += 1;
        ControlFlow::Continue(())
    });
    let is_lost = matches!(error, Err(LinkError::Refused { refusal: Refusal::NoSuchStream, .. }));
    assert!(is_lost, "{error:?}");
    assert_eq!((stream.rows(), answers, stream.unanswered()), (3, 1, 2));
}
