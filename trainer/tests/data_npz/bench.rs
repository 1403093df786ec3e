//! A file to read, and the arrays of a sound one to change.

use std::path::PathBuf;

use refrain_trainer::data::{DataError, Dataset, npz};
use tempfile::TempDir;

use crate::arrays::{Npy, i16s, i64s, write};

pub(crate) struct Bench(TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("set.npz")
    }

    pub(crate) fn read(&self, arrays: &[Npy]) -> Result<(Dataset, Vec<String>), DataError> {
        write(&self.path(), arrays);
        npz::read(&self.path())
    }
}

pub(crate) fn sound(arrays: &[Npy]) -> (Dataset, Vec<String>) {
    Bench::new().read(arrays).expect("a sound file")
}

/// The message about an unsound file, which must begin with its name; the rest of it.
pub(crate) fn refused(arrays: &[Npy]) -> String {
    let bench = Bench::new();
    let text = bench.read(arrays).expect_err("an unsound file").to_string();
    let start = format!("{}: ", bench.path().display());
    text.strip_prefix(&start).unwrap_or_else(|| panic!("does not name the file: {text}")).to_owned()
}

/// A part of six sequences of two timesteps of two features, with labels of two classes.
pub(crate) fn part(part: &str) -> [Npy; 2] {
    let x: Vec<i16> = (0..24).map(|n| n * n % 17).collect();
    [i16s(&format!("x_{part}"), "(6, 2, 2)", &x), i64s(&format!("y_{part}"), "(6,)", &[0, 1, 0, 1, 1, 0])]
}

/// All three parts, with the arrays of the same name as one of `changed` replaced by it, and those new added.
pub(crate) fn with(changed: impl IntoIterator<Item = Npy>) -> Vec<Npy> {
    let mut arrays: Vec<Npy> = ["train", "val", "test"].into_iter().flat_map(part).collect();
    for change in changed {
        arrays.retain(|array| array.name != change.name);
        arrays.push(change);
    }
    arrays
}

pub(crate) fn without(name: &str) -> Vec<Npy> {
    let mut arrays = with([]);
    arrays.retain(|array| array.name != name);
    arrays
}
