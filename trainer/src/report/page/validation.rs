//! The page on one model on one board: where it ran, whether it computed the host's bits, how good its answers are, and
//! what it costs, part by part.

use maud::{Markup, html};

use super::chart::{at, run_class};
use super::document::{Frame, Section, frame, judgement, subject};
use super::text::{count, percent, significant, thousands};
use super::view::Page;

/// Everything on the page.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationPage {
    /// What the model was run on, and one run: what the board's answers are worth and what they cost.
    pub page: Page,
    /// What ran where.
    pub place: Place,
    /// How good the answers are, on the board and on the host.
    pub compared: Vec<Compared>,
    /// What the parts of an inference cost.
    pub measured: Measured,
}

/// What ran where.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The model's name and its file.
    pub model: [String; 2],
    /// What its network looks like, in words.
    pub shape: String,
    /// CRC-32 of the file.
    pub crc32: String,
    /// The board's processor and its clock in Hz, where they are known.
    pub core: Option<(String, u32)>,
    /// Version of the firmware.
    pub firmware: String,
    /// Version of the QEMU that emulated the board; `None` for a real one.
    pub qemu: Option<String>,
    /// The serial port of a real board.
    pub port: Option<String>,
    /// How the samples got there: `memory`, `link` or `sequences`.
    pub via: String,
    /// Samples a second, without building and booting.
    pub samples_per_second: f64,
    /// How often the host had to ask again.
    pub retries: u64,
    /// What the line has carried, where the samples went over one.
    pub line: Option<Line>,
    /// The first logit that is not the host's, in words.
    pub mismatch: Option<String>,
    /// SHA-256 of the logits of the board and of the host.
    pub logits_sha256: [String; 2],
    /// Stack that an inference takes, where that was measured.
    pub inference_stack: Option<u32>,
}

/// What a line has carried, in bytes a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// To the board.
    pub carried: f64,
    /// Of echoes, as much as it carries.
    pub echoes: f64,
}

/// One figure of the answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// What it is.
    pub figure: Figure,
    /// On the board and on the host, where it has a value.
    pub values: [Option<f64>; 2],
}

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// A part of one.
    Part,
    /// A number in a unit of its own.
    Number,
}

/// What the board measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Over how many samples.
    pub samples: usize,
    /// Their timesteps together.
    pub timesteps: u64,
    /// Whether the samples were measured to their ends.
    pub to_the_end: bool,
    /// Whether costs are instructions; otherwise they are ticks of the board's timer.
    pub are_instructions: bool,
    /// Cost of a timestep, measured as a whole.
    pub timestep: f64,
    /// The parts of a timestep.
    pub parts: Vec<Part>,
    /// Cost of a timestep with no input at zero.
    pub without_zeros: Option<f64>,
    /// Instructions of an inference over all samples, the mean.
    pub inference: Option<u64>,
    /// Ticks of the board's timer of an inference, the mean likewise.
    pub inference_ticks: Option<u64>,
}

/// A part of a timestep.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its cost.
    pub cost: f64,
    /// The part of all that it takes, from 0 to 1.
    pub share: f64,
}

/// The whole file.
pub(super) fn document(page: &ValidationPage) -> Markup {
    let data = &page.page;
    let own = [
        Section { id: "figures", title: "Figures", body: figures(page) },
        Section { id: "time", title: "Time", body: time(page) },
    ];
    let names: Vec<_> = data.runs.iter().map(|run| run.name.as_str()).collect();
    let boards: Vec<_> =
        data.runs.iter().filter_map(|run| run.board.as_ref()).map(|board| board.name.as_str()).collect();
    frame(&Frame {
        brand: "Refrain validation",
        title: format!("{} on {}", names.join(", "), boards.join(", ")),
        subject: format!("{} · {}", data.data.name, subject(data)),
        lead: lead(page),
        notes: &data.notes,
        sections: own.into_iter().chain(judgement(data)).collect(),
        origin: &data.data.origin,
    })
}

/// Whether the board computes what the host does, and where that was.
fn lead(page: &ValidationPage) -> Markup {
    let place = &page.place;
    html! {
        p.lead {
            @match &place.mismatch {
                None => { b { "Bit-exact: " } "the board computed every logit of " (count(page.page.data.samples, "test sample")) " as the host did." },
                Some(place) => { b.wrong { "Not bit-exact: " } (place) "." },
            }
            " "
            @match (&place.qemu, &place.port) {
                (Some(version), _) => { "The board was emulated by QEMU " (version) ": nothing here was measured on silicon." },
                (None, Some(port)) => { "The board is a real one, at " (port) "." },
                (None, None) => {},
            }
        }
    }
}

fn figures(page: &ValidationPage) -> Markup {
    let [board, host] = &page.place.logits_sha256;
    html! {
        div.decisive {
            div { (answers(page)) (facts("What it costs", &costs(page))) }
            div { (facts("What ran where", &ran(&page.place))) }
        }
        p.facts {
            "SHA-256 of all logits, " @if board == host { "on board and host: " code { (board) } }
            @else { "on the board: " code { (board) } ", on the host: " code { (host) } }
        }
    }
}

