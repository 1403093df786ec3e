//! Watching a board at work: a stream of rows and its answers, what the board counts and what its firmware logs.

mod feed;
mod report;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use refrain::link::{Refusal, Statistics};

use super::Target;
use super::board::Board;
use super::error::DeviceError;
use super::launch::{Launch, RunFolder};
use super::link::{WITH_EMULATOR, find_model};
use super::log::{LogFollower, LogLine};
use super::qemu::{Emulator, Mode};
use crate::data::SplitView;
use crate::evaluate::check_data;
use crate::link::{Answer, Client, Hello, LinkError, Served, Stream, StreamEvent, StreamOptions, Transport};
use crate::model_file::ModelFile;

use feed::Feed;
pub use feed::Place;
pub use report::MonitorReport;
use report::Tally;

/// How often the board is asked what it has counted.
const COUNTED_EVERY: Duration = Duration::from_secs(1);

/// How often a board that nothing is sent to is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often a board is given another stream that starts again in the middle of one before it has answered a row.
const FUTILE_STARTS: u32 = 3;

/// What is done with the board.
#[derive(Clone, Debug)]
pub struct Watch<'d> {
    /// The samples whose rows it gets, one behind the other, and how; nothing but being watched where there are none.
    pub stream: Option<(SplitView<'d>, StreamOptions)>,
    /// Where a real board's log comes from; an emulated one's is known.
    pub log: Option<LogSource>,
}

/// A log of a real board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSource {
    /// The ELF that runs on the board, where the log is what that sends; none where it is in words already.
    pub elf: Option<PathBuf>,
    /// A file or pipe of the log; stdin where there is none.
    pub log: Option<PathBuf>,
}

impl LogSource {
    fn open(&self) -> Result<LogFollower, DeviceError> {
        Ok(LogFollower::open(self.elf.as_deref(), self.log.as_deref())?)
    }
}

/// Something seen at a board.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// Finding QEMU and building the firmware, or opening the port.
    Preparing,
    /// The board is there: at first, and whenever it has started again.
    Board(&'a Hello),
    /// It has answered a row of a sample.
    Answer(&'a Answer, Place),
    /// What it has counted since it started, and what went over the link until now.
    Counted(&'a Statistics, Traffic),
    /// Its firmware logs.
    Log(&'a LogLine),
    /// Nothing new; asks whether to go on.
    Nothing,
}

/// What has gone over the link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Rows sent.
    pub rows: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Rows whose answers never came.
    pub unanswered: u64,
    /// Frames from the board that came broken.
    pub broken_frames: u64,
    /// How often something other than a row was asked again.
    pub retries: u64,
}

/// Who sees it; a break ends the watching.
pub type Watcher<'w> = dyn FnMut(Seen<'_>) -> ControlFlow<()> + 'w;

/// Watches a board that holds the model of `file`, until it has answered all rows, or `watcher` breaks.
///
/// A board that starts again in the middle of a stream gets another one, from the next sample on.
///
/// # Errors
/// [`DeviceError`].
pub fn monitor<'w>(
    target: &Target,
    file: &ModelFile,
    watch: &Watch<'_>,
    watcher: &'w mut Watcher<'w>,
) -> Result<MonitorReport, DeviceError> {
    let feed = match watch.stream {
        Some((samples, options)) => {
            check_data(file, samples)?;
            Some((Feed::new(file, samples), options))
        }
        None => None,
    };
    if watcher(Seen::Preparing).is_break() {
        return Ok(MonitorReport::of_nothing(file));
    }
    match target {
        Target::Emulated(board) => on_emulator(*board, file, feed, watch, watcher),
        Target::Port(port) => {
            let open = Client::open(port);
            let client = open.map_err(|reason| DeviceError::Port { port: port.clone(), reason })?;
            let log = watch.log.as_ref().map(LogSource::open).transpose()?;
            Session::new(client, file, log, watcher).run(file, feed).0
        }
    }
}

