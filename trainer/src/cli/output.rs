//! Reports on stdout, notes on stderr.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::error::CliError;

/// Prints a report: one line of JSON, or its text.
pub(super) fn print<R: Serialize + Display>(json: bool, report: &R) -> Result<(), CliError> {
    let text = match json {
        true => serde_json::to_string(report).expect("a report has only names for keys"),
        false => report.to_string(),
    };
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush()).map_err(CliError::Stdout)
}

/// Writes a line to stderr. That nobody reads it is no reason to stop the work.
pub(super) fn note(line: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// An empty table in the look of all tables here.
pub(super) fn table<T: Into<Cell>>(header: impl IntoIterator<Item = T>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.into_iter().map(Into::into).collect::<Vec<Cell>>());
    table
}

/// A [`table`] whose columns hold numbers, set to the right, but for the first.
pub(super) fn number_table<T: Into<Cell>>(header: impl IntoIterator<Item = T>) -> Table {
    let mut table = table(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A part of one as a percentage: `0.98765` is `98.77 %`.
pub(super) fn percent(part: f64) -> String {
    format!("{:.2} %", 100.0 * part)
}

/// A whole number with its thousands apart: `24,714`.
pub(super) fn thousands(number: impl TryInto<u64>) -> String {
    number.try_into().map_or_else(|_| "?".into(), |number| indicatif::HumanCount(number).to_string())
}
