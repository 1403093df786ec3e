//! The APB timer of Arm's Cortex-M System Design Kit, described in its Technical Reference Manual.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::board::counter::Counter;
use crate::board::interrupt::Interrupt;
use crate::board::register::{Register, Registers};

/// The timer: counts down at the peripheral clock in 32 bits; [`WRAPS`] holds the bits above.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    control: Register,
    value: Register,
    reload: Register,
    interrupt_state: Register,
    interrupt: Interrupt,
    megahertz: u32,
}

/// How often the timer has run through its 32 bits, which takes it 172 seconds at 25 MHz.
static WRAPS: AtomicU32 = AtomicU32::new(0);

impl Timer {
    const CONTROL_ENABLE: u32 = 1 << 0;
    const CONTROL_INTERRUPT: u32 = 1 << 3;

    /// The timer at these registers, whose interrupt that is, and which counts so fast.
    pub(super) const fn at(registers: Registers, interrupt: Interrupt, megahertz: u32) -> Self {
        Self {
            control: registers.register(0x0),
            value: registers.register(0x4),
            reload: registers.register(0x8),
            interrupt_state: registers.register(0xc),
            interrupt,
            megahertz,
        }
    }
}

impl Counter for Timer {
    fn start(&self) {
        self.reload.write(u32::MAX);
        self.value.write(u32::MAX);
        self.control.write(Self::CONTROL_ENABLE | Self::CONTROL_INTERRUPT);
        self.interrupt.unmask();
    }

    fn count(&self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::Relaxed);
            let low = u32::MAX - self.value.read();
            // A turn is over whose interrupt cannot come yet, for another one asks this.
            let is_over = self.interrupt_state.read() != 0 && low < u32::MAX / 2;
            if WRAPS.load(Ordering::Relaxed) == wraps {
                return (u64::from(wraps) + u64::from(is_over)) << 32 | u64::from(low);
            }
        }
    }

    fn micros(&self) -> u64 {
        self.count() / u64::from(self.megahertz)
    }

    /// The timer has run through its 32 bits.
    fn answer(&self, interrupt: Interrupt) -> bool {
        let is_mine = interrupt == self.interrupt;
        if is_mine {
            self.interrupt_state.write(1);
            WRAPS.store(WRAPS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        is_mine
    }
}
