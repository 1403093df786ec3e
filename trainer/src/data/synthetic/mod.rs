//! Example data of three kinds that sensors give, made by the program: files as a user would bring them.
//!
//! [`Example::Gestures`] is a folder of CSV files (classification, sequences of different lengths, classes of different
//! sizes), [`Example::Battery`] an `.npz` file of floats (regression of two values), [`Example::Vibration`] an `.npz`
//! file of integers (a class at each timestep). One seed gives the same bytes on every machine.

mod battery;
mod gestures;
mod vibration;

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use super::npz::{self, Column};
use super::{DataError, dice::Dice};
use crate::files::write_whole_folder;

/// A kind of example data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    /// Which of six gestures an accelerometer was moved in.
    Gestures,
    /// How full a battery is and what its resistance is, from its voltage and current.
    Battery,
    /// When a machine's vibration is that of a damaged bearing.
    Vibration,
}

/// A word that names no example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no example; there are gestures, battery and vibration")]
pub struct UnknownExample {
    /// The word.
    pub found: String,
}

impl Example {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gestures, Self::Battery, Self::Vibration];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gestures => "gestures",
            Self::Battery => "battery",
            Self::Vibration => "vibration",
        }
    }

    /// What it is, in one sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Gestures => {
                "six gestures as a three-axis accelerometer gives them, 16-bit integers at 50 Hz, as a folder of CSV \
                 files; classification of sequences of different lengths, classes of different sizes"
            }
            Self::Battery => {
                "voltage and current of a battery, floats every ten seconds, as an .npz file; regression of its charge \
                 and its resistance"
            }
            Self::Vibration => {
                "two axes of a machine's vibration, 16-bit integers, as an .npz file; normal or anomaly at each timestep"
            }
        }
    }

    /// Whether it is a folder, rather than a file.
    pub const fn is_folder(self) -> bool {
        matches!(self, Self::Gestures)
    }

    /// Writes it to `out`, whole or not at all.
    ///
    /// # Errors
    /// [`DataError::Io`], or [`DataError::InTheWay`] where a folder is to be made and something is there already.
    pub fn write(self, out: &Path, seed: u64) -> Result<(), DataError> {
        match self {
            Self::Gestures => gestures::write(out, seed),
            Self::Battery => battery::write(out, seed),
            Self::Vibration => vibration::write(out, seed),
        }
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Example {
    type Err = UnknownExample;

    fn from_str(word: &str) -> Result<Self, UnknownExample> {
        let known = Self::ALL.into_iter().find(|example| example.name() == word);
        known.ok_or_else(|| UnknownExample { found: word.into() })
    }
}

/// The random numbers of sample `index` of an example.
fn dice(example: Example, seed: u64, index: usize) -> Dice {
    let mut purpose = *b"........ synthetic examples, v1:";
    purpose[31] = example as u8;
    Dice::new(purpose, seed, index)
}

/// The part of an `.npz` file that sequences go to, and how many of them.
type Part = (&'static str, usize);

/// Writes an `.npz` file.
fn write_npz(out: &Path, arrays: &[(&str, &[usize], Column<'_>)]) -> Result<(), DataError> {
    npz::write(out, arrays).map_err(DataError::io(out, "write it"))
}

/// Makes a folder by way of a temporary one beside it, which `fill` fills.
fn write_folder(out: &Path, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), DataError> {
    let is_empty_folder = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if out.exists() && !is_empty_folder() {
        return Err(DataError::InTheWay { path: out.into() });
    }
    write_whole_folder(out, fill).map_err(DataError::io(out, "make this folder"))
}
