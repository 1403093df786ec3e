//! Interrupts by their numbers.

use cortex_m::peripheral::NVIC;

/// The number of an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interrupt(pub(super) u16);

// SAFETY: the numbers are those of the board's documentation and never change.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self.0
    }
}

impl Interrupt {
    /// Lets it come from now on.
    pub(super) fn unmask(self) {
        // SAFETY: this is called while the hardware is set up, before any critical section, and the board has the handler.
        unsafe { NVIC::unmask(self) };
    }
}
