//! Tests of what is answered.

use refrain::Samples;
use refrain::link::{Cause, Profile, Source, UpdateRefusal, Upload};

use super::*;
use crate::testing::{INPUT_TICKS, LOGITS_TICKS, Recorder, STEP_TICKS, SteppedClock};
use crate::update::{NoFlash, Store};

const ROWS: [&[u8]; 3] = [&[1, 2], &[3, 4], &[5, 6]];

/// Runs `test` with a session of three models: 0 takes rows of two bytes, 1 of three, and 2 of two, each of which
/// it answers.
fn with_session(test: impl FnOnce(&mut Session<'_, &SteppedClock>)) {
    let clock = SteppedClock::new(1);
    let (mut first, mut second) = (Recorder::new("first", 2, &clock), Recorder::new("second", 3, &clock));
    let mut third = Recorder::new("third", 2, &clock).answering_every_step();
    let mut models: [&mut dyn Classifier; 3] = [&mut first, &mut second, &mut third];
    let mut updates = Store::open(NoFlash, []);
    test(&mut Session::new("a board", 64, &mut models, &mut updates, &clock, || 321, || 17));
}

fn row(sequence: u32, index: u16, values: &[u8]) -> Request<'_> {
    Request::Row { model: 0, sequence, index, count: 3, values }
}

/// Sends the rows of `sequence` from `first` on and expects its logits.
fn finish(session: &mut Session<'_, &SteppedClock>, sequence: u32, first: u16) {
    for (index, values) in (0..).zip(ROWS).skip(first.into()) {
        let reply = session.answer(row(sequence, index, values), 0);
        let logits = Recorder::expected(&ROWS);
        let expected = if index == 2 { Reply::Logits { sequence, logits: &logits } } else { Reply::Accepted };
        assert_eq!(reply, expected, "row {index}");
    }
}

fn statistics(session: &mut Session<'_, &SteppedClock>) -> Statistics {
    let Reply::Statistics(counted) = session.answer(Request::Statistics, 0) else {
        panic!("no statistics");
    };
    counted
}

#[test]
fn it_says_who_it_is_and_what_it_holds() {
    with_session(|session| {
        assert_eq!(
            session.answer(Request::Hello, 0),
            Reply::Hello {
                protocol: PROTOCOL_VERSION,
                firmware: env!("CARGO_PKG_VERSION"),
                board: "a board",
                models: 3,
                request_bytes: 64,
                boot: Boot::POWER_ON,
            }
        );
        for (model, described) in
            [("first", 2, Steps::Last), ("second", 3, Steps::Last), ("third", 2, Steps::Every)]
                .into_iter()
                .enumerate()
        {
            let model = model as u8;
            let Reply::Model { name, shape, samples, output, crc, source, revision, .. } =
                session.answer(Request::Describe { model }, 0)
            else {
                panic!("no model {model}");
            };
            assert_eq!((name, shape.inputs, output.steps), described);
            assert_eq!((samples, crc), (Samples::U8, 0xfeed_beef));
            assert_eq!((source, revision), (Source::BuiltIn, 0));
        }
        let refused = session.answer(Request::Describe { model: 3 }, 0);
        assert_eq!(refused, Reply::Refused(Refusal::NoSuchModel { models: 3 }));
    });
}

#[test]
fn a_board_without_flash_refuses_another_model_and_says_why() {
    with_session(|session| {
        let upload = |model| Request::Begin(Upload { model, revision: 1, length: 100, crc: 7 });
        let refused = |refusal| Reply::Refused(Refusal::Update(refusal));
        assert_eq!(session.answer(upload(2), 0), refused(UpdateRefusal::NoStorage));
        assert_eq!(session.answer(upload(3), 0), Reply::Refused(Refusal::NoSuchModel { models: 3 }));
        let chunk = Request::Chunk { upload: 7, offset: 0, bytes: &[1] };
        for request in [chunk, Request::Commit { upload: 7 }] {
            assert_eq!(session.answer(request, 0), refused(UpdateRefusal::NotBegun));
        }
    });
}

#[test]
fn it_says_why_it_started() {
    let boot = Boot { resets: 3, cause: Cause::Panic { file: "main.rs", line: 7 } };
    let (clock, mut models, mut updates) = (SteppedClock::new(1), [], Store::open(NoFlash, []));
    let mut session =
        Session::new("a board", 64, &mut models, &mut updates, &clock, || 0, || 0).started_by(boot);
    let reply = session.answer(Request::Hello, 0);
    assert!(matches!(reply, Reply::Hello { boot: said, .. } if said == boot), "{reply:?}");
}

