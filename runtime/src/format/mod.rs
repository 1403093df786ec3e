//! The model file `.rfn`, byte by byte.
//!
//! One file serves every target. It is read in place: a checked model borrows its weights from flash.
//!
//! ```text
//! offset
//! 0        header       postcard (see Header): begins "RFRN", then the version byte 1
//!          zero bytes   up to the next multiple of 16; here the payload begins
//! 16·n     sections     each begins at the next multiple of 16 from the payload's start
//! end - 4  CRC-32       little-endian, CRC-32/ISO-HDLC of every byte before it
//! ```
//!
//! Everything in a section is little-endian. [`Header::sections`] lists kind, offset from the payload's start
//! and length in bytes; a section stands once, and the payload ends where the last section ends.
//!
//! # From samples to operands
//!
//! [`InputFormat`] says in which form features arrive, and how each becomes an operand of the first layer's kernel:
//! an `i16` in an integer model, an `f32` in an f32 model.
//!
//! | scaling | samples | integer model | f32 model |
//! | --- | --- | --- | --- |
//! | `Uniform` | `u8`, `i16` | `s · 2^shift` | `s · scale` |
//! | `PerFeature` | `u8`, `i16` | `clamp(requantise(s · 2^shift - offset, gain))` | `clamp((s - offset) · gain)` |
//! | `PerFeature` | `f32` | `nearest(clamp((s - offset) · gain))` | `clamp((s - offset) · gain)` |
//!
//! `s` is the sample, brought into the range of its type, or with `Uniform` into `min..=max`. `offset` and `gain` are
//! the feature's own, so that features of wildly different ranges keep their precision. `requantise` is the
//! product divided by 2^24, rounded to the nearest, halves up; a negative shift rounds so too. Floats are
//! subtracted and multiplied one by one, each result rounded as IEEE 754 says; `nearest` rounds halves to even.
//! `clamp` brings operands into `-limit..=limit`, features of an f32 model into ±32768; a float that is not a
//! number becomes 0, which stands for the feature's mean.
//!
//! # What the logits mean
//!
//! [`OutputFormat`] says it: a regression has a section `OutputScaling`, `value = mean + deviation · logit`.
//!
//! # Layers
//!
//! A network has one to three recurrent layers of one cell and the same units. A section holds all layers, one
//! behind the other without a gap: the first layer's `Kernel` has a column for each feature, each other one's a column
//! for each unit of the layer below, whose new hidden state of the same timestep it takes.
//!
//! # Sections of an int8 or int4 model
//!
//! | kind | type | holds |
//! | --- | --- | --- |
//! | `Kernel` | `u32` | input weights in tiles |
//! | `RecurrentKernel` | `u32` | recurrent weights in tiles |
//! | `Bias` | `i32` | one for each row of `Kernel`, in accumulator units |
//! | `RecurrentBias` | `i32` | GRU only: one for each candidate row of `Kernel`, its recurrent half |
//! | `Multiplier` | `i32` | one for each row of `Kernel`: accumulator to pre-activation |
//! | `DenseKernel` | `u32` | weights of the logits, 8 bits each in either, in tiles of one pair |
//! | `DenseBias`, `DenseMultiplier` | `i32` | one for each row of `DenseKernel` |
//! | `SelfTestRows` | bytes | optional: sequences of rows, as they travel on the link |
//! | `SelfTestLogits` | `i32` | with it: the logits that each sequence must give |
//! | `InputOffset` | `i32`, of float samples `f32` | `PerFeature`: one for each feature, below 2^22 |
//! | `InputGain` | `i32`, of float samples `f32` | `PerFeature`: one for each feature |
//! | `OutputScaling` | `f32` | regression: of each output its mean, then its deviation |
//! | `BlankStates` | `i16` and `i32` | optional: the states after leading blank rows, see below |
//!
//! **Tiles.** Two rows of int8 weights, A and B, form a *pair*: for each column 16 bits, `256·A + B`. `P`
//! pairs form a *tile*, which holds the rows that one turn of the cell's loop needs:
//!
//! | cell | `P` | rows of tile `t`, pair by pair (A, B) |
//! | --- | --- | --- |
//! | SimpleRNN | 2 | units (4t, 4t+1), (4t+2, 4t+3) |
//! | LSTM | 2 | unit t: gates (i, f), (c, o) |
//! | GRU | 3 | gates z, r, h, each of units (2t, 2t+1) |
//! | dense | 1 | logits (2t, 2t+1) |
//!
//! Within a tile columns come two by two: for columns (2j, 2j+1) pair 0's word, then pair 1's, and so on; column 2j is
//! the word's lower half. Columns are padded with zero weights to a multiple of 4, rows with zero rows to a whole tile.
//!
//! **Tiles of 4-bit weights**, the recurrent layers' of an int4 model, have the same rows and pairs, but four columns
//! to a word, so they take half the space. A nibble holds a weight plus 8, from 1 to 15 (0 stands for -8 and is not
//! written). Columns (4j, 4j+1, 4j+2, 4j+3) of a pair, called 0 to 3 here, lie in the word
//!
//! ```text
//! bits    31-28 27-24 23-20 19-16 15-12 11-8  7-4   3-0
//! weight  A 3   A 1   B 3   B 1   A 2   A 0   B 2   B 0
//! ```
//!
//! so that `w & 0x0f0f0f0f` is the int8 word of columns 0 and 1, and `(w >> 4) & 0x0f0f0f0f` that of columns 2 and 3, but
//! for the 8s, and `w & 0x000f000f`, after a shift right by 0, 4, 8 or 12, one row's two weights beside one another. What
//! the 8s add to any row's sum is 8 times the sum of the operands.
//!
//! **States after blank rows.** A row whose operands are all zero is *blank*. As long as a sequence has had nothing but
//! blank rows, its states are those of any other such sequence, and `BlankStates` may hold the first of them: entry `k`,
//! of 1 to 255 entries, is the state after `k + 1` blank rows. An entry has each layer's hidden state in Q15, an `i16` for
//! each unit, and in an LSTM its cell state behind that, an `i32` for each unit; there are no gaps. Every entry must be
//! what the cells compute, so the section changes no bit of any logit.
//!
//! # Sections of an f32 model
//!
//! `Kernel`, `RecurrentKernel`, `Bias`, `RecurrentBias` (GRU: all three gates), `DenseKernel`, `DenseBias`,
//! `SelfTestLogits`, `InputOffset` and `InputGain` hold `f32`; rows are in the order unit by unit, in a unit gate by
//! gate, with no padding.

mod check;
mod cursor;
mod error;
mod fields;
mod file;
mod header;
#[cfg(test)]
mod header_tests;
mod sections;
mod text;

pub use error::{ModelError, SectionFault};
pub(crate) use fields::from_byte;
pub use fields::{HeaderField, InputFormat, Numbers, OutputFormat, Samples, Scaling, Steps, Task};
pub use file::PAYLOAD_ALIGNMENT;
pub(crate) use file::{Expected, File};
pub use header::{Header, MAGIC, MAX_BLANK_STATES, MAX_NAME_BYTES, VERSION};
pub use sections::{MAX_SECTIONS, Section, SectionKind, Sections};
pub use text::Text;
