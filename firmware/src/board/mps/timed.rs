//! Sleep that ends at a time: SysTick's interrupt, which every Cortex-M here has, ends it.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use refrain_firmware::Wait;

use crate::board::received;

/// SysTick counts in 24 bits.
const MOST_TICKS: u32 = (1 << 24) - 1;

/// A line beside SysTick, which runs only while somebody sleeps: an inference must not be interrupted by it.
pub(crate) struct Timed<S> {
    line: S,
    tick: SYST,
    ticks_per_microsecond: u32,
}

impl<S> Timed<S> {
    /// A line at whose board SysTick counts so fast.
    pub(super) fn new(line: S, mut tick: SYST, ticks_per_microsecond: u32) -> Self {
        tick.set_clock_source(SystClkSource::Core);
        Self { line, tick, ticks_per_microsecond }
    }

    fn start(&mut self, micros: u32) {
        self.tick.set_reload(micros.saturating_mul(self.ticks_per_microsecond).clamp(1, MOST_TICKS));
        self.tick.clear_current();
        self.tick.enable_interrupt();
        self.tick.enable_counter();
    }

    fn stop(&mut self) {
        self.tick.disable_counter();
        self.tick.disable_interrupt();
    }
}

/// It has ended a sleep, and that is all.
#[exception]
fn SysTick() {}

impl<S: Read + ReadReady> Wait for Timed<S> {
    fn wait(&mut self, micros: u32) -> Result<bool, S::Error> {
        // An interrupt that comes between the look and the sleep would be slept through, were it not masked: masked, it
        // stays pending, and what is pending ends the sleep. The tick is stopped before interrupts may come again: one of
        // a microsecond would leave the program no time for anything else.
        let ready = cortex_m::interrupt::free(|_| {
            let ready = self.line.read_ready();
            if matches!(ready, Ok(false)) {
                self.start(micros);
                cortex_m::asm::wfi();
                self.stop();
            }
            ready
        });
        if ready? { Ok(true) } else { self.line.read_ready() }
    }

    fn arrived(&self) -> Option<u32> {
        received::arrived()
    }
}

impl<S: ErrorType> ErrorType for Timed<S> {
    type Error = S::Error;
}

impl<S: Read> Read for Timed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, S::Error> {
        self.line.read(buffer)
    }
}

impl<S: Write> Write for Timed<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, S::Error> {
        self.line.write(bytes)
    }

    fn flush(&mut self) -> Result<(), S::Error> {
        self.line.flush()
    }
}
