//! Programs for unit tests that stand in for QEMU.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// A shell script in `folder` that can be run.
pub(crate) fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
    let path = folder.join(name);
    let mut file = File::create(&path).unwrap();
    writeln!(file, "#!/bin/sh\n[ \"$1\" = --wait ] && exit 0\n{body}").unwrap();
    drop(file);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    // A thread that forks while the file is open for writing keeps it open for a moment, and until then the
    // system refuses to run it.
    let is_busy = |error: io::Error| error.kind() == io::ErrorKind::ExecutableFileBusy;
    while Command::new(&path).arg("--wait").status().is_err_and(is_busy) {
        thread::yield_now();
    }
    path
}
