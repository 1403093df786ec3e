//! Flash of an STM32L4x5 of 1 MiB, as chapter 3 of ST's reference manual RM0351 describes it: its second bank, which is
//! erased and programmed while the program runs out of the first.
//!
//! What is here is the order in which registers are read and written; the registers themselves are behind a [`Port`]. Tests
//! run it against a simulation of them. **It has never run on silicon.**
//!
//! # What the manual asks for, and where that is done
//!
//! | | |
//! | --- | --- |
//! | Two keys in order open the control register, and only where it is closed: anything else is a hard fault. | `open` |
//! | Nothing is begun while something goes on, or while an error is left from before. | `while_open`, `open` |
//! | While one bank is programmed and the other read, the data cache may take in what is wrong (ST's errata): it is off, and emptied before it is on again. | `while_open` |
//! | A page of 2 KiB is erased at once, by its number and its bank. | `erase_page` |
//! | Only whole double words are programmed, by two words, the lower one first, and each once after its page was erased. | `program` |
//! | An operation has done well if it has ended, no error is shown, and its end is; that is shown only where interrupts for it are on. No interrupt comes, for the processor does not let it. | `finish` |
//! | Afterwards the control register is closed. | `close` |
//!
//! A double word that power failed on may show more errors than its code can correct: then the processor is interrupted as
//! soon as it is read, by the interrupt that nothing masks. See [`Port::read`].

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use core::fmt;
use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use super::{HeldFlash, MappedFlash};

/// The registers of FLASH that are used, at their offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Register {
    /// ACR: the caches.
    Access = 0x00,
    /// KEYR.
    Key = 0x08,
    /// SR.
    State = 0x10,
    /// CR.
    Control = 0x14,
    /// OPTR: how the part starts.
    Options = 0x20,
}

/// The registers and the second bank, from offset 0 on.
///
/// The driver asks for no bytes outside the bank, and changes none after they were [held](Self::hold).
pub trait Port {
    /// Reads a register.
    fn register(&self, register: Register) -> u32;

    /// Writes a register.
    fn set_register(&mut self, register: Register, value: u32);

    /// Writes a double word into the bank, at a multiple of 8: the first word, then the second.
    fn put(&mut self, offset: u32, words: [u32; 2]);

    /// Copies bytes out of the bank. Those that power failed on may be anything; the interrupt that they cause is none of the
    /// program's.
    fn read(&self, offset: u32, bytes: &mut [u8]);

    /// The bytes in their place.
    fn bytes(&self, offset: u32, length: u32) -> &[u8];

    /// The same for ever.
    fn hold(&mut self, offset: u32, length: u32) -> &'static [u8];
}

/// Why there is no flash for models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", derive(defmt::Format))]
pub enum Missing {
    /// The control register is not closed, as it is after every reset of a part that has one.
    Controller,
    /// The part is set up to start out of its second bank.
    Bank,
}

/// What ends an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stm32FlashError {
    /// It is not for whole double words or pages, or reaches beyond the bank.
    Request(NorFlashErrorKind),
    /// It is for bytes that are held.
    Held,
    /// The controller does not come to an end.
    Busy,
    /// The control register does not open.
    Closed,
    /// The controller shows these errors, bits of SR; none, where it shows no end either.
    Failed {
        /// The bits.
        errors: u32,
    },
}

impl fmt::Display for Stm32FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(_) => f.write_str("the request is not for whole units inside the bank"),
            Self::Held => f.write_str("the request is for bytes that are in use"),
            Self::Busy => f.write_str("the flash controller does not come to an end"),
            Self::Closed => f.write_str("the flash controller does not open"),
            Self::Failed { errors } => write!(f, "the flash controller shows errors {errors:#x}"),
        }
    }
}

impl core::error::Error for Stm32FlashError {}

impl NorFlashError for Stm32FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Request(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for Stm32FlashError {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Request(kind)
    }
}

/// The second bank. At most `HELD` ranges of it can be held.
#[derive(Debug)]
pub struct Stm32Flash<P, const HELD: usize> {
    port: P,
    missing: Option<Missing>,
    held: [Range<u32>; HELD],
}

