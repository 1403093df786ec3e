//! The CRC-32 that guards model files and frames: CRC-32/ISO-HDLC, the one of zip, PNG and Ethernet.
//!
//! Four bits at a time: its table takes 64 bytes of flash, where one of 256 entries takes 1 KB.

/// The polynomial, its highest power in the lowest bit.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// What four bits, as they are shifted out, do to the rest.
static TABLE: [u32; 16] = table();

const fn table() -> [u32; 16] {
    let mut table = [0; 16];
    let mut index = 0;
    while index < table.len() {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = (crc >> 1) ^ (POLYNOMIAL * (crc & 1));
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// CRC-32 of `bytes`.
///
/// ```
/// assert_eq!(refrain::crc32(b"123456789"), 0xcbf4_3926);
/// ```
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32_append(0, bytes)
}

/// CRC-32 of bytes that come in pieces: `crc` is that of all before `bytes`, 0 where there are none.
///
/// ```
/// use refrain::{crc32, crc32_append};
///
/// assert_eq!(crc32_append(crc32_append(0, b"1234"), b"56789"), crc32(b"123456789"));
/// ```
#[inline(never)]
pub fn crc32_append(crc: u32, bytes: &[u8]) -> u32 {
    let shift_out = |crc: u32| (crc >> 4) ^ TABLE[(crc & 0xf) as usize];
    !bytes.iter().fold(!crc, |crc, &byte| shift_out(shift_out(crc ^ u32::from(byte))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_crc_of_the_catalogue(bytes: Vec<u8>) {
            let expected = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes);
            prop_assert_eq!(super::crc32(&bytes), expected);
        }
    }
}
