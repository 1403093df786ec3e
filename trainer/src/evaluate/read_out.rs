//! When a network's outputs are read, and what they are.

use refrain::{Numbers, OutputFormat, Steps, Task};

use super::error::{asked, given};
use super::{EvaluateError, LOGIT_BYTES};
use crate::data::{self, Kind, SplitView, TargetsView};
use crate::model_file::ModelFile;

/// When a network's outputs are read, and what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOut {
    /// How many outputs there are.
    pub outputs: usize,
    /// What they are computed with.
    pub numbers: Numbers,
    /// What they mean.
    pub task: Task,
    /// After which timesteps they are read.
    pub steps: Steps,
}

impl ReadOut {
    /// Of a model file.
    pub fn of_model(file: &ModelFile) -> Self {
        let model = file.model();
        let header = model.header();
        let OutputFormat { task, steps } = header.output;
        Self { outputs: header.shape.outputs.into(), numbers: header.numbers, task, steps }
    }

    /// Of an f32 network for a task.
    pub fn of_task(task: &data::Task) -> Self {
        let kind = match task.kind {
            Kind::Classification { .. } => Task::Classification,
            Kind::Regression { .. } => Task::Regression,
        };
        let steps = if task.per_step { Steps::Every } else { Steps::Last };
        Self { outputs: task.outputs(), numbers: Numbers::F32, task: kind, steps }
    }

    /// How often the outputs are read in a sequence of so many timesteps.
    pub fn answers(&self, timesteps: usize) -> usize {
        match self.steps {
            Steps::Last => 1,
            Steps::Every => timesteps,
        }
    }

    /// Bytes of the logits of a sequence of so many timesteps.
    pub fn answer_bytes(&self, timesteps: usize) -> usize {
        self.answers(timesteps) * self.outputs * LOGIT_BYTES
    }

    /// Bytes of the logits of all `samples`.
    pub(super) fn logits_bytes(&self, samples: SplitView<'_>) -> usize {
        (0..samples.count()).map(|index| self.answer_bytes(samples.length(index))).sum()
    }

    /// Which sequence answer `answer` belongs to, and which timestep where each is answered; `None` behind the last.
    pub fn place(&self, answer: usize, samples: SplitView<'_>) -> Option<(usize, Option<usize>)> {
        let mut before = 0;
        for sample in 0..samples.count() {
            let after = before + self.answers(samples.length(sample));
            if answer < after {
                let timestep = (self.steps == Steps::Every).then_some(answer - before);
                return Some((sample, timestep));
            }
            before = after;
        }
        None
    }

    /// The value of a logit, exactly.
    pub(super) fn logit(&self, bytes: [u8; LOGIT_BYTES]) -> f64 {
        match self.numbers {
            Numbers::Int8 | Numbers::Int4 => f64::from(i32::from_le_bytes(bytes)) / 65_536.0,
            Numbers::F32 => f32::from_le_bytes(bytes).into(),
        }
    }

    /// Refuses samples whose targets are not what the network in the file `name` gives.
    pub(super) fn check(&self, name: &str, samples: SplitView<'_>) -> Result<(), EvaluateError> {
        if samples.count() == 0 {
            return Err(EvaluateError::NoSamples);
        }
        let (what, fits) = match samples.targets() {
            TargetsView::Labels(_) => (Task::Classification, true),
            TargetsView::Values(rows) => (Task::Regression, rows.ncols() == self.outputs),
        };
        if !fits || what != self.task || samples.per_step() != (self.steps == Steps::Every) {
            let output = OutputFormat { task: self.task, steps: self.steps };
            let (gives, asked) = (given(output, self.outputs), asked(samples));
            return Err(EvaluateError::Task { model: name.to_owned(), gives, asked });
        }
        let labels = samples.labels().unwrap_or_default();
        match labels.iter().position(|&label| usize::from(label) >= self.outputs) {
            Some(answer) => {
                let (sample, timestep) = self.place(answer, samples).unwrap_or((answer, None));
                let (label, outputs) = (labels[answer], self.outputs);
                Err(EvaluateError::Label { sample, timestep, label, outputs })
            }
            None => Ok(()),
        }
    }
}
