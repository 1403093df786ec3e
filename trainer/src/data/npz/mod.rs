//! Reads and writes data sets as NumPy's `.npz` files (`np.savez`, `np.savez_compressed`).
//!
//! | array | shape | what it is |
//! | --- | --- | --- |
//! | `x_train` | `[N, timesteps, inputs]` | integers or floats; `uint8` stays bytes, other integers become 16-bit ones where they fit |
//! | `y_train` | `[N]` | integers or strings: the class of each sequence; floats: a value for each sequence |
//! | | `[N, outputs]` | floats: values for each sequence |
//! | | `[N, timesteps]` | integers or strings: the class at each timestep |
//! | | `[N, timesteps, outputs]` | floats: values at each timestep |
//! | `x_val`, `y_val`, `x_test`, `y_test` | the same | optional: without them, training sequences are held out |
//! | `lengths_train`, `lengths_val`, `lengths_test` | `[N]` | optional: how many timesteps of each padded sequence count |
//! | `classes` | `[classes]` | optional strings: the names of the classes; without them labels may not skip numbers |
//! | `features`, `outputs` | `[inputs]`, `[outputs]` | optional strings: what the features and the values are called |
//! | `task` | one string | optional: `classification`, `regression`, `per-step-classification` or `per-step-regression`, where types and shapes leave it open |
//!
//! NaN is no padding: it is refused wherever `lengths_*` do not leave it out. Both orders of axes and of bytes are
//! read.

mod array;
mod directory;
mod fault;
mod header;
mod meaning;
mod write;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use ndarray::Array2;
use zip::ZipArchive;
use zip::result::ZipError;

pub use fault::NpzFault;
pub use write::{Column, write};

use super::assemble::{Parts, assemble};
use super::dataset::numbered_classes;
use super::{DataError, Dataset, Sequences, Split, Targets, Values};
use array::{Array, Elements, in_python};
use directory::name_twice;
use meaning::{Labels, Meaning, TaskWord, lengths_of};

/// The three parts, as the names of arrays end.
const PARTS: [&str; 3] = ["train", "val", "test"];

/// Whether a file begins as a zip archive does.
///
/// # Errors
/// [`DataError::Io`].
pub(super) fn is_zip(path: &Path) -> Result<bool, DataError> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    read.map_err(DataError::io(path, "read it"))?;
    Ok(start.starts_with(b"PK"))
}

/// Reads a data set, and what the user should know of it: a sentence each.
///
/// # Errors
/// Whatever is wrong with the file; see [`DataError`] and [`NpzFault`].
pub fn read(path: &Path) -> Result<(Dataset, Vec<String>), DataError> {
    let mut archive = Archive::open(path)?;
    let classes = archive.strings("classes")?;
    let features = archive.strings("features")?.unwrap_or_default();
    let outputs = archive.strings("outputs")?.unwrap_or_default();
    let task = archive.strings("task")?;
    let task = task.map(|words| TaskWord::of(&words)).transpose().map_err(|fault| archive.error(fault))?;

    let [train, validation, test] = PARTS.map(|part| archive.part(part, &features));
    let train = train?.ok_or_else(|| archive.missing("x_train"))?;
    let [validation, test] = [validation?, test?];
    let fault = DataError::npz(path);
    let meaning = train.meaning(task).map_err(&fault)?;
    let mut labels = Labels::new(classes).map_err(&fault)?;
    labels.learn(&train.y).map_err(&fault)?;
    let split = |part: Part| part.split(path, meaning, &labels);
    let train = split(train)?;
    let [validation, test] = [validation, test].map(|part| part.map(split).transpose());
    let classes = match (train.labels(), labels.names()) {
        (Some(_), Some(names)) => names.to_vec(),
        (Some(labels), None) => numbered_classes(labels, train.targets_from())?,
        (None, _) => Vec::new(),
    };
    check_names("features", &features, train.inputs()).map_err(&fault)?;
    if let Targets::Values(values) = train.targets() {
        check_names("outputs", &outputs, values.ncols()).map_err(&fault)?;
    }
    let name =
        path.file_stem().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
    let parts = Parts { name, classes, features, outputs, train, validation: validation?, test: test? };
    let (dataset, mut notes) = assemble(parts)?;
    notes.extend(archive.unused());
    Ok((dataset, notes))
}

