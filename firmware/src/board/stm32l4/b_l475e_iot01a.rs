//! ST B-L475E-IOT01A: an STM32L475VG, a Cortex-M4F at 80 MHz, and QEMU's machine `b-l475e-iot01a`: one program for both.
//!
//! The line to the host is USART1, which ends at the ST-Link and so at the board's USB connector. Nobody tells this board
//! what to do, so it tests its models and answers requests. Its logs go by RTT, which a debugger reads from its memory.

use core::time::Duration;

use cortex_m_rt::exception;
use refrain::link::Cause;
use refrain_firmware::update::stm32::Stm32Flash;
use refrain_firmware::{Clock, Mode, Parts};

use defmt_rtt as _;

use super::clock::{self, Clocks};
use super::cycles::Cycles;
use super::flash::Bank2;
use super::gpio::{Light, Port};
use super::usart::Usart;
use super::watchdog::Watchdog;
use crate::board::counter::{Calibrated, Counter};
use crate::board::interrupt::Interrupt;
use crate::board::register::Registers;
use crate::board::{Board, PartsOf, SaveError, received};
use crate::models::COUNT;
use crate::{fault, life, stack};

/// The board.
pub(crate) struct Selected;

impl Selected {
    // SAFETY: FLASH.
    const FLASH: Registers = unsafe { Registers::at(0x4002_2000) };
    const BANK_2: usize = 0x0808_0000;
    // SAFETY: RCC.
    const CLOCKS: Clocks = Clocks::at(unsafe { Registers::at(0x4002_1000) }, Self::FLASH);
    // SAFETY: GPIOB.
    const PORT_B: Port = Port::at(unsafe { Registers::at(0x4800_0400) });
    /// LED2, green.
    const LIGHT: Light = Light::at(Self::PORT_B, 14);
    // SAFETY: USART1.
    const USART: Usart = Usart::at(unsafe { Registers::at(0x4001_3800) }, Interrupt(37));
    /// The pins of the ST-Link's serial port.
    const SEND_PIN: u32 = 6;
    const RECEIVE_PIN: u32 = 7;
    /// USART1, of what these pins can be for.
    const PIN_FUNCTION: u32 = 7;
    // SAFETY: DCB, DWT and SysTick, which every Cortex-M4 has there.
    const CYCLES: Cycles = unsafe {
        Cycles::at(
            Registers::at(0xe000_edf0),
            Registers::at(0xe000_1000),
            Registers::at(0xe000_e010),
            clock::HERTZ,
        )
    };
    /// On silicon, where SysTick ticks as slowly as it can.
    const TICK: Duration = Duration::from_micros((Cycles::SLOW_TICK / (clock::HERTZ / 1_000_000)) as u64);
    // SAFETY: IWDG.
    const WATCHDOG_REGISTERS: Registers = unsafe { Registers::at(0x4000_3000) };
    // SAFETY: DBGMCU.
    const DEBUG_REGISTERS: Registers = unsafe { Registers::at(0xe004_2000) };
    const WATCHDOG: Watchdog = Watchdog::at(Self::WATCHDOG_REGISTERS, Self::DEBUG_REGISTERS, Self::TICK);
    /// How long the light is on before the board starts again: about a second, for a turn takes some four cycles.
    const LAST_TURNS: u32 = clock::HERTZ / 4;
}

impl Board for Selected {
    const NAME: &'static str = "b-l475e-iot01a";
    const TESTS_ITSELF_FIRST: bool = true;
    type Serial = Usart;
    type Light = Light;
    type Clock = Calibrated<Cycles>;
    type Flash = Stm32Flash<Bank2, COUNT>;
    type Watchdog = Watchdog;

    fn take() -> Result<(PartsOf<Self>, Self::Flash), &'static str> {
        let _once = cortex_m::Peripherals::take().ok_or("the hardware was taken before")?;
        Self::CLOCKS.start().map_err(|_| "the clocks do not start")?;
        Self::LIGHT.start(false);
        if !Self::WATCHDOG.is_there() {
            defmt::warn!("there is no watchdog, as under QEMU: a program that hangs stays so");
        }
        let clock = Calibrated::start(Self::CYCLES);
        if !Self::CYCLES.by_debug_unit() && clock.ticks_per_1000_instructions() == 0 {
            Self::CYCLES.tick_fast();
        }
        Self::USART.start(clock::HERTZ, || {
            Self::PORT_B.give_to(Self::SEND_PIN, Self::PIN_FUNCTION);
            Self::PORT_B.give_to(Self::RECEIVE_PIN, Self::PIN_FUNCTION);
        });
        let parts = Parts {
            board: Self::NAME,
            serial: Self::USART,
            busy: Self::LIGHT,
            clock,
            memory: &mut [],
            stack_used: stack::used,
            lost_bytes: received::lost,
        };
        // SAFETY: the memory layout ends where the second bank begins, and the peripherals are taken only once.
        let flash = Stm32Flash::new(unsafe { Bank2::at(Self::FLASH, Self::BANK_2) });
        if let Some(missing) = flash.missing() {
            defmt::warn!("no other models are taken: {}", missing);
        }
        Ok((parts, flash))
    }

    fn watchdog() -> Watchdog {
        Self::WATCHDOG
    }

    fn mode() -> Mode {
        Mode::Link
    }

    fn save_answers(_: &[u8]) -> Result<(), SaveError> {
        Err(SaveError)
    }

    /// Starts the board again: there is nobody to tell how it went.
    fn exit(_: bool) -> ! {
        Self::restart()
    }

    /// Starts it again when a debugger has had time to fetch the last of the log.
    fn restart() -> ! {
        Self::LIGHT.start(true);
        cortex_m::asm::delay(Self::LAST_TURNS);
        cortex_m::peripheral::SCB::sys_reset()
    }
}

/// Double words that power failed on are all that this comes for without the program ending.
#[exception]
unsafe fn NonMaskableInt() {
    if !Bank2::forgive(Selected::FLASH) {
        fault::unexpected_interrupt(fault::NON_MASKABLE);
    }
}

#[exception]
unsafe fn DefaultHandler(number: i16) {
    let interrupt = Interrupt(number as u16);
    if Selected::CYCLES.answer(interrupt) {
        if Selected::WATCHDOG.tick() {
            // where the program was is not known here
            life::end(Cause::Watchdog { pc: 0 }, || defmt::error!("the program hangs"));
        }
    } else if !Selected::USART.answer(interrupt, || Selected::CYCLES.micros()) {
        fault::unexpected_interrupt(number);
    }
    // By ST's errata this core may take a wrong vector next, while a store is still on its way at the return.
    cortex_m::asm::dsb();
}
