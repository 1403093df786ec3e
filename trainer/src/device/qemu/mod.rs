//! An emulated board: QEMU as a child process, its UART on a TCP connection to this machine itself.
//!
//! The UART is not on stdin and stdout, because QEMU writes what the firmware logs by semihosting to its stdout,
//! whatever character device it is told to use for that.

mod command_line;
mod running;

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub use command_line::Mode;
pub(super) use running::end_all;

use super::board::Board;
use super::firmware::Firmware;
use super::log::{LogError, LogFollower, LogFormat, LogLine};
use crate::link::{Streams, Transport, TransportError};
use crate::setup::Qemu;
use command_line::arguments;
use running::Running;

/// Where QEMU's own messages go, in the run's folder.
const MESSAGES: &str = "qemu.log";
/// Where the firmware's defmt log goes, undecoded.
const LOG: &str = "firmware.defmt";
/// Lines of that log that are told where a run fails.
const LAST_LINES: usize = 4;

/// How long QEMU may take to end after its UART was closed.
const TIME_TO_END: Duration = Duration::from_secs(5);
/// How long QEMU may take until it connects its UART.
const TIME_TO_CONNECT: Duration = Duration::from_secs(30);

/// Why an emulated board did not work.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// QEMU cannot be started.
    #[error("{program}: cannot start the emulated board: {reason}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file for the run cannot be made.
    #[error("{path}: cannot write this file for the emulated board: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The board's UART cannot be connected or read.
    #[error("the emulated board's UART fails: {reason}")]
    Uart {
        /// What the system says.
        reason: io::Error,
    },
    /// QEMU ended before its work was done.
    #[error("QEMU ended in the middle of the run, with {status}; {words}")]
    Ended {
        /// How it ended.
        status: String,
        /// The last that it said, and that the firmware logged.
        words: String,
    },
    /// The firmware does not end QEMU when it should.
    #[error("the emulated board did not finish its work within {seconds} s")]
    Late {
        /// How long it was waited for.
        seconds: u64,
    },
}

/// A running QEMU, ended when this is dropped.
pub struct Emulator {
    process: Process,
    uart: Streams<TcpStream>,
}

/// QEMU's process and where it leaves its words.
struct Process {
    running: Running,
    folder: PathBuf,
    firmware: Firmware,
}

impl Emulator {
    /// Starts the firmware on the emulated board; QEMU works in `folder`, which the firmware can write files to.
    ///
    /// # Errors
    /// [`EmulatorError::Start`], [`EmulatorError::File`] or [`EmulatorError::Uart`]; [`EmulatorError::Ended`] or
    /// [`EmulatorError::Late`] where QEMU does not connect its UART.
    pub fn start(
        qemu: &Qemu,
        board: Board,
        firmware: &Firmware,
        mode: Mode<'_>,
        folder: &Path,
    ) -> Result<Self, EmulatorError> {
        let file = |name| {
            let path = folder.join(name);
            File::create(&path).map_err(|reason| EmulatorError::File { path, reason })
        };
        let uart = |reason| EmulatorError::Uart { reason };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(uart)?;
        listener.set_nonblocking(true).map_err(uart)?;
        let port = listener.local_addr().map_err(uart)?.port();
        let mut command = Command::new(&qemu.program);
        command
            .args(arguments(board, &firmware.elf, mode, port))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file(LOG)?)
            .stderr(file(MESSAGES)?);
        let running = Running::start(&mut command)
            .map_err(|reason| EmulatorError::Start { program: qemu.program.clone(), reason })?;
        let mut process = Process { running, folder: folder.to_owned(), firmware: firmware.clone() };
        let (to, from) = process.connect(&listener)?;
        Ok(Self { process, uart: Streams::new(to, from) })
    }

    /// Waits until the firmware ends QEMU, which it does with status 0 where all went well.
    ///
    /// # Errors
    /// [`EmulatorError::Ended`] with any other status, [`EmulatorError::Late`] where it does not come in time.
    pub fn finish(&mut self, patience: Duration) -> Result<(), EmulatorError> {
        match self.process.wait(patience) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(self.process.ended(status)),
            None => Err(EmulatorError::Late { seconds: patience.as_secs() }),
        }
    }

    /// What the firmware logs, from its start on.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn log(&self) -> Result<LogFollower, LogError> {
        LogFollower::open(Some(&self.process.firmware.elf), Some(&self.process.log_path()))
    }

    /// Why the link was closed: QEMU has ended. `None` where it still runs.
    pub fn why_gone(&mut self) -> Option<EmulatorError> {
        self.process.wait(TIME_TO_END).map(|status| self.process.ended(status))
    }
}

