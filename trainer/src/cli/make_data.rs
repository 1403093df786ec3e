//! `refrain data`: example data as files, to try the other commands on.

use std::fmt;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use refrain_trainer::data::synthetic::Example;
use refrain_trainer::data::{Kind, Split, read};
use serde::Serialize;

use super::destination;
use super::error::CliError;
use super::output::thousands;

const EXAMPLES: &str = "\
Examples:
  refrain data gestures --out gestures           a folder of CSV files; then
  refrain train gru --data gestures --units 24 --out gestures.ckpt
  refrain data battery --out battery.npz         voltage and current, to learn charge and resistance from
  refrain data vibration --out vibration.npz     a machine's vibration, normal or anomaly at each timestep

Data of your own looks the same: refrain train --help says what --data takes.";

/// Write example data: a folder of CSV files or an .npz file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// gestures (classification), battery (regression) or vibration (a class at each timestep)
    #[arg(value_name = "KIND", value_parser = kind_parser())]
    kind: Example,
    /// Where it goes: a folder that is not there yet for gestures, otherwise a file that is not there yet
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// What all random numbers are drawn from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

fn kind_parser() -> impl TypedValueParser<Value = Example> {
    PossibleValuesParser::new(Example::ALL.map(Example::name))
        .map(|name| name.parse().expect("one of the names of all examples"))
}

/// What was written.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    kind: &'static str,
    description: &'static str,
    out: PathBuf,
    seed: u64,
    /// Sequences of each part, as the other commands will see them.
    train: usize,
    validation: usize,
    test: usize,
    timesteps: usize,
    inputs: usize,
    outputs: Vec<String>,
    regression: bool,
    per_step: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.kind, self.description)?;
        writeln!(
            f,
            "{} sequences to train on, {} to validate with, {} to test on; up to {} timesteps of {} features; {}: {}",
            thousands(self.train as u64),
            thousands(self.validation as u64),
            thousands(self.test as u64),
            self.timesteps,
            self.inputs,
            if self.regression { "values" } else { "classes" },
            self.outputs.join(", ")
        )?;
        write!(f, "saved to {}", self.out.display())
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    if !args.kind.is_folder() {
        destination::check_file(&args.out, destination::Kind::Data)?;
    }
    args.kind.write(&args.out, args.seed)?;
    let set = read(&args.out)?.dataset;
    Ok(Report {
        kind: args.kind.name(),
        description: args.kind.description(),
        out: args.out.clone(),
        seed: args.seed,
        train: set.train().count(),
        validation: set.validation().map_or(0, Split::count),
        test: set.test().count(),
        timesteps: set.timesteps(),
        inputs: set.inputs(),
        outputs: set.task().output_names().to_vec(),
        regression: matches!(set.task().kind, Kind::Regression { .. }),
        per_step: set.task().per_step,
    })
}
