//! One file, one sequence: its columns, its numbers and, where it has them, a target for each timestep.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::layout::{Entry, Outside};
use super::table::{Number, Row, Table, check_distinct, parse, parse_finite};
use super::{CsvFault, LABEL, TARGET};
use crate::data::DataError;
use crate::data::builder::ValuesBuilder;

/// What the columns of every file are.
#[derive(Debug, PartialEq)]
pub(super) struct Columns {
    /// Their names; none where the files have no header.
    names: Vec<String>,
    width: usize,
    /// The column of labels.
    label: Option<usize>,
    /// The columns of values to be learnt.
    targets: Vec<usize>,
    /// The columns of features.
    features: Vec<usize>,
}

impl Columns {
    fn new(names: Vec<String>, width: usize) -> Result<Self, CsvFault> {
        if let Some(column) = names.iter().position(String::is_empty) {
            return Err(CsvFault::Unnamed { column: column + 1 });
        }
        check_distinct(&names)?;
        let label = names.iter().position(|name| name == LABEL);
        let is_target = |index: &usize| names.get(*index).is_some_and(|name| name.starts_with(TARGET));
        let (targets, rest): (Vec<_>, Vec<_>) = (0..width).partition(is_target);
        let features: Vec<_> = rest.into_iter().filter(|index| Some(*index) != label).collect();
        if label.is_some() && !targets.is_empty() {
            return Err(CsvFault::LabelAndTargets);
        }
        if features.is_empty() {
            return Err(CsvFault::NoFeatures);
        }
        Ok(Self { names, width, label, targets, features })
    }

    /// The column that gives each timestep a target, if there is one.
    fn per_step(&self) -> Option<&str> {
        self.label.or(self.targets.first().copied()).map(|index| self.names[index].as_str())
    }

    /// How many features a timestep has.
    pub(super) fn inputs(&self) -> usize {
        self.features.len()
    }

    /// Names of the features; none where the files have no header.
    pub(super) fn features(&self) -> Vec<String> {
        self.features.iter().filter_map(|&index| self.names.get(index).cloned()).collect()
    }

    /// Names of the values to be learnt at each timestep.
    pub(super) fn targets(&self) -> Vec<String> {
        self.targets.iter().map(|&index| self.names[index].clone()).collect()
    }

    fn in_words(&self) -> String {
        if self.names.is_empty() { format!("{} without names", self.width) } else { self.names.join(", ") }
    }
}

/// The names of all labels met so far, each with a number of its own.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.numbers.len();
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// The name of each number.
    pub(super) fn by_number(&self) -> Vec<&str> {
        let mut names = vec![""; self.numbers.len()];
        self.numbers.iter().for_each(|(name, &number)| names[number] = name);
        names
    }
}

/// The sequences of one part.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) values: ValuesBuilder,
    pub(super) lengths: Vec<usize>,
    /// The file of each sequence.
    pub(super) files: Vec<PathBuf>,
    /// Numbers in [`Names`], one for each sequence or timestep.
    pub(super) labels: Vec<usize>,
    /// One row for each sequence or timestep.
    pub(super) targets: Vec<f32>,
    /// The first file in which each label was met.
    pub(super) met_in: BTreeMap<usize, PathBuf>,
}

/// Reads files, which must all have the columns of the first one.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) names: Names,
    columns: Option<(PathBuf, Columns)>,
}

