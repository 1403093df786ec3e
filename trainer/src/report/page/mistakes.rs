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
            "Greatest error first, with the truth, what the model made of it and the sample’s number among the test samples, with its file or place in the data where it has one. "
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
                        @if let Some(name) = &mistake.name { br; span.name { (name) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_its_number_and_its_name_where_it_has_one() {
        let mut mistake = Mistake {
            sample: 1234,
            name: Some("test/<a>.csv".into()),
            picture: Picture::Lines(vec![vec![0.0, 1.0]]),
            truth: "up".into(),
            predicted: "down".into(),
            probability: None,
        };
        let named = item(&mistake).into_string();
        assert!(named.contains("no. 1,234<br><span class=\"name\">test/&lt;a&gt;.csv</span>"), "{named}");
        mistake.name = None;
        let nameless = item(&mistake).into_string();
        assert!(nameless.contains("no. 1,234</span>"), "{nameless}");
    }
}
