//! Arm's MPS2 and MPS3: boards whose FPGA holds processor and devices, so that each of its images is another board,
//! described in an application note (AN) of its own. They differ in addresses, interrupts and clocks, and a board's file
//! says no more than that.

mod cmsdk_uart;
mod cmsdk_watchdog;
mod led;
mod semihosting;
mod timed;

#[cfg_attr(board = "mps2-an382", path = "mps2_an382.rs")]
#[cfg_attr(board = "mps2-an385", path = "mps2_an385.rs")]
#[cfg_attr(board = "mps2-an386", path = "mps2_an386.rs")]
#[cfg_attr(board = "mps2-an500", path = "mps2_an500.rs")]
#[cfg_attr(board = "mps2-an505", path = "mps2_an505.rs")]
#[cfg_attr(board = "mps3-an547", path = "mps3_an547.rs")]
mod selected;
pub(crate) use selected::Selected;

use cortex_m_rt::exception;
use refrain::link::Cause;
use refrain_firmware::update::RamFlash;
use refrain_firmware::{Mode, Parts};

use self::cmsdk_uart::Uart;
use self::cmsdk_watchdog::Watchdog;
use self::led::Led;
use self::timed::Timed;
use super::counter::{Calibrated, Counter};
use super::interrupt::Interrupt;
use super::{Board, PartsOf, SaveError, received};
use crate::fault::{self, NON_MASKABLE};
use crate::models::COUNT;
use crate::{life, stack};

/// Where the devices of an MPS board are.
pub(crate) trait Mps {
    /// Its name, as in `REFRAIN_BOARD`.
    const NAME: &'static str;
    /// Cycles of the processor in a microsecond.
    const MEGAHERTZ: u32;
    /// UART 0.
    const UART: Uart;
    /// The user LEDs.
    const LED: Led;
    /// The kind of [`COUNTER`](Self::COUNTER).
    type Counter: Counter;
    /// What inferences are measured with.
    const COUNTER: Self::Counter;
    /// The watchdog, whose interrupt is the one that nothing masks.
    const WATCHDOG: Watchdog;
    /// Where the host puts a job.
    const JOB: Memory;
    /// What serves as flash for models: it outlives a reset.
    const MODELS: Memory;
}

/// Memory of the board that no section of the program is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    address: usize,
    bytes: usize,
}

impl Memory {
    /// The memory from that address on.
    ///
    /// # Safety
    /// There must be so many bytes of memory, and neither a section of the program nor other such memory in them.
    pub(super) const unsafe fn at(address: usize, bytes: usize) -> Self {
        Self { address, bytes }
    }

    /// # Safety
    /// This must be done only once.
    unsafe fn take(self) -> &'static mut [u8] {
        let start = core::ptr::with_exposed_provenance_mut(self.address);
        // SAFETY: `at` was promised memory that is nobody else's, and any byte is a `u8`.
        unsafe { core::slice::from_raw_parts_mut(start, self.bytes) }
    }
}

impl<B: Mps> Board for B {
    const NAME: &'static str = B::NAME;
    const TESTS_ITSELF_FIRST: bool = false;
    type Serial = Timed<Uart>;
    type Light = Led;
    type Clock = Calibrated<B::Counter>;
    type Flash = RamFlash<{ 2 * COUNT + 1 }>;
    type Watchdog = Watchdog;

    fn take() -> Result<(PartsOf<Self>, Self::Flash), &'static str> {
        let core = cortex_m::Peripherals::take().ok_or("the hardware was taken before")?;
        B::LED.start();
        let clock = Calibrated::start(B::COUNTER);
        // Not before, for its interrupts would be measured along with the clock.
        B::UART.start();
        let parts = Parts {
            board: B::NAME,
            serial: Timed::new(B::UART, core.SYST, B::MEGAHERTZ),
            busy: B::LED,
            clock,
            // SAFETY: the peripherals are taken only once.
            memory: unsafe { B::JOB.take() },
            stack_used: stack::used,
            lost_bytes: received::lost,
        };
        // SAFETY: as above.
        let flash = RamFlash::new(unsafe { B::MODELS.take() });
        Ok((parts, flash))
    }

    fn watchdog() -> Watchdog {
        B::WATCHDOG
    }

    fn mode() -> Mode {
        semihosting::mode()
    }

    fn save_answers(answers: &[u8]) -> Result<(), SaveError> {
        semihosting::save_answers(answers)
    }

    fn exit(success: bool) -> ! {
        semihosting::exit(success)
    }
}

last_exception!(NonMaskableInt => non_maskable_interrupt);

/// The watchdog's last word before it resets the board.
extern "C" fn non_maskable_interrupt(pc: u32, _lr: u32) -> ! {
    if !Selected::WATCHDOG.has_run_out() {
        fault::unexpected_interrupt(NON_MASKABLE)
    }
    life::end(Cause::Watchdog { pc }, || defmt::error!("the program hangs at {=u32:#010x}", pc))
}

#[exception]
unsafe fn DefaultHandler(number: i16) {
    let interrupt = Interrupt(number as u16);
    if !Selected::UART.answer(interrupt, || Selected::COUNTER.micros())
        && !Selected::COUNTER.answer(interrupt)
    {
        fault::unexpected_interrupt(number);
    }
}
