//! Arm MPS2 with the AN505 image: a Cortex-M33 with DSP extension and FPU at 20 MHz, as QEMU's machine `mps2-an505`.
//!
//! The program stays in the Secure state, in which the processor starts: code, memory and devices are at their Secure
//! addresses.

#[path = "cmsdk_timer.rs"]
mod cmsdk_timer;

use super::cmsdk_uart::Uart;
use super::cmsdk_watchdog::Watchdog;
use super::led::Led;
use super::{Memory, Mps};
use crate::board::interrupt::Interrupt;
use crate::board::register::Registers;
use cmsdk_timer::Timer;

/// The board.
pub(crate) struct Selected;

impl Mps for Selected {
    const NAME: &'static str = "mps2-an505";
    const MEGAHERTZ: u32 = 20;
    // SAFETY: APB UART 0.
    const UART: Uart = Uart::at(unsafe { Registers::at(0x5020_0000) }, Interrupt(32));
    // SAFETY: the FPGA's system control block.
    const LED: Led = Led::at(unsafe { Registers::at(0x5030_2000) });
    type Counter = Timer;
    // SAFETY: APB timer 0.
    const COUNTER: Timer = Timer::at(unsafe { Registers::at(0x5000_0000) }, Interrupt(3), Self::MEGAHERTZ);
    // SAFETY: the Secure APB watchdog.
    const WATCHDOG: Watchdog = Watchdog::at(unsafe { Registers::at(0x5008_1000) }, 20_000_000);
    // SAFETY: the 16 MiB of PSRAM.
    const JOB: Memory = unsafe { Memory::at(0x8000_0000, 16 << 20) };
    // SAFETY: the second of the 2 MiB of SSRAM 2, of which the memory layout has 128 KiB.
    const MODELS: Memory = unsafe { Memory::at(0x3810_0000, 1 << 20) };
}
