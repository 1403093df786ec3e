//! The ends that no program hopes for. Each ends this [life](crate::life), with a word to the next.

use core::panic::PanicInfo;

use refrain::link::Cause;

use crate::life;
use crate::stack;

/// The number of the interrupt that nothing masks, among those of the processor itself.
pub(crate) const NON_MASKABLE: i16 = -14;

/// Nearer to the end of the stack than this, a fault is taken for an overflow: the longest instruction to push registers
/// takes so many bytes, and where it fails, the stack pointer has not moved.
pub(crate) const LONGEST_PUSH_BYTES: usize = 64;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
    life::end(Cause::Panic { file, line }, || defmt::error!("panic at {=str}:{=u32}", file, line))
}

/// An interrupt came that nobody asked for.
pub(crate) fn unexpected_interrupt(number: i16) -> ! {
    let cause = Cause::UnexpectedInterrupt { number };
    life::end(cause, || defmt::error!("interrupt {=i16} has no handler", number))
}

/// Defines what an exception calls that the program does not return from: a function that trusts no stack. It begins the
/// stack anew and goes on to `handler` with the addresses where the program was and where that was called from, or
/// zeroes where the processor could not save them. Where it was the stack that was full, it goes on to `overflow`.
macro_rules! last_exception {
    ($exception:ident => $handler:path) => {
        // SAFETY: the name is that of cortex-m-rt's table of exceptions, and nothing else defines it.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn $exception() -> ! {
            core::arch::naked_asm!(
                "mov r3, sp",
                "ldr r2, =_stack_start",
                "mov sp, r2",
                // with an FPU: registers that it meant to save later, to where there may be no stack, are forgotten
                ".ifne {has_fpu}",
                "ldr r1, =0xe000ef34", // FPCCR, with LSPACT in bit 0
                "ldr r0, [r1]",
                "lsrs r0, r0, #1",
                "lsls r0, r0, #1",
                "str r0, [r1]",
                ".endif",
                "movs r0, #0",
                "movs r1, #0",
                // eight words are saved where the stack ended: r0 to r3, r12, lr, pc, xpsr
                "subs r2, #32",
                "cmp r3, r2",
                "bhi 1f",
                "ldr r2, =_stack_end + {longest_push}",
                "cmp r3, r2",
                "blo 2f",
                "ldr r0, [r3, #24]",
                "ldr r1, [r3, #20]",
                "1: ldr r2, ={handler}",
                "bx r2",
                "2: mov r0, r3",
                "ldr r2, ={overflow}",
                "bx r2",
                ".pool",
                has_fpu = const cfg!(target_abi = "eabihf") as u32,
                longest_push = const $crate::fault::LONGEST_PUSH_BYTES,
                handler = sym $handler,
                overflow = sym $crate::fault::overflow,
            )
        }
    };
}

last_exception!(HardFault => hard_fault);

/// The stack is full: its pointer was there.
pub(crate) extern "C" fn overflow(pointer: usize) -> ! {
    let beyond = stack::bottom().saturating_sub(pointer) as u32;
    life::end(Cause::StackOverflow { beyond }, || {
        defmt::error!("stack overflow, seen {=u32} bytes beyond its end", beyond)
    })
}

extern "C" fn hard_fault(pc: u32, lr: u32) -> ! {
    #[cfg(stack_limit)]
    if stack::has_hit_limit() {
        overflow(stack::bottom())
    }
    let cause = Cause::HardFault { pc, lr };
    life::end(cause, || defmt::error!("hard fault at {=u32:#010x}, called from {=u32:#010x}", pc, lr))
}
