//! Chromium, or a browser of its family: found, or installed. Tests open reports in it.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::install::{Tool, found_or_installed};
use super::plan::{Package, install};
use super::{SetupError, host};

/// The environment variable that may name the browser to use.
pub const CHROMIUM_VARIABLE: &str = "REFRAIN_CHROMIUM";

const TOOL: Tool = Tool { name: "chromium", variable: CHROMIUM_VARIABLE };

/// Where it may be: names for `PATH`, and the places that macOS has.
const PROGRAMS: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The browser to use: the one that [`CHROMIUM_VARIABLE`] names, else one that is there, else one that is installed
/// now, where that is allowed.
///
/// # Errors
/// [`SetupError`]: it is missing, or does not run.
pub fn chromium() -> Result<PathBuf, SetupError> {
    match env::var_os(CHROMIUM_VARIABLE).filter(|program| !program.is_empty()) {
        Some(program) => named(Path::new(&program)),
        None => {
            let find = || first_of(&PROGRAMS.map(Path::new));
            found_or_installed(&TOOL, &host::lock_path(), find, || {
                install(Package::Chromium, &host::machine())
            })
        }
    }
}

/// The browser that the environment names; a missing one is not replaced by another.
fn named(program: &Path) -> Result<PathBuf, SetupError> {
    first_of(&[program])?.ok_or_else(|| SetupError::CannotRun {
        program: program.display().to_string(),
        reason: io::ErrorKind::NotFound.into(),
        advice: format!("{CHROMIUM_VARIABLE} must name a Chromium, or not be set"),
    })
}

/// The first program that is there.
fn first_of(programs: &[&Path]) -> Result<Option<PathBuf>, SetupError> {
    for &program in programs {
        let run = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match run {
            Ok(status) if status.success() => return Ok(Some(program.to_owned())),
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => {}
            failed => {
                return Err(SetupError::CannotRun {
                    program: program.display().to_string(),
                    reason: failed
                        .err()
                        .unwrap_or_else(|| io::Error::other("it fails when asked for its version")),
                    advice: format!("repair it, or name another in {CHROMIUM_VARIABLE}"),
                });
            }
        }
    }
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::test_programs::script;

    #[test]
    fn the_first_program_that_is_there_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        assert_eq!(first_of(&[&missing]).unwrap(), None);
        let program = script(folder.path(), "browser", "echo Chromium 156");
        assert_eq!(first_of(&[&missing, &program]).unwrap(), Some(program));
    }

    #[test]
    fn a_browser_that_does_not_run_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let broken = script(folder.path(), "broken", "exit 3");
        let message = first_of(&[&broken]).unwrap_err().to_string();
        assert!(message.contains("broken: cannot run it: it fails when asked for its version"), "{message}");
        let message = named(&folder.path().join("none")).unwrap_err().to_string();
        assert!(message.ends_with("REFRAIN_CHROMIUM must name a Chromium, or not be set"), "{message}");
    }
}
