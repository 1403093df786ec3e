//! Bytes to a board and back.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serial2::SerialPort;

/// Bits a second on a serial port, 8N1.
pub const BAUD: u32 = 115_200;

/// Why no more bytes come or go.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The other end was closed: the program that emulates the board ended, or the board was unplugged.
    #[error("the board has gone: its end of the link was closed")]
    Gone,
    /// The system reports an error.
    #[error("the link to the board failed: {0}")]
    Io(io::Error),
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Self::Gone,
            _ => Self::Io(error),
        }
    }
}

/// A stream of bytes to a board and one back; either may lose or change bytes.
pub trait Transport {
    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// [`TransportError`].
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError>;

    /// Appends to `into` what has come, at least one byte. Appends nothing where nothing comes before `deadline`,
    /// or where that has passed.
    ///
    /// # Errors
    /// [`TransportError`].
    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError>;
}

/// A serial port.
#[derive(Debug)]
pub struct Serial {
    port: SerialPort,
}

impl Serial {
    /// Opens the port at [`BAUD`], for nobody else while this lasts, and forgets what came before.
    ///
    /// # Errors
    /// Those of the system; [`io::ErrorKind::ResourceBusy`] where another program has it open.
    pub fn open(port: &str) -> io::Result<Self> {
        let port = SerialPort::open(port, BAUD).map_err(|error| match error.kind() {
            io::ErrorKind::ResourceBusy => in_use(),
            _ => error,
        })?;
        claim(&port)?;
        port.discard_buffers()?;
        Ok(Self { port })
    }
}

/// Two programs at one port take each other's bytes.
fn in_use() -> io::Error {
    let words = "it is in use by another program; close that (another refrain, a terminal) and try again";
    io::Error::new(io::ErrorKind::ResourceBusy, words)
}

/// Takes the port for this program alone: by a lock, which other careful programs look for and which goes with the program,
/// and by exclusive mode, which the system keeps all others off by, but for root's.
#[cfg(unix)]
fn claim(port: &SerialPort) -> io::Result<()> {
    use std::fs::{File, TryLockError};
    use std::os::fd::AsFd;

    // The lock is that of the open port, and stays when this second handle of it is closed.
    File::from(port.as_fd().try_clone_to_owned()?).try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => in_use(),
        TryLockError::Error(error) => error,
    })?;
    Ok(rustix::termios::ioctl_tiocexcl(port)?)
}

/// The system does.
#[cfg(not(unix))]
fn claim(_: &SerialPort) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
impl Drop for Serial {
    fn drop(&mut self) {
        // A pseudo-terminal would stay exclusive until both its ends are closed. One that is gone needs nothing.
        let _ = rustix::termios::ioctl_tiocnxcl(&self.port);
    }
}

impl Transport for Serial {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        Ok(self.port.write_all(bytes)?)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        let mut buffer = [0; 512];
        loop {
            let patience = deadline.saturating_duration_since(Instant::now());
            self.port.set_read_timeout(patience.max(Duration::from_millis(1)))?;
            match self.port.read(&mut buffer) {
                Ok(0) => return Err(TransportError::Gone),
                Ok(count) => {
                    into.extend_from_slice(&buffer[..count]);
                    return Ok(());
                }
                Err(error) if is_nothing(error.kind()) && Instant::now() >= deadline => return Ok(()),
                Err(error) if is_nothing(error.kind()) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether a failure to read says no more than that nothing has come: in time, or when it was looked for, or until a signal
/// such as Ctrl-C's.
fn is_nothing(error: io::ErrorKind) -> bool {
    matches!(error, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// A stream to write to and one to read from; a thread reads, so that one can wait for bytes until a deadline.
pub(crate) struct Streams<W> {
    to: W,
    from: Receiver<io::Result<Vec<u8>>>,
}

impl<W: io::Write> Streams<W> {
    pub(crate) fn new(to: W, from: impl io::Read + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(64);
        thread::spawn(move || read_all(from, &sender));
        Self { to, from: receiver }
    }
}

/// Hands on what comes until the other end is closed or nobody listens any more.
fn read_all(mut from: impl io::Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => Ok(buffer[..count].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = read.is_err();
        if sender.send(read).is_err() || failed {
            return;
        }
    }
}

impl<W: io::Write> Transport for Streams<W> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.to.write_all(bytes)?;
        Ok(self.to.flush()?)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        match self.from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(read) => {
                into.extend_from_slice(&read?);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(TransportError::Gone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_hand_on_every_byte_and_tell_when_they_are_closed() {
        let bytes: Vec<u8> = (0..10_000).map(|index| index as u8).collect();
        let mut pipes = Streams::new(Vec::new(), io::Cursor::new(bytes.clone()));
        pipes.send(b"to the board").unwrap();
        assert_eq!(pipes.to, b"to the board");
        let (mut came, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
        while came.len() < bytes.len() {
            pipes.receive(&mut came, deadline).unwrap();
        }
        assert_eq!(came, bytes);
        assert!(matches!(pipes.receive(&mut came, deadline), Err(TransportError::Gone)));
    }

    #[cfg(unix)]
    #[test]
    fn a_silent_pipe_is_no_error() {
        let (reader, _writer) = io::pipe().unwrap();
        let mut pipes = Streams::new(io::sink(), reader);
        let mut came = Vec::new();
        pipes.receive(&mut came, Instant::now() + Duration::from_millis(5)).unwrap();
        assert!(came.is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_serial_port_carries_bytes_both_ways() {
        let (near, far) = SerialPort::pair().unwrap();
        let mut serial = Serial { port: near };
        serial.send(b"row").unwrap();
        let mut buffer = [0; 3];
        far.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"row");
        far.write_all(b"reply").unwrap();
        let mut came = Vec::new();
        while came.len() < 5 {
            serial.receive(&mut came, Instant::now() + Duration::from_secs(60)).unwrap();
        }
        assert_eq!(came, b"reply");
        serial.receive(&mut came, Instant::now()).unwrap();
        assert_eq!(came.len(), 5);
    }

    #[test]
    fn a_signal_or_bytes_that_another_took_are_no_failure() {
        use io::ErrorKind::{BrokenPipe, Interrupted, NotConnected, TimedOut, WouldBlock};
        assert_eq!([TimedOut, WouldBlock, Interrupted].map(is_nothing), [true; 3]);
        assert_eq!([BrokenPipe, NotConnected].map(is_nothing), [false; 2]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_port_belongs_to_one_program_at_a_time() {
        use std::os::fd::AsRawFd;

        let (_far, near) = SerialPort::pair().unwrap();
        let port = std::fs::read_link(format!("/proc/self/fd/{}", near.as_raw_fd())).unwrap();
        drop(near);
        let port = port.to_str().unwrap();
        for _ in 0..2 {
            let _first = Serial::open(port).unwrap();
            let second = Serial::open(port).unwrap_err();
            assert_eq!(second.kind(), io::ErrorKind::ResourceBusy);
            assert!(second.to_string().starts_with("it is in use by another program"), "{second}");
        }
    }
}
