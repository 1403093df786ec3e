//! The program for a board; see the library of this package for what is the same on every board.
//!
//! `cargo qemu` builds it for QEMU's mps2-an386 and runs its self-test there.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod fault;
#[cfg(target_os = "none")]
mod life;
#[cfg(target_os = "none")]
mod models;
#[cfg(all(feature = "provoke", target_os = "none"))]
mod provoke;
#[cfg(target_os = "none")]
mod run;
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
