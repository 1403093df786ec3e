//! The stack: that nothing is beyond its end, and how much of it has been used.
//!
//! It lies at the bottom of RAM (`stack.x`), so that an overflow runs out of RAM and never into variables. That is an
//! access which a fault answers, by one of these, whatever the core has:
//!
//! - a limit of the stack pointer, of ARMv8-M: every instruction that would move it further faults; cortex-m-rt sets it
//!   (its feature `set-msplim`);
//! - a memory protection unit, of most others: [`guard`] makes it refuse what is written below RAM;
//! - neither, as a Cortex-M0: the bus, which answers with an error where there is no memory. Not every bus does.
//!
//! How much has been used is seen by paint, put on when the board starts.

use core::sync::atomic::{AtomicU32, Ordering};

#[cfg(not(stack_limit))]
use cortex_m::peripheral::MPU;
#[cfg(stack_limit)]
use cortex_m::peripheral::SCB;
use refrain_firmware::DepthGauge;

/// A word that no program writes by habit.
const PAINT: u32 = 0x5afe_c0de;

/// Bytes left unpainted below the stack pointer, for the frame of [`paint_below`] and whatever it calls.
const MARGIN: usize = 256;

/// What [`used`] had found before the stack was last painted anew.
static USED_BEFORE: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    /// Lowest address that the stack may reach; from the linker script.
    static _stack_end: u32;
    /// Where the stack begins, growing downwards.
    static _stack_start: u32;
}

/// Has what is written below the stack refused, as far as a memory protection unit can. Called once, before anything
/// that takes much stack.
#[cfg(not(stack_limit))]
pub(crate) fn guard() {
    /// More than the largest frame of a function that the program has: none steps over it.
    const GUARD_BYTES: usize = 1 << 20;
    const READ_ONLY: u32 = 0b101 << 24;
    const NOT_EXECUTABLE: u32 = 1 << 28;
    const SIZE: u32 = (GUARD_BYTES.ilog2() - 1) << 1;
    const ENABLE: u32 = 1 << 0;
    /// What no region says anything about is as it would be without the unit.
    const DEFAULT_MAP: u32 = 1 << 2;

    // SAFETY: these are the unit's registers, which nothing else uses. Memory that it refuses is none of the program's, for
    // RAM begins above it; `stack.x` sees to it that it begins at a multiple of the region's size, as it must.
    unsafe {
        let mpu = &*MPU::PTR;
        let has_regions = mpu._type.read() >> 8 & 0xff != 0;
        if has_regions {
            mpu.rnr.write(0);
            mpu.rbar.write((bottom() - GUARD_BYTES) as u32);
            mpu.rasr.write(NOT_EXECUTABLE | READ_ONLY | SIZE | ENABLE);
            mpu.ctrl.write(DEFAULT_MAP | ENABLE);
        }
    }
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}

/// Whether the stack pointer's limit is what a fault is about. Such a fault may come far above the end of the stack, where a
/// function asks for more than there is left.
#[cfg(stack_limit)]
pub(crate) fn has_hit_limit() -> bool {
    const STACK_OVERFLOW: u32 = 1 << 20;
    // SAFETY: a register that tells which faults have come.
    unsafe { (*SCB::PTR).cfsr.read() & STACK_OVERFLOW != 0 }
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
pub(crate) fn bottom() -> usize {
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
