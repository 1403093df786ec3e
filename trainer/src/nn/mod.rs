//! The f32 networks and the mathematics of training them, written out on `ndarray`.
//!
//! A [`Network`] reads sequences through one to three recurrent layers (`simple_rnn`, `lstm` or `gru`, each file in the
//! order of its equations), normalises the last one's hidden state ([`batch_norm`]) and maps it to logits ([`dense`]),
//! after the last timestep or after every one. Layouts, gate orders, defaults and results are Keras's. A [`Trainer`] adds
//! what one training step needs: the record of the forward pass and the [`Gradients`], from the [`loss`] backwards. An
//! [`Optimizer`] then changes the weights by them.
//!
//! ```
//! use ndarray::Array3;
//! use refrain::{CellKind, Shape};
//! use refrain_trainer::nn::{Algorithm, Batch, Network, Objective, Optimizer, Padded, Trainer};
//!
//! let shape = Shape { inputs: 2, units: 8, outputs: 3, layers: 1 };
//! let mut network = Network::new(CellKind::Gru, shape, 1);
//! let x = Array3::from_shape_fn((6, 5, 2), |(sample, t, i)| ((sample % 3) as f32 - 1.0) * (t + i) as f32);
//! let lengths = [5, 3, 4, 2, 5, 5];
//! let batch = Batch::labelled(Padded::new(x.view(), &lengths), &[0, 1, 2, 0, 1, 2]);
//!
//! let mut trainer = Trainer::new(&network);
//! let mut optimizer = Optimizer::new(Algorithm::ADAM);
//! let before = trainer.backpropagate(&mut network, &batch, &Objective::CLASSIFICATION);
//! for _ in 0..30 {
//!     optimizer.step(&mut network, trainer.gradients(), 0.01);
//!     trainer.backpropagate(&mut network, &batch, &Objective::CLASSIFICATION);
//! }
//! let after = trainer.backpropagate(&mut network, &batch, &Objective::CLASSIFICATION);
//! assert!(after < 0.5 * before);
//! ```
//!
//! # How it is fast, and why threads do not change the result
//!
//! All arithmetic is matrix products over many samples, which are faer's, and element-wise loops that LLVM vectorises for
//! AVX2 and AVX-512, whichever the processor has when the program runs; see [`cell`] for how a pass through time is laid
//! out. `tanh` and `sigmoid` are [`refrain::float::activation`]'s, off by less than 5e-7 everywhere.
//! `benches/peers.py` measures which share of the processor's rate of large products a step reaches.
//!
//! A batch is cut into shards of [`SHARD_ROWS`] samples whatever the number of threads, the shards run on rayon's current
//! thread pool, and their gradients are added in order: the same seed gives the same bits with one thread or with many.
//! The loops give the same bits on every processor, because they only add, multiply and divide, element by element. The
//! matrix products need not: how they are blocked, and whether multiplication and addition are fused, depends on the
//! processor, and so may the last bits of what is trained.

mod batch;
pub mod batch_norm;
pub mod cell;
pub mod dense;
mod dropout;
mod gru;
pub mod init;
pub mod integer;
pub mod loss;
mod lstm;
mod network;
mod optimizer;
mod product;
mod record;
#[cfg(test)]
mod reference;
mod simple_rnn;
mod soap;
mod stack;
#[cfg(test)]
mod tests;
mod timeline;
mod trainer;

pub use batch::{Batch, Loss, Objective, Padded, Steps, Targets};
pub use dropout::Dropout;
pub use network::{Network, Parameter, ParameterMut, Trace};
pub use optimizer::{Algorithm, Optimizer};
pub use trainer::{Gradients, SHARD_ROWS, Trainer};
