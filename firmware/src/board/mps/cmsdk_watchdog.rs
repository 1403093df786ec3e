//! The APB watchdog of Arm's Cortex-M System Design Kit, described in its Technical Reference Manual.
//!
//! It counts down. At zero it raises the interrupt that nothing masks and counts once more; at the next zero it resets
//! the board, should that interrupt have come to nothing.

use core::time::Duration;

use crate::board::register::{Register, Registers};

/// The watchdog.
pub(crate) struct Watchdog {
    load: Register,
    control: Register,
    clear_interrupt: Register,
    raw_interrupt_state: Register,
    lock: Register,
    clock_hz: u32,
}

impl Watchdog {
    const CONTROL_INTERRUPT: u32 = 1 << 0;
    const CONTROL_RESET: u32 = 1 << 1;
    /// Written to the lock it lets the other registers be written; anything else does not.
    const UNLOCK: u32 = 0x1acc_e551;
    const LOCK: u32 = 0;

    /// The watchdog at these registers, which counts at that clock.
    pub(super) const fn at(registers: Registers, clock_hz: u32) -> Self {
        Self {
            load: registers.register(0x0),
            control: registers.register(0x8),
            clear_interrupt: registers.register(0xc),
            raw_interrupt_state: registers.register(0x10),
            lock: registers.register(0xc00),
            clock_hz,
        }
    }

    /// Whether it has come to zero.
    pub(super) fn has_run_out(&self) -> bool {
        self.raw_interrupt_state.read() != 0
    }

    fn write(&self, register: Register, value: u32) {
        self.lock.write(Self::UNLOCK);
        register.write(value);
        self.lock.write(Self::LOCK);
    }
}

impl refrain_firmware::Watchdog for Watchdog {
    /// As long as 32 bits last, which at 32 MHz is 134 seconds.
    fn longest(&self) -> Duration {
        Duration::from_secs(u32::MAX.into()) / self.clock_hz
    }

    fn start(&mut self, time_out: Duration) {
        let ticks = time_out.as_micros().saturating_mul(self.clock_hz.into()) / 1_000_000;
        self.write(self.load, u32::try_from(ticks).unwrap_or(u32::MAX));
        self.write(self.control, Self::CONTROL_INTERRUPT | Self::CONTROL_RESET);
    }

    /// That it is asked to clear its interrupt makes it count from the beginning.
    fn feed(&mut self) {
        self.write(self.clear_interrupt, 1);
    }

    fn stop(&mut self) {
        self.write(self.control, 0);
        self.feed();
    }
}
