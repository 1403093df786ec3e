//! The host's side of the link to a board: [`refrain::link`] describes the protocol.
//!
//! A [`Client`] asks, again where no answer comes in time, and takes no answer to another question. It works over any
//! [`Transport`]: a serial port, an emulated board's UART, or one of your own. Nothing of it is asynchronous: each call
//! returns when the board has answered, or an error when it does not.
//!
//! ```no_run
//! use refrain_trainer::link::Client;
//!
//! let mut board = Client::open("/dev/ttyACM0")?;
//! println!("{} with {} models", board.hello()?.board, board.hello()?.models);
//!
//! let model = board.describe(0)?;
//! let served = model.served(0);
//! let rows = vec![0; 28 * served.row_bytes]; // 28 timesteps of what your sensor reads
//! let logits = board.classify(served, &rows)?; // four bytes each
//! # assert_eq!(logits.len(), served.logits_bytes);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
#[cfg(test)]
mod client_tests;
mod error;
mod facts;
#[cfg(test)]
pub(crate) mod fake_board;
pub mod faults;
mod inbox;
mod rate;
mod sequences;
mod stream;
#[cfg(test)]
mod stream_tests;
mod transport;
mod upload;

pub use client::{Client, Patience};
pub use error::LinkError;
pub use facts::{Description, Hello, Served};
pub(crate) use inbox::Inbox;
pub use rate::{Carried, LineRate};
pub use sequences::sequence_room;
pub use stream::{Answer, Stream, StreamEvent, StreamOptions};
pub(crate) use transport::Streams;
pub use transport::{BAUD, Serial, Transport, TransportError};
pub use upload::Uploaded;
