//! Pins of an STM32L4x5. Register names and bits are those of ST's reference manual RM0351.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType, OutputPin, StatefulOutputPin};

use crate::board::register::{Register, Registers};

/// A port of 16 pins.
pub(super) struct Port {
    mode: Register,
    pull: Register,
    output: Register,
    set_or_reset: Register,
    /// What pins 0 to 7 are for, and pins 8 to 15.
    alternate: [Register; 2],
}

impl Port {
    const MODE_OUTPUT: u32 = 1;
    const MODE_ALTERNATE: u32 = 2;
    const PULL_UP: u32 = 1;

    /// The port at these registers.
    pub(super) const fn at(registers: Registers) -> Self {
        Self {
            mode: registers.register(0x00),
            pull: registers.register(0x0c),
            output: registers.register(0x14),
            set_or_reset: registers.register(0x18),
            alternate: [registers.register(0x20), registers.register(0x24)],
        }
    }

    /// Hands a pin to a device, which holds it high as long as nothing else drives it.
    pub(super) fn give_to(&self, pin: u32, function: u32) {
        self.pull.change(0b11 << (2 * pin), Self::PULL_UP << (2 * pin));
        let shift = 4 * (pin % 8);
        self.alternate[usize::from(pin >= 8)].change(0b1111 << shift, function << shift);
        self.set_mode(pin, Self::MODE_ALTERNATE);
    }

    /// Two bits a pin. The others keep theirs: on port B two pins belong to the debugger from reset on.
    fn set_mode(&self, pin: u32, mode: u32) {
        self.mode.change(0b11 << (2 * pin), mode << (2 * pin));
    }
}

/// A light between a pin and ground.
pub(crate) struct Light {
    port: Port,
    pin: u32,
}

impl Light {
    /// The light at that pin.
    pub(super) const fn at(port: Port, pin: u32) -> Self {
        Self { port, pin }
    }

    /// Makes its pin an output, and puts it on or out.
    pub(super) fn start(&self, on: bool) {
        self.drive(on);
        self.port.set_mode(self.pin, Port::MODE_OUTPUT);
    }

    /// One write that leaves the port's other pins alone.
    fn drive(&self, on: bool) {
        let bit = if on { 1 << self.pin } else { 1 << (self.pin + 16) };
        self.port.set_or_reset.write(bit);
    }

    fn is_on(&self) -> bool {
        self.port.output.has(1 << self.pin)
    }
}

impl ErrorType for Light {
    type Error = Infallible;
}

impl OutputPin for Light {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.drive(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.drive(true);
        Ok(())
    }
}

impl StatefulOutputPin for Light {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_on())
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.is_on())
    }
}
