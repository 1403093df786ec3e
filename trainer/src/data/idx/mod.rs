//! Reads idx files, the format that MNIST was published in, plain or compressed by gzip.
//!
//! An idx file is `00 00 type rank`, then `rank` big-endian 32-bit sizes, then the elements in row-major order
//! (<http://yann.lecun.com/exdb/mnist/>). Images are bytes of rank 3 (count, rows, columns), labels bytes of rank 1.
//! A header may lie: memory is taken only as real bytes arrive.

mod fault;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use ndarray::Array3;

pub use fault::IdxFault;

use super::{DataError, Dataset, Split};

/// Names of the training images and labels, without `.gz`.
pub const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
/// Names of the test images and labels, without `.gz`.
pub const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// The idx codes of signed bytes, 16- and 32-bit integers, 32- and 64-bit floats.
const OTHER_TYPES: [u8; 5] = [0x09, 0x0b, 0x0c, 0x0d, 0x0e];
const UNSIGNED_BYTE: u8 = 0x08;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An idx file of bytes whose header has been read and checked, and whose elements are yet to be read.
pub struct IdxFile {
    path: PathBuf,
    stream: Box<dyn Read>,
    compressed: bool,
    bytes_on_disk: u64,
    shape: Vec<usize>,
}

impl IdxFile {
    /// Opens `path`, plain or gzip by its first bytes whatever its name, and reads the header.
    ///
    /// # Errors
    /// A file that cannot be opened or is no idx file of bytes with `rank` dimensions, or that has no elements.
    pub fn open(path: &Path, rank: u8) -> Result<IdxFile, DataError> {
        let file = File::open(path).map_err(DataError::io(path, "open it"))?;
        let bytes_on_disk = file.metadata().map_err(DataError::io(path, "read it"))?.len();
        let mut buffered = BufReader::with_capacity(1 << 16, file);
        let start = buffered.fill_buf().map_err(DataError::io(path, "read it"))?;
        let compressed = start.starts_with(&GZIP_MAGIC);
        let stream: Box<dyn Read> =
            if compressed { Box::new(MultiGzDecoder::new(buffered)) } else { Box::new(buffered) };
        let mut idx =
            IdxFile { path: path.to_path_buf(), stream, compressed, bytes_on_disk, shape: Vec::new() };
        idx.read_header(rank)?;
        Ok(idx)
    }

    /// The sizes: `[count, rows, columns]` or `[count]`. None is zero, and their product fits a `usize`.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The header as it stands in the (uncompressed) file: it follows from the shape.
    pub fn header(&self) -> Vec<u8> {
        let mut header = vec![0, 0, UNSIGNED_BYTE, self.shape.len() as u8];
        header.extend(self.shape.iter().flat_map(|&size| (size as u32).to_be_bytes()));
        header
    }

    /// Reads the elements, row-major, and makes sure that nothing follows them.
    ///
    /// # Errors
    /// [`IdxFault::Truncated`], [`IdxFault::TrailingBytes`], [`IdxFault::Gzip`] or [`DataError::Io`].
    pub fn read(mut self) -> Result<Vec<u8>, DataError> {
        let count: usize = self.shape.iter().product();
        // The memory taken at once is bounded by the file's real size; images compress to a fifth or so.
        let likely = self.bytes_on_disk.saturating_mul(if self.compressed { 8 } else { 1 });
        let mut elements = Vec::with_capacity(count.min(usize::try_from(likely).unwrap_or(usize::MAX)));
        // One byte more than announced shows what follows, and makes the decoder check its own sum.
        self.read_up_to(count as u64 + 1, &mut elements)?;
        let fault = DataError::idx(&self.path);
        let header = 4 + 4 * self.shape.len();
        if elements.len() < count {
            let (found, expected) = (header + elements.len(), header + count);
            return Err(fault(IdxFault::Truncated { found, expected }));
        }
        if elements.len() > count {
            return Err(fault(IdxFault::TrailingBytes { expected: header + count }));
        }
        elements.shrink_to_fit();
        Ok(elements)
    }

