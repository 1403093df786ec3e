//! What is answered to each request.

#[cfg(test)]
mod counter_tests;
mod fitness;
#[cfg_attr(not(feature = "profile"), path = "no_profile.rs")]
mod profile;
#[cfg_attr(not(feature = "stream"), path = "no_stream.rs")]
mod stream;
#[cfg(all(test, feature = "stream"))]
mod stream_tests;
#[cfg(all(test, feature = "profile", feature = "update"))]
mod tests;
mod turn;
#[cfg_attr(not(feature = "update"), path = "no_upload.rs")]
mod upload;

use core::time::Duration;

use refrain::link::{Boot, ECHO_BYTES, PROTOCOL_VERSION, Provocation, Refusal, Reply, Request, Statistics};
use refrain::{RowLength, Steps};

use crate::update::Updates;
use crate::{Classifier, Clock, Meter, NoWatchdog, Watchdog};
use stream::Streams;
use turn::{Current, Key, Turn};

/// The board's side of the conversation, from a request to its reply; [`refrain::link`] describes it.
///
/// Row 0 always begins a sequence anew. Any other row is taken only where it is the next one of the current
/// sequence; the row that was taken last is answered again, without a step, because its answer may have been
/// lost. So however often a host repeats itself, the logits are those of the whole sequence, once.
///
/// What the features `profile`, `stream` and `update` are for is refused where the firmware is built without them.
pub struct Session<'m, C, W = NoWatchdog> {
    board: &'static str,
    boot: Boot<&'static str>,
    request_bytes: u16,
    models: &'m mut [&'m mut dyn Classifier],
    updates: &'m mut dyn Updates,
    meter: Meter<C>,
    stack_used: fn() -> u32,
    lost_bytes: fn() -> u32,
    current: Option<Current>,
    sequences: u32,
    timesteps: u32,
    ticks: u64,
    watchdog: W,
    provoke: Option<fn(Provocation)>,
    /// A stream runs or there is a current sequence, or neither; never both.
    streams: Streams,
}

impl<'m, C: Clock> Session<'m, C> {
    /// Nothing has been asked yet. The board is named so, and takes messages of at most `request_bytes`; what is
    /// said of another model goes to `updates`.
    pub fn new(
        board: &'static str,
        request_bytes: u16,
        models: &'m mut [&'m mut dyn Classifier],
        updates: &'m mut dyn Updates,
        clock: C,
        stack_used: fn() -> u32,
        lost_bytes: fn() -> u32,
    ) -> Self {
        let meter = Meter::new(clock);
        Self {
            board,
            boot: Boot::POWER_ON,
            request_bytes,
            models,
            updates,
            meter,
            stack_used,
            lost_bytes,
            current: None,
            sequences: 0,
            timesteps: 0,
            ticks: 0,
            watchdog: NoWatchdog,
            provoke: None,
            streams: Streams::default(),
        }
    }
}

impl<'m, C: Clock, W: Watchdog> Session<'m, C, W> {
    /// The board started for that reason; otherwise it says that power came.
    pub fn started_by(self, boot: Boot<&'static str>) -> Self {
        Self { boot, ..self }
    }

