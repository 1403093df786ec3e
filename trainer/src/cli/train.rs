//! `refrain train`: a checkpoint out of a data set.

use std::fmt;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use refrain::{CellKind, MAX_LAYERS, MAX_UNITS};
use refrain_trainer::run::{Config, Earlier, Run};
use refrain_trainer::train::{Epoch, Options, Recipe};
use serde::Serialize;

use super::data::{DataArgs, DataFields, load_source};
use super::error::CliError;
use super::output::{percent, thousands};
use super::training::{Finished, Job, Start, default_folder};
use super::{cell_parser, count_parser, destination};

const EXAMPLES: &str = "\
Examples:
  refrain train lstm --out lstm.ckpt
  refrain train gru --layers 2 --dropout 0.2 --patience 5 --out gru.ckpt
  refrain train simple-rnn --data digits --units 32 --epochs 5 --out small.ckpt
  refrain train --resume --out lstm.ckpt
  tensorboard --logdir .                       shows the curves of all runs below this folder

After each epoch the checkpoint is written anew, whole, and lstm.run/ gets all that is needed to go on from there
(checkpoints/, the last three epochs' and the best one's), the curves (history.csv, history.json, TensorBoard's events),
the options (config.json) and the command that repeats the run (command.txt). Ctrl-C, SIGTERM or SIGHUP ends training and
keeps the last epoch; the second time it ends the program at once. The same seed gives the same bytes, whatever the number
of threads and however often the run was resumed.";

/// More than any machine has; a typing error rather than a wish.
const MAX_THREADS: usize = 1024;

/// Train one network and write a checkpoint
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct Args {
    /// The recurrent cell
    #[arg(value_name = "CELL", value_parser = cell_parser(), required_unless_present = "resume")]
    cell: Option<CellKind>,
    /// Where the checkpoint goes
    #[arg(long, value_name = "FILE", required_unless_present = "resume")]
    out: Option<PathBuf>,
    /// The folder for all about the run [default: F.run for --out F.ckpt]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Go on with the run after its last finished epoch; options that are left out are the run's
    #[arg(long, conflicts_with = "overwrite")]
    resume: bool,
    /// Replace the run that is in the folder
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    schedule: ScheduleArgs,
    /// What all random numbers are drawn from [default: 1]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Threads to compute on; they do not change the result [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = count_parser::<u16>(MAX_THREADS))]
    threads: Option<u16>,
}

/// What the network is like.
#[derive(Debug, clap::Args)]
struct NetworkArgs {
    /// Recurrent units of each layer [default: 64]
    #[arg(long, value_name = "N", value_parser = count_parser::<u16>(MAX_UNITS))]
    units: Option<u16>,
    /// Recurrent layers [default: 1]
    #[arg(long, value_name = "N", value_parser = count_parser::<u8>(MAX_LAYERS))]
    layers: Option<u8>,
    /// Part of the units left out between layers and before the dense layer while training [default: 0]
    #[arg(long, value_name = "P")]
    dropout: Option<f32>,
}

/// How it is trained.
#[derive(Debug, clap::Args)]
struct ScheduleArgs {
    /// article is plain gradient descent as introductions show it; best gives the most accurate networks [default: best]
    #[arg(long, value_parser = recipe_parser())]
    recipe: Option<Recipe>,
    /// Passes over the training samples [default: the recipe's own number, or more for a small set]
    #[arg(long, value_name = "N", value_parser = count_parser::<u32>(u32::MAX as usize))]
    epochs: Option<u32>,
    /// End after N epochs without a lower validation loss, and keep the network with the lowest
    #[arg(long, value_name = "N", value_parser = count_parser::<u32>(u32::MAX as usize))]
    patience: Option<u32>,
    /// Samples of a step [default: the recipe's own number, or all where there are fewer]
    #[arg(long, value_name = "N", value_parser = count_parser::<u32>(u32::MAX as usize))]
    batch: Option<u32>,
    /// Greatest learning rate [default: the recipe's own]
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f32>,
    /// Let all classes weigh the same, however many samples each has
    #[arg(long)]
    class_weights: bool,
}

fn recipe_parser() -> impl TypedValueParser<Value = Recipe> {
    PossibleValuesParser::new(Recipe::ALL.map(Recipe::name))
        .map(|name| name.parse().expect("one of the names of all recipes"))
}

/// What came of a training run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    cell: &'static str,
    units: u16,
    layers: u8,
    params: usize,
    recipe: String,
    epochs: u32,
    stopped_early: bool,
    /// The epoch whose network is in the checkpoint.
    kept_epoch: u32,
    /// Epochs that were done before the run was resumed; 0 for one that was not.
    resumed_after: u32,
    seed: u64,
    threads: usize,
    /// That all epochs took; `null` where those of the epochs before it was resumed are not known.
    seconds: Option<f64>,
    samples_per_second: f64,
    history: Vec<Epoch>,
    test_loss: f64,
    test_accuracy: Option<f64>,
    test_mean_absolute_error: Option<f64>,
    test_r2: Option<f64>,
    checkpoint: PathBuf,
    run: PathBuf,
    #[serde(flatten)]
    data: DataFields,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.seconds.map_or_else(String::new, |seconds| format!(" in {seconds:.1} s"));
        let layers = if self.layers == 1 { String::new() } else { format!("{} layers of ", self.layers) };
        writeln!(
            f,
            "{} with {layers}{} units: {} parameters, {} epochs of recipe {}{took} ({} samples/s, {} threads)",
            self.cell,
            self.units,
            thousands(self.params as u64),
            self.epochs,
            self.recipe,
            thousands(self.samples_per_second as u64),
            self.threads
        )?;
        if self.stopped_early {
            let after = self.epochs - self.kept_epoch;
            writeln!(
                f,
                "ended early: in {after} epochs the validation loss fell no lower than in epoch {}",
                self.kept_epoch
            )?;
        }
        if let Some(accuracy) = self.test_accuracy {
            writeln!(f, "test accuracy {} on {}", percent(accuracy), self.data.data)?;
        }
        if let (Some(error), Some(r2)) = (self.test_mean_absolute_error, self.test_r2) {
            writeln!(
                f,
                "mean absolute error {error:.4} and R² {r2:.4} on the test samples of {}",
                self.data.data
            )?;
        }
        write!(f, "saved to {}, all about the run to {}", self.checkpoint.display(), self.run.display())
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    let run = args.run_to_resume()?;
    let (cell, out, folder) = args.places(run.as_ref())?;
    destination::check_file(&out, destination::Kind::Checkpoint)?;
    destination::check_apart(&out, &folder)?;
    let options = args.options(cell, run.as_ref().map(|run| &run.config));
    if let Some(threads) = options.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().map_err(|source| CliError::Threads { threads, source })?;
    }
    let start = match run {
        Some(run) => Start::Resumed(run.into()),
        None => Start::New(if args.overwrite { Earlier::Replace } else { Earlier::Keep }),
    };
    let noted = start.noted_source()?;
    let (dataset, source, data) = load_source(args.data.source().or(noted.as_ref()))?;
    let job = Job { options: &options, source: &source, out: &out, folder: &folder };
    let Finished { trained, outcome, resumed_after, .. } = job.run(start, &dataset)?;
    Ok(Report {
        cell: cell.name(),
        units: options.units,
        layers: options.layers,
        params: trained.checkpoint.network.parameter_count(),
        recipe: trained.checkpoint.recipe,
        epochs: outcome.epochs,
        stopped_early: outcome.stopped_early,
        kept_epoch: outcome.kept_epoch,
        resumed_after,
        seed: options.seed,
        threads: trained.threads,
        seconds: outcome.seconds,
        samples_per_second: trained.samples_per_second,
        history: trained.history,
        test_loss: outcome.test_loss,
        test_accuracy: outcome.test_accuracy,
        test_mean_absolute_error: outcome.test_mean_absolute_error,
        test_r2: outcome.test_r2,
        checkpoint: out,
        run: folder,
        data,
    })
}

