//! The ends that no program hopes for: each is logged and ends the program with a failure.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m_rt::{ExceptionFrame, exception};

use crate::board::{Board, Selected};

/// Logs where it was, unless that is what panicked, and ends the program.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    let again = PANICKED.load(Ordering::Relaxed);
    PANICKED.store(true, Ordering::Relaxed);
    if let Some(place) = info.location().filter(|_| !again) {
        defmt::error!("panic at {=str}:{=u32}", place.file(), place.line());
    }
    Selected::exit(false)
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("hard fault at {=u32:#010x}, called from {=u32:#010x}", frame.pc(), frame.lr());
    Selected::exit(false)
}

/// An interrupt came that nobody asked for.
pub(crate) fn unexpected_interrupt(number: i16) -> ! {
    defmt::error!("interrupt {=i16} has no handler", number);
    Selected::exit(false)
}
