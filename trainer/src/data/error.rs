//! What can be wrong with a data set, each as one sentence that names the file.

use std::io;
use std::path::PathBuf;

use super::csv_folder::CsvFault;
use super::idx::IdxFault;
use super::npz::NpzFault;

/// What `--data` takes.
const LOOKED_FOR: &str =
    "a folder with the four idx files, a folder of CSV files, an .npz file, or the word mnist or digits";

/// Why a data set could not be had.
///
/// Every message is one sentence: the file or flag, what was found, what was expected or what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused to open, read, write or rename something.
    #[error("{path}: cannot {action}: {source}")]
    Io {
        /// The file or folder concerned.
        path: PathBuf,
        /// What was attempted: "read it", "make this folder" ...
        action: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },

    /// The folder of a set of idx files (such as that in `REFRAIN_MNIST_DIR`) is none.
    #[error("{path}: no such folder; a folder with the four idx files is expected")]
    NoFolder {
        /// The path given.
        path: PathBuf,
    },

    /// There is nothing at the path given as `--data`.
    #[error("{path}: no such file or folder; --data takes {LOOKED_FOR}")]
    NoPath {
        /// The path given.
        path: PathBuf,
    },

    /// The file given as `--data` is of no kind that is known.
    #[error("{path}: not an .npz file, for that is a zip archive of arrays; --data takes {LOOKED_FOR}")]
    UnknownFile {
        /// The path given.
        path: PathBuf,
    },

    /// The folder given as `--data` holds nothing that is known.
    #[error(
        "{path}: it holds neither idx files (such as train-images-idx3-ubyte) nor CSV files (index.csv, or .csv files in sub-folders named after their class); --data takes {LOOKED_FOR}"
    )]
    UnknownFolder {
        /// The path given.
        path: PathBuf,
    },

    /// There are no samples.
    #[error("{path}: it holds no samples: its sizes are {shape:?}")]
    Empty {
        /// The file, or the name of the set.
        path: PathBuf,
        /// Its sizes: `[count, rows, columns]` or `[count]`.
        shape: Vec<usize>,
    },

    /// Images and labels do not belong together.
    #[error("{labels_from}: {labels} labels for the {images} images of {images_from}")]
    CountMismatch {
        /// Where the images came from.
        images_from: PathBuf,
        /// How many there are.
        images: usize,
        /// Where the labels came from.
        labels_from: PathBuf,
        /// How many there are.
        labels: usize,
    },

    /// Sequences without timesteps or without features.
    #[error(
        "{path}: its sequences hold no numbers: its sizes are {shape:?} (sequences, timesteps, features)"
    )]
    NoNumbers {
        /// Where the sequences came from.
        path: PathBuf,
        /// `[count, timesteps, inputs]`.
        shape: Vec<usize>,
    },

    /// One sequence among others is empty.
    #[error(
        "{path}: sequence {sequence} has no timesteps; leave it out, for there is nothing to learn from it"
    )]
    NoTimesteps {
        /// Where the sequences came from.
        path: PathBuf,
        /// Its number, from 0.
        sequence: usize,
    },

    /// Sequences and targets do not belong together.
    #[error(
        "{targets_from}: {targets} targets for the {sequences} sequences of {sequences_from}; each sequence needs one"
    )]
    TargetCount {
        /// Where the sequences came from.
        sequences_from: PathBuf,
        /// How many there are.
        sequences: usize,
        /// Where the targets came from.
        targets_from: PathBuf,
        /// How many there are.
        targets: usize,
    },

    /// Timesteps and their targets do not belong together.
    #[error(
        "{targets_from}: {targets} targets for the {timesteps} timesteps of {sequences_from}; each timestep needs one"
    )]
    StepTargetCount {
        /// Where the sequences came from.
        sequences_from: PathBuf,
        /// How many timesteps they have in all.
        timesteps: usize,
        /// Where the targets came from.
        targets_from: PathBuf,
        /// How many there are.
        targets: usize,
    },

    /// Something that needs images was given other sequences.
    #[error(
        "{path}: it holds no images: those are sequences of bytes, of one length, with one class for each"
    )]
    NotImages {
        /// Where the sequences came from.
        path: PathBuf,
    },

    /// Rows of another width than the training sequences have.
    #[error(
        "{path}: its timesteps have {found} features, but those of the training sequences in {train_from} have {expected}"
    )]
    InputsMismatch {
        /// Where the sequences came from.
        path: PathBuf,
        /// Features of a timestep there.
        found: usize,
        /// Where the training sequences came from.
        train_from: PathBuf,
        /// Features of a timestep there.
        expected: usize,
    },

    /// Targets of another kind or width than the task has.
    #[error("{path}: it holds {found}, but the task needs {expected}")]
    TargetKind {
        /// Where the targets came from.
        path: PathBuf,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },

    /// No feature says anything.
    #[error(
        "{path}: every feature is constant throughout the training sequences, so there is nothing to learn from"
    )]
    AllConstant {
        /// Where the training sequences came from.
        path: PathBuf,
    },

    /// A value to be learnt that is always the same.
    #[error(
        "{path}: target {output} is {value} for every training sequence, so there is nothing to learn; leave it out"
    )]
    ConstantTarget {
        /// Where the training targets came from.
        path: PathBuf,
        /// Its number, and its name where it has one.
        output: String,
        /// What it is.
        value: f32,
    },

    /// A number that is infinite or none.
    #[error("{path}: {place} is {value} where a finite number that fits an f32 belongs")]
    NotFinite {
        /// Where the numbers came from.
        path: PathBuf,
        /// Which number: "sample 3, timestep 0, feature 2 (humidity)".
        place: String,
        /// What is there.
        value: f32,
    },

    /// A number that cannot be told in deviations from the mean.
    #[error(
        "{path}: {place} is {value:e}, more than {most:e} standard deviations from the mean of the training sequences, which \
         is {mean:e}; correct it, or leave the sequence out"
    )]
    TooFar {
        /// Where the numbers came from.
        path: PathBuf,
        /// Which number: "sample 3, timestep 0, feature 2 (humidity)".
        place: String,
        /// What is there.
        value: f32,
        /// The feature's mean over the training sequences.
        mean: f32,
        /// The most standard deviations that a number may be away from it.
        most: f32,
    },

    /// Too few sequences to test on some of them.
    #[error(
        "{path}: {count} sequences are too few to hold some out and train on the others; give two of one class at least, or sequences to validate with and to test on"
    )]
    TooFewToHoldOut {
        /// Where the sequences came from.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },

    /// A folder is to be made where there is something already.
    #[error(
        "{path}: something is there already and would be mixed with what is to be written; name a folder that is not there yet"
    )]
    InTheWay {
        /// The folder.
        path: PathBuf,
    },

    /// Something about an idx file.
    #[error("{path}: {fault}")]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<IdxFault>,
    },

    /// Something about an `.npz` file.
    #[error("{path}: {fault}")]
    Npz {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<NpzFault>,
    },

    /// Something about a CSV file or a folder of them.
    #[error("{path}: {fault}")]
    Csv {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        fault: Box<CsvFault>,
    },

    /// Nothing to tell apart.
    #[error("{path}: every training label is {class}; a classifier needs samples of two classes at least")]
    OneClass {
        /// Where the training labels came from.
        path: PathBuf,
        /// The name of the only class.
        class: String,
    },

    /// Training labels that skip numbers.
    #[error(
        "{path}: no training label is {missing}, though there are labels up to {greatest}; number the classes from 0 without gaps, or name them all where the format can"
    )]
    SkippedLabels {
        /// Where the training labels came from.
        path: PathBuf,
        /// The numbers that are missing, listed.
        missing: String,
        /// The greatest label.
        greatest: u8,
    },

    /// Training and test images differ in size.
    #[error(
        "{test_from}: its images are {test:?} (rows, columns), but the training images of {train_from} are {train:?}"
    )]
    SizeMismatch {
        /// Where the training images came from.
        train_from: PathBuf,
        /// Timesteps and inputs of a training sample.
        train: [usize; 2],
        /// Where the test images came from.
        test_from: PathBuf,
        /// Timesteps and inputs of a test sample.
        test: [usize; 2],
    },

    /// A label beyond those that the task knows.
    #[error("{path}: label {label} at index {index} is out of range: there are {classes} classes, 0 to {}", classes - 1)]
    LabelOutOfRange {
        /// Where the labels came from.
        path: PathBuf,
        /// Which sample, from 0.
        index: usize,
        /// Its label.
        label: u8,
        /// The number of classes.
        classes: usize,
    },

    /// More samples to be held out than there are, or all of them.
    #[error("{path}: cannot hold {held_out} samples out of {count}: at least one must remain to train on")]
    HoldOut {
        /// Where the samples came from.
        path: PathBuf,
        /// How many were to be held out.
        held_out: usize,
        /// How many there are.
        count: usize,
    },

    /// No mirror delivered the file.
    #[error("{file}: no mirror delivered it: {reasons}")]
    Download {
        /// The file's name.
        file: String,
        /// What each attempt met, the mirrors named.
        reasons: String,
    },

    /// The operating system names no cache folder for this user.
    #[error(
        "the operating system names no cache folder for this user; name one that holds MNIST by REFRAIN_MNIST_DIR"
    )]
    NoCache,

    /// `--data` with nothing after it.
    #[error("--data is empty; it takes {LOOKED_FOR}")]
    EmptySource,
}

impl DataError {
    /// For `map_err`: a [`DataError::Idx`] about `path`.
    pub(super) fn idx(path: &std::path::Path) -> impl Fn(IdxFault) -> DataError + use<> {
        let path = path.to_path_buf();
        move |fault| DataError::Idx { path: path.clone(), fault: fault.into() }
    }

    /// For `map_err`: a [`DataError::Npz`] about `path`.
    pub(super) fn npz(path: &std::path::Path) -> impl Fn(NpzFault) -> DataError + use<> {
        let path = path.to_path_buf();
        move |fault| DataError::Npz { path: path.clone(), fault: fault.into() }
    }

    /// For `map_err`: a [`DataError::Csv`] about `path`.
    pub(super) fn csv(path: &std::path::Path) -> impl Fn(CsvFault) -> DataError + use<> {
        let path = path.to_path_buf();
        move |fault| DataError::Csv { path: path.clone(), fault: fault.into() }
    }

    /// For `map_err`: an [`DataError::Io`] about `path`.
    pub(crate) fn io(path: &std::path::Path, action: &'static str) -> impl FnOnce(io::Error) -> DataError {
        let path = path.to_path_buf();
        move |source| DataError::Io { path, action, source }
    }
}