/// Refuses names of which there are not as many as columns, unless there are none.
fn check_names(array: &str, names: &[String], columns: usize) -> Result<(), NpzFault> {
    if names.is_empty() || names.len() == columns {
        return Ok(());
    }
    Err(NpzFault::Shape {
        array: array.into(),
        found: in_python(&[names.len()]),
        expected: format!("there are {columns} to be named"),
    })
}

/// An open file.
struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    /// The arrays that were not asked for yet.
    unused: BTreeSet<String>,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io(path, "open it"))?;
        let fault = |error| match error {
            ZipError::Io(source) => DataError::Io { path: path.into(), action: "read it", source },
            error => DataError::npz(path)(NpzFault::NotZip(error)),
        };
        let zip = ZipArchive::new(BufReader::with_capacity(1 << 16, file)).map_err(fault)?;
        let twice = File::open(path)
            .and_then(|file| name_twice(&mut BufReader::new(file), zip.central_directory_start()));
        if let Some(name) = twice.map_err(DataError::io(path, "read it"))? {
            let array = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
            return Err(DataError::npz(path)(NpzFault::Twice { array }));
        }
        let names =
            zip.file_names_raw().filter_map(|name| std::str::from_utf8(name).ok()?.strip_suffix(".npy"));
        let unused = names.map(str::to_owned).collect();
        Ok(Self { path: path.into(), zip, unused })
    }

    fn error(&self, fault: NpzFault) -> DataError {
        DataError::npz(&self.path)(fault)
    }

    fn missing(&self, wanted: &str) -> DataError {
        let names = self.zip.file_names_raw().map(String::from_utf8_lossy);
        let mut names: Vec<_> = names.map(|name| name.trim_end_matches(".npy").to_owned()).collect();
        names.sort();
        let found = if names.is_empty() { "nothing".into() } else { names.join(", ") };
        self.error(NpzFault::Missing { wanted: wanted.into(), found })
    }

    /// The array of that name, if there is one.
    fn array(&mut self, name: &str) -> Result<Option<Array>, DataError> {
        let array = match self.zip.by_name(&format!("{name}.npy")) {
            Ok(entry) => Array::read(name, entry),
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => {
                Err(NpzFault::Unreadable { array: name.into(), reason: std::io::Error::other(error) })
            }
        };
        self.unused.remove(name);
        array.map(Some).map_err(|fault| self.error(fault))
    }

    /// The strings of the array of that name, if there is one.
    fn strings(&mut self, name: &str) -> Result<Option<Vec<String>>, DataError> {
        match self.array(name)?.map(|array| array.elements) {
            None => Ok(None),
            Some(Elements::Strings(strings)) => Ok(Some(strings)),
            Some(_) => {
                let (array, found) = (name.into(), "number".into());
                Err(self.error(NpzFault::Dtype { array, found, expected: "strings belong there" }))
            }
        }
    }

    /// The arrays of one part, if there are any.
    fn part(&mut self, part: &'static str, features: &[String]) -> Result<Option<Part>, DataError> {
        let [x_name, y_name] = ["x", "y"].map(|letter| format!("{letter}_{part}"));
        let (x, y) = (self.array(&x_name)?, self.array(&y_name)?);
        let (x, y) = match (x, y) {
            (None, None) => return Ok(None),
            (Some(x), Some(y)) => (x, y),
            (None, _) => return Err(self.missing(&x_name)),
            (_, None) => return Err(self.missing(&y_name)),
        };
        let path = PathBuf::from(format!("{}: {x_name}", self.path.display()));
        // before anything is done for each of the samples that a few bytes may claim
        match x.shape[..] {
            [0, _, _] => return Err(DataError::Empty { path, shape: x.shape }),
            [_, timesteps, features] if timesteps.min(features) == 0 => {
                return Err(DataError::NoNumbers { path, shape: x.shape });
            }
            _ => {}
        }
        let lengths = self.array(&format!("lengths_{part}"))?;
        let part = Part::new(x, y, lengths).map_err(|fault| self.error(fault))?;
        part.sequences.check_finite(&path, features)?;
        Ok(Some(part))
    }

    /// A sentence about arrays that nothing was done with.
    fn unused(&self) -> Option<String> {
        if self.unused.is_empty() {
            return None;
        }
        let names: Vec<_> = self.unused.iter().map(String::as_str).collect();
        Some(format!("{}: nothing was done with {}", self.path.display(), names.join(", ")))
    }
}

