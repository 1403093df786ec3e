//! The program for a board; see the library of this package for what is the same on every board.
//!
//! `cargo qemu` builds it for QEMU's mps2-an386 and runs its self-test there.
//!
//! # What may be left out
//!
//! A program that is short of flash leaves out what its host does not ask for:
//!
//! ```text
//! cargo build -p refrain-firmware --profile firmware --target TARGET --no-default-features --features stream
//! ```
//!
//! Requests for what is left out are refused in words, [`Refusal::NotBuiltIn`](refrain::link::Refusal::NotBuiltIn); all else
//! stays as it is. Bytes of flash without the model's, on the mps2-an386 with one LSTM:
//!
//! | feature | what it is for | takes |
//! | --- | --- | --- |
//! | `update`, by default | another model in the place of one in the program, `refrain update` | 9,152 |
//! | `stream`, by default | rows at a fixed rate, `refrain monitor` | 3,644 |
//! | `profile`, by default | what each part of an inference costs, `refrain validate` | 1,948 |
//! | `fixed-time` | inferences that take the same time whatever the data | 992 less |
//! | `check-kernel` | a self-test of the kernel | 12,748 |
//! | `provoke` | tests of how the program starts again | 1,412 |
//!
//! With those by default it is 74,352 bytes, without any feature 59,588.
#![cfg_attr(target_os = "none", no_std, no_main)]

// first, for boards use its macro
#[cfg(target_os = "none")]
#[macro_use]
mod fault;
#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod life;
#[cfg(target_os = "none")]
mod models;
#[cfg(all(feature = "provoke", target_os = "none"))]
mod provoke;
#[cfg(target_os = "none")]
mod run;
#[cfg(target_os = "none")]
#[cfg_attr(not(feature = "update"), path = "no_slots.rs")]
mod slots;
#[cfg(target_os = "none")]
mod stack;

/// Runs on the board, from reset to the exit status.
#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    use board::Board;
    use refrain::link::Cause;
    use refrain_firmware::Mode;

    #[cfg(not(stack_limit))]
    stack::guard();
    stack::paint();
    let mode = board::Selected::mode();
    let result = life::begin(mode == Mode::Link)
        .ok_or(run::Failure::Hardware("the program was begun twice"))
        .and_then(|boot| run::run(mode, boot));
    match result {
        Ok(()) => board::Selected::exit(true),
        Err(failure) => life::end(Cause::Failure, || defmt::error!("{}", failure)),
    }
}

/// The host has no board to run on.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("refrain-firmware runs on a board: `cargo qemu` runs it on an emulated one");
    std::process::exit(1);
}
