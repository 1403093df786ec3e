//! What the serial line brings: its interrupt puts the bytes into a ring, and who reads sleeps until there are some. So
//! none is lost while the board computes, as long as no more than a frame comes.

use refrain_firmware::Arrivals;

use crate::run::REQUEST;

/// Room for the longest frame that a host sends.
static RECEIVED: Arrivals<{ Arrivals::<0>::room(REQUEST) }> = Arrivals::new();

/// Takes a byte from the line, which comes now, in microseconds. For its interrupt alone.
pub(super) fn put(byte: u8, now: impl FnOnce() -> u64) {
    RECEIVED.put(byte, || now() as u32);
}

/// Counts a byte that the line lost before it could be taken. For its interrupt alone.
pub(super) fn count_lost() {
    RECEIVED.count_lost();
}

/// Bytes lost since the start, because the ring was full or the interrupt came late.
pub(super) fn lost() -> u32 {
    RECEIVED.lost()
}

/// Whether there are bytes to read.
pub(super) fn ready() -> bool {
    !RECEIVED.is_empty()
}

/// Sleeps until an interrupt comes, unless there are bytes.
pub(super) fn sleep() {
    // An interrupt that comes between the look and the sleep would be slept through, were it not masked: masked, it
    // stays pending, and what is pending ends the sleep.
    cortex_m::interrupt::free(|_| {
        if !ready() {
            cortex_m::asm::wfi();
            // By ST's errata an STM32L4 under a debugger may fetch a wrong instruction after it slept; not behind this.
            cortex_m::asm::isb();
        }
    });
}

/// Sleeps until there are bytes, then reads as many as there are and `buffer` holds, up to the end of a frame.
pub(super) fn read(buffer: &mut [u8]) -> usize {
    if buffer.is_empty() {
        return 0;
    }
    while !ready() {
        sleep();
    }
    RECEIVED.read(buffer)
}

/// When the last byte of the frame came whose end was read last.
pub(super) fn arrived() -> Option<u32> {
    Some(RECEIVED.arrived())
}