    /// That watchdog is fed with every row; otherwise none is. To be said before a stream begins.
    pub fn watched_by<V: Watchdog>(self, watchdog: V) -> Session<'m, C, V> {
        Session {
            watchdog,
            board: self.board,
            boot: self.boot,
            request_bytes: self.request_bytes,
            models: self.models,
            updates: self.updates,
            meter: self.meter,
            stack_used: self.stack_used,
            lost_bytes: self.lost_bytes,
            current: self.current,
            sequences: self.sequences,
            timesteps: self.timesteps,
            ticks: self.ticks,
            provoke: self.provoke,
            streams: Streams::default(),
        }
    }

    /// Provocations are done so; otherwise they are refused.
    pub fn provoked_by(self, provoke: fn(Provocation)) -> Self {
        Self { provoke: Some(provoke), ..self }
    }

    /// Work begins on a request: that is watched, for `time_out` for each of its rows, unless the silence of a stream is
    /// watched already.
    pub fn begin_work(&mut self, time_out: Duration) {
        if !self.watches_silence() {
            self.watchdog.start(time_out);
        }
    }

    /// The work on a request is done. The silence of a stream goes on being watched.
    pub fn end_work(&mut self) {
        if !self.watches_silence() {
            self.watchdog.stop();
        }
    }

    /// The reply to a request; `broken_frames` is what the line has counted.
    pub fn answer<'a>(&'a mut self, request: Request<'a>, broken_frames: u32) -> Reply<'a> {
        if let Err(refusal) = self.fitness_for(&request) {
            return Reply::Refused(refusal);
        }
        let reply = match request {
            Request::Hello => Ok(self.hello()),
            Request::Describe { model } => self.describe(model),
            Request::Row { model, sequence, index, count, values } => {
                self.row(Key { model, sequence, count }, index, values)
            }
            Request::Statistics => Ok(Reply::Statistics(self.statistics(broken_frames))),
            Request::Echo { bytes } => echo(bytes),
            Request::Sequence { model, sequence, values } => self.sequence(model, sequence, values),
            Request::Logits { model, sequence } => self.logits(model, sequence),
            Request::Reset => {
                self.current = None;
                self.streams.stop();
                Ok(Reply::Accepted)
            }
            Request::Begin(upload) => self.begin_upload(upload),
            Request::Chunk { upload, offset, bytes } => self.chunk(upload, offset, bytes),
            Request::Commit { upload } => self.commit(upload),
            // it is done behind the reply
            Request::Restart => Ok(Reply::Accepted),
            Request::Provoke(provocation) => self.provoke(provocation),
            Request::Profile { model, values } => self.profile(model, values),
            Request::BeginStream { model, stream, window, pace } => {
                self.begin_stream(stream, model, window, pace)
            }
            Request::StreamRow { stream, index, values } => self.stream_row(stream, index, values),
            Request::EndStream { stream } => self.end_stream(stream),
        };
        reply.unwrap_or_else(Reply::Refused)
    }

    fn hello(&self) -> Reply<'_> {
        Reply::Hello {
            protocol: PROTOCOL_VERSION,
            firmware: env!("CARGO_PKG_VERSION"),
            board: self.board,
            models: self.model_count(),
            request_bytes: self.request_bytes,
            boot: self.boot,
        }
    }

    /// Replies only where the program goes on all the same.
    fn provoke(&self, provocation: Provocation) -> Result<Reply<'_>, Refusal> {
        let provoke = self.provoke.ok_or(Refusal::NotBuiltIn)?;
        provoke(provocation);
        Ok(Reply::Accepted)
    }

    fn describe(&self, model: u8) -> Result<Reply<'_>, Refusal> {
        let models = self.model_count();
        let active = self.updates.active(model);
        let model = self.models.get(usize::from(model)).ok_or(Refusal::NoSuchModel { models })?;
        let header = model.header();
        Ok(Reply::Model {
            name: header.name.as_str(),
            cell: header.cell,
            numbers: header.numbers,
            shape: header.shape,
            samples: header.input.samples,
            output: header.output,
            crc: model.crc(),
            source: active.source,
            revision: active.revision,
        })
    }

    fn row(&mut self, key: Key, index: u16, values: &[u8]) -> Result<Reply<'_>, Refusal> {
        let models = self.model_count();
        let model = self.models.get_mut(usize::from(key.model)).ok_or(Refusal::NoSuchModel { models })?;
        let expected = model.header().row_bytes();
        if values.len() != expected {
            return Err(row_length(RowLength { found: values.len(), expected }));
        }
        let mut current = self.current.filter(|current| current.key == key).unwrap_or(Current::new(key));
        let turn = Turn::of(index, key.count, current.taken)?;
        // only row 0 of one row comes here again as one that begins: with the same answer, computed anew
        let was_answered = current.taken == key.count;
        if turn == Turn::Begin {
            self.streams.stop();
            current = Current::new(key);
        }
        if turn != Turn::Again {
            let (stepped, ticks) = self.meter.measure(|| {
                if turn == Turn::Begin {
                    model.reset();
                }
                model.step(values)
            });
            stepped.map_err(row_length)?;
            self.watchdog.feed();
            current.taken += 1;
            current.ticks = current.ticks.saturating_add(ticks);
            self.current = Some(current);
        }
        let is_last = index + 1 == key.count;
        if !is_last && model.header().output.steps == Steps::Last {
            return Ok(Reply::Accepted);
        }
        let (logits, ticks) = self.meter.measure(|| model.logits());
        if turn != Turn::Again {
            current.ticks = current.ticks.saturating_add(ticks);
            self.current = Some(current);
            if is_last && !was_answered {
                self.sequences = self.sequences.saturating_add(1);
                self.timesteps = self.timesteps.saturating_add(key.count.into());
                self.ticks = self.ticks.saturating_add(current.ticks);
            }
        }
        Ok(Reply::Logits { sequence: key.sequence, logits })
    }

    /// A whole sequence, row by row. One that was answered last is answered again, without a step.
    fn sequence(&mut self, model: u8, sequence: u32, values: &[u8]) -> Result<Reply<'_>, Refusal> {
        let row = self.model(model)?.header().row_bytes();
        let wrong = Refusal::SequenceLength { found: saturated(values.len()), row: saturated(row) };
        let count = row_count(values, row).ok_or(wrong)?;
        let key = Key { model, sequence, count };
        if self.current.is_some_and(|current| current.key == key && current.taken == count) {
            return self.logits(model, sequence);
        }
        let mut rows = (0..count).zip(values.chunks_exact(row));
        let (last, last_values) = rows.next_back().ok_or(wrong)?;
        for (index, values) in rows {
            self.row(key, index, values)?;
        }
        self.row(key, last, last_values)
    }

    /// The logits of the sequence that is being read.
    fn logits(&mut self, model: u8, sequence: u32) -> Result<Reply<'_>, Refusal> {
        let is_read = |current: Current| current.key.model == model && current.key.sequence == sequence;
        if !self.current.is_some_and(is_read) {
            return Err(Refusal::RowOrder { expected: 0 });
        }
        Ok(Reply::Logits { sequence, logits: self.model(model)?.logits() })
    }

    fn model(&mut self, model: u8) -> Result<&mut dyn Classifier, Refusal> {
        let models = self.model_count();
        match self.models.get_mut(usize::from(model)) {
            Some(model) => Ok(&mut **model),
            None => Err(Refusal::NoSuchModel { models }),
        }
    }

    fn statistics(&self, broken_frames: u32) -> Statistics {
        Statistics {
            sequences: self.sequences,
            timesteps: self.timesteps,
            ticks: self.ticks,
            ticks_per_1000_instructions: self.meter.clock().ticks_per_1000_instructions(),
            stack_bytes: (self.stack_used)(),
            inference_stack_bytes: 0,
            broken_frames,
            lost_bytes: (self.lost_bytes)(),
            ..self.streams.statistics()
        }
    }

    fn model_count(&self) -> u8 {
        u8::try_from(self.models.len()).unwrap_or(u8::MAX)
    }
}

fn echo(bytes: &[u8]) -> Result<Reply<'_>, Refusal> {
    let found = saturated(bytes.len());
    if bytes.len() <= ECHO_BYTES { Ok(Reply::Echo { bytes }) } else { Err(Refusal::EchoLength { found }) }
}

/// How many rows of `row` bytes there are, 0 included; `None` where the bytes are no rows, or too many.
fn row_count(values: &[u8], row: usize) -> Option<u16> {
    let is_whole = row > 0 && values.len().is_multiple_of(row);
    is_whole.then(|| values.len() / row).and_then(|count| u16::try_from(count).ok())
}

fn saturated(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// The refusal of a row of another length.
pub(crate) fn row_length(error: RowLength) -> Refusal {
    Refusal::RowLength { found: saturated(error.found), expected: saturated(error.expected) }
}
