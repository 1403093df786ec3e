//! The journal of a slot: how far its upload has come.

use embedded_storage::nor_flash::NorFlash;
use refrain::{crc32, crc32_append};

use super::flash::{self, WRITE_BYTES};
use super::record::RECORD_BYTES;

/// Bytes of an entry.
const ENTRY_BYTES: usize = 8;

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// So many erase units of the model are written; less than 65,535.
    Written(u16),
    /// The upload is committed.
    Committed,
}

/// An entry: a mark, and the CRC-32 of the model's bytes up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mark: Mark,
    pub(super) crc: u32,
}

impl Entry {
    const COMMITTED: u16 = u16::MAX;

    /// As it lies in flash, in the journal behind a record of that seal.
    fn to_bytes(self, seal: u32) -> [u8; ENTRY_BYTES] {
        let units = match self.mark {
            Mark::Written(units) => units,
            Mark::Committed => Self::COMMITTED,
        };
        let [a, b, c, d] = self.crc.to_le_bytes();
        let [e, f] = units.to_le_bytes();
        let body = [a, b, c, d, e, f];
        let check = crc32_append(crc32(&seal.to_le_bytes()), &body);
        // its highest bit is 0, so that what is erased is no entry
        let [g, h] = (check as u16 & 0x7fff).to_le_bytes();
        [a, b, c, d, e, f, g, h]
    }

    /// The entry that the bytes are, if they are one behind a record of that seal.
    fn from_bytes(bytes: [u8; ENTRY_BYTES], seal: u32) -> Option<Self> {
        let [a, b, c, d, e, f, ..] = bytes;
        let mark = match u16::from_le_bytes([e, f]) {
            Self::COMMITTED => Mark::Committed,
            units => Mark::Written(units),
        };
        let entry = Self { mark, crc: u32::from_le_bytes([a, b, c, d]) };
        (entry.to_bytes(seal) == bytes).then_some(entry)
    }
}

/// The journal behind the record at an offset, of that seal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journal {
    pub(super) record: u32,
    pub(super) seal: u32,
}

impl Journal {
    /// Bytes from one entry to the next.
    const fn pitch<F: NorFlash>() -> usize {
        if F::WRITE_SIZE > ENTRY_BYTES { F::WRITE_SIZE } else { ENTRY_BYTES }
    }

    /// How many entries there is room for.
    pub(super) const fn places<F: NorFlash>() -> u32 {
        ((F::ERASE_SIZE - RECORD_BYTES) / Self::pitch::<F>()) as u32
    }

    /// Where an entry lies.
    const fn offset<F: NorFlash>(self, place: u32) -> u32 {
        self.record + RECORD_BYTES as u32 + place * Self::pitch::<F>() as u32
    }

    /// The entry at a place, if there is one.
    // not inlined, so that it is there once
    #[inline(never)]
    fn entry<F: NorFlash>(self, flash: &mut F, place: u32) -> Option<Entry> {
        let mut bytes = [0; ENTRY_BYTES];
        flash::read(flash, self.offset::<F>(place), &mut bytes).ok()?;
        Entry::from_bytes(bytes, self.seal)
    }

    /// All entries.
    pub(super) fn entries<F: NorFlash>(self, flash: &mut F) -> impl Iterator<Item = Entry> {
        (0..Self::places::<F>()).filter_map(move |place| self.entry(flash, place))
    }

    /// Writes an entry at a place that is erased; whether it can be read back.
    pub(super) fn write<F: NorFlash>(self, flash: &mut F, entry: Entry, place: u32) -> bool {
        let mut unit = [0xff; WRITE_BYTES];
        let (bytes, _) = unit.split_at_mut(Self::pitch::<F>());
        for (place, byte) in bytes.iter_mut().zip(entry.to_bytes(self.seal)) {
            *place = byte;
        }
        place < Self::places::<F>()
            && flash::write(flash, self.offset::<F>(place), bytes).is_ok()
            && self.entry(flash, place) == Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_and_only_behind_its_record() {
        for (mark, crc) in [
            (Mark::Written(0), 0),
            (Mark::Written(15), 0xdead_beef),
            (Mark::Committed, u32::MAX),
            (Mark::Committed, 7),
        ] {
            let entry = Entry { mark, crc };
            let bytes = entry.to_bytes(0x1234);
            assert_eq!(Entry::from_bytes(bytes, 0x1234), Some(entry));
            assert_ne!(bytes, [0xff; 8]);
            for seal in 0..1000 {
                assert_eq!(Entry::from_bytes(bytes, seal), None, "behind another record");
            }
        }
        assert_eq!(Entry::from_bytes([0xff; 8], 0x1234), None);
    }

    #[test]
    fn any_flipped_bit_makes_it_no_entry() {
        let entry = Entry { mark: Mark::Committed, crc: 0x0102_0304 };
        for bit in 0..ENTRY_BYTES * 8 {
            let mut bytes = entry.to_bytes(99);
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Entry::from_bytes(bytes, 99), None, "bit {bit}");
        }
    }
}
