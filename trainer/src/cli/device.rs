//! `refrain device`: a model on a board, held against the host.

use std::fmt;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use comfy_table::Table;
use refrain_trainer::data::{Dataset, SplitView};
use refrain_trainer::device::{Board, DeviceError, DeviceReport, Stage, Target, Via, run as run_on_board};
use refrain_trainer::model_file::ModelFile;
use serde::Serialize;

use super::classifier::{Facts, compare_names, load_model};
use super::data::{DataArgs, DataFields, LimitArgs};
use super::error::CliError;
use super::output::{table, thousands};
use super::progress::{Counter, Spinner};
use super::scores::{figure, figure_name};

const EXAMPLES: &str = "\
Examples:
  refrain device lstm.rfn                           all test samples, on an emulated Cortex-M4F
  refrain device lstm.rfn --limit 200 --via link    row by row over the emulated UART
  refrain device lstm.rfn --board mps3-an547        on an emulated Cortex-M55
  refrain device lstm.rfn --port /dev/ttyACM0       on a real board that runs the firmware

QEMU and the Rust target of the board are installed where they are missing and that is allowed; otherwise the error
names the command to type. The firmware is built around the model.";

/// Run a model on a board, emulated or real, and compare every logit with the host's
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct Args {
    #[command(flatten)]
    run: RunArgs,
}

/// The flags that say what runs where.
#[derive(Debug, clap::Args)]
pub(super) struct RunArgs {
    /// A model file that refrain export wrote
    #[arg(value_name = "M.rfn")]
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    pub(super) limit: LimitArgs,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// How samples get to the board: row by row over the link, whole sequences over it, or in the memory of one of Arm's
    /// emulated boards; auto takes memory where there is such, refrain device beyond 100 samples alone
    #[arg(long, default_value = "auto", value_parser = via_parser())]
    pub(super) via: Via,
}

impl RunArgs {
    /// The model, and data that it takes.
    pub(super) fn load(&self) -> Result<(ModelFile, Dataset, DataFields), CliError> {
        let file = load_model(&self.model)?;
        let (dataset, data) = self.data.load()?;
        Facts::of_model(&file).check(&self.model, &dataset)?;
        compare_names(&self.model, &file, &dataset);
        Ok((file, dataset, data))
    }
}

/// The flags that name a board.
#[derive(Debug, clap::Args)]
pub(super) struct TargetArgs {
    /// The board that QEMU emulates: mps2-an382 (built for Cortex-M0; QEMU has none with the memory, and runs it on the
    /// Cortex-M3 of its mps2-an385), mps2-an385 (M3), mps2-an386 (M4), b-l475e-iot01a (M4; the same program is for the
    /// real one), mps2-an500 (M7), mps2-an505 (M33) or mps3-an547 (M55)
    #[arg(long, value_name = "NAME", default_value_t = Board::default())]
    board: Board,
    /// The serial port of a real board, instead of an emulated one
    #[arg(long, value_name = "/dev/tty...", conflicts_with = "board")]
    port: Option<String>,
}

impl TargetArgs {
    pub(super) fn target(&self) -> Target {
        match &self.port {
            Some(port) => Target::Port(port.clone()),
            None => Target::Emulated(self.board),
        }
    }
}

fn via_parser() -> impl TypedValueParser<Value = Via> {
    PossibleValuesParser::new(["auto", "memory", "link", "sequences"]).map(|name| match name.as_str() {
        "memory" => Via::Memory,
        "link" => Via::Link,
        "sequences" => Via::Sequences,
        _ => Via::Auto,
    })
}

/// What came of a run on a board.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    on_board: DeviceReport,
    #[serde(flatten)]
    data: DataFields,
}

impl Report {
    /// An error where a logit differs from the host's.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        check_match(&self.on_board)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", facts(&self.on_board))?;
        write!(f, "SHA-256 of the logits: {}", self.on_board.logits_sha256)
    }
}

