//! Reads a folder of CSV files: one sequence a file, one timestep a line.
//!
//! A first line that is not all numbers names the columns; every file has the same ones. What is to be learnt of a
//! sequence is said in one of three ways:
//!
//! - by sub-folders: `FOLDER/CLASS/*.csv`, or `FOLDER/{train,val,test}/CLASS/*.csv`;
//! - by an index, `FOLDER/index.csv`, with a column `file` and a column `label`, or columns whose names begin with
//!   `target` (values to be learnt), and if wanted a column `split` of `train`, `val` and `test`;
//! - by the files themselves, for each timestep: a column `label`, or columns whose names begin with `target`. They lie
//!   in `FOLDER` or `FOLDER/{train,val,test}`, or are listed in the index.
//!
//! Integers stay 16-bit integers where all fit, otherwise all are floats. Files are taken in the order of their names,
//! classes in that of theirs (by number where all are numbers). Without files to test on or to validate with, some of
//! the training sequences are held out.

mod fault;
mod index;
mod layout;
mod sequence;
mod table;

use std::path::{Path, PathBuf};

use ndarray::Array2;

pub use fault::CsvFault;
pub(crate) use layout::is_csv_folder;

use super::assemble::{Parts, assemble};
use super::{DataError, Dataset, Sequences, Split, Targets};
use layout::Part;
use sequence::{Collected, Columns, Reader};

/// The column of labels.
const LABEL: &str = "label";
/// How the names of columns of values to be learnt begin.
const TARGET: &str = "target";

/// Reads a data set, and what the user should know of it: a sentence each.
///
/// # Errors
/// Whatever is wrong with the folder or a file; see [`DataError`] and [`CsvFault`].
pub fn read(folder: &Path) -> Result<(Dataset, Vec<String>), DataError> {
    let fault = DataError::csv(folder);
    let layout = layout::find(folder)?;
    let mut reader = Reader::default();
    let [mut train, mut validation, mut test] = [const { None }; 3];
    for entry in &layout.entries {
        let part = match entry.part {
            Part::Train => &mut train,
            Part::Validation => &mut validation,
            Part::Test => &mut test,
        };
        reader.read(entry, layout.indexed, part.get_or_insert_with(Collected::default))?;
    }
    let (Some(train), Some(columns)) = (train, reader.columns()) else {
        return Err(fault(CsvFault::NoTraining));
    };
    let outputs = if layout.outputs.is_empty() { columns.targets() } else { layout.outputs };
    let classes = Classes::of(&train, &reader).map_err(&fault)?;
    let split = |part: Collected| classes.split(part, columns, outputs.len(), reader.per_step(), folder);
    let parts = Parts {
        name: folder
            .file_name()
            .map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into()),
        classes: classes.names.clone(),
        features: columns.features(),
        outputs: outputs.clone(),
        train: split(train)?,
        validation: validation.map(split).transpose()?,
        test: test.map(split).transpose()?,
    };
    let (dataset, mut notes) = assemble(parts)?;
    notes.extend(unused(&layout.unused));
    notes.extend(classes.skipped().map(|skipped| format!("{}: {skipped}", folder.display())));
    Ok((dataset, notes))
}

/// A sentence about folders and files beside `train` that nothing was done with.
fn unused(paths: &[PathBuf]) -> Option<String> {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let are_no_parts = "beside the folder train only val and test are read";
    (!paths.is_empty()).then(|| format!("nothing was done with {}: {are_no_parts}", paths.join(", ")))
}

/// The classes that training sequences have.
struct Classes {
    /// In the order of the labels.
    names: Vec<String>,
    /// The label of each number that the reader gave a name; `None` where no training sequence has it.
    labels: Vec<Option<u8>>,
    /// The name of each of those numbers.
    numbered: Vec<String>,
}

impl Classes {
    fn of(train: &Collected, reader: &Reader) -> Result<Self, CsvFault> {
        let numbered = reader.names.by_number();
        let mut numbers: Vec<usize> = train.met_in.keys().copied().collect();
        let value = |number: usize| numbered[number].parse::<i64>().ok();
        let all_numbers = numbers.iter().all(|&number| value(number).is_some());
        numbers.sort_by_key(|&number| (value(number).filter(|_| all_numbers), numbered[number]));
        if numbers.len() > 256 {
            return Err(CsvFault::Classes { found: numbers.len() });
        }
        let label = |number| numbers.iter().position(|&known| known == number).map(|label| label as u8);
        Ok(Self {
            names: numbers.iter().map(|&number| numbered[number].to_owned()).collect(),
            labels: (0..numbered.len()).map(label).collect(),
            numbered: numbered.into_iter().map(str::to_owned).collect(),
        })
    }

    fn split(
        &self,
        part: Collected,
        columns: &Columns,
        outputs: usize,
        per_step: bool,
        folder: &Path,
    ) -> Result<Split, DataError> {
        let unknown = part.met_in.iter().find(|(number, _)| self.labels[**number].is_none());
        if let Some((&number, path)) = unknown {
            let (label, classes) = (self.numbered[number].clone(), self.names.join(", "));
            return Err(DataError::csv(path)(CsvFault::UnknownClass { label, classes }));
        }
        let targets = match outputs {
            0 => Targets::Labels(part.labels.iter().filter_map(|&number| self.labels[number]).collect()),
            _ => {
                let rows = part.targets.len() / outputs;
                Targets::Values(Array2::from_shape_vec((rows, outputs), part.targets).expect("whole rows"))
            }
        };
        let sequences = Sequences::ragged(part.values.finish(), columns.inputs(), &part.lengths);
        let name = |file: &PathBuf| file.strip_prefix(folder).unwrap_or(file).display().to_string();
        let names = part.files.iter().map(name).collect();
        Ok(Split::new(sequences, targets, per_step, folder, folder)?.named(names))
    }

    /// A sentence about numbers that are no class, where classes are called by numbers.
    fn skipped(&self) -> Option<String> {
        let numbers = self.names.iter().map(|name| name.parse::<i64>().ok()).collect::<Option<Vec<_>>>()?;
        let (first, last) = (numbers.first()?, numbers.last()?);
        let count = last.checked_sub(*first)?.checked_add(1)?;
        let skipped = count.checked_sub(numbers.len() as i64)?;
        (skipped > 0).then(|| {
            format!("the labels are numbers from {first} to {last} and skip {skipped} of them; each is a name here, so \
                     that is no harm if it is meant")
        })
    }
}
