//! `refrain report`: one HTML page on one or more runs.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use refrain::Numbers;
use refrain_trainer::checkpoint::Checkpoint;
use refrain_trainer::data::{Dataset, SplitView};
use refrain_trainer::device::{Board, Target, Via, set_up};
use refrain_trainer::files::write_whole;
use refrain_trainer::model_file::ModelFile;
use refrain_trainer::quantise::BlankStates;
use refrain_trainer::report::{self, Data, Findings, Layer, Outputs, Page, Results, results};
use refrain_trainer::run::Run;
use serde::Serialize;

use super::classifier::{Facts, evaluate_checkpoint, evaluate_model, load_checkpoint, load_model};
use super::data::{DataArgs, DataFields, LimitArgs};
use super::error::CliError;
use super::export::Job;
use super::output::{number_table, percent, thousands};
use super::{destination, device};

const EXAMPLES: &str = "\
Examples:
  refrain report lstm.run                                       a page on one run
  refrain report simple-rnn.run lstm.run gru.run --out page.html
  refrain report lstm.run --board none                          without the board, in seconds

The page is one file: it needs no network and can be sent on as it is. A run without a model file is quantised to int8
for it; a run that was not on a board yet is measured on the one that QEMU emulates.";

/// Test samples that an emulated board gets; what a board costs does not depend on more of them.
const BOARD_SAMPLES: usize = 200;

/// Write one HTML page on the runs: curves, confusion, worst mistakes, quantisation and cost on the board
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(super) struct Args {
    /// Run folders that refrain train wrote
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// Where the page goes
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    limit: LimitArgs,
    /// The board that runs are measured on where none was noted
    #[arg(long, value_name = "NAME|none", default_value = Board::Mps2An386.name(), value_parser = board_parser())]
    board: OnBoard,
}

/// Whether to measure on a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnBoard {
    Emulated(Board),
    None,
}

fn board_parser() -> impl TypedValueParser<Value = OnBoard> {
    let names = Board::ALL.map(Board::name).into_iter().chain(["none"]);
    PossibleValuesParser::new(names.collect::<Vec<_>>())
        .map(|name| name.parse().map_or(OnBoard::None, OnBoard::Emulated))
}

/// What the page is on.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    out: PathBuf,
    bytes: usize,
    samples: usize,
    runs: Vec<Summary>,
    /// What the page says about its own figures.
    notes: Vec<String>,
    #[serde(flatten)]
    data: DataFields,
}

/// One run of it.
#[derive(Debug, Serialize)]
struct Summary {
    name: String,
    run: PathBuf,
    cell: String,
    kind: String,
    /// Part of the answers, from 0 to 1, that are right; of a classification.
    accuracy: Option<f64>,
    macro_f1: Option<f64>,
    /// Value by value, in their own units; of a regression.
    mean_absolute_error: Option<Vec<f64>>,
    model_bytes: usize,
    board: Option<String>,
    instructions_per_inference: Option<u64>,
}

