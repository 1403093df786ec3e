//! The independent watchdog (IWDG) of an STM32L4x5, described in ST's reference manual RM0351.
//!
//! It counts down at a clock of its own, and at zero it resets the processor without asking. Once started it cannot be
//! stopped, so SysTick's interrupt feeds it, for as long as no work is overdue ([`Countdown`]). Work that is overdue ends
//! with that interrupt, which leaves word of it; where not even interrupts come any more, this device resets the board.
//!
//! QEMU's machine has none: there its registers read as 0, nothing is watched, and a program that hangs stays so.
//! **No more than the compiler has tried this driver.**

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use refrain_firmware::watchdog::Countdown;

use crate::board::register::{Register, Registers};

/// The watchdog.
pub(crate) struct Watchdog {
    key: Register,
    prescaler: Register,
    reload: Register,
    state: Register,
    window: Register,
    debug_freeze: Register,
    /// From one tick to the next.
    tick: Duration,
}

/// Whether the device counts.
static STARTED: AtomicBool = AtomicBool::new(false);

/// The work that is watched.
static WORK: Countdown = Countdown::new();

impl Watchdog {
    const KEY_FEED: u32 = 0xaaaa;
    const KEY_UNLOCK: u32 = 0x5555;
    const KEY_START: u32 = 0xcccc;
    /// Its clock of 32 kHz by 256: a count takes 8 ms.
    const PRESCALER: u32 = 6;
    /// Four seconds: many ticks, and more than the program takes for its last words.
    const RELOAD: u32 = 500;
    /// What it has not taken yet of what was written.
    const STATE_BUSY: u32 = 0b111;
    /// After every reset: nobody writes it.
    const WINDOW: u32 = 0xfff;
    /// It stands still where a debugger has stopped the processor.
    const FREEZE: u32 = 1 << 12;

    /// The watchdog at these registers, and those of the debug unit DBGMCU; it hears of a tick every so often.
    pub(super) const fn at(watchdog: Registers, debug: Registers, tick: Duration) -> Self {
        Self {
            key: watchdog.register(0x0),
            prescaler: watchdog.register(0x4),
            reload: watchdog.register(0x8),
            state: watchdog.register(0xc),
            window: watchdog.register(0x10),
            debug_freeze: debug.register(0x8),
            tick,
        }
    }

    /// Whether this machine has one.
    pub(super) fn is_there(&self) -> bool {
        self.window.read() == Self::WINDOW
    }

    /// Starts the device. Should it never take what is written to it, it resets the board, for it counts from the beginning.
    fn start_device(&self) {
        self.debug_freeze.set(Self::FREEZE);
        self.key.write(Self::KEY_START);
        self.key.write(Self::KEY_UNLOCK);
        self.prescaler.write(Self::PRESCALER);
        self.reload.write(Self::RELOAD);
        while self.state.has(Self::STATE_BUSY) {}
        self.key.write(Self::KEY_FEED);
        STARTED.store(true, Ordering::Relaxed);
    }

    /// A tick: whether there is work that is overdue.
    pub(super) fn tick(&self) -> bool {
        if !STARTED.load(Ordering::Relaxed) {
            return false;
        }
        let is_overdue = WORK.tick();
        if !is_overdue {
            self.key.write(Self::KEY_FEED);
        }
        is_overdue
    }
}

impl refrain_firmware::Watchdog for Watchdog {
    /// What ticks can be counted for, which is years.
    fn longest(&self) -> Duration {
        if self.is_there() { self.tick.saturating_mul(u32::MAX / 2) } else { Duration::ZERO }
    }

    fn start(&mut self, time_out: Duration) {
        if !self.is_there() {
            return;
        }
        WORK.start(time_out, self.tick);
        if !STARTED.load(Ordering::Relaxed) {
            self.start_device();
        }
    }

    fn feed(&mut self) {
        WORK.feed();
    }

    fn stop(&mut self) {
        WORK.stop();
    }
}
