//! `--data`, and the word on which data set ran.

use std::path::Path;

use refrain_trainer::data::{DataRecord, Dataset, Loaded, Source, SplitView, load};
use refrain_trainer::run::Run;
use serde::Serialize;

use super::count_parser;
use super::error::CliError;
use super::output::note;

/// The flag of every command that reads samples.
#[derive(Debug, clap::Args)]
pub(super) struct DataArgs {
    /// An .npz file, a folder of CSV or idx files, mnist, or digits [default: what a run or checkpoint was
    /// trained on, if that can be found; else mnist where it can be had, else digits]
    ///
    /// An .npz file holds x_train (samples, timesteps, features) and y_train (samples,) and, if
    /// wanted, x_val, y_val, x_test, y_test, classes and lengths_train, lengths_val, lengths_test
    /// for padded sequences. Integers in y are classes, floats are values to be learnt;
    /// (samples, timesteps) gives each timestep a class, (samples, timesteps, values) values.
    ///
    /// A folder of CSV files holds one sequence a file, one timestep a line, in a sub-folder named
    /// after its class (D/CLASS/*.csv or D/{train,val,test}/CLASS/*.csv), or listed in
    /// D/index.csv with the columns file and label (or target) and, if wanted, split. A column
    /// label (or target) in the files themselves gives each timestep a class (or a value).
    ///
    /// A folder of idx files holds train-images-idx3-ubyte, train-labels-idx1-ubyte,
    /// t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or as .gz, with images of any
    /// size and any number of classes. The word mnist is the folder named by REFRAIN_MNIST_DIR,
    /// else the cache, else a checked download. The word digits is a set of pen-stroke digits
    /// that the program draws.
    ///
    /// Without sequences to test on or to validate with, some of the training sequences are held
    /// out, the same ones every time.
    #[arg(long, value_name = "D", verbatim_doc_comment)]
    data: Option<Source>,
}

/// The flag of every command that classifies test samples.
#[derive(Debug, clap::Args)]
pub(super) struct LimitArgs {
    /// Only the first N test samples
    #[arg(long, value_name = "N", value_parser = count_parser::<u32>(u32::MAX as usize))]
    limit: Option<u32>,
}

impl LimitArgs {
    /// The first so many test samples; all without a limit, or where there are fewer.
    pub(super) fn first_of<'d>(&self, dataset: &'d Dataset) -> SplitView<'d> {
        let samples = dataset.test().view();
        self.limit.map_or(samples, |limit| samples.first(limit as usize))
    }
}

/// Which data set it was, for reports.
#[derive(Debug, Serialize)]
pub(super) struct DataFields {
    /// Its name.
    pub(super) data: String,
    /// Where it came from and why it was taken.
    pub(super) data_reason: String,
}

impl DataArgs {
    /// Loads the set and says on stderr which one it is.
    pub(super) fn load(&self) -> Result<(Dataset, DataFields), CliError> {
        load_source(self.data.as_ref()).map(|(dataset, _, fields)| (dataset, fields))
    }

    /// What was named, if anything.
    pub(super) fn source(&self) -> Option<&Source> {
        self.data.as_ref()
    }

    /// Loads the set that the network in `path` was trained on, or the one that was named.
    pub(super) fn load_for(
        &self,
        path: &Path,
        trained_on: &DataRecord,
    ) -> Result<(Dataset, DataFields), CliError> {
        let source = match &self.data {
            Some(named) => named.clone(),
            None => match trained_on.name.parse() {
                Ok(source @ (Source::Mnist | Source::Digits)) => source,
                _ => return Err(CliError::DataNotNamed { path: path.into(), name: trained_on.name.clone() }),
            },
        };
        self.load_checked(path, &source, &trained_on.name, &trained_on.fingerprint)
    }

    /// Loads the set that a run was trained on, from where that was then, or the one that was named.
    pub(super) fn load_for_run(&self, run: &Run) -> Result<(Dataset, DataFields), CliError> {
        let trained_on = &run.config.data;
        let source = match &self.data {
            Some(named) => named.clone(),
            None => trained_on.source.parse()?,
        };
        self.load_checked(run.folder(), &source, &trained_on.name, &trained_on.fingerprint)
    }

    /// Loads a set; only one that was named may be another than that of the name and fingerprint.
    fn load_checked(
        &self,
        path: &Path,
        source: &Source,
        name: &str,
        expected: &str,
    ) -> Result<(Dataset, DataFields), CliError> {
        let (dataset, source, mut fields) = load_source(Some(source))?;
        let found = dataset.fingerprint();
        if found != expected && self.data.is_none() {
            return Err(CliError::DataChanged {
                path: path.into(),
                name: name.into(),
                expected: short(expected),
                set: source,
                found: short(found),
            });
        }
        if found != expected {
            let path = path.display();
            note(format_args!("note: {path} was trained on another data set, {name} ({})", short(expected)));
        } else if self.data.is_none() {
            fields.data_reason += &format!(", which {} was trained on", path.display());
        }
        Ok((dataset, fields))
    }
}

/// Loads a set, or the default one, and says on stderr which one it is.
pub(super) fn load_source(source: Option<&Source>) -> Result<(Dataset, Source, DataFields), CliError> {
    let Loaded { dataset, source, why, notes } = load(source)?;
    note(format_args!("data: {why}"));
    notes.iter().for_each(|text| note(format_args!("note: {text}")));
    let fields = DataFields { data: dataset.name().to_owned(), data_reason: why };
    Ok((dataset, source, fields))
}

/// As much of a fingerprint as people compare.
fn short(fingerprint: &str) -> String {
    fingerprint.chars().take(12).collect()
}
