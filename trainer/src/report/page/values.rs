//! Regression: what was predicted against what is true, and how the errors are spread.

use maud::{Markup, html};

use super::chart::{Chart, Form, bar, dots, key, path, run_class};
use super::scale::{Scale, Spread};
use super::text::{count, or_dash, significant, thousands};
use super::view::{OutputResults, Page, Results, Run, Task};

/// Bars of a histogram; an odd number, so that one of them is around zero.
const BARS: usize = 31;

/// For each value and run a scatter plot and a histogram.
pub(super) fn section(page: &Page) -> Markup {
    let Task::Values(names) = &page.data.task else { return html! {} };
    html! {
        p.explain {
            "Each point is a prediction; on the diagonal it is right. The histograms count the errors, predicted less "
            "true, in the value’s own unit."
        }
        @for (index, name) in names.iter().enumerate() {
            @if names.len() > 1 { h3.output { (name) } }
            @let outputs: Vec<_> = page.runs.iter().map(|run| of(run, index)).collect();
            @let axes = Axes::new(outputs.iter().copied().flatten());
            div.panels {
                @for (number, run) in page.runs.iter().enumerate() {
                    @if let Some(output) = outputs[number] { (axes.panel(number, run, name, output)) }
                }
            }
        }
    }
}

fn of(run: &Run, output: usize) -> Option<&OutputResults> {
    match &run.results {
        Results::Values(results) => results.outputs.get(output),
        Results::Classes(_) => None,
    }
}

/// The same axes for all runs, so that their plots can be compared.
struct Axes {
    values: Scale,
    /// The greatest magnitude of an error.
    reach: f64,
    errors: Scale,
}

impl Axes {
    fn new<'o>(outputs: impl Iterator<Item = &'o OutputResults> + Clone) -> Self {
        let points = outputs.flat_map(|output| &output.points);
        let values = points.clone().flat_map(|&(truth, predicted)| [f64::from(truth), f64::from(predicted)]);
        let errors = points.map(|&(truth, predicted)| (f64::from(predicted) - f64::from(truth)).abs());
        let greatest = errors.filter(|error| error.is_finite()).fold(0.0, f64::max);
        let reach = if greatest > 0.0 { greatest } else { 1.0 };
        Self { values: Scale::around(Spread::Linear, values), reach, errors: Scale::linear(-reach, reach) }
    }

    fn panel(&self, index: usize, run: &Run, name: &str, output: &OutputResults) -> Markup {
        html! {
            div.panel {
                h3 { (key(index)) (run.name) }
                p.facts {
                    "mean absolute error " b { (significant(output.mae)) } ", root mean square "
                    b { (significant(output.rmse)) } ", R² " b { (or_dash(output.r2.map(|r2| format!("{r2:.4}")))) }
                    @if output.points.len() < output.count {
                        " (" (thousands(output.points.len() as u64)) " of " (count(output.count, "prediction")) " drawn)"
                    }
                }
                div.both {
                    (self.scatter(index, run, name, output))
                    (self.histogram(index, run, name, output))
                }
            }
        }
    }

    fn scatter(&self, index: usize, run: &Run, name: &str, output: &OutputResults) -> Markup {
        let at = |value: f32| self.values.at(value.into());
        let label = format!("{name} by {}: predicted against true values", run.name);
        let drawn = html! {
            path.diagonal d="M0 1000L1000 0" {}
            path class={ "dots " (run_class(index)) }
                d=(dots(output.points.iter().map(|&(truth, predicted)| (at(truth), at(predicted))))) {}
        };
        let (x, y) = (&self.values, &self.values);
        let chart = Chart {
            label: &label,
            x,
            y,
            x_name: "true value, predicted upwards",
            form: Form::Square,
            rows: None,
        };
        html! { figure.chart { (chart.draw(&drawn, &html! {})) } }
    }

    fn histogram(&self, index: usize, run: &Run, name: &str, output: &OutputResults) -> Markup {
        let counts = self.counts(&output.points);
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let y = Scale::linear(0.0, 1.06 * most as f64);
        let label = format!("{name} by {}: histogram of the errors", run.name);
        let edge = |bar: usize| bar as f64 / BARS as f64;
        let drawn = html! {
            g class={ "bars " (run_class(index)) } {
                @for (index, &count) in counts.iter().enumerate() {
                    @if count > 0 { (bar(edge(index), edge(index + 1), y.at(count as f64))) }
                }
            }
            path.diagonal d=(path([(0.5, 0.0), (0.5, 1.0)].into_iter())) {}
        };
        let chart =
            Chart { label: &label, x: &self.errors, y: &y, x_name: "error", form: Form::Low, rows: None };
        html! { figure.chart { (chart.draw(&drawn, &html! {})) } }
    }

    /// How many errors fall into each bar.
    fn counts(&self, points: &[(f32, f32)]) -> [usize; BARS] {
        let mut counts = [0; BARS];
        for &(truth, predicted) in points {
            let error = f64::from(predicted) - f64::from(truth);
            let place = (error + self.reach) / (2.0 * self.reach) * BARS as f64;
            if place.is_finite() {
                counts[(place as usize).min(BARS - 1)] += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_in_one_bar() {
        let output = |points: Vec<(f32, f32)>| OutputResults {
            mae: 0.0,
            rmse: 0.0,
            r2: None,
            float_mae: None,
            count: points.len(),
            points,
        };
        let found = output(vec![(1.0, 3.0), (1.0, -1.0), (5.0, 5.0), (2.0, 2.01), (0.0, f32::NAN)]);
        let counts = Axes::new([&found].into_iter()).counts(&found.points);
        assert_eq!((counts[0], counts[BARS / 2], counts[BARS - 1]), (1, 2, 1));
        assert_eq!(counts.iter().sum::<usize>(), 4);
        let right = output(vec![(1.0, 1.0); 3]);
        assert_eq!(Axes::new([&right].into_iter()).counts(&right.points)[BARS / 2], 3);
    }
}
