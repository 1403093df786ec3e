//! What a program takes of a board's memory, read from its ELF.

use std::fs;
use std::path::Path;

use object::elf::{SHF_ALLOC, SHF_WRITE, SHT_NOBITS};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags};

use super::firmware::FirmwareError;

/// Bytes that a program takes, all it contains included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProgramSize {
    /// Flash: code, constants, and the initial values of variables.
    pub(super) flash: u64,
    /// RAM that is taken from the start: all variables, the stack not included.
    pub(super) ram: u64,
}

/// The address of a function or a variable; of a function in Thumb code it is odd. `None` where the program has no
/// symbol of that name.
pub(super) fn address_of(path: &Path, symbol: &str) -> Result<Option<u64>, FirmwareError> {
    let unreadable = |reason: String| FirmwareError::Elf { path: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let file = object::File::parse(&*bytes).map_err(|error| unreadable(error.to_string()))?;
    Ok(file.symbol_by_name(symbol).map(|symbol| symbol.address()))
}

/// Reads the section table of a program.
pub(super) fn program_size(path: &Path) -> Result<ProgramSize, FirmwareError> {
    let unreadable = |reason: String| FirmwareError::Elf { path: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let file = object::File::parse(&*bytes).map_err(|error| unreadable(error.to_string()))?;
    let mut size = ProgramSize { flash: 0, ram: 0 };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags, sh_type, .. } = section.flags() else { continue };
        if !sh_flags.contains(SHF_ALLOC) {
            continue;
        }
        // Initialised variables take both: their values lie in flash until they are copied.
        if sh_type != SHT_NOBITS {
            size.flash += section.size();
        }
        // What is copied to RAM need not be written there: see the firmware's feature `weights-in-ram`.
        if sh_flags.contains(SHF_WRITE) || section.name() == Ok(".data") {
            size.ram += section.size();
        }
    }
    Ok(size)
}
