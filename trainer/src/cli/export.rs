//! `refrain export`: a model file out of a checkpoint, and what that costs.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use refrain::{CellKind, Numbers};
use refrain_trainer::checkpoint::Checkpoint;
use refrain_trainer::data::Dataset;
use refrain_trainer::evaluate::Scores;
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::nn::Network;
use refrain_trainer::quantise::{
    BlankStates, CALIBRATION, LayerError, Metadata, Report as LayerReport, export_with,
};
use refrain_trainer::train::{EpochDone, Observer, Plan, Progress, fine_tune, fine_tuning_epochs};
use serde::Serialize;

use super::classifier::{Facts, evaluate_checkpoint, evaluate_model, load_checkpoint};
use super::data::{DataArgs, DataFields};
use super::destination;
use super::error::CliError;
use super::output::{number_table, percent, thousands};
use super::scores::{figure, figure_name};
use super::training_progress::Training;

const EXAMPLES: &str = "\
Examples:
  refrain export lstm.ckpt --out lstm.rfn
  refrain export lstm.ckpt --bits 4 --out lstm-4.rfn
  refrain export lstm.ckpt --float --out lstm-f32.rfn
  refrain export small.ckpt --data digits --name sensor-gestures --out small.rfn

Without --data the set that the network was trained on is taken: its training samples say how far the LSTM's cell
state reaches, its test samples what quantisation costs. Where that set is neither mnist nor digits, or is not the same
any more, --data must say where it is.";

/// Quantise a checkpoint and write a model file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A checkpoint that refrain train wrote
    #[arg(value_name = "F.ckpt")]
    checkpoint: PathBuf,
    /// Where the model file goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Keep 32-bit floats instead of quantising
    #[arg(long)]
    float: bool,
    /// Bits of the recurrent layers' weights: 4 take half the flash of 8
    #[arg(long, value_name = "8|4", default_value = "8", conflicts_with = "float")]
    bits: Bits,
    /// Epochs of training in the integers of the model file before it is written [default: enough with --bits 4, else 0]
    #[arg(long, value_name = "EPOCHS", conflicts_with = "float")]
    fine_tune: Option<u32>,
    /// States after leading blank rows that the model carries, from 0 to 255, to save the board's time; auto takes those that
    /// the training samples make worth their flash
    #[arg(long, value_name = "N|auto", default_value = "auto", value_parser = blank_states, conflicts_with = "float")]
    blank_states: BlankStates,
    /// The model's name, which it carries with it [default: cell and units, as in lstm-64]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    data: DataArgs,
}

/// What `--bits` says.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Bits {
    #[value(name = "8")]
    Eight,
    #[value(name = "4")]
    Four,
}

impl Bits {
    fn numbers(self) -> Numbers {
        match self {
            Self::Eight => Numbers::Int8,
            Self::Four => Numbers::Int4,
        }
    }

    /// Epochs that a network of `cell` needs to get used to the rounding. The best recipe's last ones are in 8 bits.
    fn fine_tuning(self, cell: CellKind) -> u32 {
        match self {
            Self::Eight => 0,
            Self::Four => fine_tuning_epochs(cell),
        }
    }
}

/// What `--blank-states` says.
fn blank_states(text: &str) -> Result<BlankStates, String> {
    match (text, text.parse()) {
        ("auto", _) => Ok(BlankStates::Auto),
        (_, Ok(count)) => Ok(BlankStates::Count(count)),
        _ => Err("expected a number from 0 to 255, or auto".into()),
    }
}

/// A model file and what it cost.
#[derive(Debug, Serialize)]
pub(super) struct Exported {
    cell: &'static str,
    kind: &'static str,
    name: String,
    model: PathBuf,
    pub(super) bytes: usize,
    pub(super) layers: Vec<LayerError>,
    samples: usize,
    /// Of the checkpoint, in f32; `None` of a regression.
    accuracy_before: Option<f64>,
    /// Of the model file; `None` of a regression.
    accuracy_after: Option<f64>,
    /// All that is known of the answers of the checkpoint, in f32.
    pub(super) before: Scores,
    /// All that is known of the answers of the model file.
    pub(super) after: Scores,
    /// The part of the answers in which both name the same class; `None` of a regression.
    pub(super) same_class: Option<f64>,
    #[serde(skip)]
    pub(super) file: ModelFile,
}

