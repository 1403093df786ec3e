//! Arm MPS2 with the AN386 image: a Cortex-M4F at 25 MHz, as QEMU's machine `mps2-an386`.

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
    const NAME: &'static str = "mps2-an386";
    const MEGAHERTZ: u32 = 25;
    // SAFETY: APB UART 0.
    const UART: Uart = Uart::at(unsafe { Registers::at(0x4000_4000) }, Interrupt(0));
    // SAFETY: the FPGA's system control block.
    const LED: Led = Led::at(unsafe { Registers::at(0x4002_8000) });
    type Counter = Timer;
    // SAFETY: APB timer 0.
    const COUNTER: Timer = Timer::at(unsafe { Registers::at(0x4000_0000) }, Interrupt(8), Self::MEGAHERTZ);
    // SAFETY: APB watchdog.
    const WATCHDOG: Watchdog = Watchdog::at(unsafe { Registers::at(0x4000_8000) }, 25_000_000);
    // SAFETY: the 16 MiB of PSRAM.
    const JOB: Memory = unsafe { Memory::at(0x2100_0000, 16 << 20) };
    // SAFETY: the second half of the data's 4 MiB, of which the memory layout has 128 KiB.
    const MODELS: Memory = unsafe { Memory::at(0x2020_0000, 2 << 20) };
}
