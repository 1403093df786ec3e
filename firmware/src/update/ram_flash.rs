//! Flash, as far as a program can tell, in RAM that outlives a reset: for boards that have none of their own, such as those
//! whose processor is in an FPGA.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use super::{HeldFlash, MappedFlash};

/// The flash, with the units of an STM32L4's and its rules: a word is written once after its unit was erased, or that is an
/// error. What it holds is lost with the power.
///
/// What was lent leaves fewer bytes to erase and write; `PIECES` is twice as many as may be lent, and one.
#[derive(Debug)]
pub struct RamFlash<const PIECES: usize> {
    capacity: usize,
    /// The memory, in order.
    pieces: [Option<Piece>; PIECES],
}

/// Memory from an offset on.
#[derive(Debug)]
struct Piece {
    offset: usize,
    memory: Memory,
}

#[derive(Debug)]
enum Memory {
    Free(&'static mut [u8]),
    Lent(&'static [u8]),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match &self.memory {
            Memory::Free(bytes) => bytes,
            Memory::Lent(bytes) => bytes,
        }
    }

    /// So many bytes at an offset of the flash, if all of them are in this piece.
    fn find(&self, offset: usize, length: usize) -> Option<&[u8]> {
        self.bytes().get(offset.checked_sub(self.offset)?..)?.get(..length)
    }

    /// The same, to be changed; none where this piece is lent.
    fn find_mut(&mut self, offset: usize, length: usize) -> Option<&mut [u8]> {
        match &mut self.memory {
            Memory::Free(bytes) => bytes.get_mut(offset.checked_sub(self.offset)?..)?.get_mut(..length),
            Memory::Lent(_) => None,
        }
    }
}

impl<const PIECES: usize> RamFlash<PIECES> {
    /// Flash in that memory, which begins at a multiple of 16.
    pub fn new(memory: &'static mut [u8]) -> Self {
        let mut flash = Self { capacity: memory.len(), pieces: [const { None }; PIECES] };
        flash.put(0, Memory::Free(memory));
        flash
    }

    /// Takes a piece in.
    fn put(&mut self, offset: usize, memory: Memory) {
        if let Some(place) = self.pieces.iter_mut().find(|place| place.is_none()) {
            *place = Some(Piece { offset, memory });
        }
    }

    fn find(&self, offset: usize, length: usize) -> Option<&[u8]> {
        self.pieces.iter().flatten().find_map(|piece| piece.find(offset, length))
    }

    /// Bytes that may be changed.
    fn find_mut(&mut self, offset: u32, length: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        let mut pieces = self.pieces.iter_mut().flatten();
        pieces.find_map(|piece| piece.find_mut(offset as usize, length)).ok_or(NorFlashErrorKind::Other)
    }
}

impl<const PIECES: usize> ErrorType for RamFlash<PIECES> {
    type Error = NorFlashErrorKind;
}

impl<const PIECES: usize> ReadNorFlash for RamFlash<PIECES> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let from = self.find(offset as usize, bytes.len()).ok_or(NorFlashErrorKind::Other)?;
        for (place, &byte) in bytes.iter_mut().zip(from) {
            *place = byte;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<const PIECES: usize> NorFlash for RamFlash<PIECES> {
    const WRITE_SIZE: usize = 8;
    const ERASE_SIZE: usize = 2048;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.find_mut(from, (to - from) as usize)?.fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let to = self.find_mut(offset, bytes.len())?;
        if to.iter().any(|&byte| byte != 0xff) {
            return Err(NorFlashErrorKind::Other);
        }
        for (place, &byte) in to.iter_mut().zip(bytes) {
            *place = byte;
        }
        Ok(())
    }
}

impl<const PIECES: usize> MappedFlash for RamFlash<PIECES> {
    fn bytes(&self, offset: u32, length: u32) -> Option<&[u8]> {
        self.find(offset as usize, length as usize)
    }
}

impl<const PIECES: usize> HeldFlash for RamFlash<PIECES> {
    fn hold(&mut self, offset: u32, length: u32) -> Option<&'static [u8]> {
        let (offset, length) = (offset as usize, length as usize);
        let room = self.pieces.iter().filter(|place| place.is_none()).count();
        let is_it =
            |piece: &Piece| matches!(piece.memory, Memory::Free(_)) && piece.find(offset, length).is_some();
        let place = self.pieces.iter_mut().find(|place| place.as_ref().is_some_and(is_it))?;
        if room < 2 {
            return None;
        }
        let Some(Piece { offset: start, memory: Memory::Free(memory) }) = place.take() else {
            return None;
        };
        let (before, rest) = memory.split_at_mut(offset - start);
        let (lent, behind) = rest.split_at_mut(length);
        let lent: &'static [u8] = lent;
        self.put(start, Memory::Free(before));
        self.put(offset, Memory::Lent(lent));
        self.put(offset + length, Memory::Free(behind));
        Some(lent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of three erase units.
    fn flash() -> RamFlash<5> {
        RamFlash::new(Box::leak(vec![0x5a; 3 * 2048].into_boxed_slice()))
    }

    #[test]
    fn a_word_is_written_once_after_its_unit_was_erased() {
        let mut flash = flash();
        let word = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(flash.write(2048, &word), Err(NorFlashErrorKind::Other), "it was not erased");
        flash.erase(2048, 4096).unwrap();
        flash.write(2056, &word).unwrap();
        assert_eq!(flash.write(2056, &word), Err(NorFlashErrorKind::Other), "it was written");
        let mut bytes = [0; 24];
        flash.read(2048, &mut bytes).unwrap();
        assert_eq!(bytes, [[0xff; 8], word, [0xff; 8]].concat()[..]);
        assert_eq!(flash.bytes(2047, 2), Some(&[0x5a, 0xff][..]), "other units stay");
        assert_eq!(flash.bytes(4095, 2), Some(&[0xff, 0x5a][..]));
        assert_eq!(flash.write(4, &word), Err(NorFlashErrorKind::NotAligned));
        assert_eq!(flash.erase(4096, 8192), Err(NorFlashErrorKind::OutOfBounds));
    }

    #[test]
    fn what_is_lent_stays_as_it_is() {
        let mut flash = flash();
        flash.erase(0, 3 * 2048).unwrap();
        flash.write(2048, &[7; 64]).unwrap();
        let held = flash.hold(2048, 60).unwrap();
        assert_eq!(held, [7; 60]);
        assert_eq!(flash.bytes(2048, 60), Some(held));
        assert_eq!(flash.erase(2048, 4096), Err(NorFlashErrorKind::Other));
        assert_eq!(flash.erase(0, 3 * 2048), Err(NorFlashErrorKind::Other));
        assert_eq!(flash.write(2048, &[0; 8]), Err(NorFlashErrorKind::Other));
        flash.erase(0, 2048).unwrap();
        flash.erase(4096, 6144).unwrap();
        flash.write(4096, &[9; 8]).unwrap();
        assert!(flash.hold(4096, 8).is_some());
        assert_eq!(held, [7; 60]);
        assert!(flash.hold(0, 8).is_none(), "no more than were promised");
        assert!(flash.hold(2048, 8).is_none(), "it is lent");
        assert!(flash.bytes(6144, 1).is_none());
    }
}
