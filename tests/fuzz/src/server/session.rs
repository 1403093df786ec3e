//! What a host may expect of a server: a model of the conversation that keeps every row of the sequence that is being read
//! and computes every answer from all of them anew.

use refrain::Steps;
use refrain::link::frame;
use refrain::link::{
    Boot, ECHO_BYTES, PROTOCOL_VERSION, Pace, Profile, Refusal, Reply, Request, Statistics, UpdateRefusal,
};

use super::stand_ins::{LOGIT_BYTES, LONGEST_SILENCE, Recorder};
use super::{BOARD, MODELS, REQUEST};

/// What is known of a conversation so far.
pub(super) struct Host {
    /// What tells the sequence from others, and its rows, one behind the other.
    current: Option<(Key, Vec<u8>)>,
    stream: Option<Stream>,
    answered: u32,
    timesteps: u32,
    streamed: u32,
    missing: u32,
    pub(super) broken_frames: u32,
}

/// The number of the model, the number of the sequence, and how many rows it has.
type Key = (u8, u32, u16);

/// A stream, and the rows of the run that its state is of.
struct Stream {
    /// The number of the model, that of the stream, its window and its pace.
    plan: (u8, u32, u32, Pace),
    next: u32,
    rows: Vec<u8>,
}

/// What must be answered.
pub(super) enum Expectation<'r> {
    Exactly(Reply<'r>),
    Logits {
        sequence: u32,
        logits: [u8; LOGIT_BYTES],
    },
    /// No time passes here, so nothing is late.
    Streamed {
        index: u32,
        missing: u32,
        rows: u32,
        logits: [u8; LOGIT_BYTES],
    },
}

impl Host {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            stream: None,
            answered: 0,
            timesteps: 0,
            streamed: 0,
            missing: 0,
            broken_frames: 0,
        }
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
                (self.current, self.stream) = (None, None);
                Reply::Accepted
            }
            Request::Profile { model, values } => self.profile(model, values),
            Request::BeginStream { model, stream, window, pace } => {
                self.begin_stream((model, stream, window, pace))
            }
            Request::EndStream { stream } => {
                self.stream.take_if(|running| running.plan.1 == stream);
                Reply::Accepted
            }
            Request::StreamRow { stream, index, values } => {
                return self
                    .stream_row(stream, index, values)
                    .unwrap_or_else(|refusal| Expectation::Exactly(Reply::Refused(refusal)));
            }
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
                streamed_rows: self.streamed,
                missing_rows: self.missing,
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
        let was_answered = taken == count;
        let is_new = if count > 0 && index == 0 {
            self.stream = None;
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
        if is_new && is_last && !was_answered {
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
        (self.current, self.stream) = (None, None);
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
                self.stream = None;
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

impl Host {
    /// The reply to the beginning of a stream.
    fn begin_stream(&mut self, plan: (u8, u32, u32, Pace)) -> Reply<'static> {
        if usize::from(plan.0) >= MODELS.len() {
            return Reply::Refused(no_such_model());
        }
        let Pace { period, slack, deadline, silence } = plan.3;
        let is_watched_too_closely =
            silence > 0 && u64::from(silence) <= u64::from(period) + u64::from(slack);
        if period == 0 || deadline == 0 || is_watched_too_closely {
            return Reply::Refused(Refusal::Pace);
        }
        if silence > LONGEST_SILENCE {
            return Reply::Refused(Refusal::Silence { longest: LONGEST_SILENCE });
        }
        if self.stream.as_ref().is_none_or(|running| running.plan != plan) {
            self.current = None;
            self.stream = Some(Stream { plan, next: 0, rows: Vec::new() });
        }
        Reply::Accepted
    }

    /// The reply to a row of a stream.
    fn stream_row(
        &mut self,
        number: u32,
        index: u32,
        values: &[u8],
    ) -> Result<Expectation<'static>, Refusal> {
        let stream = self.stream.as_mut().filter(|running| running.plan.1 == number);
        let Stream { plan: (model, _, window, _), next, rows } = stream.ok_or(Refusal::NoSuchStream)?;
        let row_bytes = row_bytes(*model);
        if values.len() != row_bytes {
            return Err(Refusal::RowLength { found: values.len() as u16, expected: row_bytes as u16 });
        }
        // Half of all numbers are ahead, the others were before.
        let missing = index.wrapping_sub(*next);
        if missing > i32::MAX as u32 {
            return Err(Refusal::StreamOrder { expected: *next });
        }
        if missing > 0 || (*window > 0 && index.is_multiple_of(*window)) {
            rows.clear();
        }
        rows.extend(values);
        *next = index.wrapping_add(1);
        self.streamed += 1;
        self.missing = self.missing.saturating_add(missing);
        let logits = Recorder::logits_after(rows, row_bytes);
        Ok(Expectation::Streamed { index, missing, rows: (rows.len() / row_bytes) as u32, logits })
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
