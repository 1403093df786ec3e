//! What a board's firmware logs: its lines, out of the bytes that defmt makes of them.
//!
//! The firmware sends numbers in place of words; which words they stand for, its ELF says. The bytes come from QEMU's
//! stdout, or of a real board from whatever reads them there, such as OpenOCD. `probe-rs` puts them into words itself; its
//! text is read as it is.

use std::fmt;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use defmt_decoder::{DecodeError, Table};

/// How often a file is looked at that has been read to its end so far.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long a log that goes on is waited for when no more of it is wanted.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The levels of lines.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Why there is no log to read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file cannot be read.
    #[error("{path}: cannot read it: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The program does not say what its log means.
    #[error("{path}: this program's log cannot be read: {problem}; name the ELF that runs on the board")]
    Program {
        /// The program.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How grave it is: `error`, `warn`, `info`, `debug` or `trace`, or nothing where a text does not say; `None` for a line
    /// that came damaged.
    pub level: Option<&'static str>,
    /// What it says.
    pub message: String,
}

impl LogLine {
    /// A line of text, which begins with its level where it says that.
    fn of_text(text: &str) -> Self {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let level = LEVELS.into_iter().find(|level| word.eq_ignore_ascii_case(level));
        let message = if level.is_some() { rest.trim_start() } else { text };
        Self { level: level.or(Some("")), message: message.into() }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5} {}", self.level.unwrap_or("?"), self.message)
    }
}

/// What the bytes of a log stand for.
pub struct LogFormat {
    /// What numbers in it do; in a text there are none.
    table: Option<Table>,
}

impl LogFormat {
    /// Lines of text, as `probe-rs` writes them.
    pub const TEXT: Self = Self { table: None };

    /// Reads it out of the program's ELF.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn of_program(elf: &Path) -> Result<Self, LogError> {
        let path = || elf.to_owned();
        let bytes = fs::read(elf).map_err(|reason| LogError::File { path: path(), reason })?;
        let problem = match Table::parse(&bytes) {
            Ok(Some(table)) => return Ok(Self { table: Some(table) }),
            Ok(None) => "it logs nothing by defmt".into(),
            Err(error) => error.to_string(),
        };
        Err(LogError::Program { path: path(), problem })
    }

    /// Hands on the lines of a log until it ends. Where one is damaged, as at a reset in the middle of it, it goes on with
    /// the next.
    ///
    /// # Errors
    /// Those of the source; [`io::ErrorKind::InvalidData`] where nothing behind a damaged line can be read.
    pub fn read(&self, source: impl Read, on_line: impl FnMut(LogLine)) -> io::Result<()> {
        match &self.table {
            Some(table) => Self::decode(table, source, on_line),
            None => Self::read_text(source, on_line),
        }
    }

    fn read_text(source: impl Read, mut on_line: impl FnMut(LogLine)) -> io::Result<()> {
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        while source.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            if !text.trim().is_empty() {
                on_line(LogLine::of_text(text.trim_end()));
            }
            line.clear();
        }
        Ok(())
    }

    fn decode(table: &Table, mut source: impl Read, mut on_line: impl FnMut(LogLine)) -> io::Result<()> {
        let mut decoder = table.new_stream_decoder();
        let mut buffer = [0; 1024];
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => decoder.received(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            loop {
                on_line(match decoder.decode() {
                    Ok(frame) => LogLine {
                        level: frame.level().map(|level| level.as_str()),
                        message: frame.display_message().to_string(),
                    },
                    Err(DecodeError::UnexpectedEof) => break,
                    Err(DecodeError::Malformed) if table.encoding().can_recover() => {
                        LogLine { level: None, message: "a damaged line".into() }
                    }
                    Err(DecodeError::Malformed) => {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "the log is damaged"));
                    }
                });
            }
        }
    }

    /// All lines of a log.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn lines(&self, log: impl Read) -> io::Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        self.read(log, |line| lines.push(line))?;
        Ok(lines)
    }
}

/// A log that is read while it grows, until this is dropped.
#[derive(Debug)]
pub struct LogFollower {
    lines: Receiver<LogLine>,
    is_over: Arc<AtomicBool>,
}

impl LogFollower {
    /// Reads the log of the program `elf`, or where there is none lines of text, out of `log`: a file that grows, or a pipe;
    /// or from stdin.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(elf: Option<&Path>, log: Option<&Path>) -> Result<Self, LogError> {
        let format = elf.map_or(Ok(LogFormat::TEXT), LogFormat::of_program)?;
        let Some(log) = log else { return Ok(Self::follow(format, io::stdin())) };
        let file = fs::File::open(log).map_err(|reason| LogError::File { path: log.into(), reason })?;
        Ok(Self::follow(format, file))
    }

    fn follow(format: LogFormat, source: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let growing = Growing { source, is_over: Arc::clone(&is_over) };
        thread::spawn(move || follow(&format, growing, &sender));
        Self { lines, is_over }
    }

    /// The lines that have come since this was asked last.
    pub fn new_lines(&self) -> impl Iterator<Item = LogLine> {
        self.lines.try_iter()
    }

    /// The lines that are still to come, where no more is logged.
    pub fn last_lines(&self) -> impl Iterator<Item = LogLine> {
        self.is_over.store(true, Ordering::Relaxed);
        std::iter::from_fn(|| self.lines.recv_timeout(LAST_WORDS).ok())
    }
}

impl Drop for LogFollower {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

/// Hands on lines; says so as a line where no more can be read.
fn follow(format: &LogFormat, source: impl Read, lines: &Sender<LogLine>) {
    // Nobody may listen any more; then nobody misses what is not handed on.
    let read = format.read(source, |line| _ = lines.send(line));
    if let Err(error) = read {
        _ = lines.send(LogLine { level: None, message: format!("no more of the log can be read: {error}") });
    }
}

/// A source that ends when it is said to be over, and till then only waits at its end.
struct Growing<S> {
    source: S,
    is_over: Arc<AtomicBool>,
}

impl<S: Read> Read for Growing<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // Asked before reading: what was logged before it was over is read.
            let is_over = self.is_over.load(Ordering::Relaxed);
            let count = self.source.read(buffer)?;
            if count > 0 || is_over {
                return Ok(count);
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: &'static str, message: &str) -> LogLine {
        LogLine { level: Some(level), message: message.into() }
    }

    #[test]
    fn text_is_read_as_it_is_but_for_its_level() {
        let text = b"INFO  started: power came\nWARN a row is\n late\r\n\nnot a \xff level\nERROR";
        let lines = LogFormat::TEXT.lines(&text[..]).unwrap();
        let expected = [
            line("info", "started: power came"),
            line("warn", "a row is"),
            line("", " late"),
            line("", "not a \u{fffd} level"),
            line("error", ""),
        ];
        assert_eq!(lines, expected);
        assert_eq!(lines[0].to_string(), "info  started: power came");
    }

    #[test]
    fn text_is_read_while_it_grows() {
        let (reader, mut writer) = io::pipe().unwrap();
        let log = LogFollower::follow(LogFormat::TEXT, reader);
        for message in ["INFO one\n", "DEBUG two\n"] {
            io::Write::write_all(&mut writer, message.as_bytes()).unwrap();
            let line = log.lines.recv().unwrap();
            assert_eq!(line, LogLine::of_text(message.trim_end()));
        }
    }
}
