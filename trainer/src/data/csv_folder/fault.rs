//! What can be wrong with CSV files, each as the rest of a sentence that begins with the file's or folder's name.

use std::path::PathBuf;

/// What is wrong with a CSV file or a folder of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvFault {
    /// The `csv` crate's word, but for what is told below.
    #[error("it is not CSV: {0}")]
    Unreadable(csv::Error),

    /// A line with more or fewer fields than the others.
    #[error("line {line} has {found} fields where the lines before it have {expected}")]
    Ragged {
        /// The line, from 1.
        line: u64,
        /// Its fields.
        found: u64,
        /// Those of the lines before.
        expected: u64,
    },

    /// Columns that are told apart otherwise.
    #[error("line {line} holds a {found}, but columns are told apart by commas, and decimals by a point")]
    Separator {
        /// The line, from 1.
        line: u64,
        /// What is there, in words.
        found: &'static str,
    },

    /// A field that is no number.
    #[error("line {line}, column {column}: {found:?} is no number")]
    NotANumber {
        /// The line, from 1.
        line: u64,
        /// The column, from 1, and its name where it has one.
        column: String,
        /// What is there.
        found: String,
    },

    /// A number that is infinite, or none, or too great.
    #[error("line {line}, column {column}: {found} is no finite number that fits an f32")]
    NotFinite {
        /// The line, from 1.
        line: u64,
        /// The column, from 1, and its name where it has one.
        column: String,
        /// What is there.
        found: String,
    },

    /// An integer that no float holds exactly.
    #[error(
        "line {line}, column {column}: {found} is more than an f32 holds exactly; scale it down, or leave it out if it is a time stamp"
    )]
    Inexact {
        /// The line, from 1.
        line: u64,
        /// The column, from 1, and its name where it has one.
        column: String,
        /// What is there.
        found: String,
    },

    /// A file without a line of numbers.
    #[error("it has no timesteps: a sequence needs one line of numbers at least")]
    NoTimesteps,

    /// A file with targets and nothing else.
    #[error("it has no features, only columns of targets")]
    NoFeatures,

    /// A column that the header does not name.
    #[error(
        "column {column} has no name in the first line; if it is the row number that pandas adds, write with index=False"
    )]
    Unnamed {
        /// The column, from 1.
        column: usize,
    },

    /// Columns that are not those of the first file.
    #[error("its columns are {found}, but those of {first} are {expected}")]
    OtherColumns {
        /// Its columns, in words.
        found: String,
        /// The first file that was read.
        first: PathBuf,
        /// The columns of that one, in words.
        expected: String,
    },

    /// A label for the sequence, and labels in it.
    #[error(
        "it has a column {column}, which gives each timestep a target, but {other} gives one to the whole sequence"
    )]
    TwoTargets {
        /// The column.
        column: String,
        /// What gives the other target.
        other: &'static str,
    },

    /// A sequence about which nothing is known.
    #[error(
        "nothing says what is to be learnt of it: put it into a sub-folder named after its class, or list it in index.csv, or give it a last column label or target"
    )]
    NoTarget,

    /// Both labels and values to be learnt.
    #[error("it has both a column label and columns of targets; only one of the two can be learnt")]
    LabelAndTargets,

    /// Two columns of one name.
    #[error("it has two columns {name}; leave one of them out, or give it another name")]
    ColumnTwice {
        /// The name.
        name: String,
    },

    /// An index without a needed column.
    #[error("it has no column {wanted}; its columns are {found}")]
    NoColumn {
        /// The column.
        wanted: &'static str,
        /// The columns that there are, listed.
        found: String,
    },

    /// A cell that must not be empty.
    #[error("line {line}: the {column} is empty")]
    EmptyCell {
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: &'static str,
    },

    /// A word that names no split.
    #[error("line {line}: {found:?} is no split; expected train, val or test")]
    UnknownSplit {
        /// The line, from 1.
        line: u64,
        /// What is there.
        found: String,
    },

    /// A file that would be trained on and tested with.
    #[error(
        "line {line}: {found} is listed for another split already, but what is trained on must not measure it"
    )]
    TwoSplits {
        /// The line, from 1.
        line: u64,
        /// The file, as the index has it.
        found: String,
    },

    /// No file to train on.
    #[error("there are no sequences to train on")]
    NoTraining,

    /// A folder of a class or of a split without files.
    #[error("there is no .csv file in this folder; fill it or remove it")]
    EmptyFolder,

    /// A label that no training sequence has.
    #[error("its label is {label}, which no training sequence has; the classes are {classes}")]
    UnknownClass {
        /// The label.
        label: String,
        /// The classes, listed.
        classes: String,
    },

    /// More classes than a model can have.
    #[error("there are {found} classes, at most 256 are supported")]
    Classes {
        /// How many.
        found: usize,
    },
}
