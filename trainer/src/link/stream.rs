//! Streams over the link: rows at a fixed rate, each sent once and answered by the board when it can.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use refrain::link::{Pace, Refusal, Reply, Request, Statistics};

use super::client::Client;
use super::error::LinkError;
use super::facts::Served;
use super::transport::Transport;

/// Requests whose answers are still expected; the oldest of more than that are given up.
const MOST_WAITING: usize = 1024;

/// How a stream is to be kept. Times are sent in microseconds, up to 71 minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamOptions {
    /// From one row to the next.
    pub period: Duration,
    /// How much later than that a row may come before it counts as overdue.
    pub slack: Duration,
    /// How long the board may take for an answer before it counts as late.
    pub deadline: Duration,
    /// How long no row may come before the board's watchdog resets it; `None` where that is not watched.
    pub silence: Option<Duration>,
    /// After how many rows the state begins anew; 0 is never.
    pub window: u32,
}

impl StreamOptions {
    /// A row every `period`, to be answered within it; half a period late it counts as overdue. The state runs on, and
    /// silence is not watched.
    pub fn every(period: Duration) -> Self {
        Self { period, slack: period / 2, deadline: period, silence: None, window: 0 }
    }

    /// The longest silence, of those that a board can watch up to so many microseconds, that these rows do not take for one;
    /// `None` where there is none.
    fn watchable(&self, longest: u32) -> Option<Duration> {
        let longest = Duration::from_micros(longest.into());
        Some(longest).filter(|&longest| longest > self.period + self.slack)
    }

    fn pace(&self) -> Pace {
        let micros = |duration: Duration| u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        Pace {
            period: micros(self.period),
            slack: micros(self.slack),
            deadline: micros(self.deadline),
            silence: self.silence.map_or(0, micros),
        }
    }
}

/// The answer to a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The number of the row, from 0.
    pub index: u32,
    /// Rows that the board missed right before it.
    pub missing: u32,
    /// Rows that the answer is of: since the stream began, a window did, or a row was missing.
    pub rows: u32,
    /// From the row's last byte to the answer's first one, by the board's clock.
    pub took: Duration,
    /// Whether that is beyond the deadline.
    pub is_late: bool,
    /// What a softmax gives to the greatest logit, from 0 to 1; `None` for a regression.
    pub confidence: Option<f32>,
    /// The logits, four bytes each.
    pub logits: Vec<u8>,
}

/// What a board says in the course of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// The answer to a row.
    Answer(Answer),
    /// What it has counted, see [`Stream::ask_statistics`].
    Statistics(Statistics),
}

/// What an answer is waited for.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Row { index: u32 },
    Statistics,
}

/// What has come for a request.
enum Came {
    Event(StreamEvent),
    /// The row was taken before: its frame came twice, and the answer to the first one was lost.
    Again,
    Refused(Refusal),
    Unexpected(String),
}

/// A stream to a board. It goes on there until it is [ended](Self::end): where this is dropped instead, no more rows come,
/// and a board that watches for that resets itself.
///
/// ```no_run
/// use std::ops::ControlFlow;
/// use std::time::Duration;
///
/// use refrain_trainer::link::{Client, StreamEvent, StreamOptions};
///
/// let mut board = Client::open("/dev/ttyACM0")?;
/// let served = board.describe(0)?.served(0);
/// let rows = vec![vec![0; served.row_bytes]; 100]; // what your sensor reads
/// let mut stream = board.stream(served, StreamOptions::every(Duration::from_millis(50)))?;
/// stream.run(rows, |event| {
///     if let StreamEvent::Answer(answer) = event {
///         println!("row {}: {:?} in {:?}", answer.index, answer.confidence, answer.took);
///     }
///     ControlFlow::Continue(())
/// })?;
/// stream.end()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Stream<'c, T> {
    client: &'c mut Client<T>,
    served: Served,
    number: u32,
    period: Duration,
    silence: Option<Duration>,
    next: u32,
    /// Requests under their numbers, as they were sent.
    waiting: VecDeque<(u32, Asked)>,
    unanswered: u64,
}

