//! The clocks of an STM32L4x5: 80 MHz, the most that it runs at, for processor, buses and devices.
//!
//! Register names and bits are those of ST's reference manual RM0351.

use crate::board::register::{Register, Registers};

/// Cycles a second of the processor, of both peripheral buses, and so of USART1.
pub(super) const HERTZ: u32 = 80_000_000;

/// Reset and clock control, and the flash interface, which must know how fast it is read.
pub(super) struct Clocks {
    control: Register,
    configuration: Register,
    pll_configuration: Register,
    ahb2_enable: Register,
    apb2_enable: Register,
    flash_access: Register,
}

/// A clock is not ready in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotReady;

impl Clocks {
    const CONTROL_HSI_ON: u32 = 1 << 8;
    const CONTROL_HSI_READY: u32 = 1 << 10;
    const CONTROL_PLL_ON: u32 = 1 << 24;
    const CONTROL_PLL_READY: u32 = 1 << 25;

    /// HSI16 x 10 / 2: 16 MHz into the PLL and 160 MHz inside it, both the most that it takes. Of the two oscillators that
    /// need no crystal this is the one that keeps within what a UART bears, over all temperatures.
    const PLL_CONFIGURATION: u32 = Self::PLL_SOURCE_HSI | 10 << 8 | Self::PLL_OUTPUT_BY_2;
    const PLL_SOURCE_HSI: u32 = 2;
    const PLL_OUTPUT_BY_2: u32 = 1 << 24;

    const SYSTEM_FROM_PLL: u32 = 0b11;
    const SYSTEM_IS_PLL: u32 = 0b11 << 2;
    const SYSTEM_STATE: u32 = 0b11 << 2;

    const FLASH_LATENCY: u32 = 0b111;
    /// What 80 MHz need in voltage range 1, which is the range after every reset.
    const FLASH_4_WAIT_STATES: u32 = 4;
    /// As after a reset: for instructions and for data, and nothing fetched ahead.
    const FLASH_CACHES: u32 = 1 << 9 | 1 << 10;

    const AHB2_GPIOB: u32 = 1 << 1;
    const APB2_USART1: u32 = 1 << 14;

    /// Turns that a flag is waited for, some 15 ms at the 4 MHz after reset; the slowest, the PLL, takes 40 us.
    const PATIENCE: u32 = 10_000;

    /// The clocks behind these registers: those of RCC and of FLASH.
    pub(super) const fn at(rcc: Registers, flash: Registers) -> Self {
        Self {
            control: rcc.register(0x00),
            configuration: rcc.register(0x08),
            pll_configuration: rcc.register(0x0c),
            ahb2_enable: rcc.register(0x4c),
            apb2_enable: rcc.register(0x60),
            flash_access: flash.register(0x00),
        }
    }

    /// Goes from the 4 MHz after a reset to [`HERTZ`], and gives the devices that the board uses their clocks.
    pub(super) fn start(&self) -> Result<(), NotReady> {
        self.slow_down_flash();
        self.control.set(Self::CONTROL_HSI_ON);
        until(|| self.control.has(Self::CONTROL_HSI_READY))?;
        self.pll_configuration.write(Self::PLL_CONFIGURATION);
        self.control.set(Self::CONTROL_PLL_ON);
        until(|| self.control.has(Self::CONTROL_PLL_READY))?;
        self.configuration.set(Self::SYSTEM_FROM_PLL);
        until(|| self.configuration.read() & Self::SYSTEM_STATE == Self::SYSTEM_IS_PLL)?;
        self.start_devices();
        Ok(())
    }

    /// Has flash read with the wait states that the new clock needs, which must hold before that clock does.
    fn slow_down_flash(&self) {
        self.flash_access.write(Self::FLASH_4_WAIT_STATES | Self::FLASH_CACHES);
        // They hold once they can be read back, at most a few cycles later. QEMU has no such register and always reads 0;
        // nothing waits for flash there, so going on after a while is right.
        let _ = until(|| self.flash_access.read() & Self::FLASH_LATENCY == Self::FLASH_4_WAIT_STATES);
    }

    /// Devices must not be touched for two cycles after they got their clocks; reading back takes longer.
    fn start_devices(&self) {
        self.ahb2_enable.set(Self::AHB2_GPIOB);
        self.apb2_enable.set(Self::APB2_USART1);
        self.ahb2_enable.read();
        self.apb2_enable.read();
    }
}

/// Waits for a flag, but not for ever.
fn until(flag: impl Fn() -> bool) -> Result<(), NotReady> {
    (0..Clocks::PATIENCE).find(|_| flag()).map(|_| ()).ok_or(NotReady)
}
