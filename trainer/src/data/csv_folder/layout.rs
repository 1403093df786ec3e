//! Which files there are, and what the folder says of each.

use std::fs;
use std::path::{Path, PathBuf};

use super::{CsvFault, index};
use crate::data::DataError;
use crate::run::is_run_folder;

/// Names of the folders and words of the index that stand for the three parts.
const PARTS: [(&str, Part); 5] = [
    ("train", Part::Train),
    ("val", Part::Validation),
    ("validation", Part::Validation),
    ("valid", Part::Validation),
    ("test", Part::Test),
];
/// The index file.
pub(super) const INDEX: &str = "index.csv";

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    /// The part that a folder's name or a word of the index stands for.
    pub(super) fn of(word: &str) -> Option<Self> {
        PARTS.iter().find(|(name, _)| *name == word).map(|(_, part)| *part)
    }
}

/// What is known of a sequence from outside its file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outside {
    /// The class, by a sub-folder or the index.
    Label(String),
    /// Values, by the index.
    Values(Vec<f32>),
    /// Nothing: the file itself must tell.
    Nothing,
}

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) part: Part,
    pub(super) outside: Outside,
}

/// The files of a data set, and the names of the values that the index gives.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) entries: Vec<Entry>,
    pub(super) outputs: Vec<String>,
    /// Whether an index says what is to be learnt, instead of sub-folders.
    pub(super) indexed: bool,
    /// Folders and CSV files beside `train` that are of no part.
    pub(super) unused: Vec<PathBuf>,
}

/// Whether a folder holds CSV files where they are looked for.
pub(crate) fn is_csv_folder(folder: &Path) -> bool {
    let holds_csv = |folder: &Path| csv_files(folder).is_ok_and(|files| !files.is_empty());
    let below = |folder: &Path| folders(folder).unwrap_or_default();
    folder.join(INDEX).is_file()
        || holds_csv(folder)
        || below(folder).iter().any(|folder| holds_csv(folder) || below(folder).iter().any(|f| holds_csv(f)))
}

/// Finds the files: those to train on first, in the order of their names or of the index.
pub(super) fn find(folder: &Path) -> Result<Layout, DataError> {
    let mut layout = if folder.join(INDEX).is_file() { index::read(folder)? } else { in_folders(folder)? };
    layout.entries.sort_by_key(|entry| entry.part);
    Ok(layout)
}

fn in_folders(folder: &Path) -> Result<Layout, DataError> {
    let mut layout = Layout::default();
    let folders = folders(folder)?;
    if folders.iter().any(|path| Part::of(&name_of(path)) == Some(Part::Train)) {
        for path in folders {
            match Part::of(&name_of(&path)) {
                Some(part) => layout.entries.extend(in_part(&path, part)?),
                None => layout.unused.push(path),
            }
        }
        layout.unused.extend(csv_files(folder)?);
    } else {
        layout.entries = in_part(folder, Part::Train)?;
    }
    Ok(layout)
}

/// The files of one part: in a folder for each class, or all in this one.
fn in_part(folder: &Path, part: Part) -> Result<Vec<Entry>, DataError> {
    let mut entries = Vec::new();
    for class in folders(folder)? {
        let files = csv_files(&class)?;
        if files.is_empty() {
            return Err(DataError::csv(&class)(CsvFault::EmptyFolder));
        }
        let label = name_of(&class);
        entries.extend(files.into_iter().map(|path| Entry {
            path,
            part,
            outside: Outside::Label(label.clone()),
        }));
    }
    let files = csv_files(folder)?;
    entries.extend(files.into_iter().map(|path| Entry { path, part, outside: Outside::Nothing }));
    if entries.is_empty() {
        return Err(DataError::csv(folder)(CsvFault::EmptyFolder));
    }
    Ok(entries)
}

/// The folders in a folder, but for hidden ones and those in which runs are recorded, in the order of their names.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(listed(folder)?.into_iter().filter(|path| path.is_dir() && !is_run_folder(path)).collect())
}

/// The CSV files in a folder, but for hidden ones, in the order of their names.
fn csv_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_csv = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) && path.is_file()
    };
    Ok(listed(folder)?.into_iter().filter(is_csv).collect())
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let list = || {
        let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        paths.collect::<Result<Vec<_>, std::io::Error>>()
    };
    let mut paths = list().map_err(DataError::io(folder, "list it"))?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
