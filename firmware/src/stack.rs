//! How much stack has been used: painted once when the board starts, looked at later.

/// A word that no program writes by habit.
const PAINT: u32 = 0x5afe_c0de;

/// Bytes left unpainted below the stack pointer, for the frame of [`paint`] and whatever it calls.
const MARGIN: usize = 256;

unsafe extern "C" {
    /// Lowest address that the stack may reach; from the linker script of cortex-m-rt.
    static _stack_end: u32;
    /// Where the stack begins, growing downwards.
    static _stack_start: u32;
}

/// Paints the stack that is not used yet. Called once, first thing in `main`.
pub(crate) fn paint() {
    let bottom = (&raw const _stack_end).expose_provenance();
    let top = cortex_m::register::msp::read() as usize - MARGIN;
    for address in (bottom..top).step_by(size_of::<u32>()) {
        // SAFETY: between the end of the program's memory and the stack pointer, less the margin, lies nothing
        // that Rust knows of.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(PAINT) };
    }
}

/// The most stack used so far, in bytes.
pub(crate) fn used() -> u32 {
    let bottom = (&raw const _stack_end).expose_provenance();
    let top = (&raw const _stack_start).addr();
    let reached = (bottom..top).step_by(size_of::<u32>()).find(|&address| {
        // SAFETY: an aligned word of RAM; whatever it holds is a `u32`.
        unsafe { core::ptr::with_exposed_provenance::<u32>(address).read_volatile() != PAINT }
    });
    (top - reached.unwrap_or(top)) as u32
}

/// Bytes that the stack may take.
pub(crate) fn size() -> u32 {
    ((&raw const _stack_start).addr() - (&raw const _stack_end).addr()) as u32
}
