//! How far the work is, on stderr: bars at a terminal, plain lines elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::note;

const COUNTER: &str = "{prefix} [{bar:30}] {human_pos}/{human_len}  {eta} left";
/// Made for 80 columns; on fewer the figures are cut, the least wanted first.
pub(super) const TRAINING: &str = "{prefix} [{bar:10}] {wide_msg}";
const SPINNER: &str = "{spinner} {prefix} {elapsed}";

pub(super) fn bar(length: usize, template: &str, prefix: String) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("a sound template").progress_chars("=> ");
    ProgressBar::new(length as u64).with_style(style).with_prefix(prefix)
}

/// How often a plain line tells how far it is.
pub(super) const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

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
