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
    /// Opens the port at [`BAUD`] and forgets what came before.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(port: &str) -> io::Result<Self> {
        let port = SerialPort::open(port, BAUD)?;
        port.discard_buffers()?;
        Ok(Self { port })
    }
}

impl Transport for Serial {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        Ok(self.port.write_all(bytes)?)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<(), TransportError> {
        let patience = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.port.set_read_timeout(patience)?;
        let mut buffer = [0; 512];
        match self.port.read(&mut buffer) {
            Ok(0) => Err(TransportError::Gone),
            Ok(count) => {
                into.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
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
}
