//! `refrain validate`: how good a model is on the board that it is to run on, and what it costs there.

use std::fmt;
use std::path::PathBuf;

use comfy_table::Table;
use refrain_trainer::device::{Costs, Target, Validation, Via, validate};
use refrain_trainer::files::write_whole;
use refrain_trainer::report::ValidationPage;
use serde::Serialize;

use super::data::DataFields;
use super::destination;
use super::device::{RunArgs, check_match, facts, shown};
use super::error::CliError;
use super::output::{number_table, percent, thousands};
use super::scores::{details, figure, figure_name};

const EXAMPLES: &str = "\
Examples:
  refrain validate lstm.rfn                                    all test samples, on an emulated Cortex-M4F
  refrain validate lstm.rfn --limit 500 --html lstm.html       the same as a page, which needs no network
  refrain validate gestures.rfn --data gestures --board mps3-an547
  refrain validate lstm.rfn --port /dev/ttyACM0                on a real board that runs the firmware

The board answers the samples and then measures what each part of an inference costs. The exit status is 0 only where
every logit is the host's, bit for bit. refrain device does the run alone.";

/// Validate a model on a board: accuracy, bit-exactness, and what each part of an inference costs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Write it as an HTML page too
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// What came of a validation.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    found: Validation,
    /// The names of the outputs: classes or values.
    outputs: Vec<String>,
    /// The page, where one was asked for.
    html: Option<PathBuf>,
    #[serde(flatten)]
    data: DataFields,
}

impl Report {
    /// An error where a logit differs from the host's.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        check_match(&self.found.on_board)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, outputs, html, data } = self;
        writeln!(f, "{}", facts(&found.on_board))?;
        if let Some(table) = details(&found.on_board.scores, outputs) {
            writeln!(f, "{table}")?;
        }
        writeln!(f, "{}", parts(&found.profile))?;
        let Costs { samples, timesteps, to_the_end, .. } = &found.profile;
        let reach = if *to_the_end { "" } else { ", as far as a request reaches" };
        let [samples, timesteps] = [*samples as u64, *timesteps].map(thousands);
        writeln!(f, "parts: the mean of {timesteps} timesteps, those of the first {samples} samples{reach}")?;
        if let (Some(milliseconds), Some(clock)) = (found.least_milliseconds_per_inference, found.clock_hz) {
            let megahertz = f64::from(clock) / 1e6;
            writeln!(
                f,
                "an inference: at least {milliseconds:.2} ms at {megahertz} MHz (an estimate: one instruction a cycle)"
            )?;
        }
        let host = &found.host.scores;
        writeln!(f, "on the host: {} {}", figure_name(host), figure(host))?;
        if let Some(classes) = found.on_board.scores.classes() {
            writeln!(f, "macro F1 {}", percent(classes.macro_f1))?;
        }
        writeln!(f, "data: {}", data.data_reason)?;
        let model = &found.model;
        writeln!(f, "model: {} ({}, CRC-32 {})", model.name, model.shape, model.crc32)?;
        let firmware = &found.firmware;
        match (&found.qemu, &found.port) {
            (Some(qemu), _) => writeln!(f, "board: emulated by QEMU {qemu}, firmware {firmware}")?,
            (None, Some(port)) => writeln!(f, "board: at {port}, firmware {firmware}")?,
            (None, None) => {}
        }
        if let Some(path) = html {
            writeln!(f, "page: {}", path.display())?;
        }
        write!(f, "SHA-256 of the logits: {}", found.on_board.logits_sha256)
    }
}

/// What each part of a timestep costs.
fn parts(costs: &Costs) -> Table {
    let are_instructions = costs.instructions_per_timestep.is_some();
    let unit = if are_instructions { "instructions per timestep" } else { "ticks per timestep" };
    let each = |ticks: u64, instructions: Option<u64>, timesteps: u64| {
        thousands(instructions.unwrap_or(ticks / timesteps.max(1)))
    };
    let mut table = number_table(["part", unit, "share"]);
    for cost in &costs.parts {
        let each = each(cost.ticks, cost.instructions_per_timestep, costs.timesteps);
        table.add_row([cost.part.clone(), each, percent(cost.share)]);
    }
    let whole = each(costs.ticks, costs.instructions_per_timestep, costs.timesteps);
    table.add_row(["measured as a whole".to_owned(), whole, String::new()]);
    if let Some(cost) = costs.without_zeros {
        let whole = each(cost.ticks, cost.instructions_per_timestep, cost.timesteps.into());
        table.add_row(["the same, no input at zero".to_owned(), whole, String::new()]);
    }
    table
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    if let Some(path) = &args.html {
        destination::check_named("--html", path, destination::Kind::Page)?;
    }
    let (file, dataset, data) = args.run.load()?;
    let (target, samples) = (args.run.target.target(), args.run.limit.first_of(&dataset));
    // Where memory can be had: it is fast, and there the stack of an inference is measured too.
    let via = match (&target, args.run.via) {
        (Target::Emulated(board), Via::Auto) if board.job_memory().is_some() => Via::Memory,
        (_, via) => via,
    };
    let found = shown(&target, &file, |progress| validate(&target, via, &file, samples, progress))?;
    if let Some(path) = &args.html {
        let page = ValidationPage::new(&found, &dataset, samples, &data.data_reason).to_html();
        write_whole(path, page.as_bytes())
            .map_err(|reason| CliError::Write { path: path.clone(), reason })?;
    }
    let outputs = dataset.task().output_names().to_vec();
    Ok(Report { found, outputs, html: args.html.clone(), data })
}
