//! Fuzz targets: what must hold whatever bytes come.
//!
//! Each is a function of a fuzzer's bytes that panics where something does not hold. `cargo fuzz` runs them on bytes of its
//! own making, `cargo test` on those of the corpus; `README.md` says how.

mod frame;
mod line;
mod model;
mod server;

pub use frame::frame;
pub use model::model;
pub use server::server;
