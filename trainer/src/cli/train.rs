//! `refrain train`: a checkpoint out of a data set.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use refrain::{CellKind, MAX_UNITS};
use refrain_trainer::checkpoint::CheckpointError;
use refrain_trainer::data::Dataset;
use refrain_trainer::train::{
    Epoch, EpochDone, Observer, Options, Plan, Progress, Recipe, TrainError, Trained, measure, train,
};
use serde::Serialize;

use super::data::{DataArgs, DataFields};
use super::error::CliError;
use super::interrupt::Listener;
use super::output::{percent, thousands};
use super::progress::{Spinner, Training};
use super::{cell_parser, count_parser, destination};

const EXAMPLES: &str = "\
Examples:
  refrain train lstm --out lstm.ckpt
  refrain train gru --recipe article --seed 3 --out gru.ckpt
  refrain train simple-rnn --data digits --units 32 --epochs 5 --out small.ckpt

After each epoch the checkpoint is written anew, whole. Ctrl-C ends training and keeps the last one; a second
Ctrl-C ends the program at once. The same seed gives the same bytes, whatever the number of threads.";

/// More than any machine has; a typing error rather than a wish.
const MAX_THREADS: usize = 1024;

/// Train one network and write a checkpoint
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct Args {
    /// The recurrent cell
    #[arg(value_name = "CELL", value_parser = cell_parser())]
    cell: CellKind,
    /// Where the checkpoint goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// article is plain gradient descent as introductions show it; best gives the most accurate networks
    #[arg(long, default_value = Recipe::Best.name(), value_parser = recipe_parser())]
    recipe: Recipe,
    /// Recurrent units
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = count_parser::<u16>(MAX_UNITS))]
    units: u16,
    /// Passes over the training samples [default: the recipe's own number]
    #[arg(long, value_name = "N", value_parser = count_parser::<u32>(u32::MAX as usize))]
    epochs: Option<u32>,
    /// What all random numbers are drawn from
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Threads to compute on; they do not change the result [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = count_parser::<u16>(MAX_THREADS))]
    threads: Option<u16>,
}

fn recipe_parser() -> impl TypedValueParser<Value = Recipe> {
    PossibleValuesParser::new(Recipe::ALL.map(Recipe::name))
        .map(|name| name.parse().expect("one of the names of all recipes"))
}

/// What came of a training run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) cell: &'static str,
    pub(super) units: u16,
    pub(super) params: usize,
    pub(super) recipe: String,
    pub(super) epochs: u32,
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) seconds: f64,
    pub(super) samples_per_second: f64,
    pub(super) history: Vec<Epoch>,
    pub(super) test_loss: f64,
    pub(super) test_accuracy: Option<f64>,
    pub(super) checkpoint: PathBuf,
    #[serde(flatten)]
    data: DataFields,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} with {} units: {} parameters, {} epochs of recipe {} in {:.1} s ({} samples/s, {} threads)",
            self.cell,
            self.units,
            thousands(self.params as u64),
            self.epochs,
            self.recipe,
            self.seconds,
            thousands(self.samples_per_second as u64),
            self.threads
        )?;
        if let Some(accuracy) = self.test_accuracy {
            writeln!(f, "test accuracy {} on {}", percent(accuracy), self.data.data)?;
        }
        write!(f, "saved to {}", self.checkpoint.display())
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    destination::check_file(&args.out)?;
    let threads = args.threads.map(usize::from);
    if let Some(threads) = threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build_global().map_err(|source| CliError::Threads { threads, source })?;
    }
    let (dataset, data) = args.data.load()?;
    let options = Options {
        cell: args.cell,
        units: args.units,
        recipe: args.recipe,
        epochs: args.epochs,
        seed: args.seed,
        threads,
        ..Options::new(args.cell)
    };
    let trained = train_to(&args.out, &options, &dataset)?;
    let test = {
        let _spinner = Spinner::new("measuring on the test samples");
        measure(&trained.checkpoint.network, dataset.test().view(), dataset.scaling(), dataset.task())
    };
    Ok(Report {
        cell: args.cell.name(),
        units: args.units,
        params: trained.checkpoint.network.parameter_count(),
        recipe: trained.checkpoint.recipe,
        epochs: trained.checkpoint.epochs,
        seed: args.seed,
        threads: trained.threads,
        seconds: trained.seconds,
        samples_per_second: trained.samples_per_second,
        history: trained.history,
        test_loss: test.loss,
        test_accuracy: test.accuracy,
        checkpoint: args.out.clone(),
        data,
    })
}

/// Trains a network, shows how far it is and keeps a checkpoint of every finished epoch at `path`.
pub(super) fn train_to(path: &Path, options: &Options, dataset: &Dataset) -> Result<Trained, CliError> {
    let mut keeper = Keeper {
        path,
        progress: Training::new(options.cell),
        interrupt: Listener::new(),
        kept: 0,
        epochs: 0,
        failure: None,
    };
    let trained = train(options, dataset, &mut keeper);
    if let Some(failure) = keeper.failure {
        return Err(failure.into());
    }
    match trained {
        Ok(trained) if keeper.kept == keeper.epochs => Ok(trained),
        Ok(_) => Err(keeper.interrupted(keeper.kept + 1)),
        Err(TrainError::Interrupted { epoch }) => Err(keeper.interrupted(epoch)),
        Err(error) => Err(error.into()),
    }
}

/// Writes a checkpoint after each epoch and listens for Ctrl-C.
struct Keeper<'p> {
    path: &'p Path,
    progress: Training,
    interrupt: Listener,
    /// The last epoch whose checkpoint is on the disk.
    kept: u32,
    /// Epochs that the run is to have.
    epochs: u32,
    failure: Option<CheckpointError>,
}

impl Keeper<'_> {
    fn go_on(&self) -> ControlFlow<()> {
        if self.interrupt.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn interrupted(&self, epoch: u32) -> CliError {
        let path = self.path.display();
        let kept = match self.kept {
            0 => format!("no epoch was finished, so {path} was not written"),
            kept => format!("{path} holds the network as it was after epoch {kept} of {}", self.epochs),
        };
        CliError::Interrupted { cell: self.progress.cell().name(), epoch, kept }
    }
}

impl Observer for Keeper<'_> {
    fn started(&mut self, plan: &Plan) {
        self.epochs = plan.epochs;
        self.progress.start(plan.epochs, plan.samples_per_epoch);
    }

    fn batch(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.progress.batch(progress.samples_done, progress.loss);
        self.go_on()
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        if let Err(failure) = done.checkpoint().save(self.path) {
            self.failure = Some(failure);
            return ControlFlow::Break(());
        }
        self.kept = done.epoch.epoch;
        self.progress.end_epoch(done.epoch);
        self.go_on()
    }
}
