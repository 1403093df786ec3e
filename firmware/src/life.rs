//! This life of the program: from a reset to the next.
//!
//! What is known of it outlives it in a [`Record`] in the last bytes of RAM, which `stack.x` keeps free.

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use cortex_m::peripheral::SYST;
use refrain::link::{Boot, Cause};
use refrain_firmware::{Record, Watchdog, record::Past};

use crate::board::{Board, Selected};

/// After so many lives in a row that have died before they had done any work, the next one waits before it tries again.
const LIVES_WITHOUT_PAUSE: u32 = 5;

/// How long that is, in turns of SysTick, of 2^24 cycles of the processor: from one second at 32 MHz to eight at 4 MHz, the
/// clocks that boards start with.
const PAUSE_TURNS: u32 = 2;

/// Whether the board is in service: it answers requests, and has nobody but itself to start it again.
static IN_SERVICE: AtomicBool = AtomicBool::new(false);

/// Whether the end of this life has been logged, or is just being logged.
static LOGGED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// Where `stack.x` keeps room for a record.
    static mut _kept: Record;
}

/// Does something with the record.
fn with_record<T>(work: impl FnOnce(&mut Record) -> T) -> T {
    let record: *mut Record = &raw mut _kept;
    // SAFETY: `stack.x` keeps 64 bytes there, at a multiple of 4, for nothing else; a test sees to it that a record has
    // that size, and any bytes are one. No other reference is used at the same time: `main` comes here, and
    // whatever ends the program, which interrupts `main` and never returns to it.
    work(unsafe { &mut *record })
}

/// This life begins, in service or not: logs why, and waits where life after life ends before it has done anything.
/// Returns why it began; `None` where this has been called before.
pub(crate) fn begin(in_service: bool) -> Option<Boot<&'static str>> {
    IN_SERVICE.store(in_service, Ordering::Relaxed);
    let past: &'static Past = cortex_m::singleton!(: Past = with_record(Record::begin))?;
    let boot = past.boot();
    if boot.cause.is_fault() {
        defmt::warn!("started anew: {}", boot);
    } else {
        defmt::info!("started: {}", boot);
    }
    if in_service && boot.cause.is_fault() && past.idle_lives() >= LIVES_WITHOUT_PAUSE {
        let turns = pause();
        defmt::error!(
            "{=u32} times in a row that was so before any work was done: waited for {=u32} turns of SysTick",
            past.idle_lives(),
            turns
        );
    }
    Some(boot)
}

/// Waits and returns the turns of SysTick that it took.
fn pause() -> u32 {
    const OFF: u32 = 0;
    const COUNT_CYCLES: u32 = 0b101;
    const LONGEST: u32 = (1 << 24) - 1;
    /// The bit that says so, and is cleared by that.
    const WRAPPED: u32 = 16;
    // SAFETY: every processor has SysTick there, and a life begins with this, before anybody else uses it.
    let tick = unsafe { &*SYST::PTR };
    // SAFETY: without its interrupt, counting has no effect on anything.
    unsafe {
        tick.rvr.write(LONGEST);
        tick.cvr.write(0);
        tick.csr.write(COUNT_CYCLES);
    }
    let mut turns = 0;
    while turns < PAUSE_TURNS {
        turns += tick.csr.read() >> WRAPPED & 1;
    }
    // SAFETY: as above.
    unsafe { tick.csr.write(OFF) };
    turns
}

/// This life ends. `log` tells why, unless it is while an end is logged that this one comes.
///
/// In service the board starts again; otherwise the program ends with a failure, which is for whoever started it. The log
/// is not flushed: semihosting keeps nothing back, and RTT would wait without end for a debugger that has gone. A board that
/// logs by RTT waits for a while of its own, see [`Board::restart`].
pub(crate) fn end(cause: Cause<&str>, log: impl FnOnce()) -> ! {
    write_down(cause);
    if !LOGGED.load(Ordering::Relaxed) {
        LOGGED.store(true, Ordering::Relaxed);
        log();
    }
    leave()
}

/// Not inlined, so that it is there once and not for each log.
#[inline(never)]
fn write_down(cause: Cause<&str>) {
    with_record(|record| record.end(cause));
}

fn leave() -> ! {
    if IN_SERVICE.load(Ordering::Relaxed) {
        Selected::restart()
    }
    Selected::exit(false)
}

/// How long a board may take to start, with all checks of its models.
pub(crate) const START_TIME_OUT: Duration = Duration::from_secs(120);

/// A watchdog that writes down whether there is work to watch: the next life tells by it that this one hung.
pub(crate) struct Recorded<W>(pub(crate) W);

impl<W: Watchdog> Recorded<W> {
    /// What was begun is over, but nothing that counts as work is done by it.
    pub(crate) fn ready(&mut self) {
        self.0.stop();
        with_record(Record::rest);
    }
}

impl<W: Watchdog> Watchdog for Recorded<W> {
    fn longest(&self) -> Duration {
        self.0.longest()
    }

    fn start(&mut self, time_out: Duration) {
        with_record(Record::work);
        self.0.start(time_out);
    }

    fn feed(&mut self) {
        self.0.feed();
    }

    fn stop(&mut self) {
        self.ready();
        with_record(Record::has_worked);
    }
}
