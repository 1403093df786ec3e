//! Model file and sequences in, logits out: one program for any kind of machine.
//!
//! - With an operating system: `cargo run --release -p refrain-classify -- MODEL.rfn <SEQUENCES >LOGITS`
//! - In WebAssembly: whatever runs the module, a browser say, hands over memory, as `wasm.rs` says.
//! - On RISC-V with nothing but QEMU around it: files travel by semihosting, as `riscv.rs` says.
//!
//! Sequences are rows as they travel on the link, one behind the other, each sequence of as many as the model's header
//! names. Of each there are logits, four bytes each.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(any(target_os = "none", target_family = "wasm")))]
#[path = "host.rs"]
mod machine;
#[cfg(target_arch = "riscv32")]
#[path = "riscv.rs"]
mod machine;
#[cfg(target_family = "wasm")]
#[path = "wasm.rs"]
mod machine;

use refrain::{AnyModel, RowLength};

/// Bytes of the logits of these sequences.
fn logits_bytes(model: &AnyModel<'_>, sequences: &[u8]) -> usize {
    let [sequence, answer] = sizes(model);
    sequences.len() / sequence * answer
}

/// Answers sequence after sequence.
///
/// # Errors
/// [`RowLength`] where the last sequence is cut short.
fn answer(model: &AnyModel<'_>, sequences: &[u8], logits: &mut [u8]) -> Result<(), RowLength> {
    let [sequence, answer] = sizes(model);
    let mut places = logits.chunks_exact_mut(answer);
    sequences.chunks(sequence).try_for_each(|rows| model.classify(rows, places.next().unwrap_or_default()))
}

/// Bytes of a sequence, and of its logits.
fn sizes(model: &AnyModel<'_>) -> [usize; 2] {
    let header = model.header();
    [header.row_bytes() * usize::from(header.timesteps), usize::from(header.shape.outputs) * 4]
}

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    machine::run()
}
