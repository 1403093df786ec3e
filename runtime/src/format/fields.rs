//! What the fields of a header say: numbers, inputs and outputs.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::Logit;

/// Lets enums be read from the one byte that `postcard` writes for them: less code than serde's visitor of enums,
/// which is made for formats that write names.
macro_rules! from_byte {
    ($($enum:ident { $($variant:ident),+ })+) => {$(
        impl TryFrom<u8> for $enum {
            type Error = &'static str;

            fn try_from(byte: u8) -> Result<Self, Self::Error> {
                match byte {
                    $(_ if byte == $enum::$variant as u8 => Ok($enum::$variant),)+
                    _ => Err("no such variant"),
                }
            }
        }
    )+};
}
pub(crate) use from_byte;

from_byte! {
    Numbers { Int8, Int4, F32 }
    Samples { U8, I16, F32 }
    Task { Classification, Regression }
    Steps { Last, Every }
}

/// What a model computes with.
///
/// ```
/// assert_eq!(refrain::Numbers::Int8.to_string(), "int8");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Numbers {
    /// int8 weights, 16-bit state, integer arithmetic throughout.
    Int8,
    /// As [`Int8`](Self::Int8), but the recurrent layers' weights have 4 bits; the dense layer's still have 8.
    Int4,
    /// 32-bit floats, for boards with an FPU and as the reference.
    F32,
}

impl Numbers {
    /// `int8`, `int4` or `f32`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::F32 => "f32",
        }
    }

    /// The value of a logit that travels in four bytes: an `i32` in Q16, or an `f32`.
    ///
    /// ```
    /// use refrain::Numbers;
    ///
    /// assert_eq!(Numbers::Int8.logit_value(65_536_i32.to_le_bytes()), 1.0);
    /// assert_eq!(Numbers::F32.logit_value(1.0_f32.to_le_bytes()), 1.0);
    /// ```
    pub fn logit_value(self, bytes: [u8; 4]) -> f32 {
        match self {
            Self::Int8 | Self::Int4 => i32::from_le_bytes(bytes).to_f32(),
            Self::F32 => f32::from_le_bytes(bytes),
        }
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a sensor gives, feature by feature, and what travels on the link.
///
/// ```
/// use refrain::Samples;
///
/// assert_eq!([Samples::U8, Samples::I16, Samples::F32].map(Samples::bytes), [1, 2, 4]);
/// assert_eq!(Samples::I16.to_string(), "i16");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Samples {
    /// Bytes, as pixels are.
    U8,
    /// 16-bit integers, little-endian on the link.
    I16,
    /// 32-bit floats, little-endian on the link.
    F32,
}

impl Samples {
    /// Bytes that one sample takes on the link.
    pub const fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::I16 => 2,
            Self::F32 => 4,
        }
    }

    /// The least and the greatest integer that may arrive; of floats none.
    pub(crate) const fn integers(self) -> (i16, i16) {
        match self {
            Self::U8 => (0, u8::MAX as i16),
            Self::I16 => (i16::MIN, i16::MAX),
            Self::F32 => (0, 0),
        }
    }

    /// `u8`, `i16` or `f32`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I16 => "i16",
            Self::F32 => "f32",
        }
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a model takes.
///
/// ```
/// use refrain::{InputFormat, Samples, Scaling};
///
/// let pixels = InputFormat {
///     samples: Samples::U8,
///     scaling: Scaling::Uniform { scale: 1.0 / 255.0, min: 0, max: 255, shift: 4 },
/// };
/// let accelerometer =
///     InputFormat { samples: Samples::I16, scaling: Scaling::PerFeature { shift: 7, limit: 8192 } };
/// assert_eq!([pixels.samples.bytes(), accelerometer.samples.bytes()], [1, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputFormat {
    /// What a feature arrives as.
    pub samples: Samples,
    /// How a sample becomes a number for the network.
    pub scaling: Scaling,
}

/// How samples become numbers for the network; [`format`](crate::format) gives the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scaling {
    /// One scale for all features, and zero stays zero: images. Of integer samples only.
    Uniform {
        /// The real value of a sample is `sample * scale`.
        scale: f32,
        /// The least sample; whatever is less counts as this.
        min: i16,
        /// The greatest sample; whatever is greater counts as this.
        max: i16,
        /// Integer models: a sample is shifted left by so many bits (right, rounding, where negative) to become
        /// an operand of the kernel. 0 in an f32 model.
        shift: i8,
    },
    /// Every feature has an offset and a gain, which stand in sections of their own: measurements.
    PerFeature {
        /// Integer models of integer samples: fraction bits of the offsets. Otherwise 0.
        shift: u8,
        /// Integer models: the greatest magnitude of an operand; whatever is greater counts as this. 0 in an f32
        /// model.
        limit: u16,
    },
}

impl InputFormat {
    /// The greatest magnitude that a sample can have, as an operand of the kernel.
    pub(crate) const fn greatest_operand(&self) -> u32 {
        match self.scaling {
            Scaling::Uniform { min, max, shift, .. } => {
                let (low, high) = (min.unsigned_abs() as u32, max.unsigned_abs() as u32);
                let most = if low > high { low } else { high };
                if shift >= 0 { most << shift } else { (most + (1 << (-shift - 1))) >> -shift }
            }
            Scaling::PerFeature { limit, .. } => limit as u32,
        }
    }
}

/// What a model gives.
///
/// ```
/// use refrain::{OutputFormat, Steps, Task};
///
/// // one class for each sequence
/// let digits = OutputFormat { task: Task::Classification, steps: Steps::Last };
/// // values at every timestep
/// let speed = OutputFormat { task: Task::Regression, steps: Steps::Every };
/// assert_ne!(digits, speed);
/// assert_eq!(speed.to_string(), "values at every timestep");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OutputFormat {
    /// What the logits mean.
    pub task: Task,
    /// When they mean it.
    pub steps: Steps,
}

impl fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.task {
            Task::Classification => "a class",
            Task::Regression => "values",
        };
        let when = match self.steps {
            Steps::Last => "for each sequence",
            Steps::Every => "at every timestep",
        };
        write!(f, "{what} {when}")
    }
}

/// What the logits of a model mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Task {
    /// The greatest logit is that of the sequence's class; softmax makes probabilities of them.
    Classification,
    /// Each logit is a standardised value: the section `OutputScaling` gives it its unit back.
    Regression,
}

/// When the logits of a model are to be read. They may be read after any timestep; a model answers well where it
/// was trained to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Steps {
    /// After the last timestep of a sequence: one answer for all of it.
    Last,
    /// After every timestep: an answer for each.
    Every,
}

/// A number in a header that has a range.
///
/// ```
/// assert_eq!(refrain::format::HeaderField::InputShift.to_string(), "input.shift");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(missing_docs, reason = "each is the field of its name")]
pub enum HeaderField {
    Inputs,
    Units,
    Outputs,
    Layers,
    InputMax,
    InputMin,
    InputShift,
    InputLimit,
    /// What the greatest sample becomes: no field of its own.
    GreatestOperand,
    OperandBits,
    CellBits,
    NameLength,
}

impl HeaderField {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Units => "units",
            Self::Outputs => "outputs",
            Self::Layers => "layers",
            Self::InputMax => "input.max",
            Self::InputMin => "input.min",
            Self::InputShift => "input.shift",
            Self::InputLimit => "input.limit",
            Self::GreatestOperand => "greatest operand",
            Self::OperandBits => "operand_bits",
            Self::CellBits => "cell_bits",
            Self::NameLength => "name's length",
        }
    }
}

impl fmt::Display for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