#[test]
fn provocations_are_refused_by_firmware_without_them() {
    with_session(|session| {
        for provocation in Provocation::ALL {
            let reply = session.answer(Request::Provoke(provocation), 0);
            assert_eq!(reply, Reply::Refused(Refusal::NotBuiltIn));
        }
    });
}

#[test]
fn a_provocation_that_provokes_nothing_is_accepted() {
    let (clock, mut models, mut updates) = (SteppedClock::new(1), [], Store::open(NoFlash, []));
    let session = Session::new("a board", 64, &mut models, &mut updates, &clock, || 0, || 0);
    let mut session = session.provoked_by(|provocation| assert_eq!(provocation, Provocation::Hang));
    assert_eq!(session.answer(Request::Provoke(Provocation::Hang), 0), Reply::Accepted);
}

#[test]
fn sequences_follow_one_another() {
    with_session(|session| {
        finish(session, 7, 0);
        finish(session, 8, 0);
    });
}

#[test]
fn a_repeated_row_is_answered_again_and_not_stepped() {
    with_session(|session| {
        for index in [0, 0, 1, 1, 1] {
            let reply = session.answer(row(7, index, ROWS[usize::from(index)]), 0);
            assert_eq!(reply, Reply::Accepted);
        }
        finish(session, 7, 2);
        finish(session, 7, 2);
    });
}

#[test]
fn a_sequence_may_begin_again_at_any_time() {
    with_session(|session| {
        for index in [0, 1] {
            session.answer(row(7, index, &[9, 9]), 0);
        }
        finish(session, 7, 0);
        finish(session, 7, 0);
    });
}

#[test]
fn a_row_out_of_order_is_refused_and_costs_nothing() {
    with_session(|session| {
        let refused = |expected| Reply::Refused(Refusal::RowOrder { expected });
        assert_eq!(session.answer(row(7, 1, ROWS[1]), 0), refused(0), "nothing has begun");
        session.answer(row(7, 0, ROWS[0]), 0);
        assert_eq!(session.answer(row(7, 2, ROWS[2]), 0), refused(1), "row 1 is missing");
        assert_eq!(session.answer(row(8, 1, ROWS[1]), 0), refused(0), "another sequence");
        assert_eq!(session.answer(row(7, 3, ROWS[1]), 0), refused(1), "behind the end");
        assert_eq!(session.answer(row(7, u16::MAX, ROWS[1]), 0), refused(1), "far behind the end");
        let longer = Request::Row { model: 0, sequence: 7, index: 1, count: 4, values: ROWS[1] };
        assert_eq!(session.answer(longer, 0), refused(0), "another length is another sequence");
        let empty = Request::Row { model: 0, sequence: 7, index: 0, count: 0, values: ROWS[0] };
        assert_eq!(session.answer(empty, 0), refused(0), "a sequence of no rows");
        finish(session, 7, 1);
        assert_eq!(session.answer(row(7, 1, ROWS[1]), 0), refused(0), "the sequence is over");
    });
}

#[test]
fn another_model_cannot_take_over_a_sequence() {
    with_session(|session| {
        session.answer(row(7, 0, ROWS[0]), 0);
        let other = |index| Request::Row { model: 1, sequence: 7, index, count: 3, values: &[1, 2, 3] };
        assert_eq!(session.answer(other(1), 0), Reply::Refused(Refusal::RowOrder { expected: 0 }));
        assert_eq!(session.answer(other(0), 0), Reply::Accepted);
        let reply = session.answer(row(7, 1, ROWS[1]), 0);
        assert_eq!(reply, Reply::Refused(Refusal::RowOrder { expected: 0 }));
        finish(session, 7, 0);
    });
}

#[test]
fn a_row_of_another_length_or_model_is_refused_and_costs_nothing() {
    with_session(|session| {
        session.answer(row(7, 0, ROWS[0]), 0);
        for (index, values) in [(0, &[1][..]), (1, &[]), (1, &[1, 2, 3])] {
            assert_eq!(
                session.answer(row(7, index, values), 0),
                Reply::Refused(Refusal::RowLength { found: values.len() as u16, expected: 2 })
            );
        }
        let unknown = Request::Row { model: 3, sequence: 7, index: 0, count: 3, values: ROWS[0] };
        let refused = session.answer(unknown, 0);
        assert_eq!(refused, Reply::Refused(Refusal::NoSuchModel { models: 3 }));
        finish(session, 7, 1);
    });
}

