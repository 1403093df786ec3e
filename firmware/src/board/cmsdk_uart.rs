//! The APB UART of Arm's Cortex-M System Design Kit, described in its Technical Reference Manual.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

use super::interrupt::Interrupt;
use super::register::{Register, Registers};

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

    /// Does what an interrupt asks for; false where that is not the UART's. The UART's only ends the sleep of
    /// [`wait`](Self::wait).
    pub(super) fn answer(&self, interrupt: Interrupt) -> bool {
        let is_mine = interrupt == self.receive;
        if is_mine {
            self.interrupt_state.write(Self::INTERRUPT_RECEIVE);
        }
        is_mine
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
        self.state.read() & Self::STATE_RECEIVE_FULL != 0
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
            *place = self.data.read() as u8;
            count += 1;
        }
        Ok(count)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.state.read() & Self::STATE_SEND_FULL != 0 {}
            self.data.write(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while self.state.read() & Self::STATE_SEND_FULL != 0 {}
        Ok(())
    }
}
