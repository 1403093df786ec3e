//! RISC-V without an operating system, as QEMU's machine `virt`: reads `model.rfn` and `sequences.bin` from the folder
//! that QEMU works in, and writes `logits.bin` there.

use core::arch::global_asm;

use refrain::{Aligned, AnyModel};
use semihosting::fs::{self, File};
use semihosting::io::Read;
use semihosting::process;

/// Room for a model.
const MODEL_BYTES: usize = 1 << 20;
/// Room for sequences.
const SEQUENCES_BYTES: usize = 4 << 20;
/// Room for logits.
const LOGITS_BYTES: usize = 1 << 20;

// The machine's memory, from 0x8000_0000 on, has 128 MiB: the stack, which holds all of the above, begins at its end. QEMU
// has cleared what must be zero.
global_asm!(
    ".section .text.start, \"ax\"",
    ".globl _start",
    "_start:",
    "lui sp, 0x88000",
    "call {main}",
    main = sym main,
);

extern "C" fn main() -> ! {
    process::exit(if classify().is_some() { 0 } else { 1 })
}

fn classify() -> Option<()> {
    let mut memory = Aligned([0; MODEL_BYTES]);
    let file = read(c"model.rfn", &mut memory.0)?;
    let model = AnyModel::from_bytes(file).ok()?;

    let mut memory = [0; SEQUENCES_BYTES];
    let sequences = read(c"sequences.bin", &mut memory)?;
    let mut memory = [0; LOGITS_BYTES];
    let logits = memory.get_mut(..crate::logits_bytes(&model, sequences))?;
    crate::answer(&model, sequences, logits).ok()?;
    fs::write(c"logits.bin", logits).ok()
}

/// The bytes of a file, which it puts into the memory.
fn read<'m>(path: &core::ffi::CStr, memory: &'m mut [u8]) -> Option<&'m [u8]> {
    let mut file = File::open(path).ok()?;
    let mut length = 0;
    loop {
        match file.read(memory.get_mut(length..)?).ok()? {
            0 => break,
            more => length += more,
        }
    }
    memory.get(..length)
}
