//! The figures that decide, side by side, and a sentence on who does best.

use maud::{Markup, html};

use super::chart::key;
use super::text::{count, duration, listed, or_dash, percent, significant, thousands};
use super::trade;
use super::view::{Board, ClassResults, Page, Results, Run, Task, Training, ValueResults};

/// Which end of a row is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Better {
    Neither,
    Least,
    Most,
}

/// One figure of all runs.
struct Row {
    name: String,
    better: Better,
    /// For each run its text and the number that it is compared by.
    cells: Vec<(String, Option<f64>)>,
}

/// The table, and beside it what accuracy costs.
pub(super) fn section(page: &Page) -> Markup {
    html! {
        div.decisive { (table(page)) (trade::figure(page)) }
    }
}

fn table(page: &Page) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Final figures of all runs" {
            table.figures {
                thead { tr {
                    td {}
                    @for (index, run) in page.runs.iter().enumerate() { th scope="col" { (key(index)) (run.name) } }
                } }
                @for (title, rows) in groups(page) {
                    tbody {
                        tr.group { th scope="rowgroup" colspan=(page.runs.len() + 1) { (title) } }
                        @for row in rows { (line(&row)) }
                    }
                }
            }
        }
    }
}

fn line(row: &Row) -> Markup {
    let best = best(row);
    html! {
        tr {
            th scope="row" { (row.name) }
            @for (text, number) in &row.cells {
                td {
                    @if best.is_some() && *number == best { b.best { (text) } } @else { (text) }
                }
            }
        }
    }
}

/// The best number of a row, where there is one that is better than another.
fn best(row: &Row) -> Option<f64> {
    let numbers = || row.cells.iter().filter_map(|(_, number)| *number);
    let (least, most) = (numbers().min_by(f64::total_cmp)?, numbers().max_by(f64::total_cmp)?);
    match row.better {
        _ if least == most => None,
        Better::Neither => None,
        Better::Least => Some(least),
        Better::Most => Some(most),
    }
}

