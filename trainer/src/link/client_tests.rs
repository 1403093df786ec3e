//! Tests of the client against a board in memory.

use std::time::{Duration, Instant};

use refrain::Steps;
use refrain::link::{Numbered, PROTOCOL_VERSION, Refusal, frame};

use super::client::{Client, Patience};
use super::error::LinkError;
use super::facts::Served;
use super::fake_board::{
    Faults, FaultyLink, ROW_BYTES, SERVED, fake_logits, fake_logits_of_every_step, fake_profile,
};
use super::transport::{Transport, TransportError};

const PATIENCE: Patience =
    Patience { start: Duration::from_secs(6), time_out: Duration::from_secs(60), attempts: 30 };

fn client(faults: Faults, seed: u64) -> Client<FaultyLink> {
    Client::new(FaultyLink::new(faults, seed), PATIENCE, 250)
}

fn sequence(seed: usize, rows: usize) -> Vec<u8> {
    (0..rows * ROW_BYTES).map(|index| (seed * 31 + index * 7 + index / 5) as u8).collect()
}

#[test]
fn a_good_link_needs_no_retries() {
    let mut client = client(Faults::NONE, 0);
    let hello = client.hello().unwrap();
    assert_eq!((hello.board.as_str(), hello.models), ("fake", 1));
    assert_eq!(client.describe(0).unwrap().crc, 7);
    for (index, rows) in [1, 2, 28, 300].into_iter().enumerate() {
        let rows = sequence(index, rows);
        assert_eq!(client.classify(SERVED, &rows).unwrap(), fake_logits(&rows));
    }
    assert_eq!(client.statistics().unwrap().broken_frames, 0);
    assert_eq!(client.retries(), 0);
}

#[test]
fn every_answer_over_a_bad_link_is_right() {
    let mut retries = 0;
    for seed in 0..20 {
        let faults = Faults { lost: 200, doubled: 200, flipped: 200, restarts: 400 };
        let mut client = client(faults, seed);
        for index in 0..50 {
            let rows = sequence(index, 28);
            let logits = client.classify(SERVED, &rows).unwrap();
            assert_eq!(logits, fake_logits(&rows), "seed {seed}, sequence {index}");
        }
        assert!(client.retries() > 0, "seed {seed}: the link did no harm");
        retries += client.retries();
    }
    assert!(retries > 1000, "only {retries} retries: the link did little harm");
}

#[test]
fn every_answer_to_every_row_over_a_bad_link_is_right() {
    let mut retries = 0;
    for seed in 0..10 {
        let faults = Faults { lost: 300, doubled: 300, flipped: 300, restarts: 400 };
        let mut client = client(faults, seed);
        client.transport_mut().board.steps = Steps::Every;
        for index in 0..20 {
            let rows = sequence(index, 1 + index);
            let logits = client.classify(Served { steps: Steps::Every, ..SERVED }, &rows).unwrap();
            assert_eq!(logits, fake_logits_of_every_step(&rows), "seed {seed}, sequence {index}");
        }
        retries += client.retries();
    }
    assert!(retries > 200, "only {retries} retries: the link did little harm");
}

#[test]
fn an_answer_to_a_row_that_wants_none_is_an_error() {
    let mut client = client(Faults::NONE, 0);
    client.transport_mut().board.steps = Steps::Every;
    let error = client.classify(SERVED, &sequence(0, 2)).unwrap_err();
    assert!(matches!(error, LinkError::Unexpected { request: "Row", .. }), "{error}");
}

#[test]
fn a_link_that_only_loses_answers_makes_no_row_count_twice() {
    /// Loses the first answer to every request.
    struct Deaf {
        link: FaultyLink,
        heard: Vec<u8>,
    }
    impl Transport for Deaf {
        fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
            let again = self.heard == bytes;
            self.heard = bytes.to_vec();
            self.link.send(bytes)?;
            if !again {
                self.link.take_all();
            }
            Ok(())
        }
        fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
            self.link.receive(into, deadline)
        }
    }
    let deaf = Deaf { link: FaultyLink::new(Faults::NONE, 0), heard: Vec::new() };
    let mut client = Client::new(deaf, PATIENCE, 0);
    let rows = sequence(3, 28);
    assert_eq!(client.classify(SERVED, &rows).unwrap(), fake_logits(&rows));
    assert_eq!(client.retries(), 28);
}

#[test]
fn late_answers_to_earlier_requests_are_passed_over() {
    /// Delivers every answer twice, the second time in front of the next one.
    struct Echo {
        link: FaultyLink,
        late: Vec<u8>,
    }
    impl Transport for Echo {
        fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
            self.link.send(bytes)
        }
        fn receive(&mut self, into: &mut Vec<u8>, _: Instant) -> Result<(), TransportError> {
            into.append(&mut self.late);
            self.late = self.link.take_all();
            into.extend(&self.late);
            Ok(())
        }
    }
    let echo = Echo { link: FaultyLink::new(Faults::NONE, 0), late: Vec::new() };
    let mut client = Client::new(echo, PATIENCE, 0);
    for index in 0..5 {
        let rows = sequence(index, 9);
        assert_eq!(client.classify(SERVED, &rows).unwrap(), fake_logits(&rows));
    }
    assert_eq!(client.retries(), 0);
}

#[test]
fn a_silent_board_is_an_error_that_says_so() {
    let mut client = client(Faults { lost: 1, ..Faults::NONE }, 0);
    let error = client.hello().unwrap_err();
    assert!(matches!(error, LinkError::Silent { request: "Hello", attempts: 30, .. }), "{error}");
    assert!(error.to_string().starts_with("the board is silent: 30 times Hello was sent"), "{error}");
}

