//! Writes a model into a slot, in chunks of any length.

use embedded_storage::nor_flash::NorFlash;
use refrain::crc32_append;
use refrain::link::{FlashFault, UpdateRefusal};

use super::flash::{self, WRITE_BYTES};
use super::journal::{Journal, Mark};
use super::record::Record;
use super::slot::{Progress, Slot};

/// Entries of a journal besides those that [`Writer::flush`] writes: where the upload was taken up again, its end, and the
/// commitment.
const OTHER_ENTRIES: u32 = 3;

/// An upload that goes on.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) slot: Slot,
    pub(super) record: Record,
    progress: Progress,
    /// Bytes that have come and are not written yet.
    tail: [u8; WRITE_BYTES],
    held: usize,
}

impl Writer {
    /// Goes on from there, which is the start of an erase unit or the model's end.
    pub(super) fn new(slot: Slot, record: Record, progress: Progress) -> Self {
        Self { slot, record, progress, tail: [0; WRITE_BYTES], held: 0 }
    }

    /// Bytes that have come so far.
    pub(super) fn taken(&self) -> u32 {
        self.progress.written + self.held as u32
    }

    /// Bytes of the model.
    pub(super) fn length(&self) -> u32 {
        self.record.upload.length
    }

    /// Takes the next bytes, no more than are to come.
    pub(super) fn take<F: NorFlash>(&mut self, flash: &mut F, bytes: &[u8]) -> Result<(), UpdateRefusal> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (_, room) = self.tail.split_at_mut(self.held);
            let (now, later) = rest.split_at(room.len().min(rest.len()));
            for (place, &byte) in room.iter_mut().zip(now) {
                *place = byte;
            }
            self.held += now.len();
            rest = later;
            if self.held == self.tail.len() || self.taken() == self.length() {
                self.flush(flash)?;
            }
        }
        Ok(())
    }

    /// Writes what is held.
    // not inlined, so that it is there once
    #[inline(never)]
    fn flush<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), UpdateRefusal> {
        let (unit, written) = (F::ERASE_SIZE as u32, self.progress.written);
        let offset = self.slot.model::<F>() + written;
        if written.is_multiple_of(unit) {
            flash::erase(flash, offset)?;
        }
        let (bytes, rest) = self.tail.split_at_mut(self.held);
        self.progress.crc = crc32_append(self.progress.crc, bytes);
        rest.fill(0xff);
        let (whole, _) = self.tail.split_at(self.held.next_multiple_of(F::WRITE_SIZE));
        flash::write(flash, offset, whole)?;
        self.progress.written = self.taken();
        self.held = 0;
        let is_end = self.progress.written == self.length();
        if is_end || self.progress.written.is_multiple_of(unit * self.stride::<F>()) {
            self.progress.note(flash, self.record);
        }
        Ok(())
    }

    /// Erase units from one entry of the journal to the next: so many that the journal has room for all of the model.
    fn stride<F: NorFlash>(&self) -> u32 {
        let units = self.length().div_ceil(F::ERASE_SIZE as u32);
        units.div_ceil(Journal::places::<F>() - OTHER_ENTRIES).max(1)
    }

    /// Commits the upload.
    pub(super) fn commit<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), UpdateRefusal> {
        let is_there = self.progress.append(flash, self.record, Mark::Committed);
        if is_there { Ok(()) } else { Err(UpdateRefusal::Flash(FlashFault::Write)) }
    }
}
