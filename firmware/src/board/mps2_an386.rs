//! Arm MPS2 with the AN386 image: a Cortex-M4F at 25 MHz, as QEMU's machine `mps2-an386`.
//!
//! Described in Arm's application note AN386 and, for UART and timer, in the "Cortex-M System Design Kit
//! Technical Reference Manual".

use core::convert::Infallible;
use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use embedded_hal::digital::{ErrorType as PinErrorType, OutputPin, StatefulOutputPin};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use refrain_firmware::{Clock, Mode, Parts};

use super::register::Register;
use super::{Board, SaveError, semihosting};
use crate::stack;

/// Where the host puts a job: the 16 MiB of PSRAM.
const JOB_ADDRESS: usize = 0x2100_0000;
const JOB_BYTES: usize = 16 << 20;

/// The board.
pub(crate) struct Mps2An386;

impl Board for Mps2An386 {
    const NAME: &'static str = "mps2-an386";
    type Serial = Uart;
    type Light = Led;
    type Clock = Timer;

    fn take() -> Option<Parts<Uart, Led, Timer>> {
        let _once = cortex_m::Peripherals::take()?;
        // SAFETY: the PSRAM is memory of this board, no section of the program lies in it, any byte is a `u8`,
        // and this is done once.
        let memory = unsafe {
            core::slice::from_raw_parts_mut(
                core::ptr::with_exposed_provenance_mut::<u8>(JOB_ADDRESS),
                JOB_BYTES,
            )
        };
        Some(Parts {
            board: Self::NAME,
            serial: Uart::start(),
            busy: Led::start(),
            clock: Timer::start(),
            memory,
            stack_used: stack::used,
        })
    }

    fn mode() -> Mode {
        semihosting::mode()
    }

    fn save_answers(answers: &[u8]) -> Result<(), SaveError> {
        semihosting::save_answers(answers)
    }

    fn exit(success: bool) -> ! {
        semihosting::exit(success)
    }
}

/// CMSDK APB UART 0.
pub(crate) struct Uart;

impl Uart {
    // SAFETY: UART 0 of the AN386 lies at 0x4000_4000; it touches no memory.
    const DATA: Register = unsafe { Register::at(0x4000_4000) };
    // SAFETY: as above.
    const STATE: Register = unsafe { Register::at(0x4000_4004) };
    // SAFETY: as above.
    const CONTROL: Register = unsafe { Register::at(0x4000_4008) };
    // SAFETY: as above.
    const INTERRUPT: Register = unsafe { Register::at(0x4000_400c) };
    // SAFETY: as above.
    const BAUD_DIVIDER: Register = unsafe { Register::at(0x4000_4010) };

    const STATE_SEND_FULL: u32 = 1 << 0;
    const STATE_RECEIVE_FULL: u32 = 1 << 1;
    const CONTROL_SEND: u32 = 1 << 0;
    const CONTROL_RECEIVE: u32 = 1 << 1;
    const CONTROL_RECEIVE_INTERRUPT: u32 = 1 << 3;
    const INTERRUPT_RECEIVE: u32 = 1 << 1;
    /// 25 MHz / 16 = 1.5625 MBd, the fastest that it goes.
    const LEAST_DIVIDER: u32 = 16;

    fn start() -> Self {
        Self::BAUD_DIVIDER.write(Self::LEAST_DIVIDER);
        Self::CONTROL.write(Self::CONTROL_SEND | Self::CONTROL_RECEIVE | Self::CONTROL_RECEIVE_INTERRUPT);
        Interrupt::UartReceive.unmask();
        Self
    }

    /// Sleeps until a byte has come. Polling would be right too, but under QEMU it takes the time that the
    /// emulator needs to bring the next byte.
    fn wait(&self) {
        while !self.received() {
            // Within the critical section an interrupt still ends the sleep, so none is slept through.
            cortex_m::interrupt::free(|_| {
                if !self.received() {
                    cortex_m::asm::wfi();
                }
            });
        }
    }

    fn received(&self) -> bool {
        Self::STATE.read() & Self::STATE_RECEIVE_FULL != 0
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.received())
    }
}

impl Read for Uart {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        if buffer.is_empty() {
            return Ok(0);
        }
        self.wait();
        let mut count = 0;
        for place in buffer {
            if !self.received() {
                break;
            }
            *place = Self::DATA.read() as u8;
            count += 1;
        }
        Ok(count)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while Self::STATE.read() & Self::STATE_SEND_FULL != 0 {}
            Self::DATA.write(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while Self::STATE.read() & Self::STATE_SEND_FULL != 0 {}
        Ok(())
    }
}

/// User LED 0.
pub(crate) struct Led;

