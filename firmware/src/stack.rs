//! How much stack has been used: painted when the board starts, looked at later.

use core::sync::atomic::{AtomicU32, Ordering};

use refrain_firmware::DepthGauge;

/// A word that no program writes by habit.
const PAINT: u32 = 0x5afe_c0de;

/// Bytes left unpainted below the stack pointer, for the frame of [`paint_below`] and whatever it calls.
const MARGIN: usize = 256;

/// What [`used`] had found before the stack was last painted anew.
static USED_BEFORE: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    /// Lowest address that the stack may reach; from the linker script of cortex-m-rt.
    static _stack_end: u32;
    /// Where the stack begins, growing downwards.
    static _stack_start: u32;
}

/// Paints the stack that is not used yet. Called once, first thing in `main`.
pub(crate) fn paint() {
    paint_below(cortex_m::register::msp::read() as usize);
}

/// Paints the stack below an address where it ended, of this function's caller or of one further up.
fn paint_below(end: usize) {
    for address in (bottom()..end - MARGIN).step_by(size_of::<u32>()) {
        // SAFETY: between the end of the program's memory and the stack pointer, less the margin, lies nothing
        // that Rust knows of.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(PAINT) };
    }
}

/// The most stack used so far, in bytes.
pub(crate) fn used() -> u32 {
    USED_BEFORE.load(Ordering::Relaxed).max((top() - lowest_used()) as u32)
}

/// The lowest address of the stack that is not painted any more.
fn lowest_used() -> usize {
    let reached = (bottom()..top()).step_by(size_of::<u32>()).find(|&address| {
        // SAFETY: an aligned word of RAM; whatever it holds is a `u32`.
        unsafe { core::ptr::with_exposed_provenance::<u32>(address).read_volatile() != PAINT }
    });
    reached.unwrap_or(top())
}

/// Bytes that the stack may take.
pub(crate) fn size() -> u32 {
    (top() - bottom()) as u32
}

/// The address that the stack may reach.
fn bottom() -> usize {
    (&raw const _stack_end).expose_provenance()
}

/// The address where it begins.
fn top() -> usize {
    (&raw const _stack_start).addr()
}

/// What a call takes of the stack. Anything less than the margin counts as the margin.
pub(crate) struct Gauge {
    /// Where the stack ended when it was marked.
    end: usize,
}

impl Gauge {
    pub(crate) fn new() -> Self {
        Self { end: top() }
    }
}

impl DepthGauge for Gauge {
    #[inline(always)]
    fn mark(&mut self) {
        USED_BEFORE.store(used(), Ordering::Relaxed);
        self.end = cortex_m::register::msp::read() as usize;
        paint_below(self.end);
    }

    fn depth(&self) -> u32 {
        self.end.saturating_sub(lowest_used()) as u32
    }
}
