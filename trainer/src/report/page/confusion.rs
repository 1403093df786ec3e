//! Which classes are taken for which.

use maud::{Markup, html};

use super::chart::key;
use super::text::{percent, short_percent, thousands};
use super::view::{ClassResults, Page, Results, Run, Task};

/// Classes beyond which the matrix is left out and the list of confusions is longer.
const MATRIX_CLASSES: usize = 40;
/// Confusions that are listed, of a small and of a large number of classes.
const LISTED: [usize; 2] = [6, 24];
/// Shades of a cell, without the empty one.
const SHADES: f64 = 12.0;

/// A matrix for each run.
pub(super) fn section(page: &Page) -> Markup {
    let Task::Classes(classes) = &page.data.task else { return html! {} };
    html! {
        p.explain {
            "Rows are labels, columns what the model took them for; shades are parts of a row. Recall is the part of a "
            "label’s samples that was found, precision the part of a column that is right."
        }
        div.panels {
            @for (index, run) in page.runs.iter().enumerate() {
                @if let Results::Classes(results) = &run.results {
                    div.panel {
                        h3 { (key(index)) (run.name) }
                        p.facts {
                            "accuracy " b { (percent(results.accuracy)) } ", macro F1 " b { (percent(results.macro_f1)) }
                        }
                        @if classes.len() <= MATRIX_CLASSES { (matrix(run, results, classes)) }
                        (confusions(results, classes))
                    }
                }
            }
        }
    }
}

fn matrix(run: &Run, results: &ClassResults, classes: &[String]) -> Markup {
    let part = |part: Option<f64>| part.map_or_else(|| "–".into(), short_percent);
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Confusion matrix of " (run.name) } {
            table.matrix {
                thead { tr {
                    th scope="col" { "label" }
                    @for class in classes { th scope="col" { (class) } }
                    th.edge scope="col" { abbr title="recall in %" { "rec." } }
                } }
                tbody {
                    @for ((label, counts), recall) in classes.iter().zip(&results.confusion).zip(&results.recall) {
                        tr {
                            th scope="row" { (label) }
                            @for (class, &count) in classes.iter().zip(counts) { (cell(label, class, count, counts)) }
                            td.edge { (part(*recall)) }
                        }
                    }
                }
                tfoot { tr {
                    th scope="row" { abbr title="precision in %" { "prec." } }
                    @for precision in &results.precision { td { (part(*precision)) } }
                    td.edge {}
                } }
            }
        }
    }
}

/// One count, shaded by its part of the row; the root makes small parts visible.
fn cell(label: &str, class: &str, count: u64, row: &[u64]) -> Markup {
    let all: u64 = row.iter().sum();
    if count == 0 {
        return html! { td.none { span aria-hidden="true" { "·" } span.unseen { "0" } } };
    }
    let part = count as f64 / all as f64;
    let shade = (SHADES * part.cbrt()).ceil().clamp(1.0, SHADES);
    let kind = if label == class { "hit" } else { "miss" };
    let words = if label == class { "found" } else { "taken for" };
    let class = if label == class { "" } else { class };
    html! {
        td class={ (kind) " s" (shade) } title={ (label) ": " (thousands(count)) " of " (thousands(all)) " " (words) " " (class) } {
            (count)
        }
    }
}

/// The most frequent mistakes, in words.
fn confusions(results: &ClassResults, classes: &[String]) -> Markup {
    let mut found: Vec<(u64, usize, usize)> = Vec::new();
    for (label, counts) in results.confusion.iter().enumerate() {
        let wrong = counts.iter().enumerate().filter(|&(class, &count)| class != label && count > 0);
        found.extend(wrong.map(|(class, &count)| (count, label, class)));
    }
    found.sort_by_key(|&(count, label, class)| (std::cmp::Reverse(count), label, class));
    found.truncate(LISTED[usize::from(classes.len() > MATRIX_CLASSES)]);
    html! {
        @if !found.is_empty() {
            p.confusions {
                span.note { "most frequent mistakes" }
                @for (count, label, class) in found {
                    span.pill { (classes[label]) " → " (classes[class]) " " b { (thousands(count)) } }
                }
            }
        }
    }
}
