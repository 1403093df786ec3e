//! Ctrl-C and SIGTERM: whoever listens is asked to stop; otherwise, or at the second time, the program ends at once.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use refrain_trainer::device::end_runs;

use super::error::INTERRUPTED_STATUS;

const NOBODY_LISTENS: u8 = 0;
const LISTENING: u8 = 1;
const ASKED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(NOBODY_LISTENS);

/// Takes Ctrl-C and SIGTERM from here on. SIGHUP stays as it is: whoever starts the program with nohup wants it to go on
/// when the terminal is gone.
#[cfg(unix)]
pub(super) fn install() -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let listen = move || signals.forever().for_each(|_| ask());
    std::thread::Builder::new().name("signals".into()).spawn(listen).map(drop)
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

/// Listens for Ctrl-C and SIGTERM until it is dropped; one at a time.
#[derive(Debug)]
pub(super) struct Listener;

impl Listener {
    pub(super) fn new() -> Self {
        STATE.store(LISTENING, Ordering::SeqCst);
        Self
    }

    /// Whether either came since.
    pub(super) fn is_asked(&self) -> bool {
        STATE.load(Ordering::SeqCst) == ASKED
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        STATE.store(NOBODY_LISTENS, Ordering::SeqCst);
    }
}
