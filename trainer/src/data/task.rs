//! What a network is asked: which class, or which values; once for a sequence, or at each of its timesteps.

use serde::{Deserialize, Serialize};

/// What the outputs of a network stand for, and how often they are asked for.
///
/// ```
/// use refrain_trainer::data::Task;
///
/// let gestures = Task::classification(["circle", "swipe"]);
/// assert_eq!((gestures.outputs(), gestures.per_step), (2, false));
/// assert_eq!(gestures.classes(), ["circle", "swipe"]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Classes or values.
    pub kind: Kind,
    /// Whether every timestep has a target of its own (many to many), instead of one at the end of the sequence.
    pub per_step: bool,
}

/// What an output stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// Each output is the logit of one class.
    Classification {
        /// Their names, in the order of the labels.
        classes: Vec<String>,
    },
    /// Each output is a number.
    Regression {
        /// Their names.
        names: Vec<String>,
        /// What a network's outputs have to do with the numbers of the data.
        scaling: TargetScaling,
    },
}

/// The standardisation of targets: a network computes `(value - mean) / deviation`, one of each for every output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetScaling {
    /// `[outputs]`: the mean of the training targets.
    pub mean: Vec<f32>,
    /// `[outputs]`: their standard deviation, above zero.
    pub deviation: Vec<f32>,
}

impl Task {
    /// One class for a sequence.
    pub fn classification(classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let classes = classes.into_iter().map(Into::into).collect();
        Self { kind: Kind::Classification { classes }, per_step: false }
    }

    /// How many numbers a network gives: logits or values.
    pub fn outputs(&self) -> usize {
        self.output_names().len()
    }

    /// The names of the classes, in the order of the labels; none for a regression.
    pub fn classes(&self) -> &[String] {
        match &self.kind {
            Kind::Classification { classes } => classes,
            Kind::Regression { .. } => &[],
        }
    }

    /// What each output is called: a class, or a value.
    pub fn output_names(&self) -> &[String] {
        match &self.kind {
            Kind::Classification { classes: names } | Kind::Regression { names, .. } => names,
        }
    }
}

impl TargetScaling {
    /// Standardises rows of `outputs` values: what a network is to compute for them.
    ///
    /// # Panics
    /// If `values` is no whole number of rows, or `out` has another size.
    pub fn standardise(&self, values: &[f32], out: &mut [f32]) {
        self.convert(values, out, |value, mean, deviation| (value - mean) / deviation);
    }

    /// The values that rows of a network's outputs stand for: the inverse of [`standardise`](Self::standardise).
    ///
    /// # Panics
    /// If `standardised` is no whole number of rows, or `out` has another size.
    pub fn restore(&self, standardised: &[f32], out: &mut [f32]) {
        self.convert(standardised, out, |output, mean, deviation| mean + deviation * output);
    }

    fn convert(&self, from: &[f32], to: &mut [f32], rule: impl Fn(f32, f32, f32) -> f32) {
        assert_eq!(from.len(), to.len(), "as many values come out as go in");
        assert_eq!(from.len() % self.mean.len(), 0, "values come in rows of one for each output");
        let row_scaling = self.mean.iter().zip(&self.deviation).cycle();
        for ((to, &from), (&mean, &deviation)) in to.iter_mut().zip(from).zip(row_scaling) {
            *to = rule(from, mean, deviation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_from_what_the_network_computes_for_it() {
        let scaling = TargetScaling { mean: vec![20.0, -1.0], deviation: vec![4.0, 0.5] };
        let mut standardised = [0.0; 4];
        scaling.standardise(&[24.0, -1.0, 12.0, 0.0], &mut standardised);
        assert_eq!(standardised, [1.0, 0.0, -2.0, 2.0]);
        let mut values = [0.0; 4];
        scaling.restore(&standardised, &mut values);
        assert_eq!(values, [24.0, -1.0, 12.0, 0.0]);
    }

    #[test]
    fn a_regression_has_outputs_and_no_classes() {
        let scaling = TargetScaling { mean: vec![0.0; 2], deviation: vec![1.0; 2] };
        let kind = Kind::Regression { names: vec!["volts".into(), "amperes".into()], scaling };
        let task = Task { kind, per_step: true };
        assert_eq!((task.outputs(), task.classes().len()), (2, 0));
        assert_eq!(task.output_names(), ["volts", "amperes"]);
    }
}
