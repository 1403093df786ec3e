//! Ends of the program that a test asks for; see the feature `provoke`.

use core::hint::black_box;

use cortex_m::peripheral::SCB;
use refrain::link::Provocation;

/// Ends the program in that way.
pub(crate) fn provoke(provocation: Provocation) {
    match provocation {
        Provocation::Panic => panic!(),
        Provocation::ArithmeticOverflow => overflow_a_sum(),
        Provocation::HardFault => cortex_m::asm::udf(),
        Provocation::StackOverflow { large_frames: false } => overflow_stack::<8>(0),
        Provocation::StackOverflow { large_frames: true } => overflow_stack::<3000>(0),
        Provocation::UnexpectedInterrupt => SCB::set_pendsv(),
        Provocation::Hang => hang(),
        Provocation::DeafHang => {
            deafen();
            hang()
        }
        Provocation::PanicInLog => defmt::info!("{}", Unspeakable(|| panic!())),
        Provocation::HardFaultInLog => defmt::info!("{}", Unspeakable(|| cortex_m::asm::udf())),
    }
}

/// Panics where overflow is checked for.
#[inline(never)]
fn overflow_a_sum() {
    black_box(black_box(u32::MAX) + 1);
}

/// Calls until the stack is full, with so many words a call. Nothing of that returns or is decided by what is read back: from
/// where no memory is, that would end the program too, by chance.
#[inline(never)]
fn overflow_stack<const WORDS: usize>(depth: u32) -> ! {
    let frame = [depth; WORDS];
    overflow_stack_further::<WORDS>(black_box(&frame)[0])
}

/// The other half of it, for a function that calls itself whatever happens is taken for a mistake.
#[inline(never)]
fn overflow_stack_further<const WORDS: usize>(depth: u32) -> ! {
    let frame = [depth; WORDS];
    overflow_stack::<WORDS>(black_box(&frame)[0])
}

extern "C" fn hang() {
    while black_box(true) {}
}

/// Has every exception hang as well, that too which nothing masks: so the watchdog's interrupt comes to nothing, and only its
/// reset ends this.
fn deafen() {
    /// Where the processor looks for the addresses of its exceptions. A Cortex-M0 has no such register, and hears on.
    const VECTOR_TABLE: *mut u32 = core::ptr::without_provenance_mut(0xe000_ed08);
    /// Aligned as such a table must be.
    #[repr(C, align(128))]
    struct Table([extern "C" fn(); 16]);
    static DEAF: Table = Table([hang; 16]);
    cortex_m::interrupt::disable();
    // SAFETY: interrupts are masked, so the processor looks for none behind the table's sixteen exceptions, and each entry is
    // a function. It lies there until the reset, which sets the register back.
    unsafe { VECTOR_TABLE.write_volatile((&raw const DEAF).expose_provenance() as u32) };
}

/// Cannot be logged: what it does instead comes in the middle of the line.
struct Unspeakable(fn());

impl defmt::Format for Unspeakable {
    fn format(&self, _: defmt::Formatter<'_>) {
        (self.0)();
    }
}
