//! Devices that count, and how many of their ticks an instruction takes.

use refrain_firmware::Clock;

use super::interrupt::Interrupt;

/// A device that counts the time.
pub(crate) trait Counter {
    /// Starts it.
    fn start(&self);

    /// Ticks since some moment before; they never run backwards and never wrap.
    fn count(&self) -> u64;

    /// Microseconds since some moment before, asleep or not; they never run backwards and never wrap.
    fn micros(&self) -> u64;

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
        const SHORT: u32 = 1000;
        /// So much longer that what lies around the loop does not count.
        const LONG: u32 = SHORT + 1_000_000;
        let per_1000 = |work: fn(u32)| {
            let ticks = self.stretch(work, LONG).saturating_sub(self.stretch(work, SHORT));
            (ticks + 500) / 1000
        };
        let first = per_1000(branches);
        let steady = [products, branches, products].into_iter().all(|work| per_1000(work) == first);
        u32::try_from(first).ok().filter(|_| steady)
    }

    /// Ticks that so many instructions take.
    #[inline(never)]
    fn stretch(&self, work: fn(u32), instructions: u32) -> u64 {
        let start = self.now();
        work(instructions);
        self.now() - start
    }
}

/// Takes so many instructions, every other one of them a branch: on silicon two cycles each, or half a one.
fn branches(instructions: u32) {
    // Each turn of this loop is two.
    cortex_m::asm::delay(instructions / 2);
}

/// Takes so many instructions, most of which multiply what the one before has: on silicon one cycle each, or three.
fn products(instructions: u32) {
    // SAFETY: this changes nothing but its registers and flags.
    unsafe {
        core::arch::asm!(
            ".p2align 3",
            "2:",
            ".rept 6",
            "muls r1, r2, r1",
            ".endr",
            "subs r0, #1",
            "bne 2b",
            inout("r0") instructions / 8 => _,
            inout("r1") 1 => _,
            in("r2") 3,
            options(nomem, nostack),
        );
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

    fn micros(&self) -> u64 {
        self.counter.micros()
    }
}