impl Process {
    /// Waits for QEMU to connect its UART: the connection, to write to and to read from.
    fn connect(&mut self, listener: &TcpListener) -> Result<(TcpStream, TcpStream), EmulatorError> {
        let uart = |reason| EmulatorError::Uart { reason };
        let deadline = Instant::now() + TIME_TO_CONNECT;
        loop {
            // Looked at first, for a QEMU that has ended may have connected before.
            let ended = self.wait(Duration::from_millis(2));
            match (listener.accept(), ended) {
                (Ok((stream, _)), _) => {
                    stream.set_nonblocking(false).map_err(uart)?;
                    // A row is a request that waits for its answer: it must leave at once.
                    stream.set_nodelay(true).map_err(uart)?;
                    let reader = stream.try_clone().map_err(uart)?;
                    return Ok((stream, reader));
                }
                (Err(reason), _) if reason.kind() != io::ErrorKind::WouldBlock => return Err(uart(reason)),
                (Err(_), Some(status)) => return Err(self.ended(status)),
                (Err(_), None) => {}
            }
            if Instant::now() >= deadline {
                return Err(EmulatorError::Late { seconds: TIME_TO_CONNECT.as_secs() });
            }
        }
    }

    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.running.ended() {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn ended(&self, status: ExitStatus) -> EmulatorError {
        let messages = fs::read_to_string(self.folder.join(MESSAGES)).unwrap_or_default();
        let is_worth_telling = |line: &&str| !line.trim().is_empty() && !line.contains("warning: ");
        let last = messages.lines().rev().find(is_worth_telling);
        let mut words = match last {
            Some(line) => format!("its last words: {}", line.trim()),
            None => "it said nothing".into(),
        };
        match self.log() {
            Ok(lines) if lines.is_empty() => {}
            Ok(lines) => words += &self.last_of(&lines),
            Err(error) => words += &format!("; the firmware's log cannot be read: {error}"),
        }
        EmulatorError::Ended { status: status.to_string(), words }
    }

    /// What the firmware has logged.
    fn log(&self) -> Result<Vec<LogLine>, LogError> {
        let path = self.log_path();
        let in_file = |reason| LogError::File { path: path.clone(), reason };
        let log = fs::read(&path).map_err(in_file)?;
        // What has logged nothing need not be a program that can.
        if log.is_empty() {
            return Ok(Vec::new());
        }
        LogFormat::of_program(&self.firmware.elf)?.lines(&log[..]).map_err(in_file)
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// The last lines of the log, and where all of them are kept beyond this run, if they can be.
    fn last_of(&self, lines: &[LogLine]) -> String {
        let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let last = texts[texts.len().saturating_sub(LAST_LINES)..].join(" | ");
        let keep = &self.firmware.failure_folder;
        let kept = keep.join("firmware.log");
        let is_kept =
            fs::create_dir_all(keep).and_then(|()| fs::write(&kept, texts.join("\n") + "\n")).is_ok();
        let whole = if is_kept { format!("; all of it is in {}", kept.display()) } else { String::new() };
        format!("; the firmware's log ends: {last}{whole}")
    }
}

impl Transport for Emulator {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.uart.send(bytes)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        self.uart.receive(into, deadline)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::setup::QemuVersion;
    use crate::test_programs::script;

    fn start_program(folder: &Path, program: PathBuf) -> Result<Emulator, EmulatorError> {
        let qemu = Qemu { program, version: QemuVersion(10, 0) };
        let (elf, failure_folder) = (folder.join("f.elf"), folder.join("kept"));
        fs::write(&elf, "a program").unwrap();
        let firmware = Firmware { elf, code_bytes: 0, model_bytes: 0, static_ram_bytes: 0, failure_folder };
        Emulator::start(&qemu, Board::Mps2An386, &firmware, Mode::Serve, folder)
    }

    /// Starts a shell script in QEMU's place; it is connected to the UART by file descriptor 3.
    fn start(folder: &Path, body: &str) -> Result<Emulator, EmulatorError> {
        let find_port = "port=$(echo \"$*\" | sed 's/.*127.0.0.1:\\([0-9]*\\).*/\\1/')";
        let connected = format!("{find_port}\nexec bash -c \"exec 3<>/dev/tcp/127.0.0.1/$port\n{body}\"");
        start_program(folder, script(folder, "qemu", &connected))
    }

    /// Starts a shell script that never connects.
    fn start_unconnected(folder: &Path, body: &str) -> Result<Emulator, EmulatorError> {
        start_program(folder, script(folder, "qemu", body))
    }

    #[test]
    fn the_uart_is_on_the_connection_and_the_log_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut emulator = start(folder.path(), "echo log; exec cat <&3 >&3").unwrap();
        emulator.send(b"a row").unwrap();
        let mut came = Vec::new();
        while came.len() < 5 {
            emulator.receive(&mut came, Instant::now() + Duration::from_secs(60)).unwrap();
        }
        assert_eq!(came, b"a row");
        assert_eq!(fs::read(folder.path().join(LOG)).unwrap(), b"log\n");
    }

    #[test]
    fn its_status_and_last_words_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let mut emulator =
            start(folder.path(), "echo 'its clock stopped' >&2\necho 'q: warning: x' >&2\nexit 3").unwrap();
        let mut came = Vec::new();
        let gone = emulator.receive(&mut came, Instant::now() + Duration::from_secs(60)).unwrap_err();
        assert!(matches!(gone, TransportError::Gone), "{gone}");
        let message = emulator.why_gone().unwrap().to_string();
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(message.contains("its last words: its clock stopped"), "{message}");
    }

