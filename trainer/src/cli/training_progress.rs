//! How far a training run is: a bar for the epoch at a terminal, and a line for each epoch that is done.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use refrain::CellKind;
use refrain_trainer::train::{Epoch, Plan, Progress};

use super::output::{note, percent, thousands};
use super::progress::{PLAIN_INTERVAL, TRAINING, bar};

/// How often the figures beside the bar change.
const SHOWN_INTERVAL: Duration = Duration::from_millis(100);

/// Shows a training run.
pub(super) struct Training {
    cell: CellKind,
    /// Epochs that the run is to have.
    epochs: u32,
    /// The epoch that is trained.
    epoch: u32,
    samples_per_epoch: usize,
    speed: Speed,
    bar: ProgressBar,
    /// When the last step ended.
    stepped: Instant,
    shown: Instant,
    told: Instant,
}

impl Training {
    pub(super) fn new(cell: CellKind) -> Self {
        let now = Instant::now();
        Self {
            cell,
            epochs: 0,
            epoch: 0,
            samples_per_epoch: 0,
            speed: Speed::new(now, 0),
            bar: ProgressBar::hidden(),
            stepped: now,
            shown: now,
            told: now,
        }
    }

    pub(super) fn cell(&self) -> CellKind {
        self.cell
    }

    /// Training begins, or goes on.
    pub(super) fn start(&mut self, plan: &Plan) {
        let Plan { done, epochs, samples_per_epoch } = *plan;
        let samples_left = u64::from(epochs - done) * samples_per_epoch as u64;
        self.speed = Speed::new(Instant::now(), samples_left);
        (self.epochs, self.samples_per_epoch) = (epochs, samples_per_epoch);
        self.bar = bar(samples_per_epoch, TRAINING, String::new());
        self.begin_epoch(done + 1);
    }

    fn begin_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
        self.speed.begin_epoch(Instant::now());
        self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        self.bar.set_message("");
        self.bar.reset();
    }

    /// A step of the epoch is done.
    pub(super) fn batch(&mut self, progress: &Progress) {
        let now = Instant::now();
        self.stepped = now;
        if now.duration_since(self.shown) < SHOWN_INTERVAL {
            return;
        }
        self.shown = now;
        let Progress { samples_done, loss, accuracy, mean_absolute_error, .. } = *progress;
        self.bar.set_position(samples_done as u64);
        let (figures, pace) =
            (figures(loss, accuracy, mean_absolute_error), self.speed.at(now, samples_done));
        if now.duration_since(self.told) >= PLAIN_INTERVAL && !stderr().is_terminal() {
            self.told = now;
            let (done, all) = (thousands(samples_done as u64), thousands(self.samples_per_epoch as u64));
            note(format_args!(
                "{} epoch {}/{}: {done} of {all} samples  {figures}  {pace}",
                self.cell, self.epoch, self.epochs
            ));
        }
        let rate = thousands(pace.samples_per_second as u64);
        self.bar.set_message(format!("{} left  {figures}  {rate}/s", short(pace.left)));
    }

    pub(super) fn end_epoch(&mut self, epoch: &Epoch) {
        let now = Instant::now();
        self.told = now;
        let training = figures(epoch.loss, epoch.accuracy, epoch.mean_absolute_error);
        let validation = figures(epoch.val_loss, epoch.val_accuracy, epoch.val_mean_absolute_error);
        let Pace { samples_per_second, .. } = self.speed.at(self.stepped, self.samples_per_epoch);
        let pace = Pace { samples_per_second, ..self.speed.at(now, self.samples_per_epoch) };
        self.bar.suspend(|| {
            note(format_args!(
                "{} epoch {:>2}/{}  {training}  validation: {validation}  {pace}",
                self.cell, epoch.epoch, self.epochs
            ));
        });
        self.speed.end_epoch(self.samples_per_epoch);
        if self.epoch < self.epochs {
            self.begin_epoch(self.epoch + 1);
        }
    }
}

/// How good a network is, in short.
fn figures(loss: f64, accuracy: Option<f64>, error: Option<f64>) -> String {
    let accuracy = accuracy.map_or_else(String::new, |accuracy| format!("  accuracy {}", percent(accuracy)));
    let error = error.map_or_else(String::new, |error| format!("  error {error:.4}"));
    format!("loss {loss:.4}{accuracy}{error}")
}

impl Drop for Training {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// What a run has done so far and in which time.
struct Speed {
    begun: Instant,
    epoch_begun: Instant,
    /// Samples of the epochs that are done, since `begun`.
    samples_done: u64,
    /// Samples to be met since `begun`.
    samples: u64,
}

impl Speed {
    fn new(now: Instant, samples: u64) -> Self {
        Self { begun: now, epoch_begun: now, samples_done: 0, samples }
    }

    fn begin_epoch(&mut self, now: Instant) {
        self.epoch_begun = now;
    }

    fn end_epoch(&mut self, samples: usize) {
        self.samples_done += samples as u64;
    }

    /// With so many samples of the epoch done.
    fn at(&self, now: Instant, in_epoch: usize) -> Pace {
        let done = self.samples_done + in_epoch as u64;
        // the time that validation took in the epochs so far it will take in those to come
        let per_sample = now.duration_since(self.begun).as_secs_f64() / done.max(1) as f64;
        let epoch_seconds = now.duration_since(self.epoch_begun).as_secs_f64();
        Pace {
            samples_per_second: in_epoch as f64 / epoch_seconds.max(1e-9),
            left: Duration::from_secs_f64(per_sample * self.samples.saturating_sub(done) as f64),
        }
    }
}

/// How fast it goes and how long it will.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    samples_per_second: f64,
    left: Duration,
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} samples/s  {} left", thousands(self.samples_per_second as u64), short(self.left))
    }
}

/// A time in its two greatest units.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_for_all_epochs_to_come() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut speed = Speed::new(begun, 3000);
        assert_eq!(speed.at(after(1), 500), Pace { samples_per_second: 500.0, left: Duration::from_secs(5) });
        speed.end_epoch(1000);
        // two seconds of training and two of validation
        speed.begin_epoch(after(4));
        assert_eq!(speed.at(after(5), 250), Pace { samples_per_second: 250.0, left: Duration::from_secs(7) });
        assert_eq!(speed.at(after(5), 0).samples_per_second, 0.0);
        speed.end_epoch(2000);
        assert_eq!(speed.at(after(9), 0).left, Duration::ZERO);
    }

    #[test]
    fn a_regression_has_an_error_and_no_accuracy() {
        assert_eq!(figures(0.5, Some(0.75), None), "loss 0.5000  accuracy 75.00 %");
        assert_eq!(figures(0.5, None, Some(1.25)), "loss 0.5000  error 1.2500");
        assert_eq!(figures(0.5, None, None), "loss 0.5000");
    }

    #[test]
    fn paces_are_short() {
        let pace = |left| Pace { samples_per_second: 12_345.6, left: Duration::from_secs(left) }.to_string();
        assert_eq!(pace(0), "12,345 samples/s  0s left");
        let left = [59, 61, 3_599, 3_600, 90_061].map(|left| pace(left)[18..].to_owned());
        assert_eq!(left, ["59s left", "1m 01s left", "59m 59s left", "1h 00m left", "1d 01h left"]);
    }
}
