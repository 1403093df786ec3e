//! Streams: rows that come at a fixed rate.

use core::time::Duration;

use refrain::float::activation;
use refrain::link::{Pace, Refusal, Reply, Statistics, Streamed, rows_ahead};
use refrain::{Numbers, RowLength, Task};

use super::{Session, row_length};
use crate::{Clock, Watchdog};

/// The stream that runs, and what is counted of all of them.
#[derive(Clone, Copy, Default)]
pub(super) struct Streams {
    current: Option<Stream>,
    counts: Counts,
    /// When the last byte came of the frame that is being worked on, in microseconds; kept while a stream runs.
    received: u64,
}

impl Streams {
    /// No stream runs any more.
    pub(super) fn stop(&mut self) {
        self.current = None;
    }

    /// What is counted.
    pub(super) fn statistics(&self) -> Statistics {
        let Counts { rows, late, missing, overdue, longest_micros } = self.counts;
        Statistics {
            streamed_rows: rows,
            late_rows: late,
            missing_rows: missing,
            overdue_rows: overdue,
            longest_row_micros: longest_micros,
            ..Statistics::default()
        }
    }
}

/// A stream that runs.
#[derive(Clone, Copy)]
struct Stream {
    plan: Plan,
    /// The row that comes next.
    next: u32,
    /// Rows since the state began anew.
    rows: u32,
    /// When the row that was taken last came, in microseconds.
    came: Option<u64>,
    /// How often the next row was overdue so far.
    overdue: u32,
    /// When the answer that is being framed was ready.
    ready: Option<u64>,
    /// Microseconds that the framing of the answer before took.
    framing: u64,
}

/// What a host has asked for.
#[derive(Clone, Copy, PartialEq)]
struct Plan {
    model: u8,
    number: u32,
    window: u32,
    pace: Pace,
}

impl Stream {
    fn new(plan: Plan) -> Self {
        Self { plan, next: 0, rows: 0, came: None, overdue: 0, ready: None, framing: 0 }
    }

    /// Rows that are missing before row `index`.
    fn missing_before(&self, index: u32) -> Result<u32, Refusal> {
        rows_ahead(index, self.next).ok_or(Refusal::StreamOrder { expected: self.next })
    }

    /// Whether the state begins anew with row `index`.
    fn begins_anew(&self, index: u32, missing: u32) -> bool {
        missing > 0 || self.rows == 0 || index.checked_rem(self.plan.window) == Some(0)
    }

    /// How often the next row has been overdue at that time, and was not counted for it yet.
    fn newly_overdue(&mut self, now: u64) -> u32 {
        let Some(came) = self.came else { return 0 };
        let beyond = now.saturating_sub(came).saturating_sub(self.plan.pace.slack.into());
        let overdue = beyond.checked_div(self.plan.pace.period.into()).unwrap_or(0);
        let overdue = u32::try_from(overdue).unwrap_or(u32::MAX);
        let new = overdue.saturating_sub(self.overdue);
        self.overdue = self.overdue.max(overdue);
        new
    }

    /// Microseconds until the next row is overdue, or is so once more.
    fn until_overdue(&self, now: u64) -> u32 {
        let Pace { period, slack, .. } = self.plan.pace;
        let periods = u64::from(self.overdue).saturating_add(1).saturating_mul(period.into());
        let due = self.came.unwrap_or(now).saturating_add(slack.into()).saturating_add(periods);
        u32::try_from(due.saturating_sub(now)).unwrap_or(u32::MAX)
    }
}

/// What is counted of the rows of all streams.
#[derive(Clone, Copy, Default)]
struct Counts {
    rows: u32,
    late: u32,
    missing: u32,
    overdue: u32,
    longest_micros: u32,
}

