//! The boards that firmware is built for.

use std::fmt;
use std::str::FromStr;

use super::DeviceError;
use crate::setup::QemuVersion;

/// A board that `refrain device` can build firmware for and run under QEMU.
///
/// ```
/// use refrain_trainer::device::Board;
///
/// assert_eq!("mps2-an386".parse::<Board>().unwrap(), Board::Mps2An386);
/// let error = "pdp-11".parse::<Board>().unwrap_err().to_string();
/// assert!(error.starts_with("there is no board pdp-11; the boards are: mps2-an382, mps2-an385, "), "{error}");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Board {
    /// Arm's MPS2 with the AN382 image: a Cortex-M0. QEMU has no such machine, and runs its firmware on a Cortex-M3 with
    /// the same memories and devices.
    Mps2An382,
    /// Arm's MPS2 with the AN385 image: a Cortex-M3.
    Mps2An385,
    /// Arm's MPS2 with the AN386 image: a Cortex-M4 with FPU.
    #[default]
    Mps2An386,
    /// ST's B-L475E-IOT01A: an STM32L475, whose core is a Cortex-M4 with FPU. The same firmware is for the real board.
    BL475eIot01a,
    /// Arm's MPS2 with the AN500 image: a Cortex-M7.
    Mps2An500,
    /// Arm's MPS2 with the AN505 image: a Cortex-M33 with DSP extension and FPU.
    Mps2An505,
    /// Arm's MPS3 with the AN547 image: a Cortex-M55 with MVE and FPU.
    Mps3An547,
}

/// Memory of an emulated board that QEMU can fill before the program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobMemory {
    /// Where it begins.
    pub address: u32,
    /// Its length in bytes.
    pub bytes: usize,
}

/// What there is to know of a board.
struct Facts {
    name: &'static str,
    machine: &'static str,
    core: &'static str,
    target: &'static str,
    target_cpu: Option<&'static str>,
    clock_hz: u32,
    minimum_qemu: QemuVersion,
    job_address: Option<u32>,
}

/// An instruction takes 1024 ns of the board's time, in which timers of 20, 25 or 32 MHz count it exactly.
const LONG_INSTRUCTION: u32 = 10;

/// An instruction takes 16 ns, which are 1.28 cycles at 80 MHz: as long as on silicon, more or less, and a SysTick of 24
/// bits counts it exactly with hardly an interrupt.
const SHORT_INSTRUCTION: u32 = 4;

impl Board {
    /// Every board, from the smallest core to the largest.
    pub const ALL: [Self; 7] = [
        Self::Mps2An382,
        Self::Mps2An385,
        Self::Mps2An386,
        Self::BL475eIot01a,
        Self::Mps2An500,
        Self::Mps2An505,
        Self::Mps3An547,
    ];

