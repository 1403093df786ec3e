//! Small idx files to put on disk or to serve.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The bytes of an idx file of unsigned bytes.
pub(crate) fn idx(shape: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

/// `bytes` compressed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// The four files of a set of 4 training and 2 test images of 2 rows and 3 columns, uncompressed.
pub(crate) fn small_set() -> [(&'static str, Vec<u8>); 4] {
    let pixels: Vec<u8> = (0..36).map(|n| n * 7).collect();
    [
        ("train-images-idx3-ubyte", idx(&[4, 2, 3], &pixels[..24])),
        ("train-labels-idx1-ubyte", idx(&[4], &[0, 2, 1, 2])),
        ("t10k-images-idx3-ubyte", idx(&[2, 2, 3], &pixels[24..])),
        ("t10k-labels-idx1-ubyte", idx(&[2], &[1, 0])),
    ]
}

/// Puts the four files into `folder`, plain.
pub(crate) fn write_small_set(folder: &Path) {
    for (name, bytes) in small_set() {
        std::fs::write(folder.join(name), bytes).expect("a file in a temporary folder");
    }
}
