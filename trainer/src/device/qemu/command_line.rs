//! What QEMU is told: the board, where its UART is, and what the firmware is to do.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::device::board::Board;

/// What the firmware is to do; it finds that on its semihosting command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode<'a> {
    /// Answer requests on the UART until QEMU is ended.
    Serve,
    /// Run the self-tests of all models and end QEMU.
    SelfTest,
    /// Do the job in this file and end QEMU.
    Memory {
        /// A [job](refrain::link::bulk) and its sequences.
        job: &'a Path,
        /// A plugin of QEMU's that watches, with its arguments: what stands behind `-plugin`.
        plugin: Option<&'a str>,
    },
}

/// QEMU's command line, of options that version 7.2 has too.
pub(super) fn arguments(board: Board, elf: &Path, mode: Mode<'_>, port: u16) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "-M",
        board.machine(),
        "-display",
        "none",
        "-monitor",
        "none",
        // One instruction takes 1024 ns of the board's time, so that its timer counts instructions exactly.
        "-icount",
        "shift=10",
    ]
    .map(str::to_owned)
    .to_vec();
    let command_line = match mode {
        Mode::Serve => "",
        Mode::SelfTest => ",arg=self-test",
        Mode::Memory { .. } => ",arg=memory",
    };
    arguments.extend([
        "-serial".into(),
        format!("tcp:{}:{port},nodelay=on", Ipv4Addr::LOCALHOST),
        "-semihosting-config".into(),
        format!("enable=on,target=native{command_line}"),
        "-kernel".into(),
        elf.display().to_string(),
    ]);
    if let Mode::Memory { job, plugin } = mode {
        let (file, address) = (escaped(job), board.job_memory().address);
        arguments.extend(["-device".into(), format!("loader,file={file},addr={address:#x},force-raw=on")]);
        arguments.extend(plugin.into_iter().flat_map(|plugin| ["-plugin".into(), plugin.into()]));
    }
    arguments
}

/// A path in an option of QEMU's, where a comma stands doubled.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_names_the_mode_and_the_job() {
        let line = |mode| arguments(Board::Mps2An386, Path::new("f.elf"), mode, 4321).join(" ");
        let serve = line(Mode::Serve);
        assert!(serve.starts_with("-M mps2-an386 ") && serve.ends_with(" -kernel f.elf"), "{serve}");
        assert!(serve.contains("-serial tcp:127.0.0.1:4321,nodelay=on "), "{serve}");
        assert!(!serve.contains("arg="), "{serve}");
        assert!(line(Mode::SelfTest).contains("target=native,arg=self-test "));
        let job = Path::new("a,b/job.bin");
        let memory = line(Mode::Memory { job, plugin: None });
        assert!(memory.contains("target=native,arg=memory "), "{memory}");
        assert!(
            memory.ends_with("-device loader,file=a,,b/job.bin,addr=0x21000000,force-raw=on"),
            "{memory}"
        );
        let watched = line(Mode::Memory { job, plugin: Some("count.so,out=x") });
        assert_eq!(watched, memory + " -plugin count.so,out=x");
    }

    #[test]
    fn a_board_that_qemu_lacks_runs_on_another_machine() {
        let line = arguments(Board::Mps2An382, Path::new("f.elf"), Mode::Serve, 1).join(" ");
        assert!(line.starts_with("-M mps2-an385 "), "{line}");
    }
}