#[test]
fn a_sequence_of_one_row_is_answered_at_once() {
    with_session(|session| {
        let mut answers = |sequence, values| {
            let only = Request::Row { model: 0, sequence, index: 0, count: 1, values };
            let logits = Recorder::expected(&[values]);
            assert_eq!(session.answer(only, 0), Reply::Logits { sequence, logits: &logits });
            statistics(session).sequences
        };
        let counted = [0; 3].map(|_| answers(7, ROWS[0]));
        assert_eq!(counted, [1; 3], "it is one, however often it is asked for");
        assert_eq!(answers(7, ROWS[1]), 1, "the answer is that to this row all the same");
        assert_eq!(answers(8, ROWS[1]), 2);
        assert_eq!(statistics(session).ticks, 2 * (STEP_TICKS + LOGITS_TICKS));
    });
}

#[test]
fn each_row_is_answered_by_a_model_that_does_so() {
    with_session(|session| {
        let row = |index: u16| Request::Row {
            model: 2,
            sequence: 7,
            index,
            count: 3,
            values: ROWS[usize::from(index)],
        };
        for index in [0, 0, 1, 1, 2, 2, 2] {
            let logits = Recorder::expected(&ROWS[..=usize::from(index)]);
            assert_eq!(session.answer(row(index), 0), Reply::Logits { sequence: 7, logits: &logits });
        }
        session.answer(row(0), 0);
        let refused = session.answer(row(2), 0);
        assert_eq!(refused, Reply::Refused(Refusal::RowOrder { expected: 1 }));
        let counted = statistics(session);
        assert_eq!(
            (counted.sequences, counted.timesteps),
            (1, 3),
            "repeated and unfinished rows do not count"
        );
        assert_eq!(counted.ticks, 3 * (STEP_TICKS + LOGITS_TICKS));
    });
}

#[test]
fn statistics_count_each_answered_sequence_once() {
    with_session(|session| {
        finish(session, 7, 0);
        finish(session, 7, 2);
        session.answer(row(8, 0, ROWS[0]), 0);
        session.answer(row(8, 1, ROWS[1]), 0);
        finish(session, 9, 0);
        session.answer(row(9, 7, ROWS[0]), 0);
        assert_eq!(
            session.answer(Request::Statistics, 5),
            Reply::Statistics(Statistics {
                sequences: 2,
                timesteps: 6,
                ticks: 2 * (3 * STEP_TICKS + LOGITS_TICKS),
                ticks_per_1000_instructions: 25_600,
                stack_bytes: 321,
                inference_stack_bytes: 0,
                broken_frames: 5,
                lost_bytes: 17,
                ..Statistics::default()
            })
        );
    });
}

fn whole(sequence: u32, values: &[u8]) -> Request<'_> {
    Request::Sequence { model: 0, sequence, values }
}

#[test]
fn a_whole_sequence_is_answered_like_its_rows_and_counted_once() {
    with_session(|session| {
        let (values, logits) = (ROWS.concat(), Recorder::expected(&ROWS));
        session.answer(row(6, 0, &[9, 9]), 0);
        for _ in 0..3 {
            assert_eq!(session.answer(whole(7, &values), 0), Reply::Logits { sequence: 7, logits: &logits });
        }
        assert_eq!(statistics(session).sequences, 1, "what is asked again is answered without a step");
        assert_eq!(session.answer(row(6, 1, ROWS[1]), 0), Reply::Refused(Refusal::RowOrder { expected: 0 }));
        session.answer(whole(8, &values), 0);
        assert_eq!(statistics(session).sequences, 2);
        let every = Request::Sequence { model: 2, sequence: 9, values: &values };
        assert_eq!(session.answer(every, 0), Reply::Logits { sequence: 9, logits: &logits });
    });
}

#[test]
fn bytes_that_are_no_rows_are_no_sequence() {
    with_session(|session| {
        for found in [0, 1, 3, 131_072] {
            let expected = Refusal::SequenceLength { found: found.min(65_535) as u16, row: 2 };
            assert_eq!(session.answer(whole(7, &vec![1; found]), 0), Reply::Refused(expected));
        }
        let unknown = Request::Sequence { model: 3, sequence: 7, values: &[1, 2] };
        assert_eq!(session.answer(unknown, 0), Reply::Refused(Refusal::NoSuchModel { models: 3 }));
    });
}