/// What came of a run on a board, line by line.
pub(super) fn facts(report: &DeviceReport) -> Table {
    let or_unknown = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".into(), thousands);
    let mut facts = table([&format!("{} ({})", report.cell, report.numbers), &report.board]);
    let mut fact = |name: &str, value: String| {
        facts.add_row([name.to_owned(), value]);
    };
    fact("samples", thousands(report.samples as u64));
    fact(figure_name(&report.scores), figure(&report.scores));
    fact("logits as on the host", if report.host_matches { "all" } else { "NOT ALL" }.into());
    fact("instructions per inference", or_unknown(report.instructions_per_inference));
    fact("instructions per timestep", or_unknown(report.instructions_per_timestep));
    if report.instructions_per_inference.is_none() {
        fact("ticks of its clock per inference", or_unknown(report.ticks_per_inference));
    }
    fact("flash, code (bytes)", or_unknown(report.flash_bytes.code));
    fact("flash, model (bytes)", thousands(report.flash_bytes.model));
    fact("RAM, static (bytes)", or_unknown(report.ram_bytes.statics));
    fact("RAM, stack (bytes)", thousands(report.ram_bytes.stack));
    fact("of that, one inference (bytes)", or_unknown(report.ram_bytes.inference_stack.map(u64::from)));
    fact("samples per second", format!("{:.1}, via {}", report.samples_per_second, report.via));
    if let Some(line) = report.line {
        let bytes = |rate: f64| thousands(rate.round() as u64);
        let (carried, echo) = (bytes(line.bytes_per_second), bytes(line.echo_bytes_per_second));
        fact("bytes per second to the board", carried);
        fact("of an echo's", format!("{echo}: {:.0} %", 100.0 * line.share_of_echo));
        fact("asked again", thousands(report.retries));
        fact("bytes that the board lost", thousands(report.lost_bytes));
    }
    if let Some(boot) = &report.started_again {
        fact("THE BOARD STARTED AGAIN", boot.clone());
    }
    facts
}

pub(super) fn run(Args { run: args }: &Args) -> Result<Report, CliError> {
    let (file, dataset, data) = args.load()?;
    let on_board = classify(&args.target.target(), args.via, &file, args.limit.first_of(&dataset))?;
    Ok(Report { on_board, data })
}

/// Runs a model on a board and shows how far it is.
pub(super) fn classify(
    target: &Target,
    via: Via,
    file: &ModelFile,
    samples: SplitView<'_>,
) -> Result<DeviceReport, CliError> {
    shown(target, file, |progress| run_on_board(target, via, file, samples, progress))
}

/// Does work on a board and shows how far it is.
pub(super) fn shown<R>(
    target: &Target,
    file: &ModelFile,
    work: impl FnOnce(&mut dyn FnMut(Stage)) -> Result<R, DeviceError>,
) -> Result<R, CliError> {
    let (on, preparing) = match target {
        Target::Emulated(board) => (board.name(), format!("building firmware for {board}")),
        Target::Port(port) => (port.as_str(), format!("opening {port}")),
    };
    let label = format!("{} on {on}", Facts::of_model(file).cell);
    let (mut spinner, mut counter) = (None, None);
    let mut show = |stage| match stage {
        Stage::Preparing => spinner = Some(Spinner::new(&preparing)),
        Stage::Classifying { done, total } => {
            spinner = None;
            counter.get_or_insert_with(|| Counter::new(&label, total)).set(done);
        }
        Stage::Measuring => {
            counter = None;
            spinner = Some(Spinner::new(&format!("measuring the parts of an inference on {on}")));
        }
    };
    Ok(work(&mut show)?)
}

/// An error that names the first logit that is not the host's.
pub(super) fn check_match(report: &DeviceReport) -> Result<(), CliError> {
    match report.mismatch {
        None => Ok(()),
        Some(mismatch) => Err(CliError::BoardDiffers {
            board: report.board.clone(),
            place: match mismatch.timestep {
                Some(timestep) => format!("sample {}, timestep {timestep}", mismatch.sample),
                None => format!("sample {}", mismatch.sample),
            },
            logit: mismatch.logit,
            found: mismatch.board,
            expected: mismatch.host,
        }),
    }
}
