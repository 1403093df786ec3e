//! Arm MPS3 with the AN547 image: a Cortex-M55 with MVE and FPU at 32 MHz, as QEMU's machine `mps3-an547`.
//!
//! The program stays in the Secure state, in which the processor starts: the devices are at their Secure addresses.

#[path = "sse_counter.rs"]
mod sse_counter;

use super::cmsdk_uart::Uart;
use super::cmsdk_watchdog::Watchdog;
use super::led::Led;
use super::{Memory, Mps};
use crate::board::interrupt::Interrupt;
use crate::board::register::Registers;
use sse_counter::SystemCounter;

/// The board.
pub(crate) struct Selected;

impl Mps for Selected {
    const NAME: &'static str = "mps3-an547";
    const MEGAHERTZ: u32 = 32;
    // SAFETY: APB UART 0.
    const UART: Uart = Uart::at(unsafe { Registers::at(0x5930_3000) }, Interrupt(33));
    // SAFETY: the FPGA's system control block.
    const LED: Led = Led::at(unsafe { Registers::at(0x5930_2000) });
    type Counter = SystemCounter;
    // SAFETY: the control frame of the system counter.
    const COUNTER: SystemCounter = SystemCounter::at(unsafe { Registers::at(0x5810_0000) }, Self::MEGAHERTZ);
    // SAFETY: the watchdog that counts at the slow clock.
    const WATCHDOG: Watchdog = Watchdog::at(unsafe { Registers::at(0x5802_e000) }, 32_768);
    // SAFETY: the first 16 MiB of the DDR4.
    const JOB: Memory = unsafe { Memory::at(0x6000_0000, 16 << 20) };
    // SAFETY: the 2 MiB of DDR4 behind that.
    const MODELS: Memory = unsafe { Memory::at(0x6100_0000, 2 << 20) };
}
