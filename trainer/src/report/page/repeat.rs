//! How to make each run again.

use maud::{Markup, html};

use super::chart::key;
use super::text::{count, duration};
use super::view::Page;

/// The command of each run.
pub(super) fn section(page: &Page) -> Markup {
    html! {
        p.explain { "The same command gives the same network, byte for byte, whatever the number of threads." }
        @for (index, run) in page.runs.iter().enumerate() {
            @if let Some(training) = &run.training {
                h3 { (key(index)) (run.name) }
                p.facts {
                    "recipe " (training.recipe) ", seed " (training.seed) ", "
                    (count(training.history.len(), "epoch"))
                    @if let Some(seconds) = training.seconds { " in " (duration(seconds)) }
                }
                pre.command tabindex="0" role="region" aria-label={ "Command that repeats " (run.name) } { code { (training.command) } }
            }
        }
    }
}
