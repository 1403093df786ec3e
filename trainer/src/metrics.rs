//! How good predictions are: of classes ([`Confusion`]) and of values ([`Residuals`]).

use ndarray::Array2;

/// Which class was taken for which.
///
/// ```
/// use refrain_trainer::metrics::Confusion;
///
/// let mut confusion = Confusion::new(2);
/// for (label, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
///     confusion.add(label, predicted);
/// }
/// assert_eq!(confusion.accuracy(), 0.75);
/// assert_eq!(confusion.recall(), [Some(2.0 / 3.0), Some(1.0)]);
/// assert_eq!(confusion.macro_f1(), (0.8 + 2.0 / 3.0) / 2.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// `[classes, classes]`: entries of the row's class that were taken for the column's.
    counts: Array2<u64>,
}

impl Confusion {
    /// Nothing counted yet.
    pub fn new(classes: usize) -> Self {
        Self { counts: Array2::zeros((classes, classes)) }
    }

    /// Counts an entry of class `label` that was taken for class `predicted`.
    ///
    /// # Panics
    /// If there are no such classes.
    pub fn add(&mut self, label: usize, predicted: usize) {
        self.counts[[label, predicted]] += 1;
    }

    /// `[classes, classes]`: entries of the row's class that were taken for the column's.
    pub fn counts(&self) -> &Array2<u64> {
        &self.counts
    }

    /// The part of all entries that were taken for their own class; 0 where there are none.
    pub fn accuracy(&self) -> f64 {
        part(self.counts.diag().sum(), self.counts.sum()).unwrap_or(0.0)
    }

    /// For each class the part of its entries that were taken for it; `None` where it has no entries.
    pub fn recall(&self) -> Vec<Option<f64>> {
        self.parts(|class| self.counts.row(class).sum())
    }

    /// For each class the part of the entries taken for it that are its own; `None` where none were.
    pub fn precision(&self) -> Vec<Option<f64>> {
        self.parts(|class| self.counts.column(class).sum())
    }

    /// For each class `2 right / (its entries + entries taken for it)`, the harmonic mean of precision and recall; `None`
    /// where both numbers are 0.
    pub fn f1(&self) -> Vec<Option<f64>> {
        let classes = 0..self.counts.nrows();
        let f1 = |class| {
            let both = self.counts.row(class).sum() + self.counts.column(class).sum();
            part(2 * self.counts[[class, class]], both)
        };
        classes.map(f1).collect()
    }

    /// The mean of [`f1`](Self::f1) over the classes that have one, each of the same weight however many entries it has;
    /// 0 where there are none.
    pub fn macro_f1(&self) -> f64 {
        let known: Vec<f64> = self.f1().into_iter().flatten().collect();
        mean(&known)
    }

    fn parts(&self, of: impl Fn(usize) -> u64) -> Vec<Option<f64>> {
        (0..self.counts.nrows()).map(|class| part(self.counts[[class, class]], of(class))).collect()
    }
}

fn part(some: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

/// How far predicted values are from the true ones, output by output.
///
/// ```
/// use refrain_trainer::metrics::Residuals;
///
/// let mut residuals = Residuals::new(1);
/// for (predicted, actual) in [(1.0, 1.5), (2.0, 2.0), (3.5, 3.0)] {
///     residuals.add(&[predicted], &[actual]);
/// }
/// assert_eq!(residuals.mean_absolute_error(), [1.0 / 3.0]);
/// assert!((residuals.r2()[0] - (1.0 - 3.0 / 7.0)).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Residuals {
    outputs: Vec<Output>,
}

/// Sums of one output.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Output {
    count: u64,
    absolute: f64,
    squared: f64,
    /// Mean of the true values, and the sum of their squared distances from it (Welford 1962).
    mean: f64,
    spread: f64,
}

impl Residuals {
    /// Nothing added yet.
    pub fn new(outputs: usize) -> Self {
        Self { outputs: vec![Output::default(); outputs] }
    }

