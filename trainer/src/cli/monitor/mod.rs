//! `refrain monitor`: a board at work, as it is seen from outside.

mod screen;

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use refrain_trainer::data::Source;
use refrain_trainer::device::monitor::{LogSource, MonitorReport, Seen, Watch, monitor};
use refrain_trainer::device::{Board, Target};
use refrain_trainer::link::StreamOptions;
use serde::Serialize;

use super::classifier::{Facts, compare_names, load_model};
use super::count_parser;
use super::data::load_source;
use super::error::CliError;
use super::interrupt::Listener;
use super::output::{percent, table, thousands};
use screen::Screen;

const EXAMPLES: &str = "\
Examples:
  refrain monitor gru.rfn --data mnist --limit 20           rows of 20 images, one every 50 ms, on an emulated board
  refrain monitor gru.rfn --data mnist --period 10 --deadline 8
  refrain monitor gru.rfn --port /dev/ttyACM0               only watch a real board, until Ctrl-C
  refrain monitor gru.rfn --data D --port /dev/ttyACM0 --log board.log

The log of an emulated board is read by itself. On a real one probe-rs reads it and puts it into words; in another terminal:

  probe-rs attach --chip STM32L475VGTx --no-catch-reset --no-catch-hardfault --log-format '{L} {s}' \\
    --target-output-file defmt=board.log target/thumbv7em-none-eabihf/firmware/refrain-firmware

Or OpenOCD hands on the bytes as the board sends them, for which the ELF that runs there has the words:

  openocd -f interface/stlink.cfg -f target/stm32l4x.cfg -c init \\
    -c 'rtt setup 0x20000000 0x18000 \"SEGGER RTT\"' -c 'rtt start' -c 'rtt server start 9090 0'
  nc localhost 9090 | refrain monitor gru.rfn --data D --port /dev/ttyACM0 --elf refrain-firmware --log -";

/// Periods that no row may come, beside some seconds, before the board's watchdog resets it.
const SILENT_PERIODS: u32 = 10;

/// The seconds beside them: a busy machine may be late with a row by so much.
const SILENCE: Duration = Duration::from_secs(5);

/// Watch a board at work: answers row by row, throughput, errors, missed deadlines and its log
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(in crate::cli) struct Args {
    /// A model file that refrain export wrote
    #[arg(value_name = "M.rfn")]
    model: PathBuf,
    /// Samples whose rows are streamed to the board, as for refrain device; without them it is only watched
    #[arg(long, value_name = "D")]
    data: Option<Source>,
    /// Only the first N test samples
    #[arg(long, value_name = "N", requires = "data", value_parser = count_parser::<u32>(u32::MAX as usize))]
    limit: Option<u32>,
    /// Milliseconds from one row to the next
    #[arg(long, value_name = "MS", default_value_t = 50, value_parser = millis_parser())]
    period: u64,
    /// Milliseconds that the board may take for an answer [default: the period]
    #[arg(long, value_name = "MS", value_parser = millis_parser())]
    deadline: Option<u64>,
    /// The board that QEMU emulates, as for refrain device
    #[arg(long, value_name = "NAME", default_value_t = Board::default())]
    board: Board,
    /// The serial port of a real board, instead of an emulated one
    #[arg(long, value_name = "/dev/tty...", conflicts_with = "board")]
    port: Option<String>,
    /// The ELF that runs on the board at the port, where the log is the bytes that it sends by defmt
    #[arg(long, value_name = "FILE", requires_all = ["log", "port"])]
    elf: Option<PathBuf>,
    /// What the board at the port logs, in lines of text, or with --elf as it sends it: a file that grows, a pipe, or - for
    /// stdin
    #[arg(long, value_name = "FILE|-", requires = "port")]
    log: Option<PathBuf>,
}

/// Up to an hour.
fn millis_parser() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(1..=3_600_000)
}

