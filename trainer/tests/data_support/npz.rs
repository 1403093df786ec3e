//! Arrays as NumPy writes them, byte by byte, and archives of them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An array: its name, the type, shape and order that its head names, and its bytes.
pub(crate) struct Npy {
    pub(crate) name: String,
    pub(crate) head: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn npy(name: &str, dtype: &str, shape: &str, bytes: Vec<u8>) -> Npy {
    let head = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}");
    Npy { name: name.into(), head, bytes }
}

pub(crate) fn fortran(mut array: Npy) -> Npy {
    array.head = array.head.replace("False", "True");
    array
}

macro_rules! little_endian {
    ($($name:ident: $type:ty = $dtype:literal;)*) => {
        $(pub(crate) fn $name(name: &str, shape: &str, values: &[$type]) -> Npy {
            npy(name, $dtype, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
        })*
    };
}

little_endian! {
    u8s: u8 = "|u1";
    i16s: i16 = "<i2";
    i64s: i64 = "<i8";
    f32s: f32 = "<f4";
    f64s: f64 = "<f8";
}

pub(crate) fn strings(name: &str, texts: &[&str]) -> Npy {
    let padded = |text: &&str| {
        let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(24);
        codes.flat_map(u32::to_le_bytes).collect::<Vec<_>>()
    };
    npy(name, "<U24", &format!("({},)", texts.len()), texts.iter().flat_map(padded).collect())
}

pub(crate) fn write(path: &Path, arrays: &[Npy]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for array in arrays {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file(format!("{}.npy", array.name), stored).unwrap();
        zip.write_all(b"\x93NUMPY\x01\x00").unwrap();
        zip.write_all(&(array.head.len() as u16).to_le_bytes()).unwrap();
        zip.write_all(array.head.as_bytes()).unwrap();
        zip.write_all(&array.bytes).unwrap();
    }
    zip.finish().unwrap();
}