impl<T: Transport> Client<T> {
    /// Begins a stream of rows for a model on the board.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::Refused`] where the period or the deadline is 0, or the silence shorter than a period
    /// with its slack, or longer than the board's watchdog can watch.
    pub fn stream(&mut self, served: Served, options: StreamOptions) -> Result<Stream<'_, T>, LinkError> {
        let number = self.next_sequence();
        self.begin_stream(number, served, options)?;
        Ok(self.begun_stream(number, served, options))
    }

    /// The same; a silence that is longer than the board's watchdog can watch is not refused, but as long as it can, or not
    /// watched where that is no silence yet or nothing watches the board. [`Stream::silence`] says which.
    ///
    /// # Errors
    /// As above, but for the last.
    pub fn stream_watched_at_most(
        &mut self,
        served: Served,
        options: StreamOptions,
    ) -> Result<Stream<'_, T>, LinkError> {
        let number = self.next_sequence();
        let mut options = options;
        match self.begin_stream(number, served, options) {
            Err(LinkError::Refused { refusal: Refusal::Silence { longest }, .. }) => {
                options.silence = options.watchable(longest);
                self.begin_stream(number, served, options)?;
            }
            begun => begun?,
        }
        Ok(self.begun_stream(number, served, options))
    }

    fn begin_stream(&mut self, number: u32, served: Served, options: StreamOptions) -> Result<(), LinkError> {
        let (model, stream, window, pace) = (served.model, number, options.window, options.pace());
        self.ask("BeginStream", Request::BeginStream { model, stream, window, pace }, is_accepted)
    }

    fn begun_stream(&mut self, number: u32, served: Served, options: StreamOptions) -> Stream<'_, T> {
        let StreamOptions { period, silence, .. } = options;
        let waiting = VecDeque::new();
        Stream { client: self, served, number, period, silence, next: 0, waiting, unanswered: 0 }
    }
}