/// Board and host side by side.
fn answers(page: &ValidationPage) -> Markup {
    let text = |figure: Figure, value: Option<f64>| match (figure, value) {
        (_, None) => "–".into(),
        (Figure::Part, Some(part)) => percent(part),
        (Figure::Number, Some(number)) => significant(number),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Figures of the board and of the host" {
            table.figures {
                thead { tr { td {} th scope="col" { "board" } th scope="col" { "host" } } }
                tbody {
                    @for Compared { name, figure, values } in &page.compared {
                        tr { th scope="row" { (name) } @for value in values { td { (text(*figure, *value)) } } }
                    }
                }
            }
        }
    }
}

/// Names and values below a title.
fn facts(title: &str, rows: &[(&str, String)]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table.figures.facts-table {
                tbody {
                    tr.group { th scope="rowgroup" colspan="2" { (title) } }
                    @for (name, value) in rows { tr { th scope="row" { (name) } td { (value) } } }
                }
            }
        }
    }
}

/// Those that are known.
fn known<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Vec<(&'static str, String)> {
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Time and memory.
fn costs(page: &ValidationPage) -> Vec<(&'static str, String)> {
    let (place, measured) = (&page.place, &page.measured);
    let board = page.page.runs.first().and_then(|run| run.board.as_ref());
    let least = measured.inference.zip(place.core.as_ref());
    let least = least.map(|(instructions, &(_, clock))| {
        let milliseconds = significant(1e3 * instructions as f64 / f64::from(clock));
        format!("at least {milliseconds}\u{a0}ms at {}", megahertz(clock))
    });
    let bytes = |value: Option<u64>| value.map(thousands);
    known([
        ("instructions per inference, mean", measured.inference.map(thousands)),
        (
            "ticks of its clock per inference, mean",
            measured.inference_ticks.filter(|_| measured.inference.is_none()).map(thousands),
        ),
        ("time, one instruction a cycle", least),
        ("flash for the model, bytes", bytes(board.map(|board| board.model_bytes))),
        ("flash for all other code, bytes", bytes(board.and_then(|board| board.code_bytes))),
        ("RAM for variables, bytes", bytes(board.and_then(|board| board.static_bytes))),
        ("RAM for the stack at most, bytes", bytes(board.map(|board| board.stack_bytes))),
        ("of that, an inference, bytes", bytes(place.inference_stack.map(u64::from))),
    ])
}

fn ran(place: &Place) -> Vec<(&'static str, String)> {
    let [name, file] = &place.model;
    let core = place.core.as_ref().map(|(core, clock)| format!("{core} at {}", megahertz(*clock)));
    let whole = |rate: f64| thousands(rate.round() as u64);
    let line = place.line.map(|Line { carried, echoes }| {
        format!("{} bytes a second, {:.0} % of an echo’s", whole(carried), 100.0 * carried / echoes)
    });
    known([
        ("model", Some(name.clone())),
        ("file", Some(file.clone())),
        ("shape", Some(place.shape.clone())),
        ("CRC-32 of the file", Some(place.crc32.clone())),
        ("processor", core),
        ("emulated by", place.qemu.as_ref().map(|version| format!("QEMU {version}"))),
        ("port", place.port.clone()),
        ("firmware", Some(place.firmware.clone())),
        ("samples came by", Some(place.via.clone())),
        ("samples a second", Some(format!("{:.1}", place.samples_per_second))),
        ("the line carried", line),
        ("asked again", place.line.map(|_| count(place.retries as usize, "time"))),
    ])
}

fn megahertz(hertz: u32) -> String {
    format!("{}\u{a0}MHz", f64::from(hertz) / 1e6)
}

/// A bar for each part of a timestep.
fn time(page: &ValidationPage) -> Markup {
    let measured = &page.measured;
    let unit = if measured.are_instructions { "instructions" } else { "ticks" };
    let greatest = measured.parts.iter().map(|part| part.share).fold(f64::MIN_POSITIVE, f64::max);
    let sum: f64 = measured.parts.iter().map(|part| part.cost).sum();
    let whole = |cost: f64| thousands(cost.round() as u64);
    html! {
        p.explain {
            "What each part of a timestep costs, in " (unit) ": the mean of "
            (count(measured.timesteps as usize, "timestep")) ", those of the first " (count(measured.samples, "sample"))
            @if !measured.to_the_end { " as far as a request reaches" }
            ", measured by the board itself. The parts make " (whole(sum)) "; the same timesteps measured as a whole took "
            (whole(measured.timestep)) "."
        }
        div.bars-of.narrow {
            table.bars-table {
                @for Part { name, cost, share } in &measured.parts {
                    tr {
                        th scope="row" { (name) }
                        td.length {
                            svg class={ "length " (run_class(0)) } width="100%" height="14" aria-hidden="true" {
                                rect class="part-0" x="0" width=(at(share / greatest)) height="14" {}
                            }
                        }
                        td.words { b { (percent(*share)) } span.note { (whole(*cost)) " " (unit) } }
                    }
                }
            }
        }
        @if let Some(cost) = measured.without_zeros {
            p.facts { "With no input at zero, where nothing can be skipped, a timestep takes " b { (whole(cost)) } " " (unit) "." }
        }
    }
}
