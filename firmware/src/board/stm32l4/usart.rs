//! A USART of an STM32L4x5: 115,200 bits a second, 8 bits, no parity, one stop bit.
//!
//! Register names and bits are those of ST's reference manual RM0351. All registers are read and written as 32 bits, the
//! data registers too: real ones take bytes as well, QEMU's fault on them.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};
use refrain_firmware::Wait;

use crate::board::interrupt::Interrupt;
use crate::board::received;
use crate::board::register::{Register, Registers};

/// The USART.
pub(crate) struct Usart {
    control: Register,
    baud: Register,
    state: Register,
    clear: Register,
    received: Register,
    send: Register,
    interrupt: Interrupt,
}

impl Usart {
    const CONTROL_ENABLE: u32 = 1 << 0;
    const CONTROL_RECEIVE: u32 = 1 << 2;
    const CONTROL_SEND: u32 = 1 << 3;
    /// Comes for a byte and for an overrun.
    const CONTROL_RECEIVE_INTERRUPT: u32 = 1 << 5;
    const STATE_OVERRUN: u32 = 1 << 3;
    const STATE_RECEIVED: u32 = 1 << 5;
    const STATE_ALL_SENT: u32 = 1 << 6;
    const STATE_SEND_EMPTY: u32 = 1 << 7;

    const BITS_PER_SECOND: u32 = 115_200;

    /// The USART at these registers, whose interrupt that is.
    pub(super) const fn at(registers: Registers, interrupt: Interrupt) -> Self {
        Self {
            control: registers.register(0x00),
            baud: registers.register(0x0c),
            state: registers.register(0x1c),
            clear: registers.register(0x20),
            received: registers.register(0x24),
            send: registers.register(0x28),
            interrupt,
        }
    }

    /// Starts it at a clock of so many `hertz`; `connect` gives it its pins.
    ///
    /// It drives its line high before it gets the pin to send by, and listens only after it has the other: neither side
    /// takes the change for a byte.
    pub(super) fn start(&self, hertz: u32, connect: impl FnOnce()) {
        // Sixteen samples a bit, the reset state, make the divider the clocks of a bit: at 80 MHz 694, for 694.4.
        self.baud.write((hertz + Self::BITS_PER_SECOND / 2) / Self::BITS_PER_SECOND);
        self.control.write(Self::CONTROL_ENABLE | Self::CONTROL_SEND);
        connect();
        self.control.set(Self::CONTROL_RECEIVE | Self::CONTROL_RECEIVE_INTERRUPT);
        self.interrupt.unmask();
    }

    /// Does what an interrupt asks for that comes now, in microseconds; false where that is not the USART's.
    pub(super) fn answer(&self, interrupt: Interrupt, now: impl FnOnce() -> u64) -> bool {
        let is_mine = interrupt == self.interrupt;
        if is_mine {
            self.receive(now);
        }
        is_mine
    }

    /// Takes the byte that has come. After an overrun there is one too, the byte before the lost one; the flag must be
    /// cleared all the same, or the interrupt would come again for ever. Noise and framing errors need no clearing: their
    /// bytes come as any other, and break the frame that they are in.
    fn receive(&self, now: impl FnOnce() -> u64) {
        if self.state.has(Self::STATE_OVERRUN) {
            self.clear.write(Self::STATE_OVERRUN);
            received::count_lost();
        }
        if self.state.has(Self::STATE_RECEIVED) {
            received::put(self.received.read() as u8, now);
        }
    }
}

impl ErrorType for Usart {
    type Error = Infallible;
}

impl ReadReady for Usart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(received::ready())
    }
}

impl Read for Usart {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        Ok(received::read(buffer))
    }
}

impl Wait for Usart {
    /// SysTick ends the sleep as well, at the latest after a fifth of a second.
    fn wait(&mut self, _: u32) -> Result<bool, Infallible> {
        received::sleep();
        Ok(received::ready())
    }

    fn arrived(&self) -> Option<u32> {
        received::arrived()
    }
}

/// Without flow control nothing holds the line up, so each wait ends within a byte's time, 87 us.
impl Write for Usart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while !self.state.has(Self::STATE_SEND_EMPTY) {}
            self.send.write(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while !self.state.has(Self::STATE_ALL_SENT) {}
        Ok(())
    }
}
