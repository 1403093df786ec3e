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
/// let error = "pdp-11".parse::<Board>().unwrap_err();
/// assert_eq!(error.to_string(), "there is no board pdp-11; the boards are: mps2-an386");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Board {
    /// Arm's MPS2 with the AN386 image: a Cortex-M4 with FPU.
    #[default]
    Mps2An386,
}

/// Memory of an emulated board that QEMU can fill before the program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobMemory {
    /// Where it begins.
    pub address: u32,
    /// Its length in bytes.
    pub bytes: usize,
}

/// Boards that are planned and that no firmware is built for yet.
const PLANNED: [&str; 1] = ["b-l475e-iot01a"];

impl Board {
    /// Every board.
    pub const ALL: [Self; 1] = [Self::Mps2An386];

    /// The name used on the command line, which is also QEMU's name of the machine.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mps2An386 => "mps2-an386",
        }
    }

    /// The Rust target of its processor.
    pub const fn target(self) -> &'static str {
        match self {
            Self::Mps2An386 => "thumbv7em-none-eabihf",
        }
    }

    /// The oldest QEMU that emulates it well enough.
    pub const fn minimum_qemu(self) -> QemuVersion {
        match self {
            Self::Mps2An386 => QemuVersion(7, 2),
        }
    }

    /// Where the firmware looks for a [job](refrain::link::bulk) that was put into its memory.
    pub const fn job_memory(self) -> JobMemory {
        match self {
            Self::Mps2An386 => JobMemory { address: 0x2100_0000, bytes: 16 << 20 },
        }
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
        match Self::ALL.into_iter().find(|board| board.name() == name) {
            Some(board) => Ok(board),
            None if PLANNED.contains(&name) => Err(DeviceError::PlannedBoard { name: name.into(), known }),
            None => Err(DeviceError::UnknownBoard { name: name.into(), known }),
        }
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
    fn a_planned_board_is_said_to_be_planned() {
        let message = "b-l475e-iot01a".parse::<Board>().unwrap_err().to_string();
        assert_eq!(message, "the board b-l475e-iot01a is not supported yet; the boards are: mps2-an386");
    }
}
