//! The index of a folder of CSV files: which sequences there are, what is to be learnt of each, and which part it is of.

use std::collections::BTreeMap;
use std::path::Path;

use super::layout::{Entry, INDEX, Layout, Outside, Part};
use super::table::{Table, check_distinct, parse_finite};
use super::{CsvFault, LABEL, TARGET};
use crate::data::DataError;

/// Reads `index.csv` in `folder`.
pub(super) fn read(folder: &Path) -> Result<Layout, DataError> {
    let path = folder.join(INDEX);
    let fault = DataError::csv(&path);
    let mut table = Table::open(&path)?;
    let Some(header) = table.next_row()? else { return Err(fault(CsvFault::NoTraining)) };
    let names: Vec<String> = header.fields;
    check_distinct(&names).map_err(&fault)?;
    let column = |wanted: &str| names.iter().position(|name| name == wanted);
    let missing = |wanted| fault(CsvFault::NoColumn { wanted, found: names.join(", ") });
    let file = column("file").ok_or_else(|| missing("file"))?;
    let (label, part) = (column(LABEL), column("split"));
    let targets: Vec<usize> = (0..names.len()).filter(|&index| names[index].starts_with(TARGET)).collect();
    if label.is_some() && !targets.is_empty() {
        return Err(fault(CsvFault::LabelAndTargets));
    }
    let outputs = targets.iter().map(|&index| names[index].clone()).collect();
    let mut layout = Layout { outputs, indexed: true, ..Layout::default() };
    let mut parts = BTreeMap::new();
    while let Some(row) = table.next_row()? {
        let line = row.line;
        let cell = |index: usize, column| match row.fields[index].as_str() {
            "" => Err(fault(CsvFault::EmptyCell { line, column })),
            cell => Ok(cell),
        };
        let part = match part {
            None => Part::Train,
            Some(index) => {
                let word = cell(index, "split")?;
                let unknown = || fault(CsvFault::UnknownSplit { line, found: word.into() });
                Part::of(word).ok_or_else(unknown)?
            }
        };
        let outside = match label {
            Some(index) => Outside::Label(cell(index, LABEL)?.into()),
            None if targets.is_empty() => Outside::Nothing,
            None => {
                let value = |&index: &usize| parse_finite(&row, index, &names).map_err(&fault);
                Outside::Values(targets.iter().map(value).collect::<Result<_, _>>()?)
            }
        };
        let name = cell(file, "file")?;
        if *parts.entry(name.to_owned()).or_insert(part) != part {
            return Err(fault(CsvFault::TwoSplits { line, found: name.into() }));
        }
        layout.entries.push(Entry { path: folder.join(name), part, outside });
    }
    Ok(layout)
}