impl<C: Clock, W: Watchdog> Session<'_, C, W> {
    /// A stream begins; one that has begun already goes on.
    pub(super) fn begin_stream(
        &mut self,
        number: u32,
        model: u8,
        window: u32,
        pace: Pace,
    ) -> Result<Reply<'_>, Refusal> {
        self.model(model)?;
        if !pace.is_sound() {
            return Err(Refusal::Pace);
        }
        let longest = u32::try_from(self.watchdog.longest().as_micros()).unwrap_or(u32::MAX);
        if pace.silence > longest {
            return Err(Refusal::Silence { longest });
        }
        let plan = Plan { model, number, window, pace };
        if self.streams.current.is_none_or(|stream| stream.plan != plan) {
            self.current = None;
            self.streams.current = Some(Stream::new(plan));
            if self.watches_silence() {
                self.watchdog.start(Duration::from_micros(pace.silence.into()));
            }
        }
        Ok(Reply::Accepted)
    }

    /// A stream ends, if it is the one that runs.
    pub(super) fn end_stream(&mut self, number: u32) -> Result<Reply<'_>, Refusal> {
        self.streams.current = self.streams.current.filter(|stream| stream.plan.number != number);
        Ok(Reply::Accepted)
    }

    /// One row of a stream.
    pub(super) fn stream_row(
        &mut self,
        number: u32,
        index: u32,
        values: &[u8],
    ) -> Result<Reply<'_>, Refusal> {
        let models = self.model_count();
        let Streams { current, counts, received } = &mut self.streams;
        let stream = current.as_mut().filter(|stream| stream.plan.number == number);
        let stream = stream.ok_or(Refusal::NoSuchStream)?;
        let model = self.models.get_mut(usize::from(stream.plan.model));
        let model = model.ok_or(Refusal::NoSuchModel { models })?;
        let expected = model.header().row_bytes();
        if values.len() != expected {
            return Err(row_length(RowLength { found: values.len(), expected }));
        }
        let missing = stream.missing_before(index)?;
        if stream.begins_anew(index, missing) {
            model.reset();
            stream.rows = 0;
        }
        model.step(values).map_err(row_length)?;
        self.watchdog.feed();
        stream.rows = stream.rows.saturating_add(1);
        stream.next = index.wrapping_add(1);

        counts.rows = counts.rows.saturating_add(1);
        counts.missing = counts.missing.saturating_add(missing);
        counts.overdue = counts.overdue.saturating_add(stream.newly_overdue(*received));
        (stream.came, stream.overdue) = (Some(*received), 0);

        let (numbers, task) = (model.header().numbers, model.header().output.task);
        let logits = model.logits();
        let confidence = (task == Task::Classification).then(|| confidence(numbers, logits));
        let ready = self.meter.clock().micros();
        stream.ready = Some(ready);
        let micros = ready.saturating_sub(*received).saturating_add(stream.framing);
        let micros = u32::try_from(micros).unwrap_or(u32::MAX);
        let is_late = micros > stream.plan.pace.deadline;
        counts.late = counts.late.saturating_add(is_late.into());
        counts.longest_micros = counts.longest_micros.max(micros);
        Ok(Reply::Streamed(Streamed {
            index,
            missing,
            rows: stream.rows,
            micros,
            is_late,
            confidence,
            logits,
        }))
    }

    /// Whether the watchdog is for the silence of a stream: nothing but its rows feeds it then.
    pub(super) fn watches_silence(&self) -> bool {
        self.streams.current.is_some_and(|stream| stream.plan.pace.silence > 0)
    }

    /// Bytes have been read. A frame that they end came then, in the lower 32 bits of the clock's microseconds; now, where
    /// that is not known.
    pub fn received(&mut self, came: Option<u32>) {
        if self.streams.current.is_some() {
            let now = self.meter.clock().micros();
            // no frame waits for longer than these bits last, which is 71 minutes
            let ago = came.map_or(0, |came| (now as u32).wrapping_sub(came));
            self.streams.received = now.saturating_sub(ago.into());
        }
    }

    /// A reply has been framed and is about to leave.
    pub fn framed(&mut self) {
        let now = self.meter.clock();
        if let Some(stream) = &mut self.streams.current
            && let Some(ready) = stream.ready.take()
        {
            stream.framing = now.micros().saturating_sub(ready);
        }
    }

    /// How many microseconds the next bytes may be waited for until one [waits in vain](Self::waited_in_vain); `None` is
    /// for ever.
    pub fn patience(&self) -> Option<u32> {
        let stream = self.streams.current.as_ref()?;
        Some(stream.until_overdue(self.meter.clock().micros()))
    }

    /// No bytes have come so far: counts a row that is overdue.
    pub fn waited_in_vain(&mut self) {
        let Streams { current, counts, .. } = &mut self.streams;
        if let Some(stream) = current {
            let new = stream.newly_overdue(self.meter.clock().micros());
            counts.overdue = counts.overdue.saturating_add(new);
        }
    }
}

/// How sure a classification by these logits is.
fn confidence(numbers: Numbers, logits: &[u8]) -> f32 {
    let (logits, _) = logits.as_chunks();
    activation::confidence(logits.iter().map(|&logit| numbers.logit_value(logit)))
}
