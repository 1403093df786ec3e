//! Tools that set themselves up: QEMU and the Rust target for the emulated board, a browser for whoever checks a report.
//!
//! A tool that is there is used as it is. A missing one is installed where that is allowed: by root, or after a
//! yes at a terminal. Otherwise the error holds the command to type. What is to be done is decided in `plan`,
//! which runs nothing and is tested for every kind of machine; `host` looks at the machine and runs the commands.
//! Progress goes to stderr.

mod cargo;
mod chromium;
mod host;
mod install;
mod lock;
mod plan;
mod qemu;
mod rust_target;

use std::io;
use std::path::PathBuf;

pub use cargo::cargo;
pub use chromium::{CHROMIUM_VARIABLE, chromium};
pub(crate) use lock::Lock;
pub use qemu::{QEMU_VARIABLE, Qemu, QemuVersion, qemu};
pub use rust_target::rust_target;

/// Why a tool is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It is missing and may not be installed without being asked.
    #[error("{tool} is missing; install it with: {command}")]
    Missing {
        /// The tool.
        tool: String,
        /// What to type.
        command: String,
    },
    /// It is missing, and there is no package manager that is known here.
    #[error(
        "{tool} is missing and no known package manager (apt-get, dnf, pacman, brew) is here; install {tool} by \
         hand, or name it in {variable}"
    )]
    NoPackageManager {
        /// The tool.
        tool: String,
        /// The environment variable that may name it.
        variable: &'static str,
    },
    /// The Rust target is missing and there is no rustup to add it.
    #[error(
        "the Rust target {target} is missing and there is no rustup to add it; install Rust with rustup (see \
         https://rustup.rs), then type: rustup target add {target}"
    )]
    NoRustup {
        /// The target.
        target: String,
    },
    /// QEMU is there and too old.
    #[error("{program} is version {found}, the board {board} needs {minimum} or newer; {advice}")]
    TooOld {
        /// The program.
        program: String,
        /// Its version.
        found: QemuVersion,
        /// The board that needs another.
        board: &'static str,
        /// The oldest that will do.
        minimum: QemuVersion,
        /// Where to get a newer one.
        advice: String,
    },
    /// A program that was named, or one that was just installed, does not run.
    #[error("{program}: cannot run it: {reason}; {advice}")]
    CannotRun {
        /// The program.
        program: String,
        /// What the system says.
        reason: io::Error,
        /// What to do.
        advice: String,
    },
    /// A program does not say its version as QEMU does.
    #[error(
        "{program}: its version cannot be read from {output:?}, which should be as QEMU emulator version 10.0.2"
    )]
    NoVersion {
        /// The program.
        program: String,
        /// What it printed.
        output: String,
    },
    /// An installing command failed.
    #[error("cannot install {tool}: {command} ended with {status}; its messages are above")]
    InstallFailed {
        /// The tool.
        tool: String,
        /// The command.
        command: String,
        /// How it ended.
        status: String,
    },
    /// The lock file that keeps processes from installing at once cannot be used.
    #[error("{path}: cannot lock this file, which keeps two processes apart: {reason}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}
