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
            h3 { (key(index)) (run.name) }
            p.facts {
                "recipe " (run.training.recipe) ", seed " (run.training.seed) ", "
                (count(run.training.history.len(), "epoch"))
                @if let Some(seconds) = run.training.seconds { " in " (duration(seconds)) }
            }
            pre.command tabindex="0" role="region" aria-label={ "Command that repeats " (run.name) } { code { (run.training.command) } }
        }
    }
}