    /// Adds what was predicted for an entry and what is true, each `[outputs]`.
    ///
    /// # Panics
    /// If either has another length.
    pub fn add(&mut self, predicted: &[f32], actual: &[f32]) {
        let outputs = self.outputs.len();
        assert_eq!([predicted.len(), actual.len()], [outputs; 2], "one value for each output");
        for ((output, &predicted), &actual) in self.outputs.iter_mut().zip(predicted).zip(actual) {
            let (error, actual) = (f64::from(predicted) - f64::from(actual), f64::from(actual));
            output.count += 1;
            output.absolute += error.abs();
            output.squared += error * error;
            let from_mean = actual - output.mean;
            output.mean += from_mean / output.count as f64;
            output.spread += from_mean * (actual - output.mean);
        }
    }

    /// `[outputs]`: mean of the absolute differences; 0 where nothing was added.
    pub fn mean_absolute_error(&self) -> Vec<f64> {
        self.outputs.iter().map(|output| output.absolute / output.count.max(1) as f64).collect()
    }

    /// `[outputs]`: square root of the mean of the squared differences; 0 where nothing was added.
    pub fn root_mean_squared_error(&self) -> Vec<f64> {
        self.outputs.iter().map(|output| (output.squared / output.count.max(1) as f64).sqrt()).collect()
    }

    /// `[outputs]`: the coefficient of determination R² = 1 - Σ(y - ŷ)² / Σ(y - ȳ)², which is 1 where all is predicted
    /// exactly and 0 where nothing is better than the mean. Where the true values are all the same it is 1 if they are
    /// predicted exactly and else 0.
    pub fn r2(&self) -> Vec<f64> {
        let r2 = |output: &Output| match (output.squared, output.spread) {
            (0.0, _) => 1.0,
            (_, 0.0) => 0.0,
            (squared, spread) => 1.0 - squared / spread,
        };
        self.outputs.iter().map(r2).collect()
    }
}

/// The mean of `values`; 0 where there are none.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_entries_or_predictions_have_no_figures() {
        let mut confusion = Confusion::new(4);
        for (label, predicted) in [(0, 0), (0, 1), (1, 1), (2, 1), (2, 0)] {
            confusion.add(label, predicted);
        }
        assert_eq!(confusion.recall(), [Some(0.5), Some(1.0), Some(0.0), None]);
        assert_eq!(confusion.precision(), [Some(0.5), Some(1.0 / 3.0), None, None]);
        assert_eq!(confusion.f1(), [Some(0.5), Some(0.5), Some(0.0), None]);
        assert_eq!(confusion.macro_f1(), 1.0 / 3.0);
        assert_eq!(confusion.accuracy(), 0.4);
        assert_eq!((Confusion::new(2).accuracy(), Confusion::new(2).macro_f1()), (0.0, 0.0));
    }

    #[test]
    fn outputs_have_their_own_errors() {
        let mut residuals = Residuals::new(2);
        // far from zero, where sums of squares would cancel
        for (step, error) in [(0, 0.5), (1, -0.5), (2, 0.5), (3, -0.5)] {
            let actual = 1e4 + step as f32;
            residuals.add(&[actual + error, -7.0], &[actual, -5.0]);
        }
        assert_eq!(residuals.mean_absolute_error(), [0.5, 2.0]);
        assert_eq!(residuals.root_mean_squared_error(), [0.5, 2.0]);
        assert_eq!(residuals.r2(), [1.0 - 1.0 / 5.0, 0.0]);
    }

    #[test]
    fn an_exact_prediction_of_a_constant_is_perfect() {
        let mut residuals = Residuals::new(1);
        residuals.add(&[3.0], &[3.0]);
        assert_eq!(residuals.r2(), [1.0]);
        assert_eq!(Residuals::new(1).mean_absolute_error(), [0.0]);
    }
}
