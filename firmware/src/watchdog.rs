//! What resets a board that hangs.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

/// A board that nothing watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoWatchdog;

impl Watchdog for NoWatchdog {
    fn longest(&self) -> Duration {
        Duration::ZERO
    }

    fn start(&mut self, _: Duration) {}

    fn feed(&mut self) {}

    fn stop(&mut self) {}
}

/// Work that is watched by a tick, for a board whose watchdog cannot be stopped: the tick is an interrupt, which feeds that
/// watchdog unless this says that the work is overdue.
///
/// Only loads and stores are atomic on every core, so ticks must not interrupt each other, nor [`start`](Self::start),
/// [`feed`](Self::feed) and [`stop`](Self::stop) interrupt a tick.
#[derive(Debug)]
pub struct Countdown {
    time_out: AtomicU32,
    left: AtomicU32,
}

impl Countdown {
    /// Ticks that are left where nothing is watched.
    const IDLE: u32 = u32::MAX;

    /// Nothing is watched.
    pub const fn new() -> Self {
        Self { time_out: AtomicU32::new(Self::IDLE), left: AtomicU32::new(Self::IDLE) }
    }

    /// Work begins, which is overdue after `time_out` without [`feed`](Self::feed), and before one more `tick` has passed;
    /// ticks come at that distance.
    pub fn start(&self, time_out: Duration, tick: Duration) {
        // the first tick may come at once
        let ticks = time_out.as_micros().div_ceil(tick.as_micros().max(1)) + 1;
        let ticks = u32::try_from(ticks).unwrap_or(Self::IDLE).min(Self::IDLE - 1);
        self.time_out.store(ticks, Ordering::Relaxed);
        self.left.store(ticks, Ordering::Relaxed);
    }

    /// The work goes on.
    pub fn feed(&self) {
        self.left.store(self.time_out.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The work is done.
    pub fn stop(&self) {
        self.time_out.store(Self::IDLE, Ordering::Relaxed);
        self.left.store(Self::IDLE, Ordering::Relaxed);
    }

    /// A tick; whether the work is overdue.
    pub fn tick(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        if left != Self::IDLE {
            self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        }
        left <= 1
    }
}

impl Default for Countdown {
    fn default() -> Self {
        Self::new()
    }
}

/// A device that resets the board unless it hears from the program in time.
///
/// It watches work: a board that waits for a request does not hang, however long that takes, and one that works on a
/// request does where for long no row of it has been done.
///
/// A board whose watchdog cannot be stopped once it was started feeds it while it waits for bytes, see [`Countdown`].
pub trait Watchdog {
    /// The longest time-out that it can watch; 0 where it watches nothing.
    fn longest(&self) -> Duration;

    /// Work begins. The board is reset where this is neither fed nor stopped for as long as `time_out`,
    /// or for as long as it can watch.
    fn start(&mut self, time_out: Duration);

    /// The work goes on.
    fn feed(&mut self);

    /// The work is done.
    fn stop(&mut self);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(200);

    /// Ticks until the work is overdue; 1000 where it never is.
    fn ticks_left(work: &Countdown) -> u32 {
        (1..1000).find(|_| work.tick()).unwrap_or(1000)
    }

    #[test]
    fn work_is_overdue_after_its_time_out_and_before_one_more_tick_has_passed() {
        let work = Countdown::new();
        for (time_out, ticks) in [(0, 1), (1, 2), (200, 2), (201, 3), (20_000, 101)] {
            work.start(Duration::from_millis(time_out), TICK);
            assert_eq!(ticks_left(&work), ticks, "{time_out} ms");
            assert!(work.tick(), "it stays overdue");
        }
        work.start(Duration::MAX, TICK);
        assert_eq!(ticks_left(&work), 1000);
    }

    #[test]
    fn work_that_goes_on_is_never_overdue_and_stops_being_fed_with_it() {
        let work = Countdown::new();
        work.start(Duration::from_secs(1), TICK);
        for _ in 0..100 {
            assert!((0..5).all(|_| !work.tick()));
            work.feed();
        }
        assert_eq!(ticks_left(&work), 6, "as long as at its beginning");
    }

    #[test]
    fn where_nothing_is_worked_on_nothing_is_overdue() {
        let work = Countdown::new();
        assert_eq!(ticks_left(&work), 1000);
        work.feed();
        assert_eq!(ticks_left(&work), 1000);
        work.start(Duration::from_secs(1), TICK);
        work.stop();
        work.feed();
        assert_eq!(ticks_left(&work), 1000);
    }
}
