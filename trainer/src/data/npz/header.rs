//! The head of an array in an `.npz` file: what its bytes are.
//!
//! `93 'NUMPY' major minor`, the length of what follows (two bytes little-endian in version 1, four in later ones), and
//! a Python dictionary as text, such as `{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }`
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>). Only arrays of plain numbers and strings
//! are read, whose heads are short and hold no nested types.

use std::io::{self, Read, Write};

const MAGIC: [u8; 6] = *b"\x93NUMPY";
/// Much more than the head of an array of numbers needs.
const MOST_BYTES: usize = 4096;
/// The head's length is a multiple of this, by spaces at its end.
const ALIGNMENT: usize = 64;

/// What the bytes of an array are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// NumPy's name of the element type, such as `<f4`.
    pub(super) dtype: String,
    /// Whether the first index runs fastest, instead of the last.
    pub(super) fortran_order: bool,
    /// The sizes.
    pub(super) shape: Vec<usize>,
}

impl Header {
    /// Reads the head and leaves `reader` at the first element.
    ///
    /// # Errors
    /// The reader's, or [`io::ErrorKind::InvalidData`] where this is no head of an array of plain elements.
    pub(super) fn read(mut reader: impl Read) -> io::Result<Self> {
        let mut start = [0; 8];
        reader.read_exact(&mut start)?;
        if start[..6] != MAGIC {
            return Err(invalid("it does not begin as an array of NumPy does"));
        }
        let length = if start[6] == 1 {
            let mut length = [0; 2];
            reader.read_exact(&mut length)?;
            usize::from(u16::from_le_bytes(length))
        } else {
            let mut length = [0; 4];
            reader.read_exact(&mut length)?;
            u32::from_le_bytes(length) as usize
        };
        if length > MOST_BYTES {
            return Err(invalid("it is an array of records, where plain numbers belong"));
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text)?;
        let text = String::from_utf8(text).map_err(|_| invalid("its head is not text"))?;
        Self::parse(&text).ok_or_else(|| invalid("it is not an array of plain numbers or strings"))
    }

    fn parse(text: &str) -> Option<Self> {
        let value_of = |key: &str| {
            let (_, after) = text.split_once(&format!("'{key}'"))?;
            after.trim_start().strip_prefix(':').map(str::trim_start)
        };
        let dtype = value_of("descr")?.strip_prefix('\'')?.split_once('\'')?.0.to_owned();
        let order = value_of("fortran_order")?;
        let fortran_order = order.starts_with("True");
        if !fortran_order && !order.starts_with("False") {
            return None;
        }
        let (sizes, _) = value_of("shape")?.strip_prefix('(')?.split_once(')')?;
        let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape = sizes.map(|size| size.parse().ok()).collect::<Option<_>>()?;
        Some(Self { dtype, fortran_order, shape })
    }

    /// Writes the head, as version 1.
    ///
    /// # Errors
    /// The writer's.
    ///
    /// # Panics
    /// If there are so many sizes that they do not fit a head.
    pub(super) fn write(&self, mut writer: impl Write) -> io::Result<()> {
        let sizes: String = self.shape.iter().map(|size| format!("{size},")).collect();
        let order = if self.fortran_order { "True" } else { "False" };
        let mut text =
            format!("{{'descr': '{}', 'fortran_order': {order}, 'shape': ({sizes}), }}", self.dtype);
        let before = MAGIC.len() + 4;
        let whole = (before + text.len() + 1).next_multiple_of(ALIGNMENT);
        text.extend(std::iter::repeat_n(' ', whole - before - text.len() - 1));
        text.push('\n');
        let length = u16::try_from(text.len()).expect("few sizes");
        writer.write_all(&MAGIC)?;
        writer.write_all(&[1, 0])?;
        writer.write_all(&length.to_le_bytes())?;
        writer.write_all(text.as_bytes())
    }

    /// The product of the sizes: how many elements there are, each of `bytes`; `None` where no machine has room for them.
    pub(super) fn count(&self, bytes: usize) -> Option<usize> {
        let product = self.shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size))?;
        // a number takes 8 bytes at most once it is read, and no allocation can be larger than isize::MAX bytes
        (product < isize::MAX as usize / bytes.max(8)).then_some(product)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Header> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        Header::read(&bytes[..])
    }

    #[test]
    fn heads_as_numpy_writes_them_are_read() {
        let header = read("{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }        \n");
        let expected = Header { dtype: "<f4".into(), fortran_order: false, shape: vec![60_000, 28, 28] };
        assert_eq!(header.expect("a head"), expected);
        let header = read("{'descr': '<U7', 'fortran_order': True, 'shape': (3,), }\n").expect("a head");
        assert_eq!((header.shape, header.fortran_order), (vec![3], true));
        let header = read("{'shape': (), 'fortran_order':False,'descr':'|u1'}").expect("a head");
        assert_eq!((header.count(1), header.dtype.as_str()), (Some(1), "|u1"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let header = Header { dtype: "<i2".into(), fortran_order: false, shape: vec![5, 4, 3] };
        let mut bytes = Vec::new();
        header.write(&mut bytes).expect("a vector");
        assert_eq!(bytes.len() % ALIGNMENT, 0);
        assert_eq!(Header::read(&bytes[..]).expect("a head"), header);
    }

    #[test]
    fn other_heads_are_refused() {
        for text in [
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,), }",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,), }",
            "{'descr': '<f4', 'shape': (3,), }",
            "((((((((((((((((((",
            "",
        ] {
            assert_eq!(read(text).expect_err(text).kind(), io::ErrorKind::InvalidData);
        }
        assert!(Header::read(&b"PNG and more"[..]).is_err());
        let header = Header { dtype: "<f4".into(), fortran_order: false, shape: vec![1 << 40, 1 << 30, 4] };
        assert_eq!(header.count(4), None);
        let header = Header { dtype: "<U1024".into(), fortran_order: false, shape: vec![1 << 52] };
        assert_eq!(header.count(4096), None);
    }
}