/// Sequences, and their targets as they lie in the file.
struct Part {
    x_name: String,
    sequences: Sequences,
    /// Timesteps of the padded sequences.
    timesteps: usize,
    y: Array,
}

impl Part {
    fn new(x: Array, y: Array, lengths: Option<Array>) -> Result<Self, NpzFault> {
        let [count, timesteps, inputs] = x.shape[..] else {
            let expected =
                "it must be (samples, timesteps, features); where there is one feature, add [..., None]";
            let (array, found) = (x.name, in_python(&x.shape));
            return Err(NpzFault::Shape { array, found, expected: expected.into() });
        };
        let mut values = match x.elements {
            Elements::Integers(values) => values,
            Elements::Floats(floats) => Values::F32(floats),
            Elements::Strings(_) => {
                let (array, found) = (x.name, "string".into());
                return Err(NpzFault::Dtype { array, found, expected: "numbers belong there" });
            }
        };
        let sequences = match lengths {
            None => Sequences::equal(values, [count, timesteps, inputs]),
            Some(lengths) => {
                let lengths = lengths_of(&lengths, count, timesteps)?;
                let starts = (0..count).map(|index| index * timesteps * inputs);
                values.keep(starts.zip(&lengths).map(|(start, length)| start..start + length * inputs));
                Sequences::ragged(values, inputs, &lengths)
            }
        };
        Ok(Self { x_name: x.name, sequences, timesteps, y })
    }

    fn meaning(&self, task: Option<TaskWord>) -> Result<Meaning, NpzFault> {
        Meaning::of(&self.y, &self.x_name, self.sequences.count(), self.timesteps, task)
    }

    /// Sequences and targets, read as the training targets are.
    fn split(self, path: &Path, meaning: Meaning, labels: &Labels) -> Result<Split, DataError> {
        let fault = DataError::npz(path);
        let own = self.meaning(Some(meaning.word())).map_err(&fault)?;
        let from = |name: &str| PathBuf::from(format!("{}: {name}", path.display()));
        let (sequences_from, targets_from) = (from(&self.x_name), from(&self.y.name));
        let Self { sequences, timesteps, y, .. } = self;
        // of a padded target, what lies beyond the end of its sequence is left out
        let valid = |width: usize| {
            let per_step = own.per_step;
            let (steps, sequences) = (if per_step { timesteps } else { 1 }, &sequences);
            (0..sequences.count()).map(move |index| {
                let start = index * steps * width;
                start..start + width * if per_step { sequences.length(index) } else { 1 }
            })
        };
        let targets = match own.outputs {
            None => {
                let mut labels = labels.of(&y, valid(1)).map_err(&fault)?;
                super::sequences::keep(&mut labels, valid(1));
                Targets::Labels(labels)
            }
            Some(outputs) => {
                let mut values = match y.elements {
                    Elements::Floats(values) => values,
                    Elements::Integers(values) => values.into_floats(),
                    Elements::Strings(_) => Vec::new(),
                };
                super::sequences::keep(&mut values, valid(outputs));
                if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                    let (entry, output, value) = (index / outputs, index % outputs, values[index]);
                    let place = if own.per_step {
                        let (sample, timestep) = sequences.locate(entry);
                        format!("sample {sample}, timestep {timestep}, output {output}")
                    } else {
                        format!("sample {entry}, output {output}")
                    };
                    return Err(DataError::NotFinite { path: targets_from, place, value });
                }
                let rows = values.len() / outputs;
                Targets::Values(Array2::from_shape_vec((rows, outputs), values).expect("whole rows"))
            }
        };
        let names = (0..sequences.count()).map(|index| format!("{}[{index}]", self.x_name)).collect();
        Ok(Split::new(sequences, targets, own.per_step, sequences_from, targets_from)?.named(names))
    }
}
