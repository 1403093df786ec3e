//! Boards.
//!
//! | board | processor | where it runs |
//! | --- | --- | --- |
//! | `mps2-an382`, `-an385`, `-an386`, `-an500`, `-an505`, `mps3-an547` | Cortex-M0, M3, M4F, M7, M33, M55 | QEMU |
//! | `b-l475e-iot01a` | STM32L475, Cortex-M4F at 80 MHz | QEMU 9.1 or newer, and the real board, by one program |
//!
//! QEMU has no machine `mps2-an382`: firmware for it, in a Cortex-M0's instructions alone, runs on the Cortex-M3 of
//! `mps2-an385`, which has the same memories and devices.
//!
//! **None of this has been run on silicon.** What is written here of the real board comes from its manuals.
//!
//! # A real board
//!
//! A B-L475E-IOT01A needs a USB cable and [probe-rs](https://probe.rs); `run` flashes it and then shows what it logs,
//! which begins with its self-test:
//!
//! ```text
//! export REFRAIN_BOARD=b-l475e-iot01a REFRAIN_MODELS=$PWD/my.rfn
//! cargo build -p refrain-firmware --profile firmware --target thumbv7em-none-eabihf
//! probe-rs run --chip STM32L475VGTx target/thumbv7em-none-eabihf/firmware/refrain-firmware
//! ```
//!
//! The same cable carries its serial port, on which it answers with or without a debugger:
//!
//! ```text
//! cargo run --release -- device my.rfn --data FOLDER --port /dev/ttyACM0
//! cargo run --release -- device my.rfn --data FOLDER --board b-l475e-iot01a     the same program under QEMU
//! ```
//!
//! What differs between the two, and what the drivers do about it:
//!
//! - *Time.* Silicon counts cycles; under QEMU with `-icount` SysTick counts instructions, so one reports
//!   `ticks_per_inference` and the other `instructions_per_inference` (see `cycles.rs`).
//! - *Bytes.* A real USART has room for one byte and loses the next: at 115,200 bits a second one comes every 87 us, and
//!   an inference takes milliseconds. Its interrupt takes them into a ring that holds the longest request, and what is
//!   lost all the same, in the USART or for want of room, is counted (`lost_bytes`). QEMU never loses any.
//! - *Flash.* QEMU's never makes the processor wait; silicon needs 4 wait states at 80 MHz, and needs them before it runs
//!   so fast (see `stm32l4/clock.rs`; `src/models.rs` says what that costs).
//! - *Logs.* They go by RTT, for semihosting without a debugger would stop the processor. Nobody sees them under QEMU.
//! - *Failures.* The board starts again and the next hello says why. A program that hangs is ended by a tick, or by the
//!   independent watchdog where not even ticks come (see `stm32l4/watchdog.rs`). QEMU has no such watchdog: there the program
//!   says so in its log, and one that hangs stays so.
//! - *Other models.* They go to the second bank of its flash, out of the way of the program in the first (`stm32l4/flash.rs`,
//!   and in the library `update/stm32`). QEMU has no controller for its flash: its control register is not closed after a
//!   reset, the program says so in its log, and uploads are refused. Tests run the driver and the slots on a simulation of
//!   the registers.
//!
//! # How to add a board
//!
//! A board is one file in the folder of its family, the memory layout beside it, and a line in that family's `mod.rs` that
//! names the file; `REFRAIN_BOARD` chooses it when the firmware is built. For one that is called `my-board`:
//!
//! 1. `my_board.x` says where code and variables go: regions `FLASH` and `RAM`, as
//!    [cortex-m-rt](https://docs.rs/cortex-m-rt) wants them. `build.rs` finds it by its name, and adds `stack.x`, which
//!    puts the stack at the bottom of `RAM`; `stack.rs` says why.
//! 2. `my_board.rs` has a type `Selected` that implements [`Board`]: its serial line, its light, what it counts time
//!    with and what resets it when it hangs, where models are kept that take the place of those in the program, and how it
//!    is told what to do. In the family `mps` it implements `Mps` instead, which is a table of addresses; `mps2_an386.rs`
//!    is one. A real board takes `stm32l4/b_l475e_iot01a.rs` as its example: bytes come by interrupt ([`received`]), and
//!    it tests itself first ([`Board::TESTS_ITSELF_FIRST`]), for nobody can tell it to.
//! 3. A family is a folder with the drivers of its boards, of which `stm32l4/mod.rs` is a short example, and two lines
//!    below. A driver takes [`Registers`], and the board's file vouches for their addresses; one that only some boards of a
//!    family have is named by their files.
//! 4. The self-test tries clock, light, stack and every model. Of a board that is emulated:
//!    `REFRAIN_BOARD=my-board cargo run -p refrain-firmware --profile firmware --target TARGET`. Cores with a choice of
//!    extensions are named too, as in `RUSTFLAGS=-Ctarget-cpu=cortex-m33`.
//! 5. To have it under `refrain device --board my-board`, it gets an arm in `trainer/src/device/board.rs`: target, core,
//!    the oldest QEMU, and where a job goes, if it has memory for that. The test `cores` then holds it against all others.
//!
//! [`Registers`]: register::Registers

use cortex_m::peripheral::SCB;
use embedded_hal::digital::StatefulOutputPin;
use embedded_io::Write;
use refrain_firmware::update::HeldFlash;
use refrain_firmware::{Clock, Mode, Parts, Wait, Watchdog};

mod counter;
mod interrupt;
mod received;
mod register;

#[cfg(family = "mps")]
mod mps;
#[cfg(family = "mps")]
pub(crate) use mps::Selected;

#[cfg(family = "stm32l4")]
mod stm32l4;
#[cfg(family = "stm32l4")]
pub(crate) use stm32l4::Selected;

/// What the firmware needs of a board.
pub(crate) trait Board {
    /// Its name, as in `REFRAIN_BOARD`.
    const NAME: &'static str;
    /// Whether it tests clock, light and stack before it answers the first request, as a board does that nobody can tell to.
    /// Models are tested by every board.
    const TESTS_ITSELF_FIRST: bool;
    /// The line to the host.
    type Serial: Wait + Write;
    /// The busy light.
    type Light: StatefulOutputPin;
    /// What inferences are measured with.
    type Clock: Clock;
    /// Where models are kept that take the place of those in the program; `NoFlash` where there is no room for that.
    type Flash: HeldFlash;
    /// What resets it when it hangs.
    type Watchdog: Watchdog;

    /// Sets the hardware up and hands it over, the first time it is called; an error says what is wrong with it.
    fn take() -> Result<(PartsOf<Self>, Self::Flash), &'static str>;

    /// The watchdog, to be used by one part of the program.
    fn watchdog() -> Self::Watchdog;

    /// What the board is to do.
    fn mode() -> Mode;

    /// Hands the answers of a job in memory to the host.
    fn save_answers(answers: &[u8]) -> Result<(), SaveError>;

    /// Ends the program.
    fn exit(success: bool) -> !;

    /// Starts the board again. One whose log lies in its memory until a debugger fetches it gives that some time before.
    fn restart() -> ! {
        SCB::sys_reset()
    }
}

/// The parts of a board.
pub(crate) type PartsOf<B> = Parts<<B as Board>::Serial, <B as Board>::Light, <B as Board>::Clock>;

/// The answers of a job in memory could not be handed to the host.
pub(crate) struct SaveError;