/// Rows under their titles; rows without any figure are left out.
fn groups(page: &Page) -> Vec<(String, Vec<Row>)> {
    let runs = &page.runs;
    let mut boards: Vec<_> = runs.iter().filter_map(|run| Some(run.board.as_ref()?.name.as_str())).collect();
    boards.dedup();
    let board_title = format!("Board: {}", listed(&boards));
    let groups = [
        ("Network", network(runs)),
        ("Training", training(runs)),
        ("Test samples", results(page)),
        (&board_title, board(runs)),
    ];
    let is_known = |row: &Row| row.cells.iter().any(|(text, _)| text != "–");
    groups
        .into_iter()
        .map(|(title, rows)| (title.to_owned(), rows.into_iter().filter(is_known).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

/// A row of words.
fn words(name: &str, runs: &[Run], text: impl Fn(&Run) -> String) -> Row {
    Row {
        name: name.into(),
        better: Better::Neither,
        cells: runs.iter().map(|run| (text(run), None)).collect(),
    }
}

/// A row of numbers.
fn numbers(
    name: &str,
    better: Better,
    runs: &[Run],
    number: impl Fn(&Run) -> Option<f64>,
    text: impl Fn(f64) -> String,
) -> Row {
    let cell = |run| {
        let number = number(run);
        (or_dash(number.map(&text)), number)
    };
    Row { name: name.into(), better, cells: runs.iter().map(cell).collect() }
}

fn whole(number: f64) -> String {
    thousands(number as u64)
}

fn network(runs: &[Run]) -> Vec<Row> {
    vec![
        words("cell", runs, |run| run.network.cell.clone()),
        words("recurrent layers × units", runs, |run| {
            format!("{} × {}", run.network.layers, run.network.units)
        }),
        numbers("parameters", Better::Least, runs, |run| Some(run.network.parameters as f64), whole),
        words("numbers of the model", runs, |run| run.network.numbers.clone()),
        numbers("model file, bytes", Better::Least, runs, |run| Some(run.network.model_bytes as f64), whole),
    ]
}

fn training(runs: &[Run]) -> Vec<Row> {
    let words = |name, text: fn(&Training) -> String| {
        words(name, runs, |run| or_dash(run.training.as_ref().map(text)))
    };
    let epochs = |training: &Training| {
        let done = training.history.len();
        match training.kept_epoch {
            Some(kept) => format!("{done}, kept {kept}"),
            None => done.to_string(),
        }
    };
    let validation = |run: &Run| {
        let last = run.history().last()?;
        let kept = run.history().iter().find(|epoch| Some(epoch.epoch) == run.kept_epoch());
        kept.unwrap_or(last).validation
    };
    let seconds = |run: &Run| run.training.as_ref()?.seconds;
    vec![
        words("recipe", |training| training.recipe.clone()),
        words("seed", |training| training.seed.to_string()),
        words("epochs", epochs),
        numbers("training took", Better::Least, runs, seconds, duration),
        numbers("validation accuracy", Better::Most, runs, |run| validation(run)?.accuracy, percent),
        numbers("validation loss", Better::Least, runs, |run| Some(validation(run)?.loss), significant),
    ]
}

fn results(page: &Page) -> Vec<Row> {
    match &page.data.task {
        Task::Classes(_) => classes(&page.runs),
        Task::Values(names) => {
            names.iter().enumerate().flat_map(|(index, name)| values(&page.runs, index, name)).collect()
        }
    }
}

fn classes(runs: &[Run]) -> Vec<Row> {
    let row = |name, figure: fn(&ClassResults) -> Option<f64>| {
        let number = move |run: &Run| match &run.results {
            Results::Classes(results) => figure(results),
            Results::Values(_) => None,
        };
        numbers(name, Better::Most, runs, number, percent)
    };
    vec![
        row("accuracy in f32", |results| results.float_accuracy),
        row("accuracy of the model file", |results| Some(results.accuracy)),
        row("macro F1", |results| Some(results.macro_f1)),
        row("least recall of a class", |results| {
            results.recall.iter().copied().flatten().min_by(f64::total_cmp)
        }),
        row("same class as in f32", |results| results.same_class),
    ]
}

fn values(runs: &[Run], index: usize, name: &str) -> Vec<Row> {
    let figure = |figure: fn(&ValueResults, usize) -> Option<f64>| {
        move |run: &Run| match &run.results {
            Results::Values(results) => figure(results, index),
            Results::Classes(_) => None,
        }
    };
    let mae = figure(|results, index| Some(results.outputs.get(index)?.mae));
    let float_mae = figure(|results, index| results.outputs.get(index)?.float_mae);
    let rmse = figure(|results, index| Some(results.outputs.get(index)?.rmse));
    let r2 = figure(|results, index| results.outputs.get(index)?.r2);
    vec![
        numbers(&format!("{name}: mean absolute error in f32"), Better::Least, runs, float_mae, significant),
        numbers(&format!("{name}: mean absolute error"), Better::Least, runs, mae, significant),
        numbers(&format!("{name}: root mean square error"), Better::Least, runs, rmse, significant),
        numbers(&format!("{name}: R²"), Better::Most, runs, r2, |r2| format!("{r2:.4}")),
    ]
}

fn board(runs: &[Run]) -> Vec<Row> {
    let of = |figure: fn(&Board) -> Option<u64>| {
        move |run: &Run| figure(run.board.as_ref()?).map(|figure| figure as f64)
    };
    vec![
        words("logits as on the host", runs, |run| {
            or_dash(run.board.as_ref().map(|board| if board.host_matches { "all" } else { "NOT ALL" }))
        }),
        numbers("instructions per inference", Better::Least, runs, of(|board| board.instructions), whole),
        numbers("code, bytes of flash", Better::Least, runs, of(|board| board.code_bytes), whole),
        numbers("variables, bytes of RAM", Better::Least, runs, of(|board| board.static_bytes), whole),
        numbers("stack, bytes of RAM", Better::Least, runs, of(|board| Some(board.stack_bytes)), whole),
    ]
}

/// Who does best, in words.
pub(super) fn verdict(page: &Page) -> Markup {
    let runs = &page.runs;
    let by = |number: &dyn Fn(&Run) -> Option<f64>| {
        runs.iter()
            .filter_map(|run| Some((run, number(run)?)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
    };
    let error = |run: &Run| match &run.results {
        Results::Classes(results) => Some(1.0 - results.accuracy),
        Results::Values(results) => Some(results.outputs.first()?.mae),
    };
    let smallest = by(&|run| Some(run.network.model_bytes as f64));
    let quickest = by(&|run| run.board.as_ref()?.instructions.map(|count| count as f64));
    let samples = count(page.data.samples, "test sample");
    let samples = if page.data.per_step { format!("the timesteps of {samples}") } else { samples };
    html! {
        @if let Some((run, error)) = by(&error) {
            p.lead {
                b { (run.name) }
                @if runs.len() > 1 { @if matches!(run.results, Results::Classes(_)) { " is the most accurate: " } @else { " is nearest to the truth: " } }
                @else { ": " }
                @match &page.data.task {
                    Task::Classes(_) => {
                        (percent(1.0 - error)) " of " (samples) " in " (run.network.numbers) "."
                    },
                    Task::Values(names) => {
                        "its " (names.first().map_or("", String::as_str)) " is off by " (significant(error)) " in the mean over "
                        (samples) " in " (run.network.numbers) "."
                    },
                }
                @if let Some((run, bytes)) = smallest.filter(|_| runs.len() > 1) {
                    " The smallest model is " b { (run.name) } " with " (whole(bytes)) " bytes"
                    @if let Some((run, instructions)) = quickest {
                        ", the quickest " b { (run.name) } " with " (whole(instructions)) " instructions per inference"
                    }
                    "."
                }
            }
        }
    }
}
