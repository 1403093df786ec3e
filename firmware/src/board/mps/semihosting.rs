//! The host behind the debug port: logs, the mode, a file for answers, and an exit status.
//!
//! QEMU always offers this. A board that runs without a debugger must not use it: the processor would stop at
//! the first call.

use defmt_semihosting as _;
use refrain_firmware::Mode;
use semihosting::experimental::env;
use semihosting::{fs, process};

use crate::board::SaveError;

/// Where the answers go, in QEMU's working directory.
const ANSWERS: &core::ffi::CStr = c"logits.bin";

/// Longest command line that is looked at; a longer one holds no mode.
const COMMAND_LINE_BYTES: usize = 512;

/// The mode that the command line names (`-semihosting-config arg=MODE`).
pub(super) fn mode() -> Mode {
    let arguments = env::args::<COMMAND_LINE_BYTES>().ok();
    let mode = arguments.iter().flatten().filter_map(Result::ok).find_map(Mode::from_name);
    mode.unwrap_or(Mode::Link)
}

/// Writes the answers, in one piece.
pub(super) fn save_answers(answers: &[u8]) -> Result<(), SaveError> {
    fs::write(ANSWERS, answers).map_err(|_| SaveError)
}

/// Ends QEMU with status 0 or 1.
pub(super) fn exit(success: bool) -> ! {
    process::exit(if success { 0 } else { 1 })
}