impl<P: Port, const HELD: usize> Stm32Flash<P, HELD> {
    /// Bytes of the bank.
    pub const BYTES: u32 = 512 << 10;
    const PAGE: u32 = 2048;
    const DOUBLE_WORD: u32 = 8;

    const DATA_CACHE: u32 = 1 << 10;
    const DATA_CACHE_RESET: u32 = 1 << 12;

    const KEYS: [u32; 2] = [0x4567_0123, 0xcdef_89ab];

    const STATE_END: u32 = 1 << 0;
    /// OPERR, PROGERR, WRPERR, PGAERR, SIZERR, PGSERR, MISERR, FASTERR; RDERR and OPTVERR.
    const STATE_ERRORS: u32 = 0b11_1111_1010 | 0b11 << 14;
    const STATE_BUSY: u32 = 1 << 16;

    const CONTROL_PROGRAM: u32 = 1 << 0;
    const CONTROL_ERASE: u32 = 1 << 1;
    const CONTROL_PAGE: u32 = 1 << 3;
    const CONTROL_BANK_2: u32 = 1 << 11;
    const CONTROL_START: u32 = 1 << 16;
    /// Interrupts at the end and at errors.
    const CONTROL_SHOW: u32 = 1 << 24 | 1 << 25;
    const CONTROL_CLOSED: u32 = 1 << 31;

    const OPTION_STARTS_FROM_BANK_2: u32 = 1 << 20;

    /// Looks at the state until an operation counts as one without end. Each takes ten cycles at the very least, an eighth of
    /// a second in all at 80 MHz; a page takes 25 ms to erase.
    const PATIENCE: u32 = 1_000_000;

    /// The bank behind that port, just after a reset; one without bytes where it is [`missing`](Self::missing).
    pub fn new(port: P) -> Self {
        let missing = if port.register(Register::Control) & Self::CONTROL_CLOSED == 0 {
            Some(Missing::Controller)
        } else if port.register(Register::Options) & Self::OPTION_STARTS_FROM_BANK_2 != 0 {
            Some(Missing::Bank)
        } else {
            None
        };
        Self { port, missing, held: [const { 0..0 }; HELD] }
    }

    /// Why there is no such flash; `None` where there is.
    pub fn missing(&self) -> Option<Missing> {
        self.missing
    }

    /// Makes the bits of `mask` in a register those of `value`.
    fn change(&mut self, register: Register, mask: u32, value: u32) {
        let rest = self.port.register(register) & !mask;
        self.port.set_register(register, rest | value);
    }

    /// Waits for the end of whatever goes on; the state then.
    fn idle(&self) -> Result<u32, Stm32FlashError> {
        let mut states = (0..Self::PATIENCE).map(|_| self.port.register(Register::State));
        states.find(|state| state & Self::STATE_BUSY == 0).ok_or(Stm32FlashError::Busy)
    }

    /// Lets the control register be written.
    fn open(&mut self) -> Result<(), Stm32FlashError> {
        self.port.set_register(Register::State, Self::STATE_ERRORS | Self::STATE_END);
        if self.is_closed() {
            for key in Self::KEYS {
                self.port.set_register(Register::Key, key);
            }
        }
        if self.is_closed() { Err(Stm32FlashError::Closed) } else { Ok(()) }
    }

    fn is_closed(&self) -> bool {
        self.port.register(Register::Control) & Self::CONTROL_CLOSED != 0
    }

    /// Lets it be written no more.
    fn close(&mut self) {
        self.port.set_register(Register::Control, 0);
        self.port.set_register(Register::Control, Self::CONTROL_CLOSED);
    }

    fn switch_cache_off(&mut self) {
        self.change(Register::Access, Self::DATA_CACHE, 0);
    }

    /// Empties it first: it may hold what the bank held before.
    fn switch_cache_on(&mut self) {
        self.change(Register::Access, Self::DATA_CACHE_RESET, Self::DATA_CACHE_RESET);
        self.change(Register::Access, Self::DATA_CACHE_RESET, 0);
        self.change(Register::Access, Self::DATA_CACHE, Self::DATA_CACHE);
    }