/// Watches an emulated board, whose log is a file of the run.
fn on_emulator<'w>(
    board: Board,
    file: &ModelFile,
    feed: Option<(Feed, StreamOptions)>,
    watch: &Watch<'_>,
    watcher: &'w mut Watcher<'w>,
) -> Result<MonitorReport, DeviceError> {
    let folder = RunFolder::new()?;
    let launch = Launch::prepare(board, &[file], &[], folder.path())?;
    let emulator: Emulator = launch.start(Mode::Serve, folder.path())?;
    let log = match &watch.log {
        Some(other) => other.open()?,
        None => emulator.log()?,
    };
    let (result, client) =
        Session::new(Client::new(emulator, WITH_EMULATOR, 0), file, Some(log), watcher).run(file, feed);
    match result {
        // That the link was closed is not the reason but what follows from it.
        Err(DeviceError::Link(LinkError::Transport(closed))) => match client.into_transport().why_gone() {
            Some(reason) => Err(reason.into()),
            None => Err(LinkError::Transport(closed).into()),
        },
        other => other,
    }
}

/// How a stream has ended.
enum End {
    /// All rows were answered, or nobody wants more.
    Done,
    /// The board has started again, in the middle of the sample before this one.
    StartedAgain { next_sample: usize },
}

/// A board that is watched.
struct Session<'w, T> {
    client: Client<T>,
    eyes: Eyes<'w>,
    /// When the board was last asked what it has counted.
    asked: Instant,
}

/// Whoever watches, and what is counted of what is seen.
struct Eyes<'w> {
    watcher: &'w mut Watcher<'w>,
    log: Option<LogFollower>,
    tally: Tally,
}

impl Eyes<'_> {
    fn see(&mut self, seen: Seen<'_>) -> ControlFlow<()> {
        (self.watcher)(seen)
    }

    /// What the firmware has logged since.
    fn see_log(&mut self) -> ControlFlow<()> {
        let Self { watcher, log, tally } = self;
        for line in log.iter().flat_map(LogFollower::new_lines) {
            tally.log(&line);
            watcher(Seen::Log(&line))?;
        }
        ControlFlow::Continue(())
    }

    /// What the firmware still logs, now that all is over.
    fn see_last_of_log(&mut self) {
        let Self { watcher, log, tally } = self;
        for line in log.iter().flat_map(LogFollower::last_lines) {
            tally.log(&line);
            _ = watcher(Seen::Log(&line));
        }
    }

    /// What has come of a stream whose first row is that of `first_sample`.
    fn see_event(&mut self, event: StreamEvent, feed: &Feed, first_sample: usize) -> ControlFlow<()> {
        match event {
            StreamEvent::Answer(answer) => {
                let place = feed.place(first_sample, answer.index);
                self.tally.answer(&answer, place);
                self.see(Seen::Answer(&answer, place))
            }
            StreamEvent::Statistics(counted) => self.see_counted(counted),
        }
    }

    fn see_counted(&mut self, counted: Statistics) -> ControlFlow<()> {
        let traffic = self.tally.counted(counted);
        self.see(Seen::Counted(&counted, traffic))
    }
}

impl<'w, T: Transport> Session<'w, T> {
    fn new(
        client: Client<T>,
        file: &ModelFile,
        log: Option<LogFollower>,
        watcher: &'w mut Watcher<'w>,
    ) -> Self {
        let eyes = Eyes { watcher, log, tally: Tally::new(file) };
        Self { client, eyes, asked: Instant::now() }
    }

    /// Watches until the end, and gives the client back.
    fn run(
        mut self,
        file: &ModelFile,
        feed: Option<(Feed, StreamOptions)>,
    ) -> (Result<MonitorReport, DeviceError>, Client<T>) {
        let watched = match feed {
            Some((feed, options)) => self.stream(file, &feed, options),
            None => self.look_on(file),
        };
        let watched = watched.and_then(|()| self.look_last());
        self.eyes.see_last_of_log();
        let Self { client, eyes: Eyes { mut tally, .. }, .. } = self;
        let report = watched.map(|counted| {
            tally.counted(counted);
            tally.into_report()
        });
        (report, client)
    }

    /// Asks who is there now, for nothing else tells of a start after the last row, and what was counted.
    fn look_last(&mut self) -> Result<Statistics, DeviceError> {
        _ = self.see_board()?;
        Ok(self.client.statistics()?)
    }

    /// Sees whether the board has started again.
    fn see_board(&mut self) -> Result<ControlFlow<()>, DeviceError> {
        let hello = self.client.hello()?;
        Ok(match self.eyes.tally.board(&hello) {
            true => self.eyes.see(Seen::Board(&hello)),
            false => ControlFlow::Continue(()),
        })
    }

