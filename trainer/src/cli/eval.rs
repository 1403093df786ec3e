//! `refrain eval`: how well a model or a checkpoint classifies, on this machine.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use refrain_trainer::evaluate::{Evaluation, Scores};
use serde::Serialize;

use super::classifier::{Classifier, compare_names, load};
use super::data::{DataArgs, DataFields, LimitArgs};
use super::error::CliError;
use super::output::{percent, thousands};
use super::scores::{details, figure, figure_name};

const EXAMPLES: &str = "\
Examples:
  refrain eval lstm.rfn
  refrain eval lstm.ckpt --data digits --limit 500

A model file runs on the arithmetic of the runtime, so every board gives the same logits and the same hash.";

/// Run test samples through a model file or a checkpoint and tell how good its answers are
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct Args {
    /// A model file or a checkpoint
    #[arg(value_name = "M.rfn|F.ckpt")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    limit: LimitArgs,
}

/// What came of an evaluation.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    cell: &'static str,
    kind: &'static str,
    samples: usize,
    /// With `confusion` of `[label][class]`: how many answers for a label named a class.
    #[serde(flatten)]
    scores: Scores,
    seconds: f64,
    logits_sha256: String,
    /// The names of the classes; none of a regression.
    classes: Vec<String>,
    /// The names of the outputs: classes or values.
    outputs: Vec<String>,
    #[serde(flatten)]
    data: DataFields,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = details(&self.scores, &self.outputs) {
            writeln!(f, "{table}")?;
        }
        writeln!(
            f,
            "{} ({}): {} {} on {} test samples of {} in {:.2} s",
            self.cell,
            self.kind,
            figure_name(&self.scores),
            figure(&self.scores),
            thousands(self.samples as u64),
            self.data.data,
            self.seconds
        )?;
        if let Some(classes) = self.scores.classes() {
            writeln!(f, "macro F1 {}", percent(classes.macro_f1))?;
        }
        write!(f, "SHA-256 of the logits: {}", self.logits_sha256)
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    let classifier = load(&args.file)?;
    let facts = classifier.facts();
    let (dataset, data) = match &classifier {
        Classifier::Checkpoint(checkpoint) => args.data.load_for(&args.file, &checkpoint.data)?,
        Classifier::Model(_) => args.data.load()?,
    };
    facts.check(&args.file, &dataset)?;
    if let Classifier::Model(file) = &classifier {
        compare_names(&args.file, file, &dataset);
    }
    let started = Instant::now();
    let samples = args.limit.first_of(&dataset);
    let evaluation = classifier.evaluate(&args.file, samples, "evaluating on the host")?;
    let seconds = started.elapsed().as_secs_f64();
    let Evaluation { samples, scores, logits_sha256, .. } = evaluation;
    Ok(Report {
        cell: facts.cell.name(),
        kind: facts.numbers.name(),
        samples,
        scores,
        seconds,
        logits_sha256,
        classes: dataset.classes().to_vec(),
        outputs: dataset.task().output_names().to_vec(),
        data,
    })
}
