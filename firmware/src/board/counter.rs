//! Devices that count, and how many of their ticks an instruction takes.

use refrain_firmware::Clock;

use super::interrupt::Interrupt;

/// A device that counts the time.
pub(crate) trait Counter {
    /// Starts it.
    fn start(&self);

    /// Ticks since some moment before; they never run backwards and never wrap.
    fn count(&self) -> u64;

    /// Does what an interrupt asks for; false where that is not the counter's.
    fn answer(&self, interrupt: Interrupt) -> bool;
}

/// A counter that has been held against instructions.
#[derive(Clone, Debug)]
pub(crate) struct Calibrated<C> {
    counter: C,
    ticks_per_1000_instructions: u32,
}

impl<C: Counter> Calibrated<C> {
    /// Starts a counter and measures, for about four million instructions.
    pub(super) fn start(counter: C) -> Self {
        counter.start();
        let mut clock = Self { counter, ticks_per_1000_instructions: 0 };
        clock.ticks_per_1000_instructions = clock.measured().unwrap_or(0);
        clock
    }

    /// Ticks that one thousand instructions take; `None` where they take now this long, now that, as on silicon and under
    /// QEMU without `-icount`.
    fn measured(&self) -> Option<u32> {
        /// A turn of the delay loop is two instructions, so this stretch and the long one lie a million apart:
        /// enough for the few that differ around the loop not to count.
        const SHORT: u32 = 500;
        const LONG: u32 = SHORT + 500_000;
        let per_1000 = || (self.stretch(LONG).saturating_sub(self.stretch(SHORT)) + 500) / 1000;
        let first = per_1000();
        let steady = (0..3).all(|_| per_1000() == first);
        u32::try_from(first).ok().filter(|_| steady)
    }

    /// Ticks that so many turns of the delay loop take.
    #[inline(never)]
    fn stretch(&self, turns: u32) -> u64 {
        let start = self.now();
        cortex_m::asm::delay(turns);
        self.now() - start
    }
}

impl<C: Counter> Clock for Calibrated<C> {
    /// Never inlined, so that it costs the same wherever it is called.
    #[inline(never)]
    fn now(&self) -> u64 {
        self.counter.count()
    }

    fn ticks_per_1000_instructions(&self) -> u32 {
        self.ticks_per_1000_instructions
    }
}
