//! The document around the sections.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::text::{count, listed};
use super::view::{Page, Results, Task};
use super::{chart, confusion, costs, curves, mistakes, repeat, summary, timeline, values};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A part of the page that the navigation leads to.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) body: Markup,
}

/// What stands around the sections of a page.
pub(super) struct Frame<'p> {
    /// What kind of page it is.
    pub(super) brand: &'static str,
    pub(super) title: String,
    pub(super) subject: String,
    /// The sentence to read where no other is read.
    pub(super) lead: Markup,
    /// What a reader must know about the figures.
    pub(super) notes: &'p [String],
    pub(super) sections: Vec<Section>,
    /// Where the data came from.
    pub(super) origin: &'p str,
}

/// The report on runs.
pub(super) fn document(page: &Page) -> Markup {
    let names: Vec<_> = page.runs.iter().map(|run| run.name.as_str()).collect();
    frame(&Frame {
        brand: "Refrain report",
        title: format!("{} on {}", listed(&names), page.data.name),
        subject: subject(page),
        lead: summary::verdict(page),
        notes: &page.notes,
        sections: sections(page),
        origin: &page.data.origin,
    })
}

/// The whole file.
pub(super) fn frame(frame: &Frame<'_>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "refrain " (env!("CARGO_PKG_VERSION")) };
                title { (frame.title) " – Refrain" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the report" }
                (chart::markers())
                header {
                    p.brand { (frame.brand) }
                    h1 { (frame.title) }
                    p.subject { (frame.subject) }
                    (frame.lead)
                    @for note in frame.notes { p.warning { (note) } }
                }
                nav aria-label="Sections" {
                    @for Section { id, title, .. } in &frame.sections { a href={ "#" (id) } { (title) } }
                }
                main #main {
                    @for Section { id, title, body } in &frame.sections {
                        section id=(id) aria-labelledby={ (id) "-title" } {
                            h2 id={ (id) "-title" } { (title) }
                            (body)
                        }
                    }
                }
                footer { p { "Written by refrain " (env!("CARGO_PKG_VERSION")) ". " (frame.origin) } }
                div #tooltip role="status" hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// The sections that there is something to show in.
fn sections(page: &Page) -> Vec<Section> {
    let has_history = page.runs.iter().any(|run| !run.history().is_empty());
    let has_layers = page.runs.iter().any(|run| !run.layers.is_empty());
    let has_boards = page.runs.iter().any(|run| run.board.is_some());
    let has_training = page.runs.iter().any(|run| run.training.is_some());
    let section = |id, title, is_shown: bool, body: fn(&Page) -> Markup| {
        is_shown.then(|| Section { id, title, body: body(page) })
    };
    let before = [
        section("figures", "Figures", true, summary::section),
        section("curves", "Learning curves", has_history, curves::section),
    ];
    let after = [
        section("quantisation", "Quantisation", has_layers, costs::quantisation),
        section("board", "Board", has_boards, costs::boards),
        section("repeat", "Repeat", has_training, repeat::section),
    ];
    before.into_iter().flatten().chain(judgement(page)).chain(after.into_iter().flatten()).collect()
}

/// The sections on what a model made of the samples, as far as there is something to show in them.
pub(super) fn judgement(page: &Page) -> impl Iterator<Item = Section> {
    let are_classes = matches!(page.data.task, Task::Classes(_));
    let has_values = page.runs.iter().any(|run| matches!(run.results, Results::Values(_)));
    let has_timelines = page.runs.iter().any(|run| !timeline::timelines(run).is_empty());
    let section = |id, title, is_shown: bool, body: fn(&Page) -> Markup| {
        is_shown.then(|| Section { id, title, body: body(page) })
    };
    let sections = [
        section("confusion", "Confusion", are_classes, confusion::section),
        section("errors", "Errors", has_values, values::section),
        section("mistakes", "Worst mistakes", mistakes::is_shown(page), mistakes::section),
        section("timelines", "Timelines", has_timelines, timeline::section),
    ];
    sections.into_iter().flatten()
}

/// What was measured on what.
pub(super) fn subject(page: &Page) -> String {
    let data = &page.data;
    let timesteps = match data.timesteps {
        (fewest, most) if fewest == most => count(most, "timestep"),
        (fewest, most) => format!("{fewest} to {}", count(most, "timestep")),
    };
    let task = match &data.task {
        Task::Classes(names) if names.len() == 1 => "1 class".into(),
        Task::Classes(names) => format!("{} classes", names.len()),
        Task::Values(names) => count(names.len(), "value"),
    };
    format!(
        "{} of {timesteps} × {}, {task}",
        count(data.samples, "test sample"),
        count(data.inputs, "feature")
    )
}

/// Nothing may be fetched, and nothing but the page's own style and script may be used.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; img-src data:; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
