//! A flash in memory whose power can be cut at any single write or erase.

use std::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use super::MappedFlash;

/// What becomes of the write unit that is being written, or of the erase unit that is being erased, when power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing was done yet.
    Before,
    /// Each bit is as it was or as it was to be.
    Torn,
    /// Each bit is anything.
    Garbage,
    /// It reads as before, but cannot be written until it is erased.
    LooksUntouched,
    /// It reads as it should, but cannot be written until it is erased.
    LooksDone,
    /// Its bits are now as they were, now as they were to be, whenever it is read.
    Wavers,
    /// It was just done.
    After,
}

impl Cut {
    pub(super) const ALL: [Self; 7] = [
        Self::Before,
        Self::Torn,
        Self::Garbage,
        Self::LooksUntouched,
        Self::LooksDone,
        Self::Wavers,
        Self::After,
    ];
}

/// A flash of that write unit and erase unit.
#[derive(Debug)]
pub(super) struct Flash<const WRITE: usize, const ERASE: usize> {
    /// What it holds, from the first multiple of 16 on.
    memory: Vec<u8>,
    capacity: usize,
    /// Whether a write unit has been erased, and nothing else, since.
    erased: Vec<bool>,
    /// Bytes that waver, and between what.
    wavering: Option<(Range<usize>, Vec<u8>)>,
    /// Ranges that must not be changed.
    pub(super) guarded: Vec<Range<u32>>,
    /// Write units that were written and erase units that were erased.
    pub(super) steps: u64,
    /// Write units that were written though they were not erased.
    pub(super) rewritten: u64,
    /// Before how many more steps power fails, and how.
    cut: Option<(u64, Cut)>,
    has_power: bool,
    dice: u64,
}

impl<const WRITE: usize, const ERASE: usize> Flash<WRITE, ERASE> {
    /// A flash that holds noise, as one may that was used for something else.
    pub(super) fn new(capacity: usize, seed: u64) -> Self {
        let mut flash = Self {
            memory: vec![0; capacity + 16],
            capacity,
            erased: vec![false; capacity / WRITE],
            wavering: None,
            guarded: Vec::new(),
            steps: 0,
            rewritten: 0,
            cut: None,
            has_power: true,
            dice: seed,
        };
        let noise = flash.noise(capacity);
        flash.contents_mut().copy_from_slice(&noise);
        flash
    }

    /// Lets power fail at the step that is `steps` steps away.
    pub(super) fn cut_at(&mut self, steps: u64, cut: Cut) {
        self.cut = Some((self.steps + steps, cut));
    }

    /// Power is back; nothing will cut it.
    pub(super) fn restore(&mut self) {
        (self.cut, self.has_power) = (None, true);
    }

    /// Whether power has failed.
    pub(super) fn is_cut(&self) -> bool {
        !self.has_power
    }

    /// Changes a bit that nobody meant to change.
    pub(super) fn rot(&mut self, offset: u32, bit: u8) {
        self.contents_mut()[offset as usize] ^= 1 << bit;
    }

    fn start(&self) -> usize {
        self.memory.as_ptr().align_offset(16)
    }

    fn contents(&self) -> &[u8] {
        &self.memory[self.start()..][..self.capacity]
    }

    fn contents_mut(&mut self) -> &mut [u8] {
        let start = self.start();
        &mut self.memory[start..][..self.capacity]
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn noise(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|_| self.random() as u8).collect()
    }

    /// Each bit that of one or of the other.
    fn mix(&mut self, one: &[u8], other: &[u8]) -> Vec<u8> {
        let masks = self.noise(one.len());
        one.iter().zip(other).zip(masks).map(|((one, other), mask)| one & mask | other & !mask).collect()
    }

    /// Makes a range hold `new`; whether power has stayed.
    fn step(
        &mut self,
        range: Range<usize>,
        new: &[u8],
        leaves_erased: bool,
    ) -> Result<(), NorFlashErrorKind> {
        let guarded =
            |guard: &Range<u32>| range.start < guard.end as usize && range.end > guard.start as usize;
        assert!(!self.guarded.iter().any(guarded), "{range:?} is in use and was changed");
        let cut = self.cut.filter(|&(at, _)| at == self.steps).map(|(_, cut)| cut);
        self.steps += 1;
        let old = self.contents()[range.clone()].to_vec();
        let contents = match cut {
            Some(Cut::Before) => None,
            Some(Cut::LooksUntouched) => Some(old),
            Some(Cut::Torn) => Some(self.mix(&old, new)),
            Some(Cut::Garbage) => Some(self.noise(new.len())),
            Some(Cut::Wavers) => {
                self.wavering = Some((range.clone(), old));
                Some(new.to_vec())
            }
            None | Some(Cut::LooksDone | Cut::After) => Some(new.to_vec()),
        };
        if let Some(contents) = contents {
            self.contents_mut()[range.clone()].copy_from_slice(&contents);
            let is_done = matches!(cut, None | Some(Cut::After));
            self.erased[range.start / WRITE..range.end / WRITE].fill(is_done && leaves_erased);
        }
        self.has_power = cut.is_none();
        if self.has_power { Ok(()) } else { Err(NorFlashErrorKind::Other) }
    }

    fn check_power(&self) -> Result<(), NorFlashErrorKind> {
        if self.has_power { Ok(()) } else { Err(NorFlashErrorKind::Other) }
    }
}

impl<const WRITE: usize, const ERASE: usize> Clone for Flash<WRITE, ERASE> {
    fn clone(&self) -> Self {
        let mut copy = Self {
            memory: vec![0; self.memory.len()],
            erased: self.erased.clone(),
            wavering: self.wavering.clone(),
            guarded: self.guarded.clone(),
            ..*self
        };
        // the copy may begin elsewhere in its memory
        copy.contents_mut().copy_from_slice(self.contents());
        copy
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Flash<WRITE, ERASE> {
    type Error = NorFlashErrorKind;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        self.check_power()?;
        if let Some((range, old)) = self.wavering.clone() {
            let now = self.contents()[range.clone()].to_vec();
            let mixed = self.mix(&now, &old);
            self.contents_mut()[range].copy_from_slice(&mixed);
        }
        bytes.copy_from_slice(&self.contents()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Flash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        self.check_power()?;
        for start in (from as usize..to as usize).step_by(ERASE) {
            let range = start..start + ERASE;
            self.wavering = self.wavering.take().filter(|(wavering, _)| !range.contains(&wavering.start));
            self.step(range, &[0xff; ERASE], true)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.check_power()?;
        for (start, word) in (offset as usize..).step_by(WRITE).zip(bytes.chunks(WRITE)) {
            if self.erased[start / WRITE] {
                self.step(start..start + WRITE, word, false)?;
            } else {
                self.rewritten += 1;
                let noise = self.noise(WRITE);
                self.step(start..start + WRITE, &noise, false)?;
            }
        }
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize> MappedFlash for Flash<WRITE, ERASE> {
    fn bytes(&self, offset: u32, length: u32) -> Option<&[u8]> {
        self.contents().get(offset as usize..)?.get(..length as usize)
    }
}
