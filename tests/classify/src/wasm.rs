//! WebAssembly: a module without imports, that its host calls.
//!
//! 1. `reserve(bytes)` gives the address of so much memory, a multiple of 16. The host puts the model file there, and the
//!    sequences behind it, from the next multiple of 16 on.
//! 2. `classify(model, sequences)`, the bytes of each, gives how many bytes of logits there are now behind the sequences,
//!    again from the next multiple of 16 on; 0 where the model or the sequences cannot be used, or there is no room.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use refrain::AnyModel;

static MEMORY: Mutex<Vec<u128>> = Mutex::new(Vec::new());

/// Nothing happens before the host calls.
pub(crate) fn run() -> ExitCode {
    ExitCode::SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn reserve(bytes: usize) -> *mut u8 {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    *memory = vec![0; bytes.div_ceil(16)];
    memory.as_mut_ptr().cast()
}

#[unsafe(no_mangle)]
extern "C" fn classify(model: usize, sequences: usize) -> usize {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    answer(bytemuck::cast_slice_mut(&mut memory), model, sequences).unwrap_or(0)
}

/// The bytes of the logits, which it puts into the memory.
fn answer(memory: &mut [u8], model: usize, sequences: usize) -> Option<usize> {
    let (file, rest) = memory.split_at_mut_checked(model.next_multiple_of(16))?;
    let (rows, rest) = rest.split_at_mut_checked(sequences.next_multiple_of(16))?;
    let model = AnyModel::from_bytes(file.get(..model)?).ok()?;
    let rows = rows.get(..sequences)?;
    let logits = rest.get_mut(..crate::logits_bytes(&model, rows))?;
    crate::answer(&model, rows, logits).ok()?;
    Some(logits.len())
}
