//! An upload as requests and replies.

use refrain::link::{Refusal, Reply, Request, Source, UpdateRefusal, Upload};

use super::models::{built_in, failing_model, model};
use super::{announce, boot, flash};
use crate::testing::{Recorder, SteppedClock};
use crate::{Classifier, Session};

/// What the tests look at in a reply.
#[derive(Debug, PartialEq)]
enum Answer {
    Uploaded(u32),
    Accepted,
    Refused(UpdateRefusal),
    Model(Source, u32),
}

/// Starts a board with that flash, asks one thing after the other, and returns the answers.
fn converse(flash: &mut crate::update::simulation::Flash<8, 256>, requests: &[Request<'_>]) -> Vec<Answer> {
    let clock = SteppedClock::new(1);
    let mut recorder = Recorder::new("a model", 2, &clock);
    let mut models: [&mut dyn Classifier; 1] = [&mut recorder];
    let mut store = boot(flash, built_in());
    let mut session = Session::new("a board", 2000, &mut models, &mut store, &clock, || 0, || 0);
    let answer = |request: &Request<'_>| match session.answer(*request, 0) {
        Reply::Uploaded { bytes } => Answer::Uploaded(bytes),
        Reply::Accepted => Answer::Accepted,
        Reply::Refused(Refusal::Update(refusal)) => Answer::Refused(refusal),
        Reply::Model { source, revision, .. } => Answer::Model(source, revision),
        other => panic!("an unexpected reply: {other:?}"),
    };
    requests.iter().map(answer).collect()
}

#[test]
fn an_upload_is_asked_for_twice_each_time_and_done_once() {
    let mut flash = flash::<8, 256>(1);
    let file = model(1);
    let upload = announce(1, &file);
    let describe = Request::Describe { model: 0 };
    let chunk = |from: usize, to: usize| Request::Chunk {
        upload: upload.crc,
        offset: from as u32,
        bytes: &file[from..to],
    };
    let commit = Request::Commit { upload: upload.crc };
    let (length, last) = (file.len(), file.len() as u32);
    let requests = [
        describe,
        Request::Begin(upload),
        Request::Begin(upload),
        chunk(0, 300),
        chunk(0, 300),
        chunk(300, length),
        chunk(0, 300),
        commit,
        commit,
        describe,
    ];
    let (before, done) = (Answer::Model(Source::BuiltIn, 0), Answer::Accepted);
    let [none, some, all] = [0, 300, last].map(|bytes| move || Answer::Uploaded(bytes));
    let expected = [
        before,
        none(),
        none(),
        some(),
        some(),
        all(),
        all(),
        done,
        Answer::Accepted,
        Answer::Model(Source::BuiltIn, 0),
    ];
    assert_eq!(converse(&mut flash, &requests), expected);
    let newest = Answer::Refused(UpdateRefusal::NotNewer { found: 1, newest: 1 });
    let requests = [describe, Request::Begin(upload), Request::Begin(Upload { revision: 2, ..upload })];
    assert_eq!(converse(&mut flash, &requests), [Answer::Model(Source::SlotA, 1), newest, none()]);
}

#[test]
fn a_model_that_fails_is_refused_where_it_is_to_be_committed() {
    let file = failing_model(1);
    let upload = announce(1, &file);
    let chunk = Request::Chunk { upload: upload.crc, offset: 0, bytes: &file };
    let commit = Request::Commit { upload: upload.crc };
    let answers = converse(&mut flash::<8, 256>(1), &[Request::Begin(upload), chunk, commit, commit]);
    let failed = UpdateRefusal::SelfTest(refrain::SelfTestError::Mismatch { sequence: 0 });
    assert_eq!(
        answers[2..],
        [Answer::Refused(failed), Answer::Refused(UpdateRefusal::NotBegun)],
        "and forgotten"
    );
}
