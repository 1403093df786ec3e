//! The Rust target of a board's firmware.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::{Lock, SetupError, host};

/// Sees to it that cargo can compile for `target` in the workspace at `root`, whose `rust-toolchain.toml`
/// chooses the toolchain; adds the target through rustup where it is missing.
///
/// That needs no rights beyond the user's own, so nobody is asked.
///
/// # Errors
/// [`SetupError::NoRustup`], [`SetupError::InstallFailed`] or [`SetupError::CannotRun`].
pub fn rust_target(root: &Path, target: &str) -> Result<(), SetupError> {
    if is_installed(root, target)? {
        return Ok(());
    }
    let _lock = Lock::acquire(&host::lock_path())?;
    // Another process may have added it while this one waited.
    if is_installed(root, target)? {
        return Ok(());
    }
    let command = format!("rustup target add {target}");
    eprintln!("adding the Rust target: {command}");
    let status = Command::new("rustup")
        .args(["target", "add", target])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let tool = format!("the Rust target {target}");
            Err(SetupError::InstallFailed { tool, command, status: status.to_string() })
        }
        Err(_) => Err(SetupError::NoRustup { target: target.into() }),
    }
}

/// Whether the toolchain has the target's standard library; asks rustc, which is there with and without rustup.
fn is_installed(root: &Path, target: &str) -> Result<bool, SetupError> {
    let arguments = ["--print", "target-libdir", "--target", target];
    let output =
        Command::new("rustc").args(arguments).current_dir(root).stdin(Stdio::null()).output().map_err(
            |reason| {
                let advice = "the firmware is built by cargo and rustc, which must be in PATH".into();
                SetupError::CannotRun { program: "rustc".into(), reason, advice }
            },
        )?;
    Ok(has_library(&output))
}

/// Whether rustc's answer is a folder that is there.
fn has_library(output: &Output) -> bool {
    let folder = String::from_utf8_lossy(&output.stdout);
    output.status.success() && Path::new(folder.trim()).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_target_is_installed_and_an_invented_one_is_not() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap().stdout;
        assert!(is_installed(root, String::from_utf8(host).unwrap().trim()).unwrap());
        assert!(!is_installed(root, "no-such-target").unwrap());
    }
}
