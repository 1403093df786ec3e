//! The names in a zip archive's directory, one by one. `ZipArchive` keeps one entry of each name, and drops the others.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

/// How each entry of the directory begins.
const SIGNATURE: [u8; 4] = *b"PK\x01\x02";
/// Bytes of an entry before its name.
const HEAD_BYTES: usize = 46;

/// The first name that a second entry has too, of the directory at byte `start` of an archive that `ZipArchive` has read.
///
/// # Errors
/// The operating system's.
pub(super) fn name_twice(archive: &mut (impl Read + Seek), start: u64) -> io::Result<Option<String>> {
    archive.seek(SeekFrom::Start(start))?;
    let mut names = HashSet::new();
    loop {
        let mut head = [0; HEAD_BYTES];
        match archive.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            result => result?,
        }
        // what follows the last entry begins otherwise
        if !head.starts_with(&SIGNATURE) {
            return Ok(None);
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| u16::from_le_bytes([head[at], head[at + 1]]));
        let mut bytes = vec![0; name.into()];
        archive.read_exact(&mut bytes)?;
        archive.seek_relative(i64::from(extra) + i64::from(comment))?;
        let name = String::from_utf8_lossy(&bytes).into_owned();
        if !names.insert(name.clone()) {
            return Ok(Some(name));
        }
    }
}