impl Args {
    /// The run that `--resume` asks for.
    fn run_to_resume(&self) -> Result<Option<Run>, CliError> {
        if !self.resume {
            return Ok(None);
        }
        let folder = match (&self.run, &self.out) {
            (Some(folder), _) => folder.clone(),
            (None, Some(out)) => default_folder(out),
            (None, None) => return Err(CliError::ResumeWhat),
        };
        Ok(Some(Run::open(&folder)?))
    }

    /// The cell, where the checkpoint goes and the run folder.
    fn places(&self, run: Option<&Run>) -> Result<(CellKind, PathBuf, PathBuf), CliError> {
        let cell = self.cell.or_else(|| CellKind::from_name(&run?.config.cell));
        let out = self.out.clone().or_else(|| Some(run?.checkpoint()));
        let (Some(cell), Some(out)) = (cell, out) else { return Err(CliError::ResumeWhat) };
        let folder = self.run.clone().unwrap_or_else(|| default_folder(&out));
        Ok((cell, out, folder))
    }

    /// All options: those given, else the run's, else the defaults.
    fn options(&self, cell: CellKind, run: Option<&Config>) -> Options {
        let defaults = Options::new(cell);
        let (network, schedule) = (&self.network, &self.schedule);
        Options {
            cell,
            units: network.units.or(run.map(|run| run.units)).unwrap_or(defaults.units),
            layers: network.layers.or(run.map(|run| run.layers)).unwrap_or(defaults.layers),
            dropout: network.dropout.or(run.map(|run| run.dropout)).unwrap_or(defaults.dropout),
            recipe: schedule
                .recipe
                .or(run.and_then(|run| run.recipe.parse().ok()))
                .unwrap_or(defaults.recipe),
            epochs: schedule.epochs.or(run.map(|run| run.epochs)),
            patience: schedule.patience.or(run.and_then(|run| run.patience)),
            batch: schedule.batch.map(|batch| batch as usize).or(run.map(|run| run.batch)),
            learning_rate: schedule.learning_rate.or(run.map(|run| run.learning_rate)),
            class_weights: schedule.class_weights || run.is_some_and(|run| run.class_weights),
            seed: self.seed.or(run.map(|run| run.seed)).unwrap_or(defaults.seed),
            threads: self.threads.map(usize::from),
        }
    }
}
