//! How far the work is, on stderr: bars at a terminal, plain lines elsewhere.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use refrain::CellKind;
use refrain_trainer::train::Epoch;

use super::output::{note, percent};

const COUNTER: &str = "{prefix} [{bar:30}] {human_pos}/{human_len}  {eta} left";
const TRAINING: &str = "{prefix} [{bar:30}] {human_pos}/{human_len}  {rate}  {msg}";
const SPINNER: &str = "{spinner} {prefix} {elapsed}";

fn bar(length: usize, template: &str, prefix: String) -> ProgressBar {
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        // A line that cannot be drawn is no reason to stop the work.
        let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
    };
    let style = ProgressStyle::with_template(template).expect("a sound template");
    let style = style.with_key("rate", rate).progress_chars("=> ");
    ProgressBar::new(length as u64).with_style(style).with_prefix(prefix)
}

/// How often a plain line tells how far it is.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Counts samples. Away from a terminal it writes a line now and then, none where the work is soon done.
pub(super) struct Counter {
    bar: ProgressBar,
    label: String,
    total: usize,
    told: Instant,
}

impl Counter {
    pub(super) fn new(label: &str, total: usize) -> Self {
        Self { bar: bar(total, COUNTER, label.into()), label: label.into(), total, told: Instant::now() }
    }

    /// So many are done.
    pub(super) fn set(&mut self, done: usize) {
        self.bar.set_position(done as u64);
        if self.told.elapsed() >= PLAIN_INTERVAL && !stderr().is_terminal() {
            note(format_args!("{}: {done} of {}", self.label, self.total));
            self.told = Instant::now();
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows that work of unknown length goes on.
pub(super) struct Spinner(ProgressBar);

impl Spinner {
    pub(super) fn new(label: &str) -> Self {
        if !stderr().is_terminal() {
            note(format_args!("{label}"));
        }
        let style = ProgressStyle::with_template(SPINNER).expect("a sound template");
        let spinner = ProgressBar::new_spinner().with_style(style).with_prefix(label.to_owned());
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self(spinner)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A training run: a bar for the epoch, and a line for each that is done.
pub(super) struct Training {
    cell: CellKind,
    epochs: u32,
    epoch: u32,
    bar: ProgressBar,
}

impl Training {
    pub(super) fn new(cell: CellKind) -> Self {
        Self { cell, epochs: 0, epoch: 0, bar: ProgressBar::hidden() }
    }

    pub(super) fn cell(&self) -> CellKind {
        self.cell
    }

    pub(super) fn start(&mut self, epochs: u32, samples: usize) {
        self.epochs = epochs;
        self.bar = bar(samples, TRAINING, String::new());
        self.begin_epoch(1);
    }

    fn begin_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.bar.set_prefix(format!("{} epoch {epoch}/{}", self.cell, self.epochs));
        self.bar.reset();
    }

    pub(super) fn batch(&self, samples_done: usize, loss: f64) {
        self.bar.set_position(samples_done as u64);
        self.bar.set_message(format!("loss {loss:.3}"));
    }

    pub(super) fn end_epoch(&mut self, epoch: &Epoch) {
        let Epoch { epoch: number, loss, accuracy, val_loss, val_accuracy, .. } = epoch;
        let shown =
            |accuracy: &Option<f64>| accuracy.map_or(String::new(), |a| format!("  accuracy {}", percent(a)));
        let (accuracy, val_accuracy) = (shown(accuracy), shown(val_accuracy));
        self.bar.suspend(|| {
            note(format_args!(
                "{} epoch {number:>2}/{}  loss {loss:.4}{accuracy}  validation: loss {val_loss:.4}{val_accuracy}",
                self.cell, self.epochs
            ));
        });
        if self.epoch < self.epochs {
            self.begin_epoch(self.epoch + 1);
        }
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
