//! `qemu-system-arm`: found, or installed, and new enough.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::install::{Tool, found_or_installed};
use super::plan::{Package, install};
use super::{SetupError, host};

/// The environment variable that may name the program to use.
pub const QEMU_VARIABLE: &str = "REFRAIN_QEMU";

const PROGRAM: &str = "qemu-system-arm";
const TOOL: Tool = Tool { name: PROGRAM, variable: QEMU_VARIABLE };

/// A version of QEMU, major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QemuVersion(
    /// Major.
    pub u32,
    /// Minor.
    pub u32,
);

impl fmt::Display for QemuVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl QemuVersion {
    /// Out of what `qemu-system-arm --version` prints.
    fn parse(output: &str) -> Option<Self> {
        let (_, version) = output.split_once("QEMU emulator version ")?;
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

/// A QEMU that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qemu {
    /// The program: a path, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its version.
    pub version: QemuVersion,
}

/// The QEMU to use for a board: the one that [`QEMU_VARIABLE`] names, else the one in `PATH`, else one that is
/// installed now, where that is allowed.
///
/// # Errors
/// [`SetupError`]: it is missing, too old, or does not run.
pub fn qemu(board: &'static str, minimum: QemuVersion) -> Result<Qemu, SetupError> {
    let named = env::var_os(QEMU_VARIABLE).filter(|program| !program.is_empty());
    let qemu = match named {
        Some(program) => named_qemu(Path::new(&program))?,
        None => {
            let find = || probe(Path::new(PROGRAM));
            found_or_installed(&TOOL, &host::lock_path(), find, || install(Package::Qemu, &host::machine()))?
        }
    };
    new_enough(qemu, board, minimum)
}

/// The QEMU that the environment names; a missing one is not replaced by another.
fn named_qemu(program: &Path) -> Result<Qemu, SetupError> {
    probe(program)?.ok_or_else(|| SetupError::CannotRun {
        program: program.display().to_string(),
        reason: io::ErrorKind::NotFound.into(),
        advice: format!("{QEMU_VARIABLE} must name a {PROGRAM}, or not be set"),
    })
}

/// Asks a program for its version; `None` where there is no such program.
fn probe(program: &Path) -> Result<Option<Qemu>, SetupError> {
    let name = || program.display().to_string();
    let output = match Command::new(program).arg("--version").stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => {
            let advice = "check that it is a program for this machine and may be executed".into();
            return Err(SetupError::CannotRun { program: name(), reason, advice });
        }
    };
    let output = String::from_utf8_lossy(&output.stdout);
    match QemuVersion::parse(&output) {
        Some(version) => Ok(Some(Qemu { program: program.to_owned(), version })),
        None => {
            let output = output.lines().next().unwrap_or_default().to_owned();
            Err(SetupError::NoVersion { program: name(), output })
        }
    }
}

/// Refuses a QEMU that is too old for the board.
fn new_enough(qemu: Qemu, board: &'static str, minimum: QemuVersion) -> Result<Qemu, SetupError> {
    if qemu.version >= minimum {
        return Ok(qemu);
    }
    Err(SetupError::TooOld {
        program: qemu.program.display().to_string(),
        found: qemu.version,
        board,
        minimum,
        advice: format!("install a newer one, or name one in {QEMU_VARIABLE}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        let debian_12 = "QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c)";
        assert_eq!(QemuVersion::parse(debian_12), Some(QemuVersion(7, 2)));
        assert_eq!(QemuVersion::parse("QEMU emulator version 10.0.2\n"), Some(QemuVersion(10, 0)));
        assert_eq!(QemuVersion::parse("QEMU emulator version 9\n"), None);
        assert_eq!(QemuVersion::parse("clang version 19.1.0"), None);
        assert!(QemuVersion(10, 0) > QemuVersion(9, 2) && QemuVersion(7, 2) > QemuVersion(7, 1));
    }

    #[test]
    fn a_qemu_that_is_too_old_is_refused() {
        let qemu = Qemu { program: "old/qemu".into(), version: QemuVersion(7, 1) };
        let message = new_enough(qemu.clone(), "mps2-an386", QemuVersion(7, 2)).unwrap_err().to_string();
        assert_eq!(
            message,
            "old/qemu is version 7.1, the board mps2-an386 needs 7.2 or newer; install a newer one, or name one in \
             REFRAIN_QEMU"
        );
        assert!(new_enough(qemu, "mps2-an386", QemuVersion(7, 1)).is_ok());
    }

    #[test]
    fn a_named_program_that_is_missing_is_not_replaced() {
        let message = named_qemu(Path::new("/no/such/qemu")).unwrap_err().to_string();
        assert!(message.starts_with("/no/such/qemu: cannot run it: "), "{message}");
        assert!(message.ends_with("REFRAIN_QEMU must name a qemu-system-arm, or not be set"), "{message}");
    }

    #[cfg(unix)]
    mod programs {
        use super::*;
        use crate::test_programs::script;

        #[test]
        fn a_program_is_asked_for_its_version() {
            let folder = tempfile::tempdir().unwrap();
            let program = script(folder.path(), "qemu", "echo 'QEMU emulator version 8.1.5'");
            let found = named_qemu(&program).unwrap();
            assert_eq!(found, Qemu { program, version: QemuVersion(8, 1) });
        }

        #[test]
        fn a_program_that_is_no_qemu_is_named() {
            let folder = tempfile::tempdir().unwrap();
            let program = script(folder.path(), "qemu", "echo 'something else'");
            let message = named_qemu(&program).unwrap_err().to_string();
            assert!(message.contains("something else"), "{message}");
            let folder = folder.path();
            let message = named_qemu(folder).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{}: cannot run it: ", folder.display())), "{message}");
        }
    }
}