    /// Does something with an open control register. It is closed again however that ends, unless it does not: then it must
    /// not be written.
    fn while_open(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), Stm32FlashError>,
    ) -> Result<(), Stm32FlashError> {
        self.idle()?;
        self.switch_cache_off();
        let outcome = self.open().and_then(|()| {
            let outcome = work(self);
            if outcome != Err(Stm32FlashError::Busy) {
                self.close();
            }
            outcome
        });
        self.switch_cache_on();
        outcome
    }

    /// Waits for the end of an operation, and says how it went.
    fn finish(&mut self) -> Result<(), Stm32FlashError> {
        let state = self.idle()?;
        self.port.set_register(Register::State, state & (Self::STATE_ERRORS | Self::STATE_END));
        let errors = state & Self::STATE_ERRORS;
        let is_done = errors == 0 && state & Self::STATE_END != 0;
        if is_done { Ok(()) } else { Err(Stm32FlashError::Failed { errors }) }
    }

    fn erase_page(&mut self, offset: u32) -> Result<(), Stm32FlashError> {
        let page = offset / Self::PAGE * Self::CONTROL_PAGE;
        let control = Self::CONTROL_SHOW | Self::CONTROL_ERASE | Self::CONTROL_BANK_2 | page;
        self.port.set_register(Register::Control, control);
        self.port.set_register(Register::Control, control | Self::CONTROL_START);
        self.finish()
    }

    /// Programs double words from there on.
    fn program(&mut self, offset: u32, double_words: &[[u8; 8]]) -> Result<(), Stm32FlashError> {
        self.port.set_register(Register::Control, Self::CONTROL_SHOW | Self::CONTROL_PROGRAM);
        for (offset, [a, b, c, d, e, f, g, h]) in
            (offset..).step_by(Self::DOUBLE_WORD as usize).zip(double_words)
        {
            let words = [[*a, *b, *c, *d], [*e, *f, *g, *h]].map(u32::from_le_bytes);
            self.port.put(offset, words);
            self.finish()?;
        }
        Ok(())
    }

    /// Refuses a change of what is held.
    fn check_free(&self, range: Range<u32>) -> Result<(), Stm32FlashError> {
        let overlaps = |held: &Range<u32>| range.start < held.end && held.start < range.end;
        if self.held.iter().any(overlaps) { Err(Stm32FlashError::Held) } else { Ok(()) }
    }

    fn is_inside(&self, offset: u32, length: u32) -> bool {
        check_read(self, offset, length as usize).is_ok()
    }
}

impl<P, const HELD: usize> ErrorType for Stm32Flash<P, HELD> {
    type Error = Stm32FlashError;
}

impl<P: Port, const HELD: usize> ReadNorFlash for Stm32Flash<P, HELD> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Stm32FlashError> {
        check_read(self, offset, bytes.len())?;
        self.port.read(offset, bytes);
        Ok(())
    }

    fn capacity(&self) -> usize {
        if self.missing.is_none() { Self::BYTES as usize } else { 0 }
    }
}

impl<P: Port, const HELD: usize> NorFlash for Stm32Flash<P, HELD> {
    const WRITE_SIZE: usize = Self::DOUBLE_WORD as usize;
    const ERASE_SIZE: usize = Self::PAGE as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Stm32FlashError> {
        check_erase(self, from, to)?;
        self.check_free(from..to)?;
        self.while_open(|flash| {
            (from..to).step_by(Self::ERASE_SIZE).try_for_each(|offset| flash.erase_page(offset))
        })
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Stm32FlashError> {
        check_write(self, offset, bytes.len())?;
        self.check_free(offset..offset + bytes.len() as u32)?;
        let (double_words, _) = bytes.as_chunks();
        self.while_open(|flash| flash.program(offset, double_words))
    }
}

impl<P: Port, const HELD: usize> MappedFlash for Stm32Flash<P, HELD> {
    fn bytes(&self, offset: u32, length: u32) -> Option<&[u8]> {
        self.is_inside(offset, length).then(|| self.port.bytes(offset, length))
    }
}

impl<P: Port, const HELD: usize> HeldFlash for Stm32Flash<P, HELD> {
    fn hold(&mut self, offset: u32, length: u32) -> Option<&'static [u8]> {
        if !self.is_inside(offset, length) {
            return None;
        }
        let place = self.held.iter_mut().find(|held| held.start == held.end)?;
        *place = offset..offset + length;
        Some(self.port.hold(offset, length))
    }
}
