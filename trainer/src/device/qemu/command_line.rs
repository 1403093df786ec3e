//! What QEMU is told: the board, where its UART is, and what the firmware is to do.

use std::net::Ipv4Addr;
use std::path::Path;

use crate::device::board::Board;

/// What the firmware is to do. An Arm board finds that on its semihosting command line; others know one mode alone.
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
        /// Where the board looks for it.
        address: u32,
        /// A plugin of QEMU's that watches, with its arguments: what stands behind `-plugin`.
        plugin: Option<&'a str>,
    },
}

/// QEMU's command line, of options that version 7.2 has too.
pub(super) fn arguments(board: Board, elf: &Path, mode: Mode<'_>, port: u16) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-M", board.machine(), "-display", "none", "-monitor", "none"].map(str::to_owned).to_vec();
    arguments.extend([
        // Every instruction takes the same time, so that the board's timer counts instructions exactly.
        "-icount".into(),
        format!("shift={}", board.instruction_shift()),
        "-serial".into(),
        format!("tcp:{}:{port},nodelay=on", Ipv4Addr::LOCALHOST),
        "-kernel".into(),
        elf.display().to_string(),
    ]);
    if board.asks_qemu() {
        let command_line = match mode {
            Mode::Serve => "",
            Mode::SelfTest => ",arg=self-test",
            Mode::Memory { .. } => ",arg=memory",
        };
        let semihosting = format!("enable=on,target=native{command_line}");
        arguments.extend(["-semihosting-config".into(), semihosting]);
    }
    if let Mode::Memory { job, address, plugin } = mode {
        let file = escaped(job);
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
        assert!(serve.starts_with("-M mps2-an386 ") && serve.contains(" -kernel f.elf "), "{serve}");
        assert!(serve.contains("-icount shift=10 -serial tcp:127.0.0.1:4321,nodelay=on "), "{serve}");
        assert!(serve.ends_with(" -semihosting-config enable=on,target=native"), "{serve}");
        assert!(line(Mode::SelfTest).ends_with("target=native,arg=self-test"));
        let (job, address) = (Path::new("a,b/job.bin"), 0x2100_0000);
        let memory = line(Mode::Memory { job, address, plugin: None });
        assert!(memory.contains("target=native,arg=memory "), "{memory}");
        assert!(
            memory.ends_with("-device loader,file=a,,b/job.bin,addr=0x21000000,force-raw=on"),
            "{memory}"
        );
        let watched = line(Mode::Memory { job, address, plugin: Some("count.so,out=x") });
        assert_eq!(watched, memory + " -plugin count.so,out=x");
    }

    /// Under QEMU it must run as it would on a desk, where nobody answers a semihosting call.
    #[test]
    fn the_firmware_of_a_real_board_gets_no_help() {
        let line = arguments(Board::BL475eIot01a, Path::new("f.elf"), Mode::Serve, 1).join(" ");
        assert!(line.starts_with("-M b-l475e-iot01a ") && line.contains(" -icount shift=4 "), "{line}");
        assert!(line.ends_with(" -kernel f.elf") && !line.contains("semihosting"), "{line}");
    }

    #[test]
    fn a_board_that_qemu_lacks_runs_on_another_machine() {
        let line = arguments(Board::Mps2An382, Path::new("f.elf"), Mode::Serve, 1).join(" ");
        assert!(line.starts_with("-M mps2-an385 "), "{line}");
    }
}
