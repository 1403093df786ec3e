//! `refrain demo`: all three cells the whole way, from the data to the board, side by side.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use refrain::{CellKind, Numbers};
use refrain_trainer::data::{Dataset, Source};
use refrain_trainer::device::{Board, DeviceReport, Target, Via, set_up};
use refrain_trainer::evaluate::Scores;
use refrain_trainer::plot::{Curve, learning_curves};
use refrain_trainer::quantise::BlankStates;
use refrain_trainer::run::Earlier;
use refrain_trainer::train::{Epoch, Options};
use serde::Serialize;

use super::data::{DataArgs, DataFields, load_source};
use super::error::CliError;
use super::output::{number_table, percent, thousands};
use super::scores::{figure, figure_name};
use super::training::{Finished, Job, Start};
use super::{destination, device, export};

const EXAMPLES: &str = "\
Examples:
  refrain demo                                the whole of MNIST, in some minutes
  refrain demo --quick                        the same way with two epochs and few samples on the board
  refrain demo --data digits --out artefacts  without a network connection

QEMU and the Rust target of the board are installed where they are missing and that is allowed; otherwise the error
names the command to type.";

const QUICK_EPOCHS: u32 = 2;
/// Samples that the board classifies in the quick demonstration.
const QUICK_SAMPLES: usize = 200;

/// Train the three cells, quantise them, run them on an emulated Cortex-M4F and compare them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Two epochs only, and a few samples on the board
    #[arg(long)]
    quick: bool,
    /// The folder for checkpoints, models and curves [default: target/refrain in the source tree, else refrain-out]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// The three networks side by side.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    networks: Vec<Network>,
    /// The picture of the learning curves.
    curves: PathBuf,
    quick: bool,
    seconds: f64,
    #[serde(flatten)]
    data: DataFields,
}

/// One of them.
#[derive(Debug, Serialize)]
struct Network {
    cell: &'static str,
    params: usize,
    epochs: u32,
    training_seconds: f64,
    history: Vec<Epoch>,
    /// On all test samples, on the host; `None` of a regression.
    f32_accuracy: Option<f64>,
    /// On all test samples, in the arithmetic of the board; `None` of a regression.
    int8_accuracy: Option<f64>,
    /// All that is known of the answers to all test samples, on the host.
    f32_scores: Scores,
    /// All that is known of the answers to all test samples, in the arithmetic of the board.
    int8_scores: Scores,
    /// The part of the answers in which both name the same class; `None` of a regression.
    same_class: Option<f64>,
    /// Whether every logit of the board is the host's.
    host_matches: bool,
    model_bytes: usize,
    instructions_per_inference: Option<u64>,
    device: DeviceReport,
    checkpoint: PathBuf,
    run: PathBuf,
    model: PathBuf,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells = self.networks.iter().map(|network| network.cell);
        let mut side_by_side = number_table([""].into_iter().chain(cells));
        let mut row = |name: &str, value: &dyn Fn(&Network) -> String| {
            side_by_side.add_row([name.to_owned()].into_iter().chain(self.networks.iter().map(value)));
        };
        let or_unknown = |number: Option<u64>| number.map_or_else(|| "unknown".into(), thousands);
        row("parameters", &|network| thousands(network.params as u64));
        let name = self.networks.first().map_or("", |network| figure_name(&network.f32_scores));
        row(&format!("{name}, f32"), &|network| figure(&network.f32_scores));
        row(&format!("{name}, int8"), &|network| figure(&network.int8_scores));
        row("same class, f32 and int8", &|network| network.same_class.map_or_else(|| "-".into(), percent));
        row("board = host, every logit", &|Network { device, .. }| {
            format!(
                "{}, {} samples",
                if device.host_matches { "yes" } else { "NO" },
                thousands(device.samples as u64)
            )
        });
        row("instructions per inference", &|network| or_unknown(network.instructions_per_inference));
        row("model, bytes of flash", &|network| thousands(network.model_bytes as u64));
        row("code, bytes of flash", &|network| or_unknown(network.device.flash_bytes.code));
        row("variables, bytes of RAM", &|network| or_unknown(network.device.ram_bytes.statics));
        row("stack, bytes of RAM", &|network| thousands(network.device.ram_bytes.stack));
        row("training", &|network| format!("{} epochs, {:.0} s", network.epochs, network.training_seconds));
        writeln!(f, "{side_by_side}")?;
        let board = self.networks.first().map_or("", |network| &network.device.board);
        writeln!(
            f,
            "data: {}; board: {board}, emulated; {:.0} s in all",
            self.data.data_reason, self.seconds
        )?;
        for Network { model, checkpoint, .. } in &self.networks {
            writeln!(f, "{}  {}", model.display(), checkpoint.display())?;
        }
        write!(f, "learning curves: {}", self.curves.display())
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    let started = Instant::now();
    let folder = args.out.clone().unwrap_or_else(default_folder);
    destination::make_folder(&folder)?;
    let board = Board::default();
    set_up(board)?;
    let (dataset, source, data) = load_source(args.data.source())?;
    let demonstration =
        Demonstration { board, quick: args.quick, folder: &folder, dataset: &dataset, source: &source };
    let networks: Vec<_> =
        CellKind::ALL.into_iter().map(|cell| demonstration.network(cell)).collect::<Result<_, _>>()?;
    let curves = folder.join("curves.svg");
    let histories: Vec<_> =
        networks.iter().map(|network| Curve { name: network.cell, history: &network.history }).collect();
    learning_curves(&curves, &histories)?;
    Ok(Report { networks, curves, quick: args.quick, seconds: started.elapsed().as_secs_f64(), data })
}

