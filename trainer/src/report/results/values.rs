//! Results of a regression.

use super::super::page::{Mistake, OutputResults, Timeline, Track, ValueResults, significant};
use super::pictures::picture;
use super::{MISTAKES, Outputs, TIMELINES, starts, worst};
use crate::data::{Dataset, Kind, SplitView, TargetsView};
use crate::metrics::Residuals;

/// Points that a scatter plot has at most.
const POINTS: usize = 1500;

pub(super) fn results(dataset: &Dataset, samples: SplitView<'_>, outputs: Outputs<'_>) -> ValueResults {
    let truth = truth(samples);
    let parts = Parts { dataset, samples, truth: &truth, predicted: outputs.model, width: dataset.outputs() };
    let model = parts.residuals(outputs.model);
    let network = outputs.network.map(|network| parts.residuals(network).mean_absolute_error());
    let (mae, rmse, r2) = (model.mean_absolute_error(), model.root_mean_squared_error(), model.r2());
    let output = |index: usize| OutputResults {
        mae: mae[index],
        rmse: rmse[index],
        r2: Some(r2[index]),
        float_mae: network.as_ref().map(|mae| mae[index]),
        points: parts.points(index),
        count: truth.len() / parts.width,
    };
    let errors = parts.errors();
    ValueResults {
        outputs: (0..parts.width).map(output).collect(),
        mistakes: if samples.per_step() { Vec::new() } else { parts.mistakes(&errors) },
        timelines: if samples.per_step() { parts.timelines(&errors) } else { Vec::new() },
    }
}

/// `[answers][outputs]`
fn truth(samples: SplitView<'_>) -> Vec<f32> {
    match samples.targets() {
        TargetsView::Values(values) => values.iter().copied().collect(),
        TargetsView::Labels(_) => Vec::new(),
    }
}

/// What pictures are made of.
struct Parts<'a> {
    dataset: &'a Dataset,
    samples: SplitView<'a>,
    /// `[answers][outputs]`
    truth: &'a [f32],
    /// `[answers][outputs]`
    predicted: &'a [f32],
    /// Outputs of an answer.
    width: usize,
}

impl Parts<'_> {
    fn residuals(&self, predicted: &[f32]) -> Residuals {
        assert_eq!(predicted.len(), self.truth.len(), "values of these samples");
        let mut residuals = Residuals::new(self.width);
        for (predicted, truth) in predicted.chunks_exact(self.width).zip(self.truth.chunks_exact(self.width))
        {
            residuals.add(predicted, truth);
        }
        residuals
    }

    /// True and predicted values of an output, evenly spread over the answers where there are too many.
    fn points(&self, output: usize) -> Vec<(f32, f32)> {
        let count = self.truth.len() / self.width;
        let drawn = count.min(POINTS);
        (0..drawn)
            .map(|point| point * count / drawn * self.width + output)
            .map(|index| (self.truth[index], self.predicted[index]))
            .collect()
    }

    /// For each sequence its mean error, outputs being of the same weight whatever their unit.
    fn errors(&self) -> Vec<f64> {
        let unit: Vec<f64> = match &self.dataset.task().kind {
            Kind::Regression { scaling, .. } => scaling.deviation.iter().map(|&unit| unit.into()).collect(),
            Kind::Classification { .. } => vec![1.0; self.width],
        };
        let starts = starts(self.samples);
        let error = |sample: usize| {
            let range = starts[sample] * self.width..starts[sample + 1] * self.width;
            let pairs = self.truth[range.clone()].iter().zip(&self.predicted[range.clone()]);
            let errors = pairs.zip(unit.iter().cycle());
            let sum: f64 = errors.map(|((&t, &p), unit)| (f64::from(p) - f64::from(t)).abs() / unit).sum();
            sum / range.len().max(1) as f64
        };
        (0..self.samples.count()).map(error).collect()
    }

    fn mistakes(&self, errors: &[f64]) -> Vec<Mistake> {
        let text = |values: &[f32], sample: usize| {
            let row = &values[sample * self.width..(sample + 1) * self.width];
            row.iter().map(|&value| significant(value.into())).collect::<Vec<_>>().join(", ")
        };
        let mistake = |sample: usize| Mistake {
            sample,
            name: self.samples.name(sample).map(str::to_owned),
            picture: picture(self.dataset, self.samples, sample),
            truth: text(self.truth, sample),
            predicted: text(self.predicted, sample),
            probability: None,
        };
        worst(errors, MISTAKES).into_iter().map(mistake).collect()
    }

    fn timelines(&self, errors: &[f64]) -> Vec<Timeline> {
        let starts = starts(self.samples);
        let lines = |values: &[f32], sample: usize| -> Vec<Vec<f32>> {
            let rows = &values[starts[sample] * self.width..starts[sample + 1] * self.width];
            (0..self.width)
                .map(|output| rows.iter().skip(output).step_by(self.width).copied().collect())
                .collect()
        };
        let timeline = |sample: usize| Timeline {
            sample,
            name: self.samples.name(sample).map(str::to_owned),
            picture: picture(self.dataset, self.samples, sample),
            track: Track::Values {
                truth: lines(self.truth, sample),
                predicted: lines(self.predicted, sample),
            },
        };
        worst(errors, TIMELINES).into_iter().map(timeline).collect()
    }
}
