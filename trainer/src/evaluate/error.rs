//! Why a model cannot be evaluated on some data.

use refrain::{OutputFormat, Samples, Steps, Task};

use crate::data::{SplitView, TargetsView};

/// Why a model cannot be evaluated on some data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvaluateError {
    /// There is nothing to evaluate on.
    #[error("there are no samples to evaluate on; the data must hold at least one")]
    NoSamples,
    /// Rows of another width than the model's.
    #[error("{model}: the model takes rows of {expected} features, the data has rows of {found}")]
    RowWidth {
        /// The model file.
        model: String,
        /// Features of a row of the data.
        found: usize,
        /// Features that the model takes.
        expected: usize,
    },
    /// A number that does not fit the samples that the model takes.
    #[error(
        "{model}: the model takes whole numbers from {}, sample {sample} of the data has {found} at timestep {timestep}, feature {feature}",
        range(*.samples)
    )]
    Sample {
        /// The model file.
        model: String,
        /// What it takes.
        samples: Samples,
        /// Number of the sample.
        sample: usize,
        /// Number of the timestep in it.
        timestep: usize,
        /// Number of the feature.
        feature: usize,
        /// What the data has there.
        found: f32,
    },
    /// The data asks for something else than the model gives.
    #[error("{model}: the model gives {gives}, the data asks for {asked}")]
    Task {
        /// The model file.
        model: String,
        /// What the model gives.
        gives: String,
        /// What the data asks for.
        asked: String,
    },
    /// A class that the model does not know.
    #[error("{} has label {label}, the model's classes are 0 to {}", place(*.sample, *.timestep), .outputs - 1)]
    Label {
        /// Number of the sample.
        sample: usize,
        /// Number of the timestep in it, where each has a label.
        timestep: Option<usize>,
        /// The label.
        label: u8,
        /// Logits of the model.
        outputs: usize,
    },
}

/// A sample, or a timestep of it, in words.
fn place(sample: usize, timestep: Option<usize>) -> String {
    match timestep {
        Some(timestep) => format!("timestep {timestep} of sample {sample}"),
        None => format!("sample {sample}"),
    }
}

/// The integers that a sample can be.
fn range(samples: Samples) -> &'static str {
    match samples {
        Samples::U8 => "0 to 255",
        Samples::I16 | Samples::F32 => "-32768 to 32767",
    }
}

/// What a model gives, in words.
pub(super) fn given(output: OutputFormat, outputs: usize) -> String {
    let what = match output.task {
        Task::Classification => "one class".to_owned(),
        Task::Regression => values(outputs),
    };
    format!("{what} for each {}", unit(output.steps == Steps::Every))
}

/// What targets ask for, in words.
pub(super) fn asked(samples: SplitView<'_>) -> String {
    let what = match samples.targets() {
        TargetsView::Labels(_) => "one class".to_owned(),
        TargetsView::Values(rows) => values(rows.ncols()),
    };
    format!("{what} for each {}", unit(samples.per_step()))
}

fn values(count: usize) -> String {
    if count == 1 { "one value".into() } else { format!("{count} values") }
}

fn unit(per_step: bool) -> &'static str {
    if per_step { "timestep" } else { "sequence" }
}