    #[test]
    fn a_program_that_ends_before_it_connects_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let error = start_unconnected(folder.path(), "echo 'no such machine' >&2\nexit 4").err().unwrap();
        let message = error.to_string();
        assert!(message.contains("exit status: 4"), "{message}");
        assert!(message.contains("its last words: no such machine"), "{message}");
    }

    #[test]
    fn it_finishes_well_with_status_0_only() {
        let folder = tempfile::tempdir().unwrap();
        let patience = Duration::from_secs(60);
        assert!(start(folder.path(), "exit 0").unwrap().finish(patience).is_ok());
        let error = start(folder.path(), "exit 1").unwrap().finish(patience).unwrap_err();
        assert!(error.to_string().ends_with("with exit status: 1; it said nothing"), "{error}");
        let mut stuck = start(folder.path(), "exec sleep 100").unwrap();
        let error = stuck.finish(Duration::ZERO).unwrap_err();
        assert!(matches!(error, EmulatorError::Late { .. }), "{error}");
    }

    #[test]
    fn a_log_of_a_run_that_failed_and_that_nobody_can_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut emulator = start(folder.path(), "echo log; exit 1").unwrap();
        let message = emulator.finish(Duration::from_secs(60)).unwrap_err().to_string();
        let program = folder.path().join("f.elf");
        let unreadable = format!(
            "; the firmware's log cannot be read: {}: this program's log cannot be read: ",
            program.display()
        );
        assert!(message.contains(&unreadable), "{message}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = start_program(folder.path(), "/no/such/qemu".into()).err().unwrap();
        let message = error.to_string();
        assert!(message.starts_with("/no/such/qemu: cannot start the emulated board: "), "{message}");
    }
}
