//! The word after `--data`, and what it stands for.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::mnist::Places;
use super::{DataError, Dataset, csv_folder, digits, idx, mnist, npz};

/// What `--data` names.
///
/// ```
/// use refrain_trainer::data::Source;
///
/// assert_eq!("digits".parse::<Source>()?, Source::Digits);
/// // A folder that happens to have such a name is written as a path.
/// assert_eq!("./mnist".parse::<Source>()?, Source::Path("./mnist".into()));
/// # Ok::<(), refrain_trainer::data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder with the four idx files or with CSV files, or an `.npz` file: see [`read`].
    Path(PathBuf),
    /// MNIST: see [`mnist::load`].
    Mnist,
    /// The pen-stroke digits drawn by [`digits`].
    Digits,
}

impl FromStr for Source {
    type Err = DataError;

    fn from_str(word: &str) -> Result<Source, DataError> {
        match word {
            "" => Err(DataError::EmptySource),
            "mnist" => Ok(Source::Mnist),
            "digits" => Ok(Source::Digits),
            path => Ok(Source::Path(path.into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(path) => path.display().fmt(f),
            Source::Mnist => f.write_str("mnist"),
            Source::Digits => f.write_str("digits"),
        }
    }
}

/// A data set, and one sentence that says which one it is and why.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The set.
    pub dataset: Dataset,
    /// What it was loaded from: what `--data` names, or what was taken without it.
    pub source: Source,
    /// Which set it is, where it came from and why, for the user to read: no full stop at the end.
    pub why: String,
    /// What the user should know of it, a sentence each without a full stop: what was held out, what is constant.
    pub notes: Vec<String>,
}

/// Loads what `--data` names; without it, MNIST where it can be had and otherwise the built-in digits.
///
/// # Errors
/// Whatever is wrong with the source named; see [`DataError`]. Without `--data`, only a folder named by
/// `REFRAIN_MNIST_DIR` can be wrong.
pub fn load(source: Option<&Source>) -> Result<Loaded, DataError> {
    load_with(source, &Places::from_environment())
}

/// [`load`], with MNIST looked for in `places` instead of where the environment says.
///
/// # Errors
/// As [`load`].
pub fn load_with(source: Option<&Source>, places: &Places) -> Result<Loaded, DataError> {
    let (dataset, source, why) = match source {
        Some(Source::Path(path)) => return read(path),
        Some(Source::Mnist) => {
            let (dataset, why) = mnist::load(places)?;
            (dataset, Source::Mnist, why)
        }
        Some(Source::Digits) => {
            (built_in(), Source::Digits, "the built-in pen-stroke digits, as --data says".into())
        }
        None => match mnist::load(places) {
            Ok((dataset, where_from)) => (dataset, Source::Mnist, format!("{where_from}, the default")),
            // A folder that was named on purpose and is not usable must not be passed over in silence.
            Err(error) if places.folder.is_some() => return Err(error),
            Err(error) => {
                let why = format!("the built-in pen-stroke digits, because MNIST could not be had: {error}");
                (built_in(), Source::Digits, why)
            }
        },
    };
    Ok(Loaded { dataset, source, why, notes: Vec::new() })
}

/// Reads a data set from a file or folder of any kind that is known, told apart by what is there.
///
/// # Errors
/// [`DataError::NoPath`], [`DataError::UnknownFile`] or [`DataError::UnknownFolder`], or what is wrong with the data.
pub fn read(path: &Path) -> Result<Loaded, DataError> {
    let metadata = path.metadata().map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => DataError::NoPath { path: path.into() },
        _ => DataError::io(path, "read it")(source),
    })?;
    let shown = path.display();
    let (what, (dataset, notes)) = if metadata.is_file() {
        if !npz::is_zip(path)? {
            return Err(DataError::UnknownFile { path: path.into() });
        }
        (format!("the arrays in {shown}"), npz::read(path)?)
    } else if idx::is_idx_folder(path) {
        (format!("the idx files in {shown}"), (idx::read_folder(path)?, Vec::new()))
    } else if csv_folder::is_csv_folder(path) {
        (format!("the CSV files in {shown}"), csv_folder::read(path)?)
    } else {
        return Err(DataError::UnknownFolder { path: path.into() });
    };
    let why = format!("{what}, as --data says");
    Ok(Loaded { dataset, source: Source::Path(path.to_owned()), why, notes })
}

fn built_in() -> Dataset {
    digits::dataset(digits::TRAIN_COUNT, digits::TEST_COUNT, digits::SEED).expect("the built-in set is sound")
}