#[test]
fn a_board_that_forgets_every_row_is_given_up() {
    let mut client = client(Faults { restarts: 1, ..Faults::NONE }, 0);
    let error = client.classify(SERVED, &sequence(0, 2)).unwrap_err();
    assert!(matches!(error, LinkError::Restarts { attempts: 30 }), "{error}");
}

#[test]
fn another_protocol_is_not_spoken_to() {
    let mut link = FaultyLink::new(Faults::NONE, 0);
    link.board.protocol = PROTOCOL_VERSION + 1;
    let error = Client::new(link, PATIENCE, 0).hello().unwrap_err();
    assert!(matches!(error, LinkError::Protocol { found, .. } if found == PROTOCOL_VERSION + 1), "{error}");
}

#[test]
fn a_hello_of_another_protocol_need_not_be_understood_to_be_told() {
    /// Answers each request with version 9's hello, whatever that may be but for its beginning.
    struct Later(Vec<u8>);
    impl Transport for Later {
        fn send(&mut self, _: &[u8]) -> Result<(), TransportError> {
            let hello = Numbered { request: 3, body: (0_u8, 9_u8, [255; 20]) };
            let (mut scratch, mut out) = ([0; 64], [0; 80]);
            self.0 = frame::encode(&hello, &mut scratch, &mut out).unwrap().to_vec();
            Ok(())
        }
        fn receive(&mut self, into: &mut Vec<u8>, _: Instant) -> Result<(), TransportError> {
            into.append(&mut self.0);
            Ok(())
        }
    }
    let error = Client::new(Later(Vec::new()), PATIENCE, 3).hello().unwrap_err();
    assert!(matches!(error, LinkError::Protocol { found: 9, expected: PROTOCOL_VERSION }), "{error}");
}

#[test]
fn whole_sequences_and_echoes_come_through_a_bad_link() {
    let mut client = client(Faults { lost: 300, doubled: 300, flipped: 300, restarts: 400 }, 1);
    for index in 0..200 {
        let rows = sequence(index, 1 + index % 14);
        assert_eq!(client.classify_whole(SERVED, &rows).unwrap(), fake_logits(&rows));
        client.echo(&rows).unwrap();
        client.reset().unwrap();
    }
    assert!(client.retries() > 50, "the link did little harm");
}

#[test]
fn echoes_that_are_lost_are_asked_for_anew() {
    let mut client = client(Faults { lost: 1000, flipped: 1000, ..Faults::NONE }, 2);
    let ((), carried) = client.carried(|client| client.echoes(100)).unwrap();
    assert!(carried.bytes > 100 * 128, "{carried:?}");
    assert!(client.retries() > 5, "the link did little harm");
}

#[test]
fn refusals_are_errors_and_not_repeated() {
    let mut client = client(Faults::NONE, 0);
    let error = client.describe(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the board refuses Describe: the board holds 1 models, none of that number"
    );
    let error = client.classify(Served { row_bytes: 4, ..SERVED }, &[0; 8]).unwrap_err();
    let expected = Refusal::RowLength { found: 4, expected: ROW_BYTES as u16 };
    assert!(matches!(error, LinkError::Refused { refusal, .. } if refusal == expected), "{error}");
    assert_eq!(client.retries(), 0);
}

#[test]
fn a_board_that_starts_late_is_waited_for() {
    /// Hears nothing of the first requests.
    struct Starting {
        link: FaultyLink,
        deaf_for: u32,
    }
    impl Transport for Starting {
        fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
            match self.deaf_for {
                0 => self.link.send(bytes),
                _ => {
                    self.deaf_for -= 1;
                    Ok(())
                }
            }
        }
        fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
            self.link.receive(into, deadline)
        }
    }
    let starting = Starting { link: FaultyLink::new(Faults::NONE, 0), deaf_for: 29 };
    let mut client = Client::new(starting, PATIENCE, 0);
    assert_eq!(client.hello().unwrap().board, "fake");
    assert_eq!(client.retries(), 0);
}

#[test]
fn logits_of_another_number_are_no_answer() {
    let mut client = client(Faults::NONE, 0);
    let error = client.classify(Served { logits_bytes: 12, ..SERVED }, &sequence(0, 3)).unwrap_err();
    assert!(matches!(error, LinkError::Unexpected { request: "Row", .. }), "{error}");
}

#[test]
fn sequences_that_the_link_cannot_carry_are_refused_before_they_are_sent() {
    let mut client = client(Faults::NONE, 0);
    for (row_bytes, bytes) in [(6, 0), (6, 7), (0, 6), (1, 65_536)] {
        let error = client.classify(Served { row_bytes, ..SERVED }, &vec![0; bytes]).unwrap_err();
        assert!(matches!(error, LinkError::SequenceLength { .. }), "{error}");
    }
}

#[test]
fn a_profile_comes_whole_over_a_bad_link() {
    let faults = Faults { lost: 200, doubled: 200, flipped: 200, restarts: 50 };
    let mut client = client(faults, 11);
    for round in 0..60 {
        let rows = sequence(round, 1 + round % 9);
        assert_eq!(client.profile(SERVED, &rows).unwrap(), fake_profile(&rows));
    }
    assert!(client.retries() > 0, "the link was good");
    let error = client.profile(SERVED, &[1; ROW_BYTES + 1]).unwrap_err().to_string();
    assert!(error.starts_with("a sequence has 7 bytes"), "{error}");
}
