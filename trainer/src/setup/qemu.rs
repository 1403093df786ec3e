//! `qemu-system-arm`: found, or installed, and new enough.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::plan::{Plan, as_typed, install_qemu};
use super::{Lock, SetupError, host};

/// The environment variable that may name the program to use.
pub const QEMU_VARIABLE: &str = "REFRAIN_QEMU";

const PROGRAM: &str = "qemu-system-arm";

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
            found_or_installed(Path::new(PROGRAM), &host::lock_path(), || install_qemu(&host::machine()))?
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

/// The program, after it has been installed as `plan` says where it is missing.
fn found_or_installed(program: &Path, lock: &Path, plan: impl FnOnce() -> Plan) -> Result<Qemu, SetupError> {
    if let Some(qemu) = probe(program)? {
        return Ok(qemu);
    }
    let _lock = Lock::acquire(lock)?;
    // Another process may have installed it while this one waited.
    if let Some(qemu) = probe(program)? {
        return Ok(qemu);
    }
    install(plan())?;
    probe(program)?.ok_or_else(|| SetupError::CannotRun {
        program: program.display().to_string(),
        reason: io::ErrorKind::NotFound.into(),
        advice: "it was installed and is not in PATH".into(),
    })
}

/// Does what the plan says.
fn install(plan: Plan) -> Result<(), SetupError> {
    let missing = |commands: &[_]| SetupError::Missing { tool: PROGRAM.into(), command: as_typed(commands) };
    match plan {
        Plan::Run(commands) => host::install(PROGRAM, &commands),
        Plan::Ask(commands) => {
            let question = format!("{PROGRAM} is missing. Install it with \"{}\"?", as_typed(&commands));
            if host::ask(&question) { host::install(PROGRAM, &commands) } else { Err(missing(&commands)) }
        }
        Plan::Show(commands) => Err(missing(&commands)),
        Plan::NoPackageManager => Err(SetupError::NoPackageManager { tool: PROGRAM.into() }),
    }
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

        fn shell(line: &str) -> Vec<Vec<String>> {
            vec![["sh", "-c", line].map(str::to_owned).to_vec()]
        }

        #[test]
        fn a_missing_program_is_installed_once_however_many_want_it() {
            let folder = tempfile::tempdir().unwrap();
            let stub = script(folder.path(), "stub", "echo 'QEMU emulator version 10.0.2'");
            let (program, count) = (folder.path().join("qemu"), folder.path().join("count"));
            let line = format!(
                "sleep 0.1; echo installed >> {}; mv {} {}",
                count.display(),
                stub.display(),
                program.display()
            );
            let find =
                || found_or_installed(&program, &folder.path().join("lock"), || Plan::Run(shell(&line)));
            std::thread::scope(|scope| {
                let wants: Vec<_> = (0..4).map(|_| scope.spawn(find)).collect();
                for want in wants {
                    assert_eq!(want.join().unwrap().unwrap().version, QemuVersion(10, 0));
                }
            });
            assert_eq!(std::fs::read_to_string(count).unwrap(), "installed\n");
        }

        #[test]
        fn what_cannot_be_installed_is_said_in_one_sentence() {
            let folder = tempfile::tempdir().unwrap();
            let (program, lock) = (folder.path().join("qemu"), folder.path().join("lock"));
            let message = |plan| found_or_installed(&program, &lock, || plan).unwrap_err().to_string();
            let apt =
                vec![vec!["apt-get".to_owned(), "update".into()], vec!["apt-get".into(), "install".into()]];
            assert_eq!(
                message(Plan::Show(apt)),
                "qemu-system-arm is missing; install it with: apt-get update && apt-get install"
            );
            assert!(message(Plan::NoPackageManager).contains("no known package manager"));
            assert_eq!(
                message(Plan::Run(shell("exit 100"))),
                "cannot install qemu-system-arm: sh -c exit 100 ended with exit status: 100; its messages are above"
            );
            assert!(message(Plan::Run(shell("true"))).ends_with("it was installed and is not in PATH"));
        }
    }
}