impl Led {
    // SAFETY: the LED register of the AN386's FPGA block lies at 0x4002_8000; it touches no memory.
    const LEDS: Register = unsafe { Register::at(0x4002_8000) };
    const LED_0: u32 = 1 << 0;

    fn start() -> Self {
        Self::LEDS.write(0);
        Self
    }
}

impl PinErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Self::LEDS.write(0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Self::LEDS.write(Self::LED_0);
        Ok(())
    }
}

impl StatefulOutputPin for Led {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(Self::LEDS.read() & Self::LED_0 != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        Ok(Self::LEDS.read() & Self::LED_0 == 0)
    }
}

/// CMSDK APB timer 0: counts down at 25 MHz in 32 bits; [`WRAPS`] holds the bits above.
#[derive(Clone, Debug)]
pub(crate) struct Timer {
    ticks_per_1000_instructions: u32,
}

/// How often the timer has run through its 32 bits, which takes it 172 seconds.
static WRAPS: AtomicU32 = AtomicU32::new(0);

impl Timer {
    // SAFETY: timer 0 of the AN386 lies at 0x4000_0000; it touches no memory.
    const CONTROL: Register = unsafe { Register::at(0x4000_0000) };
    // SAFETY: as above.
    const VALUE: Register = unsafe { Register::at(0x4000_0004) };
    // SAFETY: as above.
    const RELOAD: Register = unsafe { Register::at(0x4000_0008) };
    // SAFETY: as above.
    const INTERRUPT: Register = unsafe { Register::at(0x4000_000c) };

    const CONTROL_ENABLE: u32 = 1 << 0;
    const CONTROL_INTERRUPT: u32 = 1 << 3;

    fn start() -> Self {
        Self::RELOAD.write(u32::MAX);
        Self::VALUE.write(u32::MAX);
        Self::CONTROL.write(Self::CONTROL_ENABLE | Self::CONTROL_INTERRUPT);
        Interrupt::Timer.unmask();
        let mut timer = Self { ticks_per_1000_instructions: 0 };
        timer.ticks_per_1000_instructions = timer.calibrated().unwrap_or(0);
        timer
    }

    /// Ticks that one thousand instructions take, measured; `None` where they take now this long, now that, as
    /// under QEMU without `-icount`.
    fn calibrated(&self) -> Option<u32> {
        /// A turn of the delay loop is two instructions, so this stretch and the long one lie a million apart:
        /// enough for the few that differ around the loop not to count.
        const SHORT: u32 = 500;
        const LONG: u32 = SHORT + 500_000;
        let per_1000 = || (self.stretch(LONG).saturating_sub(self.stretch(SHORT)) + 500) / 1000;
        let first = per_1000();
        let steady = (0..3).all(|_| per_1000() == first);
        u32::try_from(first).ok().filter(|_| steady)
    }

    /// Ticks that so many turns of the delay loop take.
    #[inline(never)]
    fn stretch(&self, turns: u32) -> u64 {
        let start = self.now();
        cortex_m::asm::delay(turns);
        self.now() - start
    }
}

impl Clock for Timer {
    /// Never inlined, so that it costs the same wherever it is called.
    #[inline(never)]
    fn now(&self) -> u64 {
        loop {
            let wraps = WRAPS.load(Ordering::Relaxed);
            let low = u32::MAX - Self::VALUE.read();
            if WRAPS.load(Ordering::Relaxed) == wraps {
                return u64::from(wraps) << 32 | u64::from(low);
            }
        }
    }

    fn ticks_per_1000_instructions(&self) -> u32 {
        self.ticks_per_1000_instructions
    }
}

/// The interrupts that are used, by their numbers.
#[derive(Clone, Copy)]
#[repr(u16)]
enum Interrupt {
    UartReceive = 0,
    Timer = 8,
}

// SAFETY: the numbers are those of this board and never change.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        self as u16
    }
}

impl Interrupt {
    fn unmask(self) {
        // SAFETY: this is called before any critical section, and the handler is `DefaultHandler` below.
        unsafe { NVIC::unmask(self) };
    }
}

#[exception]
unsafe fn DefaultHandler(interrupt: i16) {
    const UART_RECEIVE: i16 = Interrupt::UartReceive as i16;
    const TIMER: i16 = Interrupt::Timer as i16;
    match interrupt {
        // It only ends the sleep of `Uart::wait`.
        UART_RECEIVE => Uart::INTERRUPT.write(Uart::INTERRUPT_RECEIVE),
        TIMER => {
            Timer::INTERRUPT.write(1);
            WRAPS.store(WRAPS.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        other => crate::fault::unexpected_interrupt(other),
    }
}