impl Summary {
    fn new(run: &Run, page: &report::Run) -> Self {
        let (accuracy, macro_f1, mean_absolute_error) = match &page.results {
            Results::Classes(results) => (Some(results.accuracy), Some(results.macro_f1), None),
            Results::Values(results) => {
                (None, None, Some(results.outputs.iter().map(|output| output.mae).collect()))
            }
        };
        Self {
            name: page.name.clone(),
            run: run.folder().to_owned(),
            cell: page.network.cell.clone(),
            kind: page.network.numbers.clone(),
            accuracy,
            macro_f1,
            mean_absolute_error,
            model_bytes: page.network.model_bytes,
            board: page.board.as_ref().map(|board| board.name.clone()),
            instructions_per_inference: page.board.as_ref().and_then(|board| board.instructions),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = number_table(["run", "numbers", "result", "model, bytes", "instructions"]);
        for run in &self.runs {
            let errors = run.mean_absolute_error.iter().flatten().map(|error| format!("{error:.4}"));
            let result = match run.accuracy {
                Some(accuracy) => percent(accuracy),
                None => format!("off by {}", errors.collect::<Vec<_>>().join(", ")),
            };
            let instructions = run.instructions_per_inference.map_or_else(|| "-".into(), thousands);
            table.add_row([
                run.name.clone(),
                run.kind.clone(),
                result,
                thousands(run.model_bytes as u64),
                instructions,
            ]);
        }
        writeln!(f, "{table}")?;
        writeln!(f, "on {} test samples of {}", thousands(self.samples as u64), self.data.data)?;
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        write!(f, "saved to {} ({} bytes)", self.out.display(), thousands(self.bytes as u64))
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    destination::check_file(&args.out, destination::Kind::Page)?;
    let runs: Vec<Run> = args.runs.iter().map(|path| Run::open(path)).collect::<Result<_, _>>()?;
    check_same_data(&runs)?;
    let checkpoints: Vec<Checkpoint> =
        runs.iter().map(|run| load_checkpoint(&run.checkpoint())).collect::<Result<_, _>>()?;
    if let OnBoard::Emulated(board) = args.board
        && runs.iter().any(|run| noted_board(run).is_none())
    {
        set_up(board)?;
    }
    let (dataset, data) = args.data.load_for_run(&runs[0])?;
    let samples = args.limit.first_of(&dataset);
    let work = Work { dataset: &dataset, samples, board: args.board };
    let mut page = Page {
        data: Data::new(&dataset, samples, &data.data_reason),
        runs: Vec::new(),
        notes: notes(&runs, &report::names(&runs), &dataset),
    };
    for ((run, checkpoint), name) in runs.iter().zip(&checkpoints).zip(report::names(&runs)) {
        page.runs.push(work.findings(run, checkpoint, name)?);
    }
    let html = page.to_html();
    write_whole(&args.out, html.as_bytes())
        .map_err(|reason| CliError::Write { path: args.out.clone(), reason })?;
    Ok(Report {
        out: args.out.clone(),
        bytes: html.len(),
        samples: samples.count(),
        runs: runs.iter().zip(&page.runs).map(|(run, page)| Summary::new(run, page)).collect(),
        notes: page.notes,
        data,
    })
}

/// Refuses runs whose figures cannot be compared.
fn check_same_data(runs: &[Run]) -> Result<(), CliError> {
    let first = &runs[0];
    match runs.iter().find(|run| run.config.data.fingerprint != first.config.data.fingerprint) {
        None => Ok(()),
        Some(other) => Err(CliError::RunsOnOtherData {
            first: first.folder().to_owned(),
            data: first.config.data.name.clone(),
            other: other.folder().to_owned(),
            other_data: other.config.data.name.clone(),
        }),
    }
}

/// What readers must know about the figures.
fn notes(runs: &[Run], names: &[String], dataset: &Dataset) -> Vec<String> {
    let trained_on = &runs[0].config.data;
    let other = (trained_on.fingerprint != dataset.fingerprint())
        .then(|| format!("Trained on another data set than this one: {}.", trained_on.name));
    let open = runs.iter().zip(names).filter(|(run, _)| run.outcome.is_none());
    let open = open.map(|(run, name)| {
        let (done, all) = (run.history.len(), run.config.epochs);
        format!("{name} has not ended: {done} of at most {all} epochs are done, and its figures are of that state.")
    });
    other.into_iter().chain(open).collect()
}

/// What a board made of the model file that is noted with it.
fn noted_board(run: &Run) -> Option<report::Board> {
    run.exported.as_ref()?;
    run.device.as_ref().map(report::Board::from)
}

/// What all runs are measured on.
struct Work<'d> {
    dataset: &'d Dataset,
    samples: SplitView<'d>,
    board: OnBoard,
}

impl Work<'_> {
    fn findings(&self, run: &Run, checkpoint: &Checkpoint, name: String) -> Result<report::Run, CliError> {
        let path = run.checkpoint();
        Facts::of_checkpoint(checkpoint).check(&path, self.dataset)?;
        let (model, layers) = self.model(run, checkpoint, &path)?;
        Facts::of_model(&model).check(Path::new(model.name()), self.dataset)?;
        let results = self.results(&model, checkpoint, &path, &name)?;
        let board = match (noted_board(run), self.board) {
            (Some(noted), _) => Some(noted),
            (None, OnBoard::None) => None,
            (None, OnBoard::Emulated(board)) => {
                let samples = self.samples.first(BOARD_SAMPLES);
                let via = if board.job_memory().is_some() { Via::Memory } else { Via::Link };
                let measured = device::classify(&Target::Emulated(board), via, &model, samples)?;
                Some(report::Board::from(&measured))
            }
        };
        let parameters = checkpoint.network.parameter_count();
        let command = command(run)?;
        Ok(Findings { name, run, parameters, model: &model, layers, results, board, command }.into())
    }

    /// The model file that is noted with the run, else one that is made now and kept nowhere.
    fn model(
        &self,
        run: &Run,
        checkpoint: &Checkpoint,
        path: &Path,
    ) -> Result<(ModelFile, Vec<Layer>), CliError> {
        if let (Some(path), Some(exported)) = (run.model(), &run.exported) {
            return Ok((load_model(&path)?, exported.layers.iter().map(Layer::from).collect()));
        }
        let folder = tempfile::tempdir().map_err(CliError::Temporary)?;
        let model = folder.path().join("model.rfn");
        let job = Job {
            checkpoint: path,
            model: &model,
            name: None,
            numbers: Numbers::Int8,
            blank_states: BlankStates::Auto,
            fine_tuning: 0,
        };
        let exported = job.run(checkpoint, self.dataset)?;
        Ok((exported.file, exported.layers.iter().map(Layer::from).collect()))
    }

    fn results(
        &self,
        model: &ModelFile,
        checkpoint: &Checkpoint,
        path: &Path,
        name: &str,
    ) -> Result<Results, CliError> {
        let numbers = model.model().header().numbers;
        let of_model = evaluate_model(model, self.samples, &format!("{name} in {numbers}"))?;
        let label = format!("{name} in {}", Numbers::F32);
        let of_network = evaluate_checkpoint(checkpoint, path, self.samples, &label)?;
        let (model, network) = (of_model.outputs(numbers), of_network.outputs(Numbers::F32));
        Ok(results(self.dataset, self.samples, Outputs { model: &model, network: Some(&network) }))
    }
}

/// The command that repeats a run, by its folder.
fn command(run: &Run) -> Result<String, CliError> {
    let path = run.folder().join("command.txt");
    match fs::read_to_string(&path) {
        Ok(line) => Ok(line.trim_end().to_owned()),
        Err(reason) => Err(CliError::Read { path, reason }),
    }
}
