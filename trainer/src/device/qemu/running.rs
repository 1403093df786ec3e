//! The processes of all emulated boards, none of which outlives this program.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::device::guard::Guard;

/// A process, ended when this is dropped, by [`end_all`], or when this program is killed.
pub(super) struct Running(Arc<Mutex<Guarded>>);

struct Guarded {
    child: Child,
    /// As long as there is a process of that number.
    guard: Option<Guard>,
}

static ALL: Mutex<Vec<Weak<Mutex<Guarded>>>> = Mutex::new(Vec::new());

impl Running {
    /// Starts a process.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        // Ctrl-C goes to a whole group of processes. This program is to hear it and to end QEMU when it has done with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        let id = child.id();
        let running = Self(Arc::new(Mutex::new(Guarded { child, guard: None })));
        locked(&ALL).push(Arc::downgrade(&running.0));
        locked(&running.0).guard = Some(Guard::of_process(id)?);
        Ok(running)
    }

    /// How it has ended; `None` where it still runs.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        let mut running = locked(&self.0);
        let status = running.child.try_wait().ok().flatten();
        running.guard = running.guard.take().filter(|_| status.is_none());
        status
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&self.0);
        locked(&ALL).retain(|running| running.as_ptr() != Arc::as_ptr(&self.0));
    }
}

fn end(running: &Mutex<Guarded>) {
    let mut running = locked(running);
    // It may have ended by itself; then there is nothing to kill, and nothing to report either way.
    let _ = running.child.kill();
    running.guard = None;
    let _ = running.child.wait();
}

/// Ends every emulated board: for a program that is about to end, whose children would outlive it.
pub(in crate::device) fn end_all() {
    locked(&ALL).iter().filter_map(Weak::upgrade).for_each(|running| end(&running));
}

/// What a mutex holds, whether or not somebody panicked who held it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::*;

    fn start() -> Running {
        Running::start(Command::new("sleep").arg("600")).unwrap()
    }

    #[test]
    fn it_is_ended_when_it_is_dropped() {
        let running = start();
        let process = Path::new("/proc").join(locked(&running.0).child.id().to_string());
        let watched = process.exists();
        drop(running);
        // Where there is no /proc, that dropping did not wait for the sleep is all that can be seen.
        assert!(!watched || !process.exists());
    }

    #[test]
    fn all_are_ended_at_once() {
        let running = start();
        // Others that run at the same time belong to other tests: only this one's end is looked at.
        let known =
            locked(&ALL).iter().filter_map(Weak::upgrade).find(|known| Arc::ptr_eq(known, &running.0));
        end(&known.expect("it is known as long as it runs"));
        assert!(running.ended().is_some());
        let known = Arc::downgrade(&running.0);
        drop(running);
        assert!(!locked(&ALL).iter().any(|other| other.ptr_eq(&known)));
    }

    #[test]
    fn it_is_guarded_as_long_as_it_runs() {
        let running = start();
        assert!(locked(&running.0).guard.is_some() && running.ended().is_none());
        end(&running.0);
        assert!(locked(&running.0).guard.is_none());
    }
}
