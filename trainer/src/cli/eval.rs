//! `refrain eval`: how well a model or a checkpoint classifies, on this machine.

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use refrain_trainer::evaluate::Evaluation;
use serde::Serialize;

use super::classifier::{Classifier, load};
use super::data::{DataArgs, DataFields, LimitArgs};
use super::error::CliError;
use super::output::{number_table, percent, thousands};

const EXAMPLES: &str = "\
Examples:
  refrain eval lstm.rfn
  refrain eval lstm.ckpt --data digits --limit 500

A model file runs on the arithmetic of the runtime, so every board gives the same logits and the same hash.";

/// Classes beyond which the confusion matrix is too wide to be read.
const MOST_CLASSES_SHOWN: usize = 20;

/// Classify test samples with a model file or a checkpoint
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
    accuracy: f64,
    seconds: f64,
    /// `[label][class]`: how many samples of a label were put into a class.
    confusion: Vec<Vec<u64>>,
    logits_sha256: String,
    classes: Vec<String>,
    #[serde(flatten)]
    data: DataFields,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.classes.len() <= MOST_CLASSES_SHOWN {
            let header = ["label \\ class"].into_iter().chain(self.classes.iter().map(String::as_str));
            let mut confusion = number_table(header);
            for (label, counts) in self.classes.iter().zip(&self.confusion) {
                let counts =
                    counts.iter().map(|&count| if count == 0 { ".".into() } else { thousands(count) });
                confusion.add_row([label.clone()].into_iter().chain(counts));
            }
            writeln!(f, "{confusion}")?;
        }
        writeln!(
            f,
            "{} ({}): accuracy {} on {} test samples of {} in {:.2} s",
            self.cell,
            self.kind,
            percent(self.accuracy),
            thousands(self.samples as u64),
            self.data.data,
            self.seconds
        )?;
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
    let started = Instant::now();
    let samples = args.limit.first_of(&dataset);
    let evaluation = classifier.evaluate(samples, "classifying on the host")?;
    let seconds = started.elapsed().as_secs_f64();
    let Evaluation { samples, accuracy, confusion, logits_sha256, .. } = evaluation;
    Ok(Report {
        cell: facts.cell.name(),
        kind: facts.numbers.name(),
        samples,
        accuracy,
        seconds,
        confusion: confusion.outer_iter().map(|row| row.to_vec()).collect(),
        logits_sha256,
        classes: dataset.classes().to_vec(),
        data,
    })
}
