//! A slot: what is in it, and how far an upload into it has come.

use embedded_storage::nor_flash::NorFlash;
use refrain::link::{FlashFault, UpdateRefusal};

use super::flash;
use super::journal::{Entry, Journal, Mark};
use super::record::{RECORD_BYTES, Record};

/// Erase units in front of the model: two heads.
pub(super) const HEAD_UNITS: u32 = 2;

/// A slot in flash, from an offset on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) start: u32,
}

/// An erase unit that holds a record and a journal, at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head(u32);

/// How far an upload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// What says so.
    pub(super) head: Head,
    /// The place of the journal's next entry.
    pub(super) next_entry: u32,
    /// Bytes of the model that are in flash.
    pub(super) written: u32,
    /// CRC-32 of them.
    pub(super) crc: u32,
}

impl Head {
    /// The record, if there is one.
    // not inlined, so that it is there once
    #[inline(never)]
    pub(super) fn record<F: NorFlash>(self, flash: &mut F) -> Option<Record> {
        let mut bytes = [0; RECORD_BYTES];
        flash::read(flash, self.0, &mut bytes).ok()?;
        Record::from_bytes(&bytes)
    }

    /// The record of an upload that was committed, if that is what there is.
    pub(super) fn committed<F: NorFlash>(self, flash: &mut F) -> Option<Record> {
        let record = self.record(flash)?;
        self.is_committed(flash, record).then_some(record)
    }

    // not inlined, so that it is there once
    #[inline(never)]
    fn is_committed<F: NorFlash>(self, flash: &mut F, record: Record) -> bool {
        self.journal(record).entries(flash).any(|entry| entry.mark == Mark::Committed)
    }

    /// The journal behind that record.
    pub(super) fn journal(self, record: Record) -> Journal {
        Journal { record: self.0, seal: record.seal() }
    }

    /// Makes it nothing but that record.
    fn begin<F: NorFlash>(self, flash: &mut F, record: Record) -> Result<(), UpdateRefusal> {
        flash::erase(flash, self.0)?;
        flash::write(flash, self.0, &record.to_bytes())?;
        // what was not kept now would not be found after power has failed
        let is_kept = self.record(flash) == Some(record);
        if is_kept { Ok(()) } else { Err(UpdateRefusal::Flash(FlashFault::Write)) }
    }
}

impl Slot {
    /// Where the model lies.
    pub(super) const fn model<F: NorFlash>(self) -> u32 {
        self.start + HEAD_UNITS * F::ERASE_SIZE as u32
    }

    /// Both heads.
    pub(super) fn heads<F: NorFlash>(self) -> [Head; HEAD_UNITS as usize] {
        [Head(self.start), Head(self.start + F::ERASE_SIZE as u32)]
    }

    /// Whether a part of that upload may be here.
    pub(super) fn holds<F: NorFlash>(self, flash: &mut F, record: Record) -> bool {
        self.heads::<F>().into_iter().any(|head| head.record(flash) == Some(record))
    }

    /// Empties the slot.
    pub(super) fn clear<F: NorFlash>(self, flash: &mut F) -> Result<(), UpdateRefusal> {
        self.heads::<F>().into_iter().try_for_each(|Head(offset)| flash::erase(flash, offset))
    }

    /// Makes the slot one for that upload: with what is here of it, or from its first byte on.
    pub(super) fn begin<F: NorFlash>(self, flash: &mut F, record: Record) -> Result<Progress, UpdateRefusal> {
        if let Some(progress) = self.found(flash, record) {
            return self.resume(flash, record, progress);
        }
        self.clear(flash)?;
        let [head, _] = self.heads::<F>();
        head.begin(flash, record)?;
        Ok(Progress { head, next_entry: 0, written: 0, crc: 0 })
    }

    /// Takes the upload up again where it was, with a journal of its own: nothing is written into what may have been written
    /// when power failed.
    fn resume<F: NorFlash>(
        self,
        flash: &mut F,
        record: Record,
        progress: Progress,
    ) -> Result<Progress, UpdateRefusal> {
        let [one, other] = self.heads::<F>();
        let head = if progress.head == one { other } else { one };
        head.begin(flash, record)?;
        let mut progress = Progress { head, next_entry: 0, ..progress };
        progress.note(flash, record);
        Ok(progress)
    }

    /// How far that upload has come, by the head that says most; `None` where neither knows of it, or it was committed.
    fn found<F: NorFlash>(self, flash: &mut F, record: Record) -> Option<Progress> {
        let mut best: Option<Progress> = None;
        for head in self.heads::<F>() {
            if head.record(flash) != Some(record) {
                continue;
            }
            if head.is_committed(flash, record) {
                return None;
            }
            let progress = self.proven(flash, record, head)?;
            if best.is_none_or(|best| progress.written > best.written) {
                best = Some(progress);
            }
        }
        best
    }

    /// The most bytes that an entry of the journal speaks for; `None` where flash cannot be read.
    // not inlined, so that it is there once
    #[inline(never)]
    fn proven<F: NorFlash>(self, flash: &mut F, record: Record, head: Head) -> Option<Progress> {
        let (journal, length) = (head.journal(record), record.upload.length);
        let units = |entry: Entry| match entry.mark {
            Mark::Written(units) => Some(units),
            Mark::Committed => None,
        };
        let most = journal.entries(flash).filter_map(units).max().unwrap_or(0);
        let mut proven = Progress { head, next_entry: 0, written: 0, crc: 0 };
        let (mut written, mut crc) = (0, 0);
        for unit in 1..=most {
            let end = u32::from(unit).saturating_mul(F::ERASE_SIZE as u32).min(length);
            crc = flash::crc32_of(flash, crc, self.model::<F>() + written, end - written).ok()?;
            written = end;
            let wanted = Entry { mark: Mark::Written(unit), crc };
            if journal.entries(flash).any(|entry| entry == wanted) {
                proven = Progress { written, crc, ..proven };
            }
        }
        Some(proven)
    }
}

impl Progress {
    /// Tells the journal. Where that fails, more is lost if power fails, and nothing else.
    pub(super) fn note<F: NorFlash>(&mut self, flash: &mut F, record: Record) {
        let units = self.written.div_ceil(F::ERASE_SIZE as u32);
        if let Ok(units) = u16::try_from(units) {
            self.append(flash, record, Mark::Written(units));
        }
    }

    /// Appends to the journal; whether it is there now.
    pub(super) fn append<F: NorFlash>(&mut self, flash: &mut F, record: Record, mark: Mark) -> bool {
        let place = self.next_entry;
        self.next_entry += 1;
        self.head.journal(record).write(flash, Entry { mark, crc: self.crc }, place)
    }
}
