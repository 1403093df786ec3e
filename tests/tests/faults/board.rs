//! The firmware's server on this machine, at the other end of a line in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Instant;

use embedded_hal::digital::{ErrorType as PinErrorType, OutputPin};
use embedded_io::{ErrorType, Read, Write};
use refrain_firmware::server::{Server, reply_frame, request_frame};
use refrain_firmware::update::Updates;
use refrain_firmware::{Classifier, Clock, Parts, Wait};
use refrain_trainer::link::faults::{FaultCounts, Faulty};
use refrain_trainer::link::{Transport, TransportError};

/// Longest frames, as the firmware for a board with these models has them.
const REQUEST: usize = request_frame(1024);
const REPLY: usize = reply_frame(40, 32);

/// What is on its way in a line.
#[derive(Clone, Default)]
struct Line(Rc<RefCell<Bytes>>);

#[derive(Default)]
struct Bytes {
    to_board: VecDeque<u8>,
    to_host: Vec<u8>,
}

/// The board's end: it ends where nothing more is on its way.
impl ErrorType for Line {
    type Error = Infallible;
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().to_board.read(buffer)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().to_host.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The board's end of a bad line, whose faults can be counted from outside.
#[derive(Clone)]
struct Shared(Rc<RefCell<Faulty<Line>>>);

impl ErrorType for Shared {
    type Error = Infallible;
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().read(buffer)
    }
}

impl Wait for Shared {
    fn wait(&mut self, _: u32) -> Result<bool, Infallible> {
        Ok(true)
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.borrow_mut().flush()
    }
}

/// A light that nobody sees.
struct Dark;

impl PinErrorType for Dark {
    type Error = Infallible;
}

impl OutputPin for Dark {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> u64 {
        0
    }

    fn ticks_per_1000_instructions(&self) -> u32 {
        0
    }

    fn micros(&self) -> u64 {
        0
    }
}

/// A board behind a line that is bad on the board's side. Time passes only when the host waits: what the board can hear
/// it answers at once, and where nothing is on its way to the host, its time is up.
pub(crate) struct SimulatedBoard<'m> {
    server: Server<'m, Shared, Dark, Still, REQUEST, REPLY>,
    serial: Shared,
    line: Line,
}

impl<'m> SimulatedBoard<'m> {
    /// With one fault in so many bytes on its side of the line.
    pub(crate) fn new(
        models: &'m mut [&'m mut dyn Classifier],
        updates: &'m mut dyn Updates,
        one_in: u32,
        seed: u64,
    ) -> Self {
        let line = Line::default();
        let serial = Shared(Rc::new(RefCell::new(Faulty::new(line.clone(), one_in, seed))));
        let parts = Parts {
            board: "simulated",
            serial: serial.clone(),
            busy: Dark,
            clock: Still,
            memory: &mut [],
            stack_used: || 0,
            lost_bytes: || 0,
        };
        Self { server: Server::new(parts, models, updates), serial, line }
    }

    /// Faults on its side.
    pub(crate) fn counts(&self) -> FaultCounts {
        self.serial.0.borrow().counts()
    }
}

impl Transport for SimulatedBoard<'_> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        self.line.0.borrow_mut().to_board.extend(bytes);
        self.server.serve().expect("nothing of this board fails");
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, _: Instant) -> Result<(), TransportError> {
        into.append(&mut self.line.0.borrow_mut().to_host);
        Ok(())
    }
}