    fn read_header(&mut self, rank: u8) -> Result<(), DataError> {
        let fault = DataError::idx(&self.path);
        let expected = 4 + 4 * usize::from(rank);
        let mut header = Vec::with_capacity(expected);
        self.stream
            .by_ref()
            .take(expected as u64)
            .read_to_end(&mut header)
            .map_err(|source| read_error(&self.path, self.compressed, source))?;
        if let [a, b, kind, found] = header[..header.len().min(4)] {
            let known = kind == UNSIGNED_BYTE || OTHER_TYPES.contains(&kind);
            if (a, b) != (0, 0) || !known {
                return Err(fault(IdxFault::NotIdx { found: [a, b, kind, found], rank }));
            }
            if kind != UNSIGNED_BYTE {
                return Err(fault(IdxFault::ElementType { found: kind }));
            }
            if found != rank {
                return Err(fault(IdxFault::Rank { found, expected: rank }));
            }
        }
        if header.len() < expected {
            return Err(fault(IdxFault::Truncated { found: header.len(), expected }));
        }
        let sizes = header[4..].chunks_exact(4);
        let shape: Vec<usize> =
            sizes.map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
        self.shape = checked_shape(&self.path, shape)?;
        Ok(())
    }

    fn read_up_to(&mut self, limit: u64, into: &mut Vec<u8>) -> Result<(), DataError> {
        let read = self.stream.by_ref().take(limit).read_to_end(into);
        read.map(drop).map_err(|source| read_error(&self.path, self.compressed, source))
    }
}

/// Refuses sizes of zero and sizes whose product (and header) would overflow.
fn checked_shape(path: &Path, shape: Vec<usize>) -> Result<Vec<usize>, DataError> {
    let fault = DataError::idx(path);
    if shape[0] == 0 {
        return Err(DataError::Empty { path: path.to_path_buf(), shape });
    }
    if shape.contains(&0) {
        return Err(fault(IdxFault::NoPixels { shape }));
    }
    // No allocation can be larger than isize::MAX bytes.
    let product = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    match product {
        Some(bytes) if bytes < isize::MAX as usize - 64 => Ok(shape),
        _ => Err(fault(IdxFault::TooLarge { shape })),
    }
}

/// A gzip stream that ends early or does not decode is corrupt; anything else is the operating system's word.
fn read_error(path: &Path, compressed: bool, source: std::io::Error) -> DataError {
    // The decoder's own complaints carry no error number of the operating system.
    if compressed && source.raw_os_error().is_none() {
        return DataError::idx(path)(IdxFault::Gzip { source });
    }
    DataError::io(path, "read it")(source)
}

/// The file `name` in `folder`, or else `name.gz`.
///
/// # Errors
/// [`IdxFault::Missing`] when neither is there.
pub fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    let plain = folder.join(name);
    let compressed = folder.join(format!("{name}.gz"));
    let found = [&plain, &compressed].into_iter().find(|path| path.is_file()).cloned();
    found.ok_or_else(|| DataError::idx(&plain)(IdxFault::Missing))
}

/// Whether a folder holds one of the four idx files at least.
pub(super) fn is_idx_folder(folder: &Path) -> bool {
    TRAIN.iter().chain(&TEST).any(|name| find(folder, name).is_ok())
}

/// Reads a set from the four idx files in `folder`, each plain or `.gz`, of any image size and number of classes.
///
/// # Errors
/// Whatever is wrong with the folder or one of the files; see [`DataError`] and [`IdxFault`].
pub fn read_folder(folder: &Path) -> Result<Dataset, DataError> {
    if !folder.is_dir() {
        return Err(DataError::NoFolder { path: folder.to_path_buf() });
    }
    let name =
        folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into());
    Dataset::of_images(name, read_split(folder, TRAIN)?, read_split(folder, TEST)?)
}

fn read_split(folder: &Path, [images, labels]: [&str; 2]) -> Result<Split, DataError> {
    let (images_from, labels_from) = (find(folder, images)?, find(folder, labels)?);
    let (images, labels) = (IdxFile::open(&images_from, 3)?, IdxFile::open(&labels_from, 1)?);
    if images.shape()[0] != labels.shape()[0] {
        let (images, labels) = (images.shape()[0], labels.shape()[0]);
        return Err(DataError::CountMismatch { images_from, images, labels_from, labels });
    }
    let shape = images.shape().to_vec();
    Split::of_images(image_array(&shape, images.read()?), labels.read()?, images_from, labels_from)
}

/// Bytes that [`IdxFile::read`] gave, as the array that `shape` (`[count, rows, columns]`) says.
pub(crate) fn image_array(shape: &[usize], pixels: Vec<u8>) -> Array3<u8> {
    Array3::from_shape_vec((shape[0], shape[1], shape[2]), pixels)
        .expect("as many bytes as the header announced")
}
