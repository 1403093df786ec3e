//! What inference costs on the emulated Cortex-M4, counted from outside: instructions, and cycles of a model of the core.
//!
//! The firmware keeps one whole inference in a function of its own, `refrain_classify`; a plugin for QEMU counts each of
//! its calls (`plugin/m4_cycles.c`, which says what the model of the core is). Whatever is counted is also checked: each
//! logit must be the host's.

mod counter;
mod error;
mod flash;
mod models;
mod plugin;
pub mod scaling;

pub use counter::{Call, Calls, Counter, Spread};
pub use error::CountError;
pub use flash::FlashWaits;
pub use models::ModelCost;
pub use plugin::Plugin;
