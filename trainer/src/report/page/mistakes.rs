//! The samples that a model gets most wrong, as pictures.

use maud::{Markup, html};

use super::chart::key;
use super::picture;
use super::text::{short_percent, thousands};
use super::view::{Mistake, Page, Picture, Results};

/// A row of pictures for each run.
pub(super) fn section(page: &Page) -> Markup {
    let are_images = page.runs.iter().flat_map(|run| mistakes(&run.results)).any(is_image);
    html! {
        p.explain {
            "Greatest error first, with the truth, what the model made of it and the sample’s number among the test samples. "
            @if are_images { "A timestep is a row of the picture." }
            @else { "A line is a feature over the timesteps, standardised." }
        }
        @for (index, run) in page.runs.iter().enumerate() {
            h3 { (key(index)) (run.name) }
            @if mistakes(&run.results).is_empty() {
                p.facts { "None: every sample was classified rightly." }
            } @else {
                ol.mistakes.lines[!are_images] {
                    @for mistake in mistakes(&run.results) { (item(mistake)) }
                }
            }
        }
    }
}

/// Whether there is any to show, or to say that there is none.
pub(super) fn is_shown(page: &Page) -> bool {
    page.runs.iter().any(|run| match &run.results {
        Results::Classes(results) => results.timelines.is_empty(),
        Results::Values(results) => !results.mistakes.is_empty(),
    })
}

fn mistakes(results: &Results) -> &[Mistake] {
    match results {
        Results::Classes(results) => &results.mistakes,
        Results::Values(results) => &results.mistakes,
    }
}

fn is_image(mistake: &Mistake) -> bool {
    matches!(mistake.picture, Picture::Image { .. })
}

fn item(mistake: &Mistake) -> Markup {
    let number = thousands(mistake.sample as u64);
    let label = format!("sample {number}, a {}, taken for {}", mistake.truth, mistake.predicted);
    html! {
        li {
            figure {
                (picture::draw(&mistake.picture, &label))
                figcaption {
                    b { (mistake.truth) } " → " b.wrong { (mistake.predicted) }
                    span.note {
                        @if let Some(probability) = mistake.probability { (short_percent(probability)) "\u{a0}% sure" br; }
                        "no. " (number)
                    }
                }
            }
        }
    }
}
