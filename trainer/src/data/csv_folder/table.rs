//! Rows of a CSV file, with the line that each stands in.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::CsvFault;
use crate::data::DataError;

/// A file that was read and whose rows are yet to be told apart.
pub(super) struct Table {
    path: PathBuf,
    reader: csv::Reader<Cursor<Vec<u8>>>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// The line that it begins in, from 1.
    pub(super) line: u64,
    /// Its fields, without the space around them.
    pub(super) fields: Vec<String>,
}

impl Table {
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let bytes = fs::read(path).map_err(DataError::io(path, "open it"))?;
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.has_headers(false).trim(csv::Trim::All).from_reader(Cursor::new(bytes));
        Ok(Self { path: path.into(), reader })
    }

    /// The next row that is not empty; `None` after the last one.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, DataError> {
        let mut record = csv::StringRecord::new();
        match self.reader.read_record(&mut record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let fields = record.iter().map(str::to_owned).collect();
                Ok(Some(Row { line: self.line(record.position()), fields }))
            }
            Err(error) => {
                let fault = match error.kind() {
                    csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
                        let line = self.line(pos.as_ref());
                        CsvFault::Ragged { line, found: *len, expected: *expected_len }
                    }
                    _ => CsvFault::Unreadable(error),
                };
                Err(DataError::csv(&self.path)(fault))
            }
        }
    }

    /// The line of a row, from 1: its position is that of the empty lines before it, if there are any.
    fn line(&self, position: Option<&csv::Position>) -> u64 {
        let Some(position) = position else { return 1 };
        let rest = self.reader.get_ref().get_ref().get(position.byte() as usize..).unwrap_or_default();
        let empty =
            rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|&&byte| byte == b'\n');
        position.line() + empty.count() as u64
    }
}

/// A number as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    Float(f32),
}

/// Field number `index` of a row as a number; `names` are those of the columns.
pub(super) fn parse(row: &Row, index: usize, names: &[String]) -> Result<Number, CsvFault> {
    let field = &row.fields[index];
    if let Ok(integer) = field.parse() {
        return Ok(Number::Integer(integer));
    }
    let (line, column, found) = (row.line, column(index, names), field.clone());
    match field.parse::<f32>() {
        Ok(float) if float.is_finite() => Ok(Number::Float(float)),
        Ok(_) => Err(CsvFault::NotFinite { line, column, found }),
        Err(_) => Err(CsvFault::NotANumber { line, column, found }),
    }
}

/// Refuses names of columns of which two are the same.
pub(super) fn check_distinct(names: &[String]) -> Result<(), CsvFault> {
    let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
    twice.map_or(Ok(()), |(_, name)| Err(CsvFault::ColumnTwice { name: name.clone() }))
}

/// A column by its number, from 1, and by its name where it has one.
pub(super) fn column(index: usize, names: &[String]) -> String {
    match names.get(index) {
        Some(name) => format!("{} ({name})", index + 1),
        None => (index + 1).to_string(),
    }
}

/// The same as a float.
pub(super) fn parse_finite(row: &Row, index: usize, names: &[String]) -> Result<f32, CsvFault> {
    Ok(match parse(row, index, names)? {
        Number::Integer(integer) => integer as f32,
        Number::Float(float) => float,
    })
}