/// What came of an export, and the data behind the figures.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    exported: Exported,
    #[serde(flatten)]
    data: DataFields,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exported, data } = self;
        let mut layers = number_table(["layer", "greatest error", "RMS error", "RMS of the values"]);
        for LayerError { layer, max, rms, signal_rms } in &exported.layers {
            let figures = [max, rms, signal_rms].map(|figure| format!("{figure:.5}"));
            layers.add_row([(*layer).to_owned()].into_iter().chain(figures));
        }
        let bytes = thousands(exported.bytes as u64);
        writeln!(
            f,
            "{} ({}, {bytes} bytes) saved to {}",
            exported.name,
            exported.kind,
            exported.model.display()
        )?;
        writeln!(f, "{layers}")?;
        write!(
            f,
            "{} on {} test samples of {}: {} before, {} after",
            figure_name(&exported.before),
            thousands(exported.samples as u64),
            data.data,
            figure(&exported.before),
            figure(&exported.after)
        )?;
        match exported.same_class {
            Some(same) => write!(f, "; {} of the answers name the same class", percent(same)),
            None => Ok(()),
        }
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    destination::check_file(&args.out, destination::Kind::Model)?;
    let checkpoint = load_checkpoint(&args.checkpoint)?;
    let (dataset, data) = args.data.load_for(&args.checkpoint, &checkpoint.data)?;
    let job = Job {
        checkpoint: &args.checkpoint,
        model: &args.out,
        name: args.name.as_deref(),
        numbers: if args.float { Numbers::F32 } else { args.bits.numbers() },
        blank_states: args.blank_states,
        fine_tuning: args.fine_tune.unwrap_or(args.bits.fine_tuning(checkpoint.network.kind())),
    };
    Ok(Report { exported: job.run(&checkpoint, &dataset)?, data })
}

/// One export.
pub(super) struct Job<'a> {
    /// Where the checkpoint came from.
    pub(super) checkpoint: &'a Path,
    /// Where the model file goes.
    pub(super) model: &'a Path,
    /// Its name; without one, cell and units.
    pub(super) name: Option<&'a str>,
    pub(super) numbers: Numbers,
    pub(super) blank_states: BlankStates,
    /// Epochs of training in these numbers beforehand.
    pub(super) fine_tuning: u32,
}

impl Job<'_> {
    /// The network to export: the checkpoint's, used to the numbers.
    fn network<'c>(
        &self,
        checkpoint: &'c Checkpoint,
        dataset: &Dataset,
    ) -> Result<Cow<'c, Network>, CliError> {
        if self.fine_tuning == 0 {
            return Ok(Cow::Borrowed(&checkpoint.network));
        }
        let mut tuning = Tuning(Training::new(checkpoint.network.kind()));
        let trained = fine_tune(checkpoint, dataset, self.numbers, self.fine_tuning, None, &mut tuning)?;
        Ok(Cow::Owned(trained.checkpoint.network))
    }

    /// Writes the model file and measures what it cost.
    pub(super) fn run(&self, checkpoint: &Checkpoint, dataset: &Dataset) -> Result<Exported, CliError> {
        let facts = Facts::of_checkpoint(checkpoint);
        facts.check(self.checkpoint, dataset)?;
        let name = self.name.map_or_else(|| format!("{}-{}", facts.cell, facts.shape.units), str::to_owned);
        let metadata = Metadata::of(checkpoint, name);
        let calibration = dataset.train().view().first(CALIBRATION);
        let network = self.network(checkpoint, dataset)?;
        let file = export_with(self.blank_states, &network, &metadata, self.numbers, calibration)
            .map_err(|source| CliError::Export { path: self.checkpoint.to_owned(), source })?;
        file.save(self.model)?;

        let test = dataset.test().view();
        let layers = LayerReport::new(&network, &metadata, &file, test).layers;
        let before =
            evaluate_checkpoint(checkpoint, self.checkpoint, test, &format!("{} in f32", facts.cell))?;
        let after = evaluate_model(&file, test, &format!("{} in {}, on the host", facts.cell, self.numbers))?;
        Ok(Exported {
            cell: facts.cell.name(),
            kind: self.numbers.name(),
            name: metadata.name,
            model: self.model.to_owned(),
            bytes: file.as_bytes().len(),
            layers,
            samples: test.count(),
            accuracy_before: before.scores.accuracy,
            accuracy_after: after.scores.accuracy,
            same_class: before.same_class(&after),
            before: before.scores,
            after: after.scores,
            file,
        })
    }
}

/// Shows how far the fine-tuning is.
struct Tuning(Training);

impl Observer for Tuning {
    fn started(&mut self, plan: &Plan) {
        self.0.start(plan);
    }

    fn batch(&mut self, progress: &Progress) -> ControlFlow<()> {
        self.0.batch(progress);
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, done: &EpochDone<'_>) -> ControlFlow<()> {
        self.0.end_epoch(done.epoch);
        ControlFlow::Continue(())
    }
}
