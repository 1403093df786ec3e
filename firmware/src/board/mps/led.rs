//! The lights of an MPS board.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType, OutputPin, StatefulOutputPin};

use crate::board::register::{Register, Registers};

/// User LED 0, behind the registers of the FPGA's system control block.
pub(crate) struct Led {
    leds: Register,
}

impl Led {
    const LED_0: u32 = 1 << 0;

    /// The lights of the control block at these registers.
    pub(super) const fn at(registers: Registers) -> Self {
        Self { leds: registers.register(0x0) }
    }

    /// Puts all lights out.
    pub(super) fn start(&self) {
        self.leds.write(0);
    }
}

impl ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.leds.write(0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.leds.write(Self::LED_0);
        Ok(())
    }
}

impl StatefulOutputPin for Led {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.leds.read() & Self::LED_0 != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        Ok(self.leds.read() & Self::LED_0 == 0)
    }
}
