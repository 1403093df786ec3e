//! The record at the start of a slot.

use refrain::crc32;
use refrain::link::Upload;

/// Bytes of a record.
pub(super) const RECORD_BYTES: usize = 32;

const MAGIC: [u8; 4] = *b"RFSL";
const LAYOUT_VERSION: u8 = 1;

/// Which upload a slot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) upload: Upload,
    /// CRC-32 of the model in the program that it stands in for.
    pub(super) replaces: u32,
}

impl Record {
    /// As it lies in flash, see the module.
    pub(super) fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let Upload { model, revision, length, crc } = self.upload;
        let first = [LAYOUT_VERSION, model, 0, 0];
        let fields = [revision, length, crc, self.replaces, 0].map(u32::to_le_bytes);
        let mut bytes = [0; RECORD_BYTES];
        let words = [MAGIC, first].into_iter().chain(fields);
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word);
        }
        let (body, crc) = bytes.split_at_mut(RECORD_BYTES - 4);
        crc.copy_from_slice(&crc32(body).to_le_bytes());
        bytes
    }

    /// The record that the bytes are, if they are one, bit for bit.
    pub(super) fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |index: usize| words.get(index).map(|&word| u32::from_le_bytes(word));
        let &[_, model, _, _] = words.get(1)?;
        let upload = Upload { model, revision: word(2)?, length: word(3)?, crc: word(4)? };
        let record = Self { upload, replaces: word(5)? };
        (record.to_bytes() == *bytes).then_some(record)
    }

    /// Its CRC-32, which ties the entries of the journal to it.
    pub(super) fn seal(self) -> u32 {
        self.to_bytes().last_chunk().map_or(0, |&crc| u32::from_le_bytes(crc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: Record = Record {
        upload: Upload { model: 2, revision: 0x0403_0201, length: 29_668, crc: 0xdead_beef },
        replaces: 0x0102_0304,
    };

    #[test]
    fn exact_bytes_of_a_record() {
        let bytes = RECORD.to_bytes();
        let expected = [
            &b"RFSL"[..],
            &[1, 2, 0, 0, 1, 2, 3, 4, 0xe4, 0x73, 0, 0, 0xef, 0xbe, 0xad, 0xde, 4, 3, 2, 1, 0, 0, 0, 0],
        ];
        assert_eq!(bytes[..28], expected.concat());
        assert_eq!(bytes[28..], crc32(&bytes[..28]).to_le_bytes());
        assert_eq!(bytes[28..], RECORD.seal().to_le_bytes());
        assert_eq!(Record::from_bytes(&bytes), Some(RECORD));
    }

    #[test]
    fn any_flipped_bit_makes_it_no_record() {
        for bit in 0..RECORD_BYTES * 8 {
            let mut bytes = RECORD.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::from_bytes(&bytes), None, "bit {bit}");
        }
        assert_eq!(Record::from_bytes(&[0xff; RECORD_BYTES]), None, "what is erased");
    }
}
