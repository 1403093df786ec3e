//! What a host may expect of a server: a model of the conversation that keeps every row of the sequence that is being read
//! and computes every answer from all of them anew.

use refrain::Steps;
use refrain::link::frame;
use refrain::link::{
    Boot, ECHO_BYTES, PROTOCOL_VERSION, Profile, Refusal, Reply, Request, Statistics, UpdateRefusal,
};

use super::stand_ins::{LOGIT_BYTES, Recorder};
use super::{BOARD, MODELS, REQUEST};

/// What is known of a conversation so far.
pub(super) struct Host {
    /// What tells the sequence from others, and its rows, one behind the other.
    current: Option<(Key, Vec<u8>)>,
    answered: u32,
    timesteps: u32,
    pub(super) broken_frames: u32,
}

/// The number of the model, the number of the sequence, and how many rows it has.
type Key = (u8, u32, u16);

/// What must be answered.
pub(super) enum Expectation<'r> {
    Exactly(Reply<'r>),
    Logits { sequence: u32, logits: [u8; LOGIT_BYTES] },
}

impl Host {
    pub(super) fn new() -> Self {
        Self { current: None, answered: 0, timesteps: 0, broken_frames: 0 }
    }

    /// The reply to a request.
    pub(super) fn expects<'r>(&mut self, request: &Request<'r>) -> Expectation<'r> {
        Expectation::Exactly(match *request {
            Request::Hello => Reply::Hello {
                protocol: PROTOCOL_VERSION,
                firmware: env!("CARGO_PKG_VERSION"),
                board: BOARD,
                models: MODELS.len() as u8,
                request_bytes: frame::message_room(REQUEST) as u16,
                boot: Boot::POWER_ON,
            },
            Request::Describe { model } => describe(model),
            Request::Row { model, sequence, index, count, values } => {
                return self.row((model, sequence, count), index, values);
            }
            Request::Sequence { model, sequence, values } => return self.sequence(model, sequence, values),
            Request::Logits { model, sequence } => match &self.current {
                Some(((current_model, current, _), rows))
                    if (*current_model, *current) == (model, sequence) =>
                {
                    let logits = Recorder::logits_after(rows, row_bytes(model));
                    return Expectation::Logits { sequence, logits };
                }
                _ => Reply::Refused(Refusal::RowOrder { expected: 0 }),
            },
            Request::Reset => {
                self.current = None;
                Reply::Accepted
            }
            Request::Profile { model, values } => self.profile(model, values),
            Request::Echo { bytes } if bytes.len() <= ECHO_BYTES => Reply::Echo { bytes },
            Request::Echo { bytes } => Reply::Refused(Refusal::EchoLength { found: bytes.len() as u16 }),
            // the board has no flash for models
            Request::Begin(upload) if usize::from(upload.model) >= MODELS.len() => {
                Reply::Refused(no_such_model())
            }
            Request::Begin(_) => Reply::Refused(Refusal::Update(UpdateRefusal::NoStorage)),
            Request::Chunk { .. } | Request::Commit { .. } => {
                Reply::Refused(Refusal::Update(UpdateRefusal::NotBegun))
            }
            Request::Restart => Reply::Accepted,
            Request::Provoke(_) => Reply::Refused(Refusal::NotBuiltIn),
            Request::Statistics => Reply::Statistics(Statistics {
                sequences: self.answered,
                timesteps: self.timesteps,
                stack_bytes: 321,
                lost_bytes: 12,
                broken_frames: self.broken_frames,
                ..Statistics::default()
            }),
        })
    }

    /// The reply to a row.
    fn row(&mut self, key: Key, index: u16, values: &[u8]) -> Expectation<'static> {
        let refused = |refusal| Expectation::Exactly(Reply::Refused(refusal));
        let (model, sequence, count) = key;
        let Some(&(_, inputs, steps)) = MODELS.get(usize::from(model)) else {
            return refused(no_such_model());
        };
        if values.len() != usize::from(inputs) {
            return refused(Refusal::RowLength { found: values.len() as u16, expected: inputs });
        }
        let row_bytes = row_bytes(model);
        let rows = self.current.as_ref().filter(|(current, _)| *current == key).map(|(_, rows)| rows.clone());
        let mut rows = rows.unwrap_or_default();
        let taken = (rows.len() / row_bytes) as u16;
        let is_new = if count > 0 && index == 0 {
            rows.clear();
            true
        } else if index < count && index == taken {
            true
        } else if index < count && index + 1 == taken {
            false
        } else {
            let expected = if count == 0 { 0 } else { taken % count };
            return refused(Refusal::RowOrder { expected });
        };
        if is_new {
            rows.extend(values);
        }
        let logits = Recorder::logits_after(&rows, row_bytes);
        self.current = Some((key, rows));
        let is_last = index + 1 == count;
        if is_new && is_last {
            self.answered += 1;
            self.timesteps += u32::from(count);
        }
        match is_last || steps == Steps::Every {
            true => Expectation::Logits { sequence, logits },
            false => Expectation::Exactly(Reply::Accepted),
        }
    }

    /// The reply to a sequence that is measured, by a clock that stands still.
    fn profile(&mut self, model: u8, values: &[u8]) -> Reply<'static> {
        if usize::from(model) >= MODELS.len() {
            return Reply::Refused(no_such_model());
        }
        let row = row_bytes(model);
        if values.is_empty() || !values.len().is_multiple_of(row) {
            return Reply::Refused(Refusal::SequenceLength { found: values.len() as u16, row: row as u16 });
        }
        // what the model remembers is that of the sequence that was measured
        self.current = None;
        Reply::Profile(Profile { timesteps: (values.len() / row) as u16, ..Profile::default() })
    }

    /// The reply to a whole sequence.
    fn sequence(&mut self, model: u8, sequence: u32, values: &[u8]) -> Expectation<'static> {
        let refused = |refusal| Expectation::Exactly(Reply::Refused(refusal));
        if usize::from(model) >= MODELS.len() {
            return refused(no_such_model());
        }
        let row = row_bytes(model);
        if values.is_empty() || !values.len().is_multiple_of(row) {
            return refused(Refusal::SequenceLength { found: values.len() as u16, row: row as u16 });
        }
        let count = (values.len() / row) as u16;
        let key = (model, sequence, count);
        // one that has been read to its end is not read again
        let read =
            self.current.as_ref().filter(|(current, rows)| *current == key && rows.len() == values.len());
        let rows = match read {
            Some((_, rows)) => rows.clone(),
            None => {
                self.answered += 1;
                self.timesteps += u32::from(count);
                values.to_vec()
            }
        };
        let logits = Recorder::logits_after(&rows, row);
        self.current = Some((key, rows));
        Expectation::Logits { sequence, logits }
    }
}

/// Bytes of a row of a model.
fn row_bytes(model: u8) -> usize {
    MODELS[usize::from(model)].1.into()
}

/// What a model is said to be.
fn describe(model: u8) -> Reply<'static> {
    let mut models = MODELS.into_iter().map(|(name, inputs, steps)| Recorder::new(name, inputs, steps));
    match models.nth(model.into()) {
        Some(recorder) => recorder.described(),
        None => Reply::Refused(no_such_model()),
    }
}

fn no_such_model() -> Refusal {
    Refusal::NoSuchModel { models: MODELS.len() as u8 }
}