impl Reader {
    /// The columns of all files; `None` before the first was read.
    pub(super) fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref().map(|(_, columns)| columns)
    }

    /// Whether each timestep has a target.
    pub(super) fn per_step(&self) -> bool {
        self.columns().is_some_and(|columns| columns.per_step().is_some())
    }

    /// Reads one sequence and appends it.
    pub(super) fn read(
        &mut self,
        entry: &Entry,
        indexed: bool,
        into: &mut Collected,
    ) -> Result<(), DataError> {
        let path = entry.path.as_path();
        let fault = DataError::csv(path);
        let mut table = Table::open(path)?;
        let first = table.next_row()?.ok_or_else(|| fault(CsvFault::NoTimesteps))?;
        check_separator(&first).map_err(&fault)?;
        let (header, mut row) =
            if is_header(&first) { (Some(first), table.next_row()?) } else { (None, Some(first)) };
        let width = header.as_ref().or(row.as_ref()).map_or(0, |row| row.fields.len());
        let names = header.map_or_else(Vec::new, |header| header.fields);
        self.learn(path, Columns::new(names, width).map_err(&fault)?)?;
        let columns = &self.columns.as_ref().expect("learnt from this file at the latest").1;
        match (&entry.outside, columns.per_step()) {
            (Outside::Nothing, None) => return Err(fault(CsvFault::NoTarget)),
            (Outside::Nothing, Some(_)) | (Outside::Label(_) | Outside::Values(_), None) => {}
            (_, Some(column)) => {
                let other = if indexed { "the index" } else { "its sub-folder" };
                return Err(fault(CsvFault::TwoTargets { column: column.into(), other }));
            }
        }
        let mut length = 0;
        while let Some(timestep) = row {
            append(columns, &timestep, &mut self.names, path, into).map_err(&fault)?;
            length += 1;
            row = table.next_row()?;
        }
        if length == 0 {
            return Err(fault(CsvFault::NoTimesteps));
        }
        into.lengths.push(length);
        into.files.push(path.into());
        match &entry.outside {
            Outside::Label(label) => into.label(self.names.number(label), path),
            Outside::Values(values) => into.targets.extend(values),
            Outside::Nothing => {}
        }
        Ok(())
    }

    /// Takes the columns of the first file, and refuses others in later ones.
    fn learn(&mut self, path: &Path, columns: Columns) -> Result<(), DataError> {
        match &self.columns {
            Some((first, expected)) if *expected != columns => {
                let (found, expected) = (columns.in_words(), expected.in_words());
                Err(DataError::csv(path)(CsvFault::OtherColumns { found, first: first.clone(), expected }))
            }
            Some(_) => Ok(()),
            None => {
                self.columns = Some((path.into(), columns));
                Ok(())
            }
        }
    }
}

impl Collected {
    fn label(&mut self, number: usize, path: &Path) {
        self.labels.push(number);
        self.met_in.entry(number).or_insert_with(|| path.into());
    }
}

/// Refuses a first line with what other programs write between columns: all of it would be one name, or no number.
fn check_separator(first: &Row) -> Result<(), CsvFault> {
    let holds = |sign| first.fields.iter().any(|field| field.contains(sign));
    let found = [(';', "semicolon"), ('\t', "tab")].into_iter().find(|(sign, _)| holds(*sign));
    found.map_or(Ok(()), |(_, found)| Err(CsvFault::Separator { line: first.line, found }))
}

/// Whether a first line names columns: some field is neither empty nor a number.
fn is_header(row: &Row) -> bool {
    row.fields.iter().any(|field| !field.is_empty() && field.parse::<f64>().is_err())
}

/// Appends one timestep.
fn append(
    columns: &Columns,
    row: &Row,
    names: &mut Names,
    path: &Path,
    into: &mut Collected,
) -> Result<(), CsvFault> {
    for &index in &columns.features {
        match parse(row, index, &columns.names)? {
            Number::Float(float) => into.values.push_float(float),
            Number::Integer(integer) => {
                if !into.values.push_integer(integer) {
                    let (line, column) = (row.line, super::table::column(index, &columns.names));
                    return Err(CsvFault::Inexact { line, column, found: integer.to_string() });
                }
            }
        }
    }
    if let Some(index) = columns.label {
        match row.fields[index].as_str() {
            "" => return Err(CsvFault::EmptyCell { line: row.line, column: LABEL }),
            label => into.label(names.number(label), path),
        }
    }
    for &index in &columns.targets {
        into.targets.push(parse_finite(row, index, &columns.names)?);
    }
    Ok(())
}
