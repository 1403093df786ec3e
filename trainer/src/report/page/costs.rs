//! What a model loses by quantisation, and what it costs on the board.

use maud::{Markup, html};

use super::chart::{at, key, run_class};
use super::text::{count, listed, percent, significant, thousands};
use super::view::{Board, Layer, Page, Run};

/// The clock that times are estimated at, in Hz.
const CLOCK: f64 = 100e6;

/// A bar for each run: its length from 0 to 1 in parts, and the words beside it.
struct Bar {
    run: usize,
    parts: Vec<f64>,
    words: Markup,
}

/// Bars below one another with the runs' names.
fn bars(title: &str, note: &str, runs: &[Run], bars: &[Bar]) -> Markup {
    html! {
        div.bars-of {
            h3 { (title) }
            @if !note.is_empty() { p.facts { (note) } }
            table.bars-table {
                @for Bar { run, parts, words } in bars {
                    tr {
                        th scope="row" { (key(*run)) (runs[*run].name) }
                        td.length {
                            svg class={ "length " (run_class(*run)) } width="100%" height="14" aria-hidden="true" {
                                @for (index, part) in parts.iter().enumerate() {
                                    rect class={ "part-" (index) } x=(at(parts[..index].iter().sum())) width=(at(*part)) height="14" {}
                                }
                            }
                        }
                        td.words { (words) }
                    }
                }
            }
        }
    }
}

/// The error of each layer, as a part of the layer's signal.
pub(super) fn quantisation(page: &Page) -> Markup {
    let layers = || page.runs.iter().flat_map(|run| &run.layers);
    let mut names: Vec<&str> = Vec::new();
    for layer in layers() {
        if !names.contains(&layer.name.as_str()) {
            names.push(&layer.name);
        }
    }
    let greatest = layers().map(relative).fold(f64::MIN_POSITIVE, f64::max);
    let of = |name: &str| -> Vec<Bar> {
        let found = page
            .runs
            .iter()
            .enumerate()
            .flat_map(|(run, facts)| facts.layers.iter().map(move |layer| (run, layer)));
        found
            .filter(|(_, layer)| layer.name == name)
            .map(|(run, layer)| layer_bar(run, layer, greatest))
            .collect()
    };
    html! {
        p.explain {
            "How far the model file’s numbers are off the f32 network, layer by layer: the root mean square of the error "
            "against that of the layer’s own values, then the error itself and the greatest one."
        }
        div.pair { @for name in names { (bars(name, "", &page.runs, &of(name))) } }
    }
}

fn relative(layer: &Layer) -> f64 {
    layer.rms / layer.signal_rms.max(f64::MIN_POSITIVE)
}

fn layer_bar(run: usize, layer: &Layer, greatest: f64) -> Bar {
    let words = html! {
        b { (percent(relative(layer))) } span.note { "rms " (significant(layer.rms)) ", max " (significant(layer.max)) }
    };
    Bar { run, parts: vec![relative(layer) / greatest], words }
}

/// Flash, RAM and instructions.
pub(super) fn boards(page: &Page) -> Markup {
    let measured: Vec<(usize, &Board)> =
        page.runs.iter().enumerate().filter_map(|(index, run)| Some((index, run.board.as_ref()?))).collect();
    let bars_of = |parts: fn(&Board) -> Option<Vec<u64>>, words: fn(&[u64]) -> Markup| -> Vec<Bar> {
        let known: Vec<_> = measured.iter().filter_map(|&(run, board)| Some((run, parts(board)?))).collect();
        let most = known.iter().map(|(_, parts)| parts.iter().sum::<u64>()).max().unwrap_or(1).max(1) as f64;
        let bar = |(run, parts): (usize, Vec<u64>)| Bar {
            run,
            words: words(&parts),
            parts: parts.into_iter().map(|part| part as f64 / most).collect(),
        };
        known.into_iter().map(bar).collect()
    };
    let flash = bars_of(
        |board| Some(vec![board.model_bytes, board.code_bytes?]),
        |parts| two_parts(["model", "code"], parts),
    );
    let ram = bars_of(
        |board| Some(vec![board.static_bytes?, board.stack_bytes]),
        |parts| two_parts(["variables", "stack"], parts),
    );
    let instructions = bars_of(
        |board| Some(vec![board.instructions?]),
        |parts| {
            html! {
                b { (thousands(parts[0])) } span.note { "at least " (milliseconds(parts[0])) " at 100 MHz" }
            }
        },
    );
    html! {
        p.explain { (conditions(&measured)) }
        div.pair {
            @if !instructions.is_empty() {
                (bars("Instructions per inference", "A whole sequence; the time is an estimate, at one instruction a cycle: real parts need more.", &page.runs, &instructions))
            }
            @if !flash.is_empty() { (bars("Flash, bytes", "The model file, and behind it all other firmware: drivers, link, logs and the runtime.", &page.runs, &flash)) }
            @if !ram.is_empty() { (bars("RAM, bytes", "The firmware’s variables, and behind them the most stack that was used.", &page.runs, &ram)) }
        }
    }
}

fn two_parts([first, second]: [&str; 2], parts: &[u64]) -> Markup {
    html! {
        b { (thousands(parts.iter().sum())) }
        span.note { (first) " " (thousands(parts[0])) ", " (second) " " (thousands(parts[1])) }
    }
}

fn milliseconds(instructions: u64) -> String {
    format!("{}\u{a0}ms", significant(1e3 * instructions as f64 / CLOCK))
}

/// Where the figures were taken, and whether the board agreed with the host.
fn conditions(measured: &[(usize, &Board)]) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for (_, board) in measured {
        if !names.contains(&board.name.as_str()) {
            names.push(&board.name);
        }
    }
    let is_emulated = measured.iter().all(|(_, board)| board.emulated);
    let samples = measured.iter().map(|(_, board)| board.samples).min().unwrap_or(0);
    let do_match = measured.iter().all(|(_, board)| board.host_matches);
    html! {
        "On " (listed(&names)) @if is_emulated { ", emulated by QEMU" } ", over "
        (count(samples, "test sample")) ": "
        @if do_match { "every logit was the host’s, bit for bit." }
        @else { strong.wrong { "some logits were not the host’s." } }
    }
}
