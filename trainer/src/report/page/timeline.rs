//! Sequences with a truth and a prediction for each timestep.

use maud::{Markup, html};

use super::chart::{key, path, run_class, stretch};
use super::picture;
use super::scale::{Scale, Spread};
use super::text::{count, significant, thousands};
use super::view::{Page, Results, Run, Task, Timeline, Track};

/// Colours of classes; more classes begin again.
const CLASS_STYLES: usize = 6;

/// A few sequences of each run.
pub(super) fn section(page: &Page) -> Markup {
    let names = match &page.data.task {
        Task::Classes(names) | Task::Values(names) => names,
    };
    let are_classes = matches!(page.data.task, Task::Classes(_));
    html! {
        p.explain {
            "Greatest error first: the features over the timesteps, standardised; below them what is true and what the model says. "
            @if are_classes { "A mark in the last row is a wrong timestep." }
        }
        @if are_classes {
            ul.legend {
                @for (class, name) in names.iter().enumerate() {
                    li { svg class={ "swatch class-" (class % CLASS_STYLES) } width="14" height="14" aria-hidden="true" { rect width="14" height="14" rx="3" {} } (name) }
                }
            }
        }
        @for (index, run) in page.runs.iter().enumerate() {
            @if !timelines(run).is_empty() {
                h3 { (key(index)) (run.name) }
                div.timelines {
                    @for timeline in timelines(run) { (figure(index, timeline, names)) }
                }
            }
        }
    }
}

/// The timelines of a run.
pub(super) fn timelines(run: &Run) -> &[Timeline] {
    match &run.results {
        Results::Classes(results) => &results.timelines,
        Results::Values(results) => &results.timelines,
    }
}

/// Which sequence it is.
fn title(timeline: &Timeline) -> Markup {
    html! {
        b { "no. " (thousands(timeline.sample as u64)) }
        @if let Some(name) = &timeline.name { span.name { (name) } }
    }
}

fn figure(run: usize, timeline: &Timeline, names: &[String]) -> Markup {
    let number = thousands(timeline.sample as u64);
    html! {
        figure.timeline {
            @match &timeline.track {
                Track::Classes { truth, predicted } => {
                    @let wrong = truth.iter().zip(predicted).filter(|(truth, predicted)| truth != predicted).count();
                    figcaption {
                        (title(timeline)) span.note { (thousands(wrong as u64)) " of " (count(truth.len(), "timestep")) " wrong" }
                    }
                    (picture::draw(&timeline.picture, &format!("features of sample {number}")))
                    (strip("truth", truth, names))
                    (strip("model", predicted, names))
                    (differences(truth, predicted))
                },
                Track::Values { truth, predicted } => {
                    figcaption {
                        (title(timeline))
                        span.note { "mean absolute error " (significant(mean_error(truth, predicted))) }
                    }
                    (picture::draw(&timeline.picture, &format!("features of sample {number}")))
                    @for ((name, truth), predicted) in names.iter().zip(truth).zip(predicted) {
                        (lines(run, name, truth, predicted))
                    }
                },
            }
        }
    }
}

/// The classes as a band; neighbours of one class are one piece of it.
fn strip(title: &str, classes: &[u8], names: &[String]) -> Markup {
    let pieces = pieces(classes);
    let name = |class: u8| names.get(usize::from(class)).map_or("?", String::as_str);
    let words: Vec<_> = pieces
        .iter()
        .map(|&(class, from, to)| format!("{} from {from} to {}", name(class), to - 1))
        .collect();
    let drawn = html! {
        @for (&(class, from, to), words) in pieces.iter().zip(&words) {
            (piece(&format!("class-{}", usize::from(class) % CLASS_STYLES), from, to, classes.len(), words))
        }
    };
    row(title, &words.join(", "), &drawn)
}

/// A mark where truth and prediction differ.
fn differences(truth: &[u8], predicted: &[u8]) -> Markup {
    let wrong: Vec<u8> =
        truth.iter().zip(predicted).map(|(truth, predicted)| u8::from(truth != predicted)).collect();
    let pieces: Vec<_> = pieces(&wrong).into_iter().filter(|&(wrong, ..)| wrong == 1).collect();
    let words: Vec<_> =
        pieces.iter().map(|&(_, from, to)| format!("timesteps {from} to {}", to - 1)).collect();
    let drawn = html! {
        @for (&(_, from, to), words) in pieces.iter().zip(&words) { (piece("miss", from, to, wrong.len(), words)) }
    };
    row("wrong", if words.is_empty() { "none".into() } else { words.join(", ") }.as_str(), &drawn)
}

/// Runs of equal values: the value, the first index and the one after the last.
fn pieces(classes: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut from = 0;
    let runs = classes.chunk_by(|one, next| one == next);
    runs.map(|run| {
        let piece = (run[0], from, from + run.len());
        from += run.len();
        piece
    })
    .collect()
}

fn piece(class: &str, from: usize, to: usize, length: usize, words: &str) -> Markup {
    let place = |index: usize| 1000.0 * index as f64 / length as f64;
    html! {
        rect class=(class) x=(format!("{:.1}", place(from))) width=(format!("{:.1}", place(to) - place(from)))
            y="0" height="1000" { title { (words) } }
    }
}

fn row(title: &str, words: &str, drawn: &Markup) -> Markup {
    html! {
        div.strip {
            span.note { (title) }
            svg.plot role="img" aria-label={ (title) ": " (words) } { (stretch(drawn)) }
        }
    }
}

/// One value: what is true, and over it what was predicted.
fn lines(run: usize, name: &str, truth: &[f32], predicted: &[f32]) -> Markup {
    let y = Scale::around(Spread::Linear, truth.iter().chain(predicted).map(|&value| value.into()));
    let x = Scale::linear(0.0, truth.len().saturating_sub(1) as f64);
    let line = |values: &[f32]| {
        path(values.iter().enumerate().map(|(t, &value)| (x.at(t as f64), y.at(value.into()))))
    };
    let drawn = html! {
        path.truth d=(line(truth)) {}
        path class={ "predicted " (run_class(run)) } d=(line(predicted)) {}
    };
    html! {
        div.strip.values {
            span.note { (name) }
            svg.plot role="img" aria-label={ (name) ": true and predicted values" } { (stretch(&drawn)) }
        }
    }
}

fn mean_error(truth: &[Vec<f32>], predicted: &[Vec<f32>]) -> f64 {
    let errors = truth.iter().flatten().zip(predicted.iter().flatten());
    let count = errors.clone().count().max(1);
    errors.map(|(truth, predicted)| (f64::from(*truth) - f64::from(*predicted)).abs()).sum::<f64>()
        / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_class_are_one_piece() {
        assert_eq!(pieces(&[0, 0, 1, 0]), [(0, 0, 2), (1, 2, 3), (0, 3, 4)]);
        assert!(pieces(&[]).is_empty());
    }
}
