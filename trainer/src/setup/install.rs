//! A program that is there, or is installed now.

use std::io;
use std::path::Path;

use super::plan::{Plan, as_typed};
use super::{Lock, SetupError, host};

/// What may be installed, for messages.
pub(super) struct Tool {
    /// What it is called.
    pub(super) name: &'static str,
    /// The environment variable that may name another.
    pub(super) variable: &'static str,
}

/// What `find` finds, after the tool has been installed as `plan` says where it finds nothing.
pub(super) fn found_or_installed<T>(
    tool: &Tool,
    lock: &Path,
    find: impl Fn() -> Result<Option<T>, SetupError>,
    plan: impl FnOnce() -> Plan,
) -> Result<T, SetupError> {
    if let Some(found) = find()? {
        return Ok(found);
    }
    let _lock = Lock::acquire(lock)?;
    // Another process may have installed it while this one waited.
    if let Some(found) = find()? {
        return Ok(found);
    }
    carry_out(tool, plan())?;
    find()?.ok_or_else(|| SetupError::CannotRun {
        program: tool.name.into(),
        reason: io::ErrorKind::NotFound.into(),
        advice: "it was installed and is not in PATH".into(),
    })
}

/// Does what the plan says.
fn carry_out(&Tool { name, variable }: &Tool, plan: Plan) -> Result<(), SetupError> {
    let missing = |commands: &[_]| SetupError::Missing { tool: name.into(), command: as_typed(commands) };
    match plan {
        Plan::Run(commands) => host::install(name, &commands),
        Plan::Ask(commands) => {
            let question = format!("{name} is missing. Install it with \"{}\"?", as_typed(&commands));
            if host::ask(&question) { host::install(name, &commands) } else { Err(missing(&commands)) }
        }
        Plan::Show(commands) => Err(missing(&commands)),
        Plan::NoPackageManager => Err(SetupError::NoPackageManager { tool: name.into(), variable }),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::test_programs::script;

    const TOOL: Tool = Tool { name: "qemu-system-arm", variable: "REFRAIN_QEMU" };

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
        let lock = folder.path().join("lock");
        let find = || Ok(program.is_file().then_some(()));
        let want = || found_or_installed(&TOOL, &lock, find, || Plan::Run(shell(&line)));
        std::thread::scope(|scope| {
            let wants: Vec<_> = (0..4).map(|_| scope.spawn(want)).collect();
            wants.into_iter().for_each(|want| want.join().unwrap().unwrap());
        });
        assert_eq!(std::fs::read_to_string(count).unwrap(), "installed\n");
    }

    #[test]
    fn what_cannot_be_installed_is_said_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("lock");
        let message = |plan| {
            let found: Result<(), _> = found_or_installed(&TOOL, &lock, || Ok(None), || plan);
            found.unwrap_err().to_string()
        };
        let apt = vec![vec!["apt-get".to_owned(), "update".into()], vec!["apt-get".into(), "install".into()]];
        assert_eq!(
            message(Plan::Show(apt)),
            "qemu-system-arm is missing; install it with: apt-get update && apt-get install"
        );
        let alone = message(Plan::NoPackageManager);
        assert!(
            alone.contains("no known package manager") && alone.ends_with("name it in REFRAIN_QEMU"),
            "{alone}"
        );
        assert_eq!(
            message(Plan::Run(shell("exit 100"))),
            "cannot install qemu-system-arm: sh -c exit 100 ended with exit status: 100; its messages are above"
        );
        assert!(message(Plan::Run(shell("true"))).ends_with("it was installed and is not in PATH"));
    }
}