    /// Asks who is there, finds the model, and what was counted before.
    fn find(&mut self, file: &ModelFile) -> Result<ControlFlow<(), Served>, DeviceError> {
        let (hello, number) = find_model(&mut self.client, file)?;
        let served = self.client.describe(number)?.served(number);
        self.eyes.tally.board(&hello);
        self.eyes.tally.counted(self.client.statistics()?);
        Ok(match self.eyes.see(Seen::Board(&hello)) {
            ControlFlow::Continue(()) => ControlFlow::Continue(served),
            ControlFlow::Break(()) => ControlFlow::Break(()),
        })
    }

    /// Watches a board that is asked nothing but how it is.
    fn look_on(&mut self, file: &ModelFile) -> Result<(), DeviceError> {
        if self.find(file)?.is_break() {
            return Ok(());
        }
        while self.eyes.see_log().is_continue() && self.eyes.see(Seen::Nothing).is_continue() {
            thread::sleep(LOOK_EVERY);
            if self.asked.elapsed() < COUNTED_EVERY {
                continue;
            }
            self.asked = Instant::now();
            if self.see_board()?.is_break() {
                break;
            }
            let counted = self.client.statistics()?;
            self.eyes.tally.sent(traffic(&self.client));
            if self.eyes.see_counted(counted).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Streams all samples, in as many streams as it takes.
    fn stream(&mut self, file: &ModelFile, feed: &Feed, options: StreamOptions) -> Result<(), DeviceError> {
        let options = StreamOptions { window: feed.window(), ..options };
        let (mut sample, mut futile) = (0, 0);
        while sample < feed.samples() {
            let ControlFlow::Continue(served) = self.find(file)? else { break };
            let answered = self.eyes.tally.answered();
            let End::StartedAgain { next_sample } = self.stream_from(feed, sample, served, options)? else {
                break;
            };
            sample = next_sample;
            futile = if self.eyes.tally.answered() > answered { 0 } else { futile + 1 };
            if futile == FUTILE_STARTS {
                let reason = LinkError::Refused { request: "StreamRow", refusal: Refusal::NoSuchStream };
                return Err(DeviceError::StartedAgain { boot: self.client.hello()?.boot, reason });
            }
        }
        Ok(())
    }

    /// Streams samples from that one on.
    fn stream_from(
        &mut self,
        feed: &Feed,
        sample: usize,
        served: Served,
        options: StreamOptions,
    ) -> Result<End, DeviceError> {
        let Self { client, eyes, asked } = self;
        eyes.tally.sending(client.sent_bytes());
        let mut stream = client.stream_watched_at_most(served, options)?;
        eyes.tally.watched(stream.silence());
        let streamed = send_rows(&mut stream, options.period, eyes, asked, feed, sample);
        eyes.tally.ended(traffic_of(&stream));
        match streamed {
            Err(LinkError::Refused { refusal: Refusal::NoSuchStream, .. }) => {
                Ok(End::StartedAgain { next_sample: feed.place(sample, stream.rows()).sample + 1 })
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                stream.end()?;
                Ok(End::Done)
            }
        }
    }
}

/// Sends all rows from that sample on, one a period, and sees what comes of them.
fn send_rows<T: Transport>(
    stream: &mut Stream<'_, T>,
    period: Duration,
    eyes: &mut Eyes<'_>,
    asked: &mut Instant,
    feed: &Feed,
    sample: usize,
) -> Result<(), LinkError> {
    let mut due = Instant::now();
    for row in feed.rows_from(sample) {
        let heard = stream.listen_until(due, |event| eyes.see_event(event, feed, sample))?;
        if heard.is_break() || eyes.see_log().is_break() || eyes.see(Seen::Nothing).is_break() {
            return Ok(());
        }
        stream.send(row)?;
        if asked.elapsed() >= COUNTED_EVERY {
            *asked = Instant::now();
            stream.ask_statistics()?;
        }
        eyes.tally.sent(traffic_of(stream));
        due = (due + period).max(Instant::now());
    }
    // Whoever has seen enough by now has seen nearly all.
    _ = stream.settle(|event| eyes.see_event(event, feed, sample))?;
    Ok(())
}

/// What has gone over the link, but for rows.
fn traffic<T: Transport>(client: &Client<T>) -> Traffic {
    Traffic {
        rows: 0,
        bytes: client.sent_bytes(),
        unanswered: 0,
        broken_frames: client.broken_frames(),
        retries: client.retries(),
    }
}

/// The same, with the rows of a stream.
fn traffic_of<T: Transport>(stream: &Stream<'_, T>) -> Traffic {
    Traffic { rows: stream.rows().into(), unanswered: stream.unanswered(), ..traffic(stream.client()) }
}
