//! What accuracy costs: the runs as points between error and instructions.

use maud::{Markup, html};

use super::chart::{Chart, Form, at, marker, run_class, up};
use super::scale::{Scale, Spread};
use super::text::listed;
use super::view::{Page, Results, Run, Task};

/// What the points' places to the right stand for.
struct Cost {
    name: &'static str,
    of: fn(&Run) -> Option<f64>,
}

const INSTRUCTIONS: Cost = Cost {
    name: "million instructions per inference",
    of: |run| run.board.as_ref()?.instructions.map(|count| count as f64 / 1e6),
};

const BYTES: Cost = Cost { name: "model file, kB", of: |run| Some(run.network.model_bytes as f64 / 1e3) };

/// The plot; nothing for a single run.
pub(super) fn figure(page: &Page) -> Markup {
    let runs = &page.runs;
    if runs.len() < 2 {
        return html! {};
    }
    let cost = if runs.iter().all(|run| (INSTRUCTIONS.of)(run).is_some()) { INSTRUCTIONS } else { BYTES };
    let points: Vec<_> = runs
        .iter()
        .enumerate()
        .filter_map(|(index, run)| Some((index, run, (cost.of)(run)?, quality(run)?)))
        .collect();
    let (title, spread) = match &page.data.task {
        Task::Classes(_) => ("Accuracy of the model file".to_owned(), Spread::TowardsOne),
        Task::Values(names) => {
            (format!("Mean absolute error, {}", names.first().map_or("", String::as_str)), Spread::Linear)
        }
    };
    let most = points.iter().map(|&(.., cost, _)| cost).fold(0.0, f64::max);
    let x = Scale::linear(0.0, 1.15 * most);
    let y = Scale::around(spread, points.iter().map(|&(.., quality)| quality));
    let names: Vec<_> = runs.iter().map(|run| run.name.as_str()).collect();
    let label = format!("{title} against {} of {}; the numbers are in the table", cost.name, listed(&names));
    let drawn = html! {
        @for &(index, run, cost, quality) in &points {
            @let (x, y) = (x.at(cost), y.at(quality));
            g class={ "large " (run_class(index)) } { (marker(index, x, y)) }
            // a name is on the side where there is more room
            @if x < 0.6 { text.name x=(at(x)) y=(up(y)) dx="12" dy="0.35em" { (run.name) } }
            @else { text.name x=(at(x)) y=(up(y)) dx="-12" dy="0.35em" text-anchor="end" { (run.name) } }
        }
    };
    let chart = Chart { label: &label, x: &x, y: &y, x_name: cost.name, form: Form::Wide, rows: None };
    html! {
        figure.chart {
            figcaption { h3 { (title) } span.note { "against cost" } }
            (chart.draw(&html! {}, &drawn))
        }
    }
}

/// The first figure that a task is judged by.
fn quality(run: &Run) -> Option<f64> {
    match &run.results {
        Results::Classes(results) => Some(results.accuracy),
        Results::Values(results) => Some(results.outputs.first()?.mae),
    }
}
