//! The system counter of Arm's SSE-300 subsystem: 64 bits that count up at the main clock.
//!
//! Described in the "Arm SSE-123 Example Subsystem Technical Reference Manual".

use crate::board::counter::Counter;
use crate::board::interrupt::Interrupt;
use crate::board::register::{Register, Registers};

/// The counter.
#[derive(Clone, Debug)]
pub(crate) struct SystemCounter {
    control: Register,
    low: Register,
    high: Register,
    megahertz: u32,
}

impl SystemCounter {
    const CONTROL_ENABLE: u32 = 1 << 0;

    /// The counter whose control frame that is, and which counts so fast.
    pub(super) const fn at(control_frame: Registers, megahertz: u32) -> Self {
        Self {
            control: control_frame.register(0x0),
            low: control_frame.register(0x8),
            high: control_frame.register(0xc),
            megahertz,
        }
    }
}

impl Counter for SystemCounter {
    fn start(&self) {
        self.control.write(Self::CONTROL_ENABLE);
    }

    fn count(&self) -> u64 {
        loop {
            let high = self.high.read();
            let low = self.low.read();
            if self.high.read() == high {
                return u64::from(high) << 32 | u64::from(low);
            }
        }
    }

    fn micros(&self) -> u64 {
        self.count() / u64::from(self.megahertz)
    }

    /// It has no interrupt.
    fn answer(&self, _: Interrupt) -> bool {
        false
    }
}
