//! Ctrl-C, SIGTERM and SIGHUP: whoever listens is asked to stop; otherwise, or at the second time, the program ends at once.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use refrain_trainer::device::end_runs;

use super::error::INTERRUPTED_STATUS;

const NOBODY_LISTENS: u8 = 0;
const LISTENING: u8 = 1;
const ASKED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(NOBODY_LISTENS);

/// Takes Ctrl-C and SIGTERM from here on, and SIGHUP where that means anything.
#[cfg(unix)]
pub(super) fn install() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let taken = [SIGINT, SIGTERM].into_iter().chain(Some(SIGHUP).filter(|_| hangs_up()));
    let mut signals = signal_hook::iterator::Signals::new(taken)?;
    let listen = move || signals.forever().for_each(|_| ask());
    std::thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
}

/// Whether SIGHUP is to end the program. Whoever starts it with nohup wants it to go on when the terminal is gone; on systems
/// that do not tell in a file whether a signal is ignored, SIGHUP stays as it is.
#[cfg(unix)]
fn hangs_up() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| !ignores_hangup(&status))
}

/// Whether the process of this status ignores SIGHUP, the first of all signals; where it does not say so, it may.
#[cfg(unix)]
fn ignores_hangup(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|signals| u64::from_str_radix(signals.trim(), 16).ok());
    ignored.is_none_or(|signals| signals & 1 != 0)
}

/// Takes Ctrl-C from here on.
#[cfg(not(unix))]
pub(super) fn install() -> io::Result<()> {
    ctrlc::set_handler(ask).map_err(io::Error::other)
}

/// Asks whoever listens to stop, or ends the program.
fn ask() {
    let asked = STATE.compare_exchange(LISTENING, ASKED, Ordering::SeqCst, Ordering::SeqCst);
    if asked.is_err() {
        end_runs();
        std::process::exit(INTERRUPTED_STATUS.into());
    }
}

/// Listens for Ctrl-C and its like until it is dropped; one at a time.
#[derive(Debug)]
pub(super) struct Listener;

impl Listener {
    pub(super) fn new() -> Self {
        STATE.store(LISTENING, Ordering::SeqCst);
        Self
    }

    /// Whether one of them came since.
    pub(super) fn is_asked(&self) -> bool {
        STATE.load(Ordering::SeqCst) == ASKED
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        STATE.store(NOBODY_LISTENS, Ordering::SeqCst);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::ignores_hangup;

    #[test]
    fn a_process_says_whether_it_ignores_sighup() {
        let status = |ignored: &str| format!("SigBlk:\t0000000000000001\nSigIgn:\t{ignored}\nSigCgt:\t1\n");
        assert!(ignores_hangup(&status("0000000000001001")));
        assert!(!ignores_hangup(&status("0000000000001000")));
        assert!(ignores_hangup("Name:\trefrain\n"), "nobody knows");
    }
}
