//! One array of an `.npz` file: read as it lies in the file, laid out in row-major order.

use std::io::{self, Read};

use super::NpzFault;
use super::header::Header;
use crate::data::Values;
use crate::data::builder::ValuesBuilder;

/// Bytes that are decoded at a time; a multiple of every element's size.
const CHUNK: usize = 1 << 16;

/// An array, in row-major order.
#[derive(Debug, PartialEq)]
pub(super) struct Array {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) elements: Elements,
}

/// What an array holds.
#[derive(Debug, PartialEq)]
pub(super) enum Elements {
    /// Integers, or bools as 0 and 1. Bytes without a sign are bytes, all others 16-bit integers or, where they do not
    /// fit, floats.
    Integers(Values),
    /// Floats of 32 or 64 bits; those of 64 are rounded.
    Floats(Vec<f32>),
    /// Strings.
    Strings(Vec<String>),
}

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Signed,
    Unsigned,
    Float,
    /// Characters of four bytes, so many to a string.
    Unicode,
    /// Characters of one byte.
    Bytes,
}

/// How an element lies in the file.
#[derive(Clone, Copy, Debug)]
struct Layout {
    kind: Kind,
    /// Of one element.
    bytes: usize,
    big_endian: bool,
}

impl Layout {
    /// What NumPy's name of an element type means; `None` for a type that is not supported.
    fn of(dtype: &str) -> Option<Self> {
        let (order, rest) = dtype.split_at_checked(1)?;
        let (letter, size) = rest.split_at_checked(1)?;
        let size: usize = size.parse().ok()?;
        let (kind, bytes) = match (letter, size) {
            ("b", 1) => (Kind::Unsigned, 1),
            ("i", 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ("u", 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            ("f", 4 | 8) => (Kind::Float, size),
            ("U", 1..=1024) => (Kind::Unicode, 4 * size),
            ("S", 1..=1024) => (Kind::Bytes, size),
            _ => return None,
        };
        let big_endian = order == ">" || order == "=" && cfg!(target_endian = "big");
        Some(Self { kind, bytes, big_endian })
    }

    /// An integer of this layout, as a whole number of 128 bits.
    fn integer(self, bytes: &[u8]) -> i128 {
        let mut little = [0; 16];
        little[..bytes.len()].copy_from_slice(bytes);
        if self.big_endian {
            little[..bytes.len()].reverse();
        }
        let unused = 8 * (16 - bytes.len() as u32);
        let value = i128::from_le_bytes(little) << unused;
        // shifting back spreads the sign, where there is one
        if self.kind == Kind::Signed { value >> unused } else { (value as u128 >> unused) as i128 }
    }

    /// A float of this layout, rounded to 32 bits.
    fn float(self, bytes: &[u8]) -> f32 {
        match <[u8; 4]>::try_from(bytes) {
            Ok(bytes) if self.big_endian => f32::from_be_bytes(bytes),
            Ok(bytes) => f32::from_le_bytes(bytes),
            Err(_) => {
                let mut wide = [0; 8];
                wide.copy_from_slice(bytes);
                if self.big_endian {
                    f64::from_be_bytes(wide) as f32
                } else {
                    f64::from_le_bytes(wide) as f32
                }
            }
        }
    }

    /// A string of this layout: the zeros at its end are padding.
    fn string(self, bytes: &[u8]) -> Option<String> {
        let text = match self.kind {
            Kind::Unicode => {
                let code = |bytes: &[u8]| u32::try_from(self.integer(bytes)).ok();
                bytes.chunks_exact(4).map(|bytes| char::from_u32(code(bytes)?)).collect::<Option<String>>()?
            }
            _ => String::from_utf8(bytes.to_vec()).ok()?,
        };
        Some(text.trim_end_matches('\0').to_owned())
    }
}

impl Array {
    /// Reads the array called `name` from its entry in the archive. Memory is taken only as real bytes arrive.
    pub(super) fn read(name: &str, mut entry: impl Read) -> Result<Self, NpzFault> {
        let unreadable = |reason| NpzFault::Unreadable { array: name.into(), reason };
        let header = Header::read(&mut entry).map_err(unreadable)?;
        let shape = header.shape.clone();
        let layout = Layout::of(&header.dtype).ok_or_else(|| unsupported(name, &header.dtype))?;
        let count = header
            .count(layout.bytes)
            .ok_or_else(|| NpzFault::TooLarge { array: name.into(), shape: in_python(&shape) })?;
        let elements = match layout.kind {
            Kind::Signed | Kind::Unsigned => Self::read_integers(name, &header, layout, count, entry)?,
            Kind::Float => {
                let mut floats = Vec::new();
                let done =
                    for_each_element(entry, layout.bytes, count, |_, bytes| floats.push(layout.float(bytes)));
                whole(done, name, &header, count * layout.bytes)?;
                Elements::Floats(floats)
            }
            Kind::Unicode | Kind::Bytes => {
                let mut strings = Vec::new();
                let done = for_each_element(entry, layout.bytes, count, |_, bytes| {
                    strings.push(layout.string(bytes))
                });
                whole(done, name, &header, count * layout.bytes)?;
                let no_text =
                    || unreadable(io::Error::new(io::ErrorKind::InvalidData, "a string is no text"));
                Elements::Strings(strings.into_iter().collect::<Option<_>>().ok_or_else(no_text)?)
            }
        };
        let elements = if header.fortran_order { elements.transposed(&shape) } else { elements };
        Ok(Self { name: name.into(), shape, elements })
    }

    fn read_integers(
        name: &str,
        header: &Header,
        layout: Layout,
        count: usize,
        entry: impl Read,
    ) -> Result<Elements, NpzFault> {
        let size = count * layout.bytes;
        if layout.kind == Kind::Unsigned && layout.bytes == 1 {
            let mut bytes = Vec::new();
            // one byte more than announced shows what follows, and has the archive's checksum checked
            let read = entry.take(size as u64 + 1).read_to_end(&mut bytes);
            whole(read.map(|found| found == size), name, header, size)?;
            return Ok(Elements::Integers(Values::U8(bytes)));
        }
        let mut builder = ValuesBuilder::default();
        let mut inexact = None;
        let done = for_each_element(entry, layout.bytes, count, |index, bytes| {
            let value = layout.integer(bytes);
            if !i64::try_from(value).is_ok_and(|value| builder.push_integer(value)) {
                inexact.get_or_insert((index, value));
            }
        });
        whole(done, name, header, size)?;
        match inexact {
            None => Ok(Elements::Integers(builder.finish())),
            Some((index, value)) => Err(NpzFault::Inexact {
                array: name.into(),
                place: place(&position(index, &header.shape, header.fortran_order)),
                value: value.to_string(),
            }),
        }
    }
}

impl Elements {
    /// Row-major elements out of those of an array of `shape` whose first index runs fastest.
    fn transposed(self, shape: &[usize]) -> Self {
        match self {
            Self::Integers(Values::U8(values)) => Self::Integers(Values::U8(transposed(values, shape))),
            Self::Integers(Values::I16(values)) => Self::Integers(Values::I16(transposed(values, shape))),
            Self::Integers(Values::F32(values)) => Self::Integers(Values::F32(transposed(values, shape))),
            Self::Floats(values) => Self::Floats(transposed(values, shape)),
            Self::Strings(values) => Self::Strings(transposed(values, shape)),
        }
    }
}

fn transposed<T: Clone>(values: Vec<T>, shape: &[usize]) -> Vec<T> {
    use ndarray::{ArrayD, IxDyn, ShapeBuilder};
    let array = ArrayD::from_shape_vec(IxDyn(shape).f(), values).expect("as many elements as the shape has");
    array.iter().cloned().collect()
}

/// Calls `each` with the number and the bytes of every element; `false` when there are fewer or more than `count`.
fn for_each_element(
    mut entry: impl Read,
    size: usize,
    count: usize,
    mut each: impl FnMut(usize, &[u8]),
) -> io::Result<bool> {
    let at_a_time = (CHUNK / size).max(1);
    let mut chunk = vec![0; at_a_time * size];
    let mut done = 0;
    while done < count {
        let now = at_a_time.min(count - done);
        match entry.read_exact(&mut chunk[..now * size]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            result => result?,
        }
        for (index, bytes) in chunk[..now * size].chunks_exact(size).enumerate() {
            each(done + index, bytes);
        }
        done += now;
    }
    // reading on to the end has the archive's checksum checked
    Ok(entry.read(&mut [0])? == 0)
}

/// An error unless an array was read to its end, and that was where it should be.
fn whole(read: io::Result<bool>, name: &str, header: &Header, expected: usize) -> Result<(), NpzFault> {
    match read {
        Ok(true) => Ok(()),
        Ok(false) => Err(NpzFault::Size {
            array: name.into(),
            expected,
            shape: in_python(&header.shape),
            dtype: header.dtype.clone(),
        }),
        Err(reason) => Err(NpzFault::Unreadable { array: name.into(), reason }),
    }
}

fn unsupported(name: &str, dtype: &str) -> NpzFault {
    let expected = match dtype.trim_start_matches(['<', '>', '|', '=']) {
        object if object.starts_with('O') => {
            "Python objects cannot be read; where rows differ in length, pad them and add an array of lengths"
        }
        "f2" | "f16" => "floats must have 32 or 64 bits: convert it by astype('float32')",
        _ => "integers, bools, float32, float64 and strings are supported: convert it by astype",
    };
    NpzFault::Dtype { array: name.into(), found: dtype.into(), expected }
}

/// The indices of element number `index` of an array.
pub(super) fn position(index: usize, shape: &[usize], fortran_order: bool) -> Vec<usize> {
    let mut rest = index;
    let mut indices = vec![0; shape.len()];
    let mut axes: Vec<usize> = (0..shape.len()).collect();
    if !fortran_order {
        axes.reverse();
    }
    for axis in axes {
        indices[axis] = rest % shape[axis];
        rest /= shape[axis];
    }
    indices
}

/// Indices in words: sample, timestep, feature.
pub(super) fn place(indices: &[usize]) -> String {
    let words = ["sample", "timestep", "feature"];
    let named: Vec<_> = words.iter().zip(indices).map(|(word, index)| format!("{word} {index}")).collect();
    named.join(", ")
}

/// A shape as Python writes it.
pub(super) fn in_python(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        _ => format!("({})", shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    }
}
