//! What is seen of a board, on stderr: a screen that stands still at a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use refrain::float::activation::softmax;
use refrain::link::Statistics;
use refrain::{Task, argmax};
use refrain_trainer::device::Target;
use refrain_trainer::device::monitor::{Place, Seen, Traffic};
use refrain_trainer::link::{Answer, Hello};
use refrain_trainer::model_file::ModelFile;

use super::super::output::{note, percent, thousands};
use super::super::progress::Spinner;

/// Outputs that a screen has lines for.
const MOST_LINES: usize = 16;

/// Characters of a full bar.
const BAR: usize = 30;

/// Shows what is seen.
pub(super) struct Screen<'f> {
    file: &'f ModelFile,
    names: Vec<String>,
    preparing: String,
    is_streaming: bool,
    is_terminal: bool,
    spinner: Option<Spinner>,
    lines: Option<Lines>,
    totals: Totals,
}

/// The lines that stand still.
struct Lines {
    all: MultiProgress,
    board: ProgressBar,
    outputs: Vec<ProgressBar>,
    row: ProgressBar,
    counts: ProgressBar,
}

/// What adds up over all answers.
#[derive(Default)]
struct Totals {
    late: u64,
    missing: u64,
    judged: u64,
    right: u64,
    /// When what was counted was shown last, and what had gone over the link then.
    shown: Option<(Instant, Traffic)>,
}

impl Lines {
    fn new(outputs: usize) -> Self {
        let all = MultiProgress::new();
        let line = || {
            let style = ProgressStyle::with_template("{wide_msg}").expect("a sound template");
            all.add(ProgressBar::new_spinner().with_style(style))
        };
        let board = line();
        let outputs = (0..outputs.min(MOST_LINES)).map(|_| line()).collect();
        let (row, counts) = (line(), line());
        Self { all, board, outputs, row, counts }
    }
}

impl<'f> Screen<'f> {
    pub(super) fn new(file: &'f ModelFile, target: &Target, is_streaming: bool) -> Self {
        let model = file.model();
        let header = model.header();
        let named: Vec<String> = header.output_names().map(str::to_owned).collect();
        let numbers = 0..usize::from(header.shape.outputs);
        let names =
            numbers.map(|number| named.get(number).cloned().unwrap_or_else(|| number.to_string())).collect();
        let preparing = match target {
            Target::Emulated(board) => format!("building firmware for {board}"),
            Target::Port(port) => format!("opening {port}"),
        };
        let is_terminal = stderr().is_terminal();
        let (spinner, lines, totals) = (None, None, Totals::default());
        Self { file, names, preparing, is_streaming, is_terminal, spinner, lines, totals }
    }

    /// Shows one thing more.
    pub(super) fn show(&mut self, seen: Seen<'_>) {
        match seen {
            Seen::Preparing => self.spinner = Some(Spinner::new(&self.preparing)),
            Seen::Board(hello) => self.board(hello),
            Seen::Answer(answer, place) => self.answer(answer, place),
            Seen::Counted(counted, traffic) => self.counted(counted, traffic),
            Seen::Log(line) => self.say(format!("log: {line}")),
            Seen::Nothing => {}
        }
    }

    /// A line that stays, above those that stand still.
    fn say(&self, text: String) {
        match &self.lines {
            // Where stderr cannot be written to, nothing can be shown.
            Some(lines) if self.is_terminal => _ = lines.all.println(text),
            _ => note(format_args!("{text}")),
        }
    }

    fn board(&mut self, hello: &Hello) {
        self.spinner = None;
        let outputs = if self.is_streaming { self.names.len() } else { 0 };
        let text = format!("{} with firmware {}, started by: {}", hello.board, hello.firmware, hello.boot);
        let lines = self.lines.get_or_insert_with(|| Lines::new(outputs));
        lines.board.set_message(text.clone());
        if !self.is_terminal {
            self.say(text);
        }
    }

    fn answer(&mut self, answer: &Answer, place: Place) {
        let model = self.file.model();
        let header = model.header();
        let mut values: Vec<f32> =
            answer.logits.as_chunks().0.iter().map(|&logit| header.numbers.logit_value(logit)).collect();
        let is_class = header.output.task == Task::Classification;
        if is_class {
            softmax(&mut values);
        } else {
            model.values(&answer.logits, &mut values);
        }
        let says = match is_class {
            true => self.class(argmax(&values), answer, place),
            false => values.iter().map(|value| format!("{value:.4}")).collect::<Vec<_>>().join(", "),
        };
        self.totals.late += u64::from(answer.is_late);
        self.totals.missing += u64::from(answer.missing);
        let row = describe(answer, place, &says);
        if !self.is_terminal {
            return self.say(row);
        }
        let Some(lines) = &self.lines else { return };
        lines.row.set_message(row);
        for ((line, name), &value) in lines.outputs.iter().zip(&self.names).zip(&values) {
            line.set_message(match is_class {
                true => format!("{name:>12} {:BAR$} {:5.1} %", bar(value), 100.0 * value),
                false => format!("{name:>12} {value:.4}"),
            });
        }
    }

