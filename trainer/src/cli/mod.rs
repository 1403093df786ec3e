//! The command line: arguments, dispatch and exit statuses.
//!
//! A command is a file with its `Args` and a `run` that returns a report; [`output`] prints that as JSON or for people.
//! Progress, notes and errors go to stderr, so that stdout holds the report and nothing else.

mod classifier;
mod data;
mod demo;
mod destination;
mod device;
mod error;
mod eval;
mod export;
mod inspect;
mod interrupt;
mod make_data;
mod monitor;
mod output;
mod progress;
mod report;
mod scores;
mod train;
mod training;
mod training_progress;
mod update;
mod validate;

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, RangedI64ValueParser, TypedValueParser};
use clap::{Parser, Subcommand};
use refrain::CellKind;

use error::CliError;

const EXAMPLES: &str = "\
Examples:
  refrain demo --quick                      the whole way with all three cells, in a minute
  refrain train lstm --out lstm.ckpt        train on MNIST, or on drawn digits where there is none
  refrain export lstm.ckpt --out lstm.rfn   quantise to int8
  refrain device lstm.rfn --limit 200       run it on an emulated Cortex-M4 and compare every logit
  refrain monitor lstm.rfn --data digits    stream rows to it in real time and watch
  refrain report lstm.run                   one HTML page on a run, or on several
  refrain update lstm.rfn --revision 2      put it in the place of the model on a board

Each command explains itself: refrain train --help";

/// Recurrent networks for microcontrollers: train, quantise, and run on a Cortex-M
#[derive(Debug, Parser)]
#[command(name = "refrain", version, after_help = EXAMPLES)]
struct Cli {
    /// Print one JSON object on stdout and nothing else there; progress and errors stay on stderr
    #[arg(long, global = true, display_order = 100)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Train(train::Args),
    Export(export::Args),
    Eval(eval::Args),
    Inspect(inspect::Args),
    Device(device::Args),
    Validate(validate::Args),
    Monitor(monitor::Args),
    Data(make_data::Args),
    Report(report::Args),
    Update(update::Args),
}

/// Runs the command that the program's arguments name.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("error: {error}"));
            error.exit_code()
        }
    }
}

fn run(Cli { json, command }: Cli) -> Result<(), CliError> {
    interrupt::install().map_err(CliError::Signal)?;
    match command {
        Command::Demo(args) => output::print(json, &demo::run(&args)?),
        Command::Train(args) => output::print(json, &train::run(&args)?),
        Command::Export(args) => output::print(json, &export::run(&args)?),
        Command::Eval(args) => output::print(json, &eval::run(&args)?),
        Command::Data(args) => output::print(json, &make_data::run(&args)?),
        Command::Inspect(args) => output::print(json, &inspect::run(&args)?),
        Command::Device(args) => {
            let report = device::run(&args)?;
            output::print(json, &report)?;
            report.verdict()
        }
        Command::Validate(args) => {
            let report = validate::run(&args)?;
            output::print(json, &report)?;
            report.verdict()
        }
        Command::Monitor(args) => output::print(json, &monitor::run(&args)?),
        Command::Report(args) => output::print(json, &report::run(&args)?),
        Command::Update(args) => output::print(json, &update::run(&args)?),
    }
}

/// Prints the help that was asked for, or one sentence on what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        output::note(format_args!("{}", one_sentence(&error.render().to_string())));
    } else if error.print().is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

/// Puts clap's paragraphs into one line; how the command is used and where help is are left to `--help`.
fn one_sentence(rendered: &str) -> String {
    let is_wanted = |paragraph: &&str| {
        !paragraph.is_empty() && !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more")
    };
    let in_one_line = |paragraph: &str| {
        let mut lines = paragraph.lines().map(str::trim);
        let first = lines.next().unwrap_or_default().to_owned();
        let rest: Vec<_> = lines.collect();
        if rest.is_empty() { first } else { format!("{first} {}", rest.join(", ")) }
    };
    let paragraphs: Vec<_> =
        rendered.split("\n\n").map(str::trim).filter(is_wanted).map(in_one_line).collect();
    format!("{} (more by --help)", paragraphs.join("; "))
}

/// Reads a cell's name, and lists the cells that there are.
fn cell_parser() -> impl TypedValueParser<Value = CellKind> {
    PossibleValuesParser::new(CellKind::ALL.map(CellKind::name))
        .map(|name| CellKind::from_name(&name).expect("one of the names of all cells"))
}

/// Reads a number from 1 to `most`.
fn count_parser<N>(most: usize) -> RangedI64ValueParser<N>
where
    N: TryFrom<i64> + Clone + Send + Sync,
    N::Error: Send + Sync + Into<Box<dyn std::error::Error + Send + Sync>>,
{
    RangedI64ValueParser::new().range(1..=most as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("refrain {}", command.get_name())), "{}", command.get_name());
        }
    }

    fn sentence(arguments: &str) -> String {
        let error = Cli::try_parse_from(arguments.split(' ')).unwrap_err();
        one_sentence(&error.render().to_string())
    }

    #[test]
    fn wrong_arguments_are_told_in_one_line() {
        let unknown = sentence("refrain train lsmt --out f.ckpt");
        assert_eq!(
            unknown,
            "error: invalid value 'lsmt' for '[CELL]' [possible values: simple-rnn, lstm, gru]; tip: a similar value \
             exists: 'lstm' (more by --help)"
        );
        let missing = sentence("refrain train");
        assert!(missing.contains("required arguments were not provided: --out <FILE>, <CELL>"), "{missing}");
        let surplus = sentence("refrain inspect m.rfn --fast");
        assert!(surplus.starts_with("error: unexpected argument '--fast' found"), "{surplus}");
        for text in [unknown, missing, surplus, sentence("refrain train lstm --units 0 --out f.ckpt")] {
            assert!(!text.contains('\n') && !text.contains("Usage"), "{text}");
        }
    }
}
