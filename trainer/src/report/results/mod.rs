//! From what a model answered to what a page shows of it.

mod classes;
mod pictures;
#[cfg(test)]
mod tests;
mod values;

use super::page::Results;
use crate::data::{Dataset, SplitView, TargetsView};

/// Mistakes that are shown of a run.
const MISTAKES: usize = 12;
/// Sequences whose timesteps are shown.
const TIMELINES: usize = 4;

/// The outputs of a model for test samples, `[answers][outputs]`: an answer for each sequence, or for each of its
/// timesteps. They are logits, or values in the unit of the targets.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'a> {
    /// The model file's.
    pub model: &'a [f32],
    /// Those of the f32 network that it was made of, where they are at hand.
    pub network: Option<&'a [f32]>,
}

/// Judges what was given for `samples` of `dataset`, and picks what a reader should see.
///
/// # Panics
/// If there are more or fewer outputs than answers to these samples, or a label is that of no output.
pub fn results(dataset: &Dataset, samples: SplitView<'_>, outputs: Outputs<'_>) -> Results {
    match samples.targets() {
        TargetsView::Labels(labels) => Results::Classes(classes::results(dataset, samples, labels, outputs)),
        TargetsView::Values(_) => Results::Values(values::results(dataset, samples, outputs)),
    }
}

/// The first answer of each sequence, and behind them the number of all answers.
fn starts(samples: SplitView<'_>) -> Vec<usize> {
    let mut starts = vec![0];
    for index in 0..samples.count() {
        let answers = if samples.per_step() { samples.length(index) } else { 1 };
        starts.push(starts[index] + answers);
    }
    starts
}

/// The numbers of the `most` sequences of greatest error, worst first; of equals the first.
fn worst(errors: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..errors.len()).collect();
    order.sort_by(|&one, &other| errors[other].total_cmp(&errors[one]).then(one.cmp(&other)));
    order.truncate(most);
    order
}
