//! The APB UART of Arm's Cortex-M System Design Kit, described in its Technical Reference Manual.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

use crate::board::interrupt::Interrupt;
use crate::board::received;
use crate::board::register::{Register, Registers};

/// The UART.
pub(crate) struct Uart {
    data: Register,
    state: Register,
    control: Register,
    interrupt_state: Register,
    baud_divider: Register,
    receive: Interrupt,
}

impl Uart {
    const STATE_SEND_FULL: u32 = 1 << 0;
    const STATE_RECEIVE_FULL: u32 = 1 << 1;
    const STATE_RECEIVE_OVERRUN: u32 = 1 << 3;
    const CONTROL_SEND: u32 = 1 << 0;
    const CONTROL_RECEIVE: u32 = 1 << 1;
    const CONTROL_RECEIVE_INTERRUPT: u32 = 1 << 3;
    const INTERRUPT_RECEIVE: u32 = 1 << 1;
    /// A sixteenth of the peripheral clock, the fastest that it goes: 25 MHz give 1.5625 MBd.
    const LEAST_DIVIDER: u32 = 16;

    /// The UART at these registers, whose receive interrupt that is.
    pub(super) const fn at(registers: Registers, receive: Interrupt) -> Self {
        Self {
            data: registers.register(0x0),
            state: registers.register(0x4),
            control: registers.register(0x8),
            interrupt_state: registers.register(0xc),
            baud_divider: registers.register(0x10),
            receive,
        }
    }

    /// Starts it.
    pub(super) fn start(&self) {
        self.baud_divider.write(Self::LEAST_DIVIDER);
        self.control.write(Self::CONTROL_SEND | Self::CONTROL_RECEIVE | Self::CONTROL_RECEIVE_INTERRUPT);
        self.receive.unmask();
    }

    /// Does what an interrupt asks for that comes now, in microseconds; false where that is not the UART's.
    pub(super) fn answer(&self, interrupt: Interrupt, now: impl FnOnce() -> u64) -> bool {
        let is_mine = interrupt == self.receive;
        if is_mine {
            self.receive(now);
        }
        is_mine
    }

    /// Takes the byte that has come. The interrupt is cleared before, so that the next byte brings it again.
    fn receive(&self, now: impl FnOnce() -> u64) {
        self.interrupt_state.write(Self::INTERRUPT_RECEIVE);
        if self.state.has(Self::STATE_RECEIVE_OVERRUN) {
            self.state.write(Self::STATE_RECEIVE_OVERRUN);
            received::count_lost();
        }
        if self.state.has(Self::STATE_RECEIVE_FULL) {
            received::put(self.data.read() as u8, now);
        }
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(received::ready())
    }
}

impl Read for Uart {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        Ok(received::read(buffer))
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.state.has(Self::STATE_SEND_FULL) {}
            self.data.write(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while self.state.has(Self::STATE_SEND_FULL) {}
        Ok(())
    }
}
