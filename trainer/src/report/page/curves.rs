//! Learning curves: all runs in one plot for the accuracy and one for the loss.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::chart::{Chart, Form, key, marker, path, run_class};
use super::scale::{Scale, Spread};
use super::text::{listed, percent, significant};
use super::view::{Epoch, Measure, Page, Run};

/// Markers on a curve, at most, so that long runs are not hidden behind theirs.
const MARKERS: usize = 8;

/// What a plot shows of an epoch.
struct Curve {
    id: &'static str,
    title: &'static str,
    note: &'static str,
    spread: Spread,
    value: fn(&Measure) -> Option<f64>,
    number: fn(f64) -> String,
}

const ACCURACY: Curve = Curve {
    id: "accuracy",
    title: "Accuracy",
    note: "stretched towards 100\u{a0}%",
    spread: Spread::TowardsOne,
    value: |measure| measure.accuracy,
    number: percent,
};

const ERROR: Curve = Curve {
    id: "error",
    title: "Mean absolute error",
    note: "logarithmic",
    spread: Spread::Logarithmic,
    value: |measure| measure.mean_absolute_error,
    number: significant,
};

const LOSS: Curve = Curve {
    id: "loss",
    title: "Loss",
    note: "logarithmic",
    spread: Spread::Logarithmic,
    value: |measure| Some(measure.loss),
    number: significant,
};

/// The plots, with a legend and the numbers.
pub(super) fn section(page: &Page) -> Markup {
    let epochs = || page.runs.iter().flat_map(|run| run.history());
    let has_kept = page.runs.iter().any(|run| run.kept_epoch().is_some());
    let has_validation = epochs().any(|epoch| epoch.validation.is_some());
    let curves = [ACCURACY, ERROR, LOSS]
        .into_iter()
        .filter(|curve| epochs().any(|epoch| (curve.value)(&epoch.train).is_some()));
    html! {
        ul.legend {
            @for (index, run) in page.runs.iter().enumerate() {
                li { (key(index)) (run.name) }
            }
            @if has_validation {
                li.aside { svg.key width="22" height="12" aria-hidden="true" { line x1="0" x2="22" y1="6" y2="6" {} } "validation" }
            }
            li.aside { svg.key.train width="22" height="12" aria-hidden="true" { line x1="0" x2="22" y1="6" y2="6" {} } "training" }
            @if has_kept {
                li.aside { svg.key width="22" height="16" aria-hidden="true" { use.kept href="#kept" x="11" y="8" {} } "weights kept" }
            }
        }
        div.pair {
            @for curve in curves { (curve.figure(&page.runs)) }
        }
    }
}

impl Curve {
    fn figure(&self, runs: &[Run]) -> Markup {
        let epochs: BTreeSet<u32> =
            runs.iter().flat_map(|run| run.history()).map(|epoch| epoch.epoch).collect();
        let (first, last) = (epochs.first().copied().unwrap_or(1), epochs.last().copied().unwrap_or(1));
        let x = Scale::whole(first, last);
        let measures = runs.iter().flat_map(|run| run.history()).flat_map(measures);
        let y = Scale::around(self.spread, measures.filter_map(|measure| (self.value)(&measure)));
        let rows = format!("{}-rows", self.id);
        let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
        let label = format!(
            "{} of {} over epochs {first} to {last}; the numbers are in the table below",
            self.title,
            listed(&names)
        );
        let chart =
            Chart { label: &label, x: &x, y: &y, x_name: "epoch", form: Form::Wide, rows: Some(&rows) };
        let lines = html! {
            @for (index, run) in runs.iter().enumerate() {
                g class=(run_class(index)) {
                    path.train d=(self.line(run, &x, &y, |epoch| Some(epoch.train))) {}
                    path.validation d=(self.line(run, &x, &y, |epoch| epoch.validation)) {}
                }
            }
        };
        let markers = html! {
            @for (index, run) in runs.iter().enumerate() {
                g class=(run_class(index)) { (self.markers(index, run, &x, &y)) }
            }
        };
        html! {
            figure.chart {
                figcaption { h3 { (self.title) } span.note { (self.note) } }
                (chart.draw(&lines, &markers))
                (self.numbers(runs, &epochs, &x, &rows))
            }
        }
    }

    fn line(&self, run: &Run, x: &Scale, y: &Scale, of: fn(&Epoch) -> Option<Measure>) -> String {
        path(run.history().iter().map(|epoch| {
            let value = of(epoch).and_then(|measure| (self.value)(&measure)).unwrap_or(f64::NAN);
            (x.at(epoch.epoch.into()), y.at(value))
        }))
    }

    /// Markers on the curve that matters most: validation, or training where there is none.
    fn markers(&self, index: usize, run: &Run, x: &Scale, y: &Scale) -> Markup {
        let history = run.history();
        let every = history.len().div_ceil(MARKERS).max(1);
        let place = |epoch: &Epoch| {
            let value = (self.value)(&epoch.validation.unwrap_or(epoch.train))?;
            value.is_finite().then(|| (x.at(epoch.epoch.into()), y.at(value)))
        };
        let marked = history.iter().rev().step_by(every).filter_map(place);
        let kept = history.iter().find(|epoch| Some(epoch.epoch) == run.kept_epoch()).and_then(place);
        html! {
            @for (x, y) in marked { (marker(index, x, y)) }
            @if let Some((x, y)) = kept {
                use.kept href="#kept" x=(super::chart::at(x)) y=(super::chart::up(y)) {}
            }
        }
    }

    fn numbers(&self, runs: &[Run], epochs: &BTreeSet<u32>, x: &Scale, id: &str) -> Markup {
        let number = |measure: Option<Measure>| {
            measure.and_then(|measure| (self.value)(&measure)).map_or_else(|| "–".into(), self.number)
        };
        let of = |run: &Run, number: u32| run.history().iter().find(|epoch| epoch.epoch == number).copied();
        html! {
            details {
                summary { "Numbers" }
                div.scroll tabindex="0" role="region" aria-label={ (self.title) " by epoch" } {
                    table.numbers id=(id) {
                        thead { tr {
                            th scope="col" { "epoch" }
                            @for (index, run) in runs.iter().enumerate() {
                                th scope="col" data-key=(index) { (run.name) ", training" }
                                th scope="col" data-key=(index) { (run.name) ", validation" }
                            }
                        } }
                        tbody {
                            @for &epoch in epochs {
                                tr data-at=(format!("{:.4}", x.at(epoch.into()))) {
                                    th scope="row" { (epoch) }
                                    @for run in runs {
                                        @let found = of(run, epoch);
                                        td { (number(found.map(|epoch| epoch.train))) }
                                        td { (number(found.and_then(|epoch| epoch.validation))) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn measures(epoch: &Epoch) -> impl Iterator<Item = Measure> {
    [Some(epoch.train), epoch.validation].into_iter().flatten()
}
