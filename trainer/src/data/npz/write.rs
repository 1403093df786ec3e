//! Writes arrays as an `.npz` file.

use std::io::{self, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::header::Header;
use crate::files::write_whole;

/// An array to be written, row-major.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// As `float32`.
    Floats(&'a [f32]),
    /// As `int16`.
    Integers(&'a [i16]),
    /// As `uint8`.
    Bytes(&'a [u8]),
    /// As Unicode strings.
    Strings(&'a [&'a str]),
}

/// Writes arrays, each with its name and shape: the whole file, or none. The same arrays give the same bytes.
///
/// # Errors
/// The operating system's.
///
/// # Panics
/// If an array has not as many elements as its shape says.
pub fn write(path: &Path, arrays: &[(&str, &[usize], Column<'_>)]) -> io::Result<()> {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    // no time of writing: equal arrays make equal files
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (name, shape, column) in arrays {
        assert_eq!(shape.iter().product::<usize>(), column.count(), "{name} {shape:?}");
        zip.start_file(format!("{name}.npy"), options)?;
        Header { dtype: column.dtype(), fortran_order: false, shape: shape.to_vec() }.write(&mut zip)?;
        zip.write_all(&column.to_bytes())?;
    }
    write_whole(path, &zip.finish()?.into_inner())
}

impl Column<'_> {
    fn count(self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Strings(values) => values.len(),
        }
    }

    fn dtype(self) -> String {
        match self {
            Self::Floats(_) => "<f4".into(),
            Self::Integers(_) => "<i2".into(),
            Self::Bytes(_) => "|u1".into(),
            Self::Strings(strings) => format!("<U{}", longest(strings)),
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Floats(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Integers(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Self::Bytes(values) => values.to_vec(),
            Self::Strings(strings) => {
                let padded = |text: &&str| {
                    let codes = text.chars().map(u32::from).chain(std::iter::repeat(0));
                    codes.take(longest(strings)).flat_map(u32::to_le_bytes).collect::<Vec<_>>()
                };
                strings.iter().flat_map(padded).collect()
            }
        }
    }
}

/// Characters of the longest string.
fn longest(strings: &[&str]) -> usize {
    strings.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1)
}
