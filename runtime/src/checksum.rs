//! The CRC-32 that guards model files and frames: CRC-32/ISO-HDLC, the one of zip, PNG and Ethernet.

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// CRC-32 of `bytes`.
///
/// ```
/// assert_eq!(refrain::crc32(b"123456789"), 0xcbf4_3926);
/// ```
pub fn crc32(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}