#[test]
fn logits_may_be_read_after_any_row() {
    with_session(|session| {
        let read = |model, sequence| Request::Logits { model, sequence };
        let refused = Reply::Refused(Refusal::RowOrder { expected: 0 });
        assert_eq!(session.answer(read(0, 7), 0), refused, "nothing has begun");
        for (index, values) in (0..).zip(ROWS) {
            session.answer(row(7, index, values), 0);
            let logits = Recorder::expected(&ROWS[..=usize::from(index)]);
            assert_eq!(session.answer(read(0, 7), 0), Reply::Logits { sequence: 7, logits: &logits });
            assert_eq!(session.answer(read(0, 8), 0), refused, "another sequence");
            assert_eq!(session.answer(read(2, 7), 0), refused, "another model");
        }
        assert_eq!(statistics(session).sequences, 1);
    });
}

#[test]
fn a_reset_forgets_the_sequence() {
    with_session(|session| {
        session.answer(row(7, 0, ROWS[0]), 0);
        for _ in 0..2 {
            assert_eq!(session.answer(Request::Reset, 0), Reply::Accepted);
        }
        assert_eq!(session.answer(row(7, 1, ROWS[1]), 0), Reply::Refused(Refusal::RowOrder { expected: 0 }));
        finish(session, 7, 0);
    });
}

#[test]
fn an_echo_brings_back_what_a_board_has_room_for() {
    with_session(|session| {
        for length in [0, 1, 128] {
            let bytes = vec![7; length];
            assert_eq!(session.answer(Request::Echo { bytes: &bytes }, 0), Reply::Echo { bytes: &bytes });
        }
        let refused = Reply::Refused(Refusal::EchoLength { found: 129 });
        assert_eq!(session.answer(Request::Echo { bytes: &[7; 129] }, 0), refused);
    });
}

/// What a [`Recorder`] costs that takes so many rows and answers so often.
fn profile_of(timesteps: u16, answers: u64) -> Reply<'static> {
    let steps = u64::from(timesteps);
    Reply::Profile(Profile {
        timesteps,
        ticks_per_1000_instructions: 25_600,
        whole: steps * STEP_TICKS + answers * LOGITS_TICKS,
        input: steps * INPUT_TICKS,
        layers: [steps * (STEP_TICKS - INPUT_TICKS), 0, 0],
        logits: answers * LOGITS_TICKS,
    })
}

#[test]
fn a_profile_has_the_cost_of_each_part_and_counts_for_nothing() {
    with_session(|session| {
        for (model, answers) in [(0, 1), (2, 3)] {
            let request = Request::Profile { model, values: &[1, 2, 3, 4, 5, 6] };
            for _ in 0..2 {
                assert_eq!(session.answer(request, 0), profile_of(3, answers), "however often it is asked");
            }
        }
        let Reply::Profile(profile) = session.answer(Request::Profile { model: 0, values: &[1, 2] }, 0)
        else {
            panic!("no profile");
        };
        assert_eq!(profile.parts(), profile.whole);
        let Reply::Statistics(counted) = session.answer(Request::Statistics, 0) else { panic!("no counts") };
        assert_eq!((counted.sequences, counted.timesteps, counted.ticks), (0, 0, 0));
    });
}

#[test]
fn a_profile_forgets_the_sequence_that_is_being_read() {
    with_session(|session| {
        session.answer(row(7, 0, ROWS[0]), 0);
        session.answer(Request::Profile { model: 1, values: &[1, 2, 3] }, 0);
        let refused = Reply::Refused(Refusal::RowOrder { expected: 0 });
        assert_eq!(session.answer(row(7, 1, ROWS[1]), 0), refused);
        finish(session, 7, 0);
    });
}

#[test]
fn a_profile_of_what_is_no_sequence_is_refused() {
    with_session(|session| {
        session.answer(row(7, 0, ROWS[0]), 0);
        let refused = |found| Reply::Refused(Refusal::SequenceLength { found, row: 2 });
        for (values, length) in [(&[][..], 0), (&[1, 2, 3], 3)] {
            assert_eq!(session.answer(Request::Profile { model: 0, values }, 0), refused(length));
        }
        let nobody = session.answer(Request::Profile { model: 3, values: &[1, 2] }, 0);
        assert_eq!(nobody, Reply::Refused(Refusal::NoSuchModel { models: 3 }));
        finish(session, 7, 1);
    });
}
