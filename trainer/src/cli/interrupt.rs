//! Ctrl-C: whoever listens is asked to stop; otherwise, or at the second time, the program ends at once.

use std::sync::atomic::{AtomicU8, Ordering};

use refrain_trainer::device::remove_run_folders;

use super::error::{CliError, INTERRUPTED_STATUS};

const NOBODY_LISTENS: u8 = 0;
const LISTENING: u8 = 1;
const ASKED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(NOBODY_LISTENS);

/// Takes Ctrl-C from here on.
pub(super) fn install() -> Result<(), CliError> {
    let handler = || {
        let asked = STATE.compare_exchange(LISTENING, ASKED, Ordering::SeqCst, Ordering::SeqCst);
        if asked.is_err() {
            remove_run_folders();
            std::process::exit(INTERRUPTED_STATUS.into());
        }
    };
    ctrlc::set_handler(handler).map_err(CliError::Signal)
}

/// Listens for Ctrl-C until it is dropped; one at a time.
#[derive(Debug)]
pub(super) struct Listener;

impl Listener {
    pub(super) fn new() -> Self {
        STATE.store(LISTENING, Ordering::SeqCst);
        Self
    }

    /// Whether Ctrl-C was pressed since.
    pub(super) fn is_asked(&self) -> bool {
        STATE.load(Ordering::SeqCst) == ASKED
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        STATE.store(NOBODY_LISTENS, Ordering::SeqCst);
    }
}