/// `target/refrain` of the source tree that this program was compiled from, where that is still there.
fn default_folder() -> PathBuf {
    let source_tree = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    match source_tree.filter(|tree| tree.join("Cargo.toml").is_file()) {
        Some(tree) => tree.join("target").join("refrain"),
        None => "refrain-out".into(),
    }
}

/// What all three networks share.
struct Demonstration<'a> {
    board: Board,
    quick: bool,
    folder: &'a Path,
    dataset: &'a Dataset,
    source: &'a Source,
}

impl Demonstration<'_> {
    /// Takes one cell the whole way.
    fn network(&self, cell: CellKind) -> Result<Network, CliError> {
        let path = |extension| self.folder.join(format!("{cell}.{extension}"));
        let (checkpoint, model) = (path("ckpt"), path("rfn"));
        let options = Options { epochs: self.quick.then_some(QUICK_EPOCHS), ..Options::new(cell) };
        let run = path("run");
        let job = Job { options: &options, source: self.source, out: &checkpoint, folder: &run };
        let Finished { trained, recorder, .. } = job.run(Start::New(Earlier::Replace), self.dataset)?;
        let job = export::Job {
            checkpoint: &checkpoint,
            model: &model,
            name: None,
            numbers: Numbers::Int8,
            blank_states: BlankStates::Auto,
            fine_tuning: 0,
        };
        let exported = job.run(&trained.checkpoint, self.dataset)?;
        recorder.exported(&exported, &model)?;
        let test = self.dataset.test().view();
        let samples = if self.quick { test.first(QUICK_SAMPLES) } else { test };
        let device = device::classify(&Target::Emulated(self.board), Via::Memory, &exported.file, samples)?;
        recorder.on_device(&device)?;
        device::check_match(&device)?;
        Ok(Network {
            cell: cell.name(),
            params: trained.checkpoint.network.parameter_count(),
            epochs: trained.checkpoint.epochs,
            training_seconds: trained.seconds,
            history: trained.history,
            f32_accuracy: exported.before.accuracy,
            int8_accuracy: exported.after.accuracy,
            f32_scores: exported.before,
            int8_scores: exported.after,
            same_class: exported.same_class,
            host_matches: device.host_matches,
            model_bytes: exported.bytes,
            instructions_per_inference: device.instructions_per_inference,
            device,
            checkpoint,
            run,
            model,
        })
    }
}
