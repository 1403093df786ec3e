//! Data sets: sequences, and what is to be learnt of them.
//!
//! A sequence is `timesteps` rows of `inputs` features: a grey image read row by row, or what a sensor gave. Its
//! [`Task`] is to name a class or to tell values, once at its end or at each timestep. Sequences stay the integers or
//! floats that they are on disk, one behind the other in one buffer ([`Sequences`]); the numbers that a network sees
//! are made by [`InputScaling`] when a batch is gathered, so that the whole of MNIST takes 55 MB instead of 220, and
//! views ([`SplitView`]) copy nothing.
//!
//! [`load`] turns the word after `--data` into a [`Dataset`]; [`idx`], [`npz`] and [`csv_folder`] read files, [`mnist`]
//! finds or fetches the classic set and [`digits`] draws one when there is no network at all. Images of bytes are scaled
//! as a whole; what comes from the other formats is standardised feature by feature, on the training split alone.

mod assemble;
mod builder;
pub mod csv_folder;
mod dataset;
mod dice;
pub mod digits;
pub mod download;
mod error;
mod hold_out;
pub mod idx;
pub mod mnist;
pub mod npz;
mod record;
mod scaling;
mod sequences;
mod source;
mod split;
mod standardise;
pub mod synthetic;
mod targets;
mod task;
mod view;

pub use dataset::{Dataset, Splits};
pub use error::DataError;
pub use record::DataRecord;
pub use scaling::{InputScaling, PIXEL_SCALE};
pub use sequences::{Sequences, Values, ValuesView};
pub use source::{Loaded, Source, load, load_with, read};
pub use split::Split;
pub use targets::{Targets, TargetsView};
pub use task::{Kind, TargetScaling, Task};
pub use view::{Images, SplitView};