impl<T: Transport> Stream<'_, T> {
    /// After how long a silence the board's watchdog resets it; `None` where that is not watched.
    pub fn silence(&self) -> Option<Duration> {
        self.silence
    }

    /// Sends a row and does not wait.
    ///
    /// # Errors
    /// [`LinkError::Transport`].
    pub fn send(&mut self, row: &[u8]) -> Result<(), LinkError> {
        let index = self.next;
        let request = self.client.post(Request::StreamRow { stream: self.number, index, values: row })?;
        self.next = index.wrapping_add(1);
        self.expect(request, Asked::Row { index });
        Ok(())
    }

    /// Leaves a row out, as where the sensor had none: the board is told with the next row that one is missing.
    pub fn skip(&mut self) {
        self.next = self.next.wrapping_add(1);
    }

    /// Asks what the board has counted, and does not wait: it comes as [`StreamEvent::Statistics`].
    ///
    /// # Errors
    /// [`LinkError::Transport`].
    pub fn ask_statistics(&mut self) -> Result<(), LinkError> {
        let request = self.client.post(Request::Statistics)?;
        self.expect(request, Asked::Statistics);
        Ok(())
    }

    /// Waits for what the board says next; `None` where it says nothing in that time.
    ///
    /// # Errors
    /// [`LinkError`]; [`LinkError::Refused`] with [`Refusal::NoSuchStream`] where the board has started since the stream
    /// began.
    pub fn event(&mut self, patience: Duration) -> Result<Option<StreamEvent>, LinkError> {
        let deadline = Instant::now() + patience;
        loop {
            let (waiting, logits_bytes) = (&self.waiting, self.served.logits_bytes);
            let left = deadline.saturating_duration_since(Instant::now());
            let found = self.client.wait_for_reply(left, |number, reply| {
                let place = waiting.iter().position(|&(request, _)| request == number)?;
                Some((place, came(waiting[place].1, reply, logits_bytes)))
            })?;
            let Some((place, came)) = found else { return Ok(None) };
            // Answers come in the order of their requests, so those before this one were lost.
            self.give_up(place);
            let asked = self.waiting.pop_front();
            match came {
                Came::Event(event) => return Ok(Some(event)),
                Came::Again => self.unanswered += 1,
                Came::Refused(refusal) => {
                    self.refused(asked, refusal);
                    return Err(LinkError::Refused { request: name(asked), refusal });
                }
                Came::Unexpected(reply) => {
                    return Err(LinkError::Unexpected { request: name(asked), reply });
                }
            }
        }
    }

    /// Sends rows, one every period from now on, and hands on what the board says meanwhile, and until it has answered the
    /// last one. Stops where `on_event` breaks, and says so.
    ///
    /// Where this machine is late with a row, the following ones are sent so much later as well.
    ///
    /// # Errors
    /// Those of [`send`](Self::send) and [`event`](Self::event).
    pub fn run<R: AsRef<[u8]>>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
        mut on_event: impl FnMut(StreamEvent) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LinkError> {
        let mut due = Instant::now();
        for row in rows {
            if self.listen_until(due, &mut on_event)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.send(row.as_ref())?;
            due = (due + self.period).max(Instant::now());
        }
        self.settle(on_event)
    }

    /// Hands on what the board says until that time.
    ///
    /// # Errors
    /// Those of [`event`](Self::event).
    pub fn listen_until(
        &mut self,
        time: Instant,
        mut on_event: impl FnMut(StreamEvent) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LinkError> {
        loop {
            // Even where it is late, it listens to what is there.
            let left = time.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let Some(event) = self.event(left)? else { break };
            if on_event(event).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if Instant::now() >= time {
                break;
            }
        }
        thread::sleep(time.saturating_duration_since(Instant::now()));
        Ok(ControlFlow::Continue(()))
    }

    /// Hands on what the board says until it has answered everything, or is silent.
    ///
    /// # Errors
    /// Those of [`event`](Self::event).
    pub fn settle(
        &mut self,
        mut on_event: impl FnMut(StreamEvent) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, LinkError> {
        while !self.waiting.is_empty() {
            let Some(event) = self.event(self.client.patience.time_out)? else {
                self.give_up(self.waiting.len());
                break;
            };
            if on_event(event).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Ends the stream on the board too.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn end(self) -> Result<(), LinkError> {
        self.client.ask("EndStream", Request::EndStream { stream: self.number }, is_accepted)
    }

    /// Rows sent so far, those left out included.
    pub fn rows(&self) -> u32 {
        self.next
    }

    /// Rows that were sent and whose answers will not come any more: they, or their answers, were lost, or refused.
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }

    /// What has gone over the link so far.
    pub fn client(&self) -> &Client<T> {
        self.client
    }

    fn expect(&mut self, request: u32, asked: Asked) {
        self.waiting.push_back((request, asked));
        if self.waiting.len() > MOST_WAITING {
            self.give_up(1);
        }
    }

    /// Counts a row that was refused; a board that knows of no stream will refuse those behind it too.
    fn refused(&mut self, asked: Option<(u32, Asked)>, refusal: Refusal) {
        self.unanswered += u64::from(matches!(asked, Some((_, Asked::Row { .. }))));
        if refusal == Refusal::NoSuchStream {
            self.give_up(self.waiting.len());
        }
    }

    /// Waits no longer for the answers to the oldest requests.
    fn give_up(&mut self, count: usize) {
        let lost = self.waiting.drain(..count);
        self.unanswered += lost.filter(|(_, asked)| *asked != Asked::Statistics).count() as u64;
    }
}

/// What a reply is to what was asked.
fn came(asked: Asked, reply: Reply<'_>, logits_bytes: usize) -> Came {
    match (asked, reply) {
        (Asked::Row { index }, Reply::Streamed(row))
            if row.index == index && row.logits.len() == logits_bytes =>
        {
            Came::Event(StreamEvent::Answer(Answer {
                index,
                missing: row.missing,
                rows: row.rows,
                took: Duration::from_micros(row.micros.into()),
                is_late: row.is_late,
                confidence: row.confidence,
                logits: row.logits.into(),
            }))
        }
        (Asked::Statistics, Reply::Statistics(counted)) => Came::Event(StreamEvent::Statistics(counted)),
        (Asked::Row { .. }, Reply::Refused(Refusal::StreamOrder { .. })) => Came::Again,
        (_, Reply::Refused(refusal)) => Came::Refused(refusal),
        (_, other) => Came::Unexpected(format!("{other:?}")),
    }
}

fn name(asked: Option<(u32, Asked)>) -> &'static str {
    match asked {
        Some((_, Asked::Statistics)) => "Statistics",
        _ => "StreamRow",
    }
}

fn is_accepted(reply: Reply<'_>) -> Option<()> {
    matches!(reply, Reply::Accepted).then_some(())
}