impl Args {
    fn options(&self) -> StreamOptions {
        let period = Duration::from_millis(self.period);
        let deadline = self.deadline.map_or(period, Duration::from_millis);
        // The time of an emulated board runs on while it computes, beside that of this machine: rows seem late to it by
        // what it has computed, and by what this machine does besides.
        let slack = if self.port.is_some() { period } else { 4 * period };
        let silence = Some(SILENCE + SILENT_PERIODS * period);
        StreamOptions { deadline, slack, silence, ..StreamOptions::every(period) }
    }

    fn target(&self) -> Target {
        match &self.port {
            Some(port) => Target::Port(port.clone()),
            None => Target::Emulated(self.board),
        }
    }

    fn log(&self) -> Option<LogSource> {
        let log = self.log.clone()?;
        Some(LogSource { elf: self.elf.clone(), log: Some(log).filter(|log| log.as_os_str() != "-") })
    }
}

/// What was seen, and of which data.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Report {
    #[serde(flatten)]
    seen: MonitorReport,
    /// The data set whose rows were streamed.
    data: Option<String>,
    period_ms: u64,
    deadline_ms: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.seen;
        let mut facts = table([&format!("{} ({})", seen.cell, seen.numbers), &seen.board]);
        let mut fact = |name: &str, value: String| {
            facts.add_row([name.to_owned(), value]);
        };
        fact("started by", seen.boot.clone());
        fact("started again meanwhile", thousands(seen.restarts));
        if self.data.is_some() {
            let (period, deadline) = (self.period_ms, self.deadline_ms);
            fact("rows, one every", format!("{}, {period} ms", thousands(seen.rows)));
            let silence = seen.silence_seconds.map(|seconds| format!("after {seconds:.1} s"));
            fact("reset when rows stop", silence.unwrap_or_else(|| "never: no watchdog watches that".into()));
            fact("answered", thousands(seen.answered));
            fact("never answered", thousands(seen.unanswered));
            fact("missed by the board", thousands(seen.missing));
            fact("overdue", thousands(seen.overdue));
            fact("late, of a deadline of", format!("{}, {deadline} ms", thousands(seen.late)));
            fact("the slowest answer (us)", thousands(seen.longest_row_micros));
            if let Some(accuracy) = seen.accuracy {
                fact("accuracy", format!("{} of {}", percent(accuracy), thousands(seen.judged)));
            }
            fact("rows per second", format!("{:.1}", seen.rows_per_second));
            fact("bytes per second to the board", thousands(seen.bytes_per_second.round() as u64));
        }
        let broken = seen.broken_frames;
        let frames = format!("{} to the board, {} from it", broken.to_board, broken.from_board);
        fact("broken frames", frames);
        fact("asked again", thousands(seen.retries));
        fact("RAM, stack (bytes)", thousands(seen.stack_bytes));
        write!(f, "{facts}")
    }
}

pub(in crate::cli) fn run(args: &Args) -> Result<Report, CliError> {
    let file = load_model(&args.model)?;
    let loaded = args.data.as_ref().map(|source| load_source(Some(source))).transpose()?;
    let dataset = loaded.as_ref().map(|(dataset, ..)| dataset);
    if let Some(dataset) = dataset {
        Facts::of_model(&file).check(&args.model, dataset)?;
        compare_names(&args.model, &file, dataset);
    }
    let options = args.options();
    let samples = dataset.map(|dataset| {
        let samples = dataset.test().view();
        args.limit.map_or(samples, |limit| samples.first(limit as usize))
    });
    let watch = Watch { stream: samples.map(|samples| (samples, options)), log: args.log() };
    let target = args.target();
    let mut screen = Screen::new(&file, &target, samples.is_some());
    // Before there is a board, Ctrl-C ends the program at once, as it does everywhere.
    let mut listener = None;
    let mut watcher = |seen: Seen<'_>| {
        if matches!(seen, Seen::Board(_)) {
            listener.get_or_insert_with(Listener::new);
        }
        screen.show(seen);
        match listener.as_ref().is_some_and(Listener::is_asked) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let seen = monitor(&target, &file, &watch, &mut watcher)?;
    let data = dataset.map(|dataset| dataset.name().to_owned());
    let deadline_ms = args.deadline.unwrap_or(args.period);
    Ok(Report { seen, data, period_ms: args.period, deadline_ms })
}