    /// What a classification says, and whether that is right where it is known.
    fn class(&mut self, class: usize, answer: &Answer, place: Place) -> String {
        let name = self.names.get(class).map_or("?", String::as_str);
        let sure = answer.confidence.map_or_else(String::new, |sure| format!(" {}", percent(sure.into())));
        let is_whole = answer.rows as usize == place.timestep + 1;
        let verdict = place.label.filter(|_| is_whole).map_or("", |label| {
            let is_right = usize::from(label) == class;
            self.totals.judged += 1;
            self.totals.right += u64::from(is_right);
            if is_right { ", right" } else { ", WRONG" }
        });
        format!("{name}{sure}{verdict}")
    }

    fn counted(&mut self, counted: &Statistics, traffic: Traffic) {
        let now = Instant::now();
        let (since, before) = self.totals.shown.replace((now, traffic)).unwrap_or((now, traffic));
        let text = self.counts(counted, traffic, before, now - since);
        match &self.lines {
            Some(lines) if self.is_terminal => lines.counts.set_message(text),
            _ => self.say(text),
        }
    }

    fn counts(&self, counted: &Statistics, traffic: Traffic, before: Traffic, passed: Duration) -> String {
        let Totals { late, missing, judged, right, .. } = self.totals;
        let broken = format!("broken frames {}+{}", counted.broken_frames, traffic.broken_frames);
        let stack = format!("stack {} bytes", thousands(counted.stack_bytes));
        if !self.is_streaming {
            return format!("{} sequences answered  {broken}  {stack}", thousands(counted.sequences));
        }
        let a_second = |count: u64| count as f64 / passed.as_secs_f64().max(1e-3);
        let rows = a_second(traffic.rows.saturating_sub(before.rows));
        let bytes = a_second(traffic.bytes.saturating_sub(before.bytes));
        let score = if judged > 0 { format!("  right {right} of {judged}") } else { String::new() };
        let overdue = counted.overdue_rows;
        format!(
            "{rows:.1} rows/s  {bytes:.0} bytes/s  late {late}  missing {missing}  overdue {overdue}  unanswered {}  \
             {broken}  {stack}{score}",
            traffic.unanswered
        )
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        let Some(lines) = &self.lines else { return };
        let last = [&lines.board, &lines.row, &lines.counts];
        last.into_iter().chain(&lines.outputs).for_each(ProgressBar::finish_and_clear);
    }
}

/// A row and its answer.
fn describe(answer: &Answer, place: Place, says: &str) -> String {
    let Place { sample, timestep, timesteps, .. } = place;
    let millis = 1e3 * answer.took.as_secs_f64();
    let missing = match answer.missing {
        0 => String::new(),
        count => format!(", {count} missing before it"),
    };
    let late = if answer.is_late { ", LATE" } else { "" };
    format!("sample {sample}, row {} of {timesteps}: {says}, in {millis:.1} ms{late}{missing}", timestep + 1)
}

/// A bar for a part of one.
fn bar(part: f32) -> String {
    "█".repeat((part * BAR as f32).round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        Answer {
            index: 27,
            missing: 0,
            rows: 28,
            took: Duration::from_micros(18_340),
            is_late: false,
            confidence: Some(0.98),
            logits: Vec::new(),
        }
    }

    #[test]
    fn a_row_is_told_in_one_line() {
        let place = Place { sample: 3, timestep: 27, timesteps: 28, label: Some(7) };
        assert_eq!(describe(&answer(), place, "7"), "sample 3, row 28 of 28: 7, in 18.3 ms");
        let late = Answer { is_late: true, missing: 2, ..answer() };
        assert_eq!(
            describe(&late, place, "7"),
            "sample 3, row 28 of 28: 7, in 18.3 ms, LATE, 2 missing before it"
        );
    }

    #[test]
    fn bars_are_as_long_as_their_parts() {
        assert_eq!([0.0, 0.5, 1.0].map(|part| bar(part).chars().count()), [0, BAR / 2, BAR]);
        assert_eq!(bar(f32::NAN), "");
    }
}
