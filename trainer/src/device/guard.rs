//! What would outlive this program if it were killed, and does not.
//!
//! Nothing in a program runs after SIGKILL, nor after a signal that it does not take. So a shell waits for the end of a pipe
//! that this program alone holds open, which the system closes however it ends, and then does the one thing that is left.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

/// Sees to something if this program is killed before this is dropped. Where there is no Unix shell, nobody does.
#[derive(Debug)]
pub(super) struct Guard {
    #[cfg(unix)]
    shell: std::process::Child,
}

impl Guard {
    /// That the process of that number ends.
    pub(super) fn of_process(id: u32) -> io::Result<Self> {
        Self::new(r#"kill -KILL "$1""#, id.to_string().as_ref())
    }

    /// That the folder goes, with all that is in it.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Self> {
        Self::new(r#"rm -rf -- "$1""#, folder.as_os_str())
    }

    #[cfg(unix)]
    fn new(action: &str, what: &OsStr) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        use std::process::{Command, Stdio};

        const SHELL: &str = "/bin/sh";
        // What ends this program by a signal to its whole group is not to end the shell before it.
        let shell = Command::new(SHELL)
            .process_group(0)
            .args(["-c", &format!("read -r end; {action}"), SHELL])
            .arg(what)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|reason| io::Error::new(reason.kind(), format!("{SHELL}: {reason}")))?;
        Ok(Self { shell })
    }

    #[cfg(not(unix))]
    fn new(_: &str, _: &OsStr) -> io::Result<Self> {
        Ok(Self {})
    }
}

#[cfg(unix)]
impl Drop for Guard {
    fn drop(&mut self) {
        // Killed before the pipe is closed. If it has gone before, nothing is left to do.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    /// As when this program is killed.
    fn close(mut guard: Guard) {
        drop(guard.shell.stdin.take());
        guard.shell.wait().unwrap();
    }

    #[test]
    fn a_folder_goes_with_a_program_that_is_killed_and_not_with_its_guard() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a folder");
        std::fs::create_dir_all(folder.join("in it")).unwrap();
        drop(Guard::of_folder(&folder).unwrap());
        assert!(folder.is_dir());
        close(Guard::of_folder(&folder).unwrap());
        assert!(!folder.exists() && above.path().is_dir());
    }

    #[test]
    fn a_process_goes_with_a_program_that_is_killed_and_not_with_its_guard() {
        let mut process = Command::new("sleep").arg("600").spawn().unwrap();
        drop(Guard::of_process(process.id()).unwrap());
        assert!(process.try_wait().unwrap().is_none());
        close(Guard::of_process(process.id()).unwrap());
        assert!(!process.wait().unwrap().success());
    }
}
