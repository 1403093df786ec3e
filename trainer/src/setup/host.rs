//! Looks at this machine and runs commands on it.

use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::SetupError;
use super::plan::{Machine, PackageManager, as_typed, backports};

/// What this machine is like.
pub(super) fn machine() -> Machine {
    Machine {
        manager: PackageManager::ALL.into_iter().find(|manager| is_there(manager.program())),
        root: is_root(),
        terminal: io::stdin().is_terminal() && io::stderr().is_terminal(),
        sudo: is_there("sudo"),
        backports: backports(&text("/etc/os-release".as_ref()), &apt_sources(), &qemu_packages()),
    }
}

/// The file that processes lock while they install something.
pub(super) fn lock_path() -> PathBuf {
    dirs::cache_dir().unwrap_or_else(env::temp_dir).join("refrain").join("setup.lock")
}

/// Whether a folder of `PATH` holds that program.
fn is_there(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Whether this user is root, by the word of `id`.
fn is_root() -> bool {
    let output = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A text file; empty where there is none.
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Every list of apt's sources, of either format.
fn apt_sources() -> Vec<String> {
    let listed = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "list" || kind == "sources"));
    paths.push("/etc/apt/sources.list".into());
    paths.iter().map(|path| text(path)).collect()
}

/// The versions of Debian's QEMU packages that are installed, a line each; empty on any other system.
fn qemu_packages() -> String {
    let mut query = Command::new("dpkg-query");
    query.args(["-W", "-f=${db:Status-Status} ${Version}\n", "qemu-*"]).stderr(Stdio::null());
    let Ok(output) = query.output() else { return String::new() };
    let lines = String::from_utf8_lossy(&output.stdout);
    lines.lines().filter_map(|line| line.strip_prefix("installed ")).collect::<Vec<_>>().join("\n")
}

/// Asks at the terminal; anything but a yes is a no.
pub(super) fn ask(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// Runs the commands that install `tool`, one after the other; what they print goes to stderr.
pub(super) fn install(tool: &str, commands: &[Vec<String>]) -> Result<(), SetupError> {
    eprintln!("installing {tool}: {}", as_typed(commands));
    for command in commands {
        let Some((program, arguments)) = command.split_first() else { continue };
        let status = Command::new(program)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(io::stderr())
            .status();
        let status = match status {
            Ok(status) if status.success() => continue,
            Ok(status) => status.to_string(),
            Err(reason) => reason.to_string(),
        };
        let command = command.join(" ");
        return Err(SetupError::InstallFailed { tool: tool.into(), command, status });
    }
    Ok(())
}