    const fn facts(self) -> Facts {
        match self {
            Self::Mps2An382 => Facts {
                name: "mps2-an382",
                machine: "mps2-an385",
                core: "Cortex-M0",
                target: "thumbv6m-none-eabi",
                target_cpu: None,
                clock_hz: 25_000_000,
                minimum_qemu: QemuVersion(7, 2),
                job_address: Some(0x2100_0000),
            },
            Self::Mps2An385 => Facts {
                name: "mps2-an385",
                machine: "mps2-an385",
                core: "Cortex-M3",
                target: "thumbv7m-none-eabi",
                target_cpu: None,
                clock_hz: 25_000_000,
                minimum_qemu: QemuVersion(7, 2),
                job_address: Some(0x2100_0000),
            },
            Self::Mps2An386 => Facts {
                name: "mps2-an386",
                machine: "mps2-an386",
                core: "Cortex-M4",
                target: "thumbv7em-none-eabihf",
                target_cpu: None,
                clock_hz: 25_000_000,
                minimum_qemu: QemuVersion(7, 2),
                job_address: Some(0x2100_0000),
            },
            Self::BL475eIot01a => Facts {
                name: "b-l475e-iot01a",
                machine: "b-l475e-iot01a",
                core: "Cortex-M4",
                target: "thumbv7em-none-eabihf",
                target_cpu: None,
                clock_hz: 80_000_000,
                // 9.0 has the machine, but not its USARTs.
                minimum_qemu: QemuVersion(9, 1),
                job_address: None,
            },
            Self::Mps2An500 => Facts {
                name: "mps2-an500",
                machine: "mps2-an500",
                core: "Cortex-M7",
                target: "thumbv7em-none-eabihf",
                target_cpu: None,
                clock_hz: 25_000_000,
                minimum_qemu: QemuVersion(7, 2),
                job_address: Some(0x6000_0000),
            },
            Self::Mps2An505 => Facts {
                name: "mps2-an505",
                machine: "mps2-an505",
                core: "Cortex-M33",
                target: "thumbv8m.main-none-eabihf",
                target_cpu: Some("cortex-m33"),
                clock_hz: 20_000_000,
                minimum_qemu: QemuVersion(7, 2),
                job_address: Some(0x8000_0000),
            },
            Self::Mps3An547 => Facts {
                name: "mps3-an547",
                machine: "mps3-an547",
                core: "Cortex-M55",
                target: "thumbv8m.main-none-eabihf",
                target_cpu: Some("cortex-m55"),
                clock_hz: 32_000_000,
                minimum_qemu: QemuVersion(7, 2),
                job_address: Some(0x6000_0000),
            },
        }
    }

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// QEMU's name of the machine that runs its firmware.
    pub const fn machine(self) -> &'static str {
        self.facts().machine
    }

    /// Its processor.
    pub const fn core(self) -> &'static str {
        self.facts().core
    }

    /// The processor that QEMU runs its firmware on: another one where QEMU has no such machine.
    pub const fn emulated_core(self) -> &'static str {
        match self {
            Self::Mps2An382 => Self::Mps2An385.core(),
            other => other.core(),
        }
    }

    /// The Rust target of its processor.
    pub const fn target(self) -> &'static str {
        self.facts().target
    }

    /// What the compiler calls the processor, where the target leaves open which extensions it has.
    pub const fn target_cpu(self) -> Option<&'static str> {
        self.facts().target_cpu
    }

    /// What its processor is clocked with, in Hz.
    pub const fn clock_hz(self) -> u32 {
        self.facts().clock_hz
    }

    /// The oldest QEMU that emulates it well enough.
    pub const fn minimum_qemu(self) -> QemuVersion {
        self.facts().minimum_qemu
    }

    /// Where the firmware looks for a [job](refrain::link::bulk) that was put into its memory; `None` where it is that of
    /// a real board, which answers over the link alone.
    pub const fn job_memory(self) -> Option<JobMemory> {
        match self.facts().job_address {
            Some(address) => Some(JobMemory { address, bytes: 16 << 20 }),
            None => None,
        }
    }

    /// Whether its firmware asks QEMU, by semihosting, what it is to do. A real board would stop there.
    pub(super) const fn asks_qemu(self) -> bool {
        self.job_memory().is_some()
    }

    /// How long an instruction takes under QEMU: two to this power, in nanoseconds of the board's time.
    pub(super) const fn instruction_shift(self) -> u32 {
        if self.asks_qemu() { LONG_INSTRUCTION } else { SHORT_INSTRUCTION }
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Board {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let known = Self::ALL.map(Self::name).join(", ");
        let board = Self::ALL.into_iter().find(|board| board.name() == name);
        board.ok_or(DeviceError::UnknownBoard { name: name.into(), known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_has_a_name_that_is_read_back() {
        for board in Board::ALL {
            assert_eq!(board.name().parse::<Board>().unwrap(), board);
        }
    }

    #[test]
    fn a_board_that_qemu_lacks_runs_on_the_core_of_the_machine_in_its_place() {
        for board in Board::ALL {
            let machine: Board = board.machine().parse().unwrap();
            assert_eq!(board.emulated_core(), machine.core(), "{board}");
        }
        assert_ne!(Board::Mps2An382.emulated_core(), Board::Mps2An382.core());
    }
}
