//! The program for a board; see the library of this package for what is the same on every board.
//!
//! `cargo qemu` builds it for QEMU's mps2-an386 and runs its self-test there.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod fault;
#[cfg(target_os = "none")]
mod models;
#[cfg(target_os = "none")]
mod run;
#[cfg(target_os = "none")]
mod stack;

/// Runs on the board, from reset to the exit status.
#[cfg(target_os = "none")]
#[cortex_m_rt::entry]
fn main() -> ! {
    use board::Board;

    stack::paint();
    let result = run::run();
    if let Err(failure) = &result {
        defmt::error!("{}", failure);
    }
    board::Selected::exit(result.is_ok())
}

/// The host has no board to run on.
#[cfg(not(target_os = "none"))]
fn main() {
    eprintln!("refrain-firmware runs on a board: `cargo qemu` runs it on an emulated one");
    std::process::exit(1);
}
