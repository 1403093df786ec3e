//! `refrain update`: another model in the place of one on the board.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use refrain_trainer::device::{
    Board, Revision, Target, Update, UpdateReport, UpdateStage, UsedModel, update,
};
use serde::Serialize;

use super::classifier::load_model;
use super::error::CliError;
use super::output::{table, thousands};
use super::progress::{Counter, Spinner};

const EXAMPLES: &str = "\
Examples:
  refrain update lstm.rfn --revision 2 --port /dev/ttyACM0      on a real board that runs the firmware
  refrain update lstm.rfn --revision 2 --port /dev/ttyACM0 --replaces gestures
  refrain update lstm.rfn --revision next --port /dev/ttyACM0   while you try things out
  refrain update new.rfn --revision 1 --built-in old.rfn        on an emulated board, to see how it goes

The board keeps the old model until the new one is there whole and passes its self-test, and goes back to it if the new one
goes bad. An upload that was cut short goes on where it was: give the same command again. The new model must be of the cell,
numbers, shape, rows and kind of outputs of the one that it replaces; otherwise build firmware around it.

Number the models that you release. A board takes only a greater revision than the one it uses, so that no old model comes
back by mistake; the model that its firmware was built with is revision 0. With --revision next there is no such guard.";

/// Put a model in the place of one on a board, without flashing firmware
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A model file that refrain export wrote
    #[arg(value_name = "M.rfn")]
    model: PathBuf,
    /// As which revision: a number greater than that of the model in use, or next
    #[arg(long, value_name = "N|next")]
    revision: RevisionArg,
    /// Name or number of the model on the board whose place it takes; by default that of the same name, or the only one
    #[arg(long, value_name = "NAME|NUMBER")]
    replaces: Option<String>,
    /// The board that QEMU emulates
    #[arg(long, value_name = "NAME", default_value_t = Board::default())]
    board: Board,
    /// The serial port of a real board, instead of an emulated one
    #[arg(long, value_name = "/dev/tty...", conflicts_with = "board")]
    port: Option<String>,
    /// The model that the emulated board's firmware is built with; by default the new one
    #[arg(long, value_name = "OLD.rfn", conflicts_with = "port")]
    built_in: Option<PathBuf>,
}

/// A revision on the command line.
#[derive(Clone, Copy, Debug)]
struct RevisionArg(Revision);

impl FromStr for RevisionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("next", _) => Ok(Self(Revision::Next)),
            (_, Ok(revision @ 1..u32::MAX)) => Ok(Self(Revision::Number(revision))),
            (_, Ok(u32::MAX)) => {
                Err("it is the greatest there is, so no model could ever take that one's place".into())
            }
            _ => Err("expected a number from 1 to 4294967294, or next".into()),
        }
    }
}

/// What came of an update.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Report(UpdateReport);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = &self.0;
        let used = |used: &UsedModel| {
            let UsedModel { name, source, revision, crc32 } = used;
            format!("{name}, {source}, revision {revision}, CRC-32 {crc32}")
        };
        let mut facts = table([&format!("model {}", report.model), &report.board]);
        let mut fact = |name: &str, value: String| {
            facts.add_row([name.to_owned(), value]);
        };
        fact("before", used(&report.before));
        fact("now", used(&report.now));
        match report.already_there {
            true => fact("uploaded", "nothing: the board has this revision already".into()),
            false => {
                let new = report.bytes.saturating_sub(report.resumed_bytes as usize);
                fact("uploaded (bytes)", thousands(new));
                fact("were there already (bytes)", thousands(report.resumed_bytes));
                fact("seconds", format!("{:.1}", report.seconds));
                fact("interruptions", report.interruptions.to_string());
            }
        }
        fact("asked again", report.retries.to_string());
        fact(
            "logits of a trial",
            if report.host_matches { "as on the host" } else { "NOT THE HOST'S" }.into(),
        );
        write!(f, "{facts}")
    }
}

pub(super) fn run(args: &Args) -> Result<Report, CliError> {
    let file = load_model(&args.model)?;
    let built_in = args.built_in.as_deref().map(load_model).transpose()?;
    let (target, preparing) = match &args.port {
        Some(port) => (Target::Port(port.clone()), format!("opening {port}")),
        None => (Target::Emulated(args.board), format!("building firmware for {}", args.board)),
    };
    let wanted = Update {
        file: &file,
        revision: args.revision.0,
        replaces: args.replaces.as_deref(),
        built_in: built_in.as_ref(),
    };
    let (mut spinner, mut counter) = (None, None);
    let mut show = |stage| match stage {
        UpdateStage::Preparing => spinner = Some(Spinner::new(&preparing)),
        UpdateStage::Uploading { done, total } => {
            spinner = None;
            counter.get_or_insert_with(|| Counter::new("bytes on the board", total)).set(done as usize);
        }
        UpdateStage::Restarting => {
            counter = None;
            spinner = Some(Spinner::new("starting the board again"));
        }
    };
    Ok(Report(update(&target, &wanted, &mut show)?))
}
