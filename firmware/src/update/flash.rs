//! What is needed of a flash.

use core::convert::Infallible;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use refrain::link::{FlashFault, UpdateRefusal};

/// Flash that can be read like memory, as that inside a microcontroller can.
///
/// It begins at a multiple of 16, and so does every erase unit.
pub trait MappedFlash: NorFlash {
    /// What lies there, for as long as nothing is written; `None` where that is beyond the end.
    fn bytes(&self, offset: u32, length: u32) -> Option<&[u8]>;
}

/// Flash that can be lent for ever.
pub trait HeldFlash: MappedFlash {
    /// What lies there. From then on any attempt to erase or write it is refused by the flash. `None` where that is beyond
    /// the end.
    fn hold(&mut self, offset: u32, length: u32) -> Option<&'static [u8]>;
}

/// A board's flash where it has none for models: it has no bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFlash;

impl ErrorType for NoFlash {
    type Error = Infallible;
}

impl ReadNorFlash for NoFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), Infallible> {
        Ok(())
    }

    fn capacity(&self) -> usize {
        0
    }
}

impl NorFlash for NoFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 256;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), Infallible> {
        Ok(())
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

impl MappedFlash for NoFlash {
    fn bytes(&self, _: u32, _: u32) -> Option<&[u8]> {
        None
    }
}

impl HeldFlash for NoFlash {
    fn hold(&mut self, _: u32, _: u32) -> Option<&'static [u8]> {
        None
    }
}

impl<F: MappedFlash> MappedFlash for &mut F {
    fn bytes(&self, offset: u32, length: u32) -> Option<&[u8]> {
        F::bytes(self, offset, length)
    }
}

/// Bytes that are read at once.
const CHUNK_BYTES: u32 = 64;

/// The most that a flash may write at once, see [`Layout`](super::slot::Layout).
pub(super) const WRITE_BYTES: usize = 32;

/// Refuses, when it is compiled, a flash that slots cannot be laid out in.
pub(super) const fn check_units<F: NorFlash>() {
    assert!(
        F::WRITE_SIZE > 0 && WRITE_BYTES.is_multiple_of(F::WRITE_SIZE),
        "a write unit must be 1, 2, 4, 8, 16 or 32 bytes"
    );
    assert!(8 % F::READ_SIZE == 0, "a read unit must be 1, 2, 4 or 8 bytes");
    assert!(
        F::ERASE_SIZE >= 256 && F::ERASE_SIZE.is_multiple_of(CHUNK_BYTES as usize),
        "an erase unit must be a multiple of 64 bytes, and at least 256"
    );
}

/// Reads.
// not inlined, so that it is there once
#[inline(never)]
pub(super) fn read<F: NorFlash>(flash: &mut F, offset: u32, bytes: &mut [u8]) -> Result<(), UpdateRefusal> {
    flash.read(offset, bytes).map_err(|_| UpdateRefusal::Flash(FlashFault::Read))
}

/// Writes whole write units.
// not inlined, so that it is there once
#[inline(never)]
pub(super) fn write<F: NorFlash>(flash: &mut F, offset: u32, bytes: &[u8]) -> Result<(), UpdateRefusal> {
    flash.write(offset, bytes).map_err(|_| UpdateRefusal::Flash(FlashFault::Write))
}

/// Erases the erase unit that begins there.
// not inlined, so that it is there once
#[inline(never)]
pub(super) fn erase<F: NorFlash>(flash: &mut F, offset: u32) -> Result<(), UpdateRefusal> {
    let end = offset.saturating_add(F::ERASE_SIZE as u32);
    flash.erase(offset, end).map_err(|_| UpdateRefusal::Flash(FlashFault::Erase))
}

/// Continues a CRC-32 by so many bytes, read from there.
// not inlined, so that it is there once
#[inline(never)]
pub(super) fn crc32_of<F: NorFlash>(
    flash: &mut F,
    crc: u32,
    offset: u32,
    length: u32,
) -> Result<u32, UpdateRefusal> {
    let mut crc = crc;
    let mut chunk = [0; CHUNK_BYTES as usize];
    for start in (0..length).step_by(CHUNK_BYTES as usize) {
        let count = (length - start).min(CHUNK_BYTES) as usize;
        // a whole number of read units: beyond the model's end lies the rest of its erase unit
        let (whole, _) = chunk.split_at_mut(count.next_multiple_of(F::READ_SIZE));
        read(flash, offset + start, whole)?;
        crc = refrain::crc32_append(crc, whole.get(..count).unwrap_or_default());
    }
    Ok(crc)
}
