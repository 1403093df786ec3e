//! Whether bytes are a model that may take the place of one in the program.

use refrain::cell::Cell;
use refrain::link::UpdateRefusal;
use refrain::{Header, Model, SampleType};

/// A model in the program, whose place another one may take.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn<'m> {
    /// Its file.
    pub file: &'m [u8],
    /// Whether the second file may take the place of the first: [`trial`] for its cell and sizes.
    pub trial: fn(&[u8], &[u8]) -> Result<(), UpdateRefusal>,
}

impl BuiltIn<'_> {
    /// The CRC-32 at the end of its file.
    pub(super) fn crc(&self) -> u32 {
        stored_crc(self.file)
    }
}

/// The CRC-32 at the end of a model file.
pub(super) fn stored_crc(file: &[u8]) -> u32 {
    file.last_chunk().map_or(0, |&crc| u32::from_le_bytes(crc))
}

/// Checks that `candidate` is a whole model of the cell, numbers and sizes that this function is for, takes rows and gives
/// logits as the model in `built_in` does, and gives the logits that its own self-test says it gives.
///
/// # Errors
/// [`UpdateRefusal::Model`], [`UpdateRefusal::Samples`], [`UpdateRefusal::Output`] or [`UpdateRefusal::SelfTest`].
pub fn trial<
    C: Cell,
    const INPUTS: usize,
    const UNITS: usize,
    const OUTPUTS: usize,
    const LAYERS: usize,
    S: SampleType,
>(
    built_in: &[u8],
    candidate: &[u8],
) -> Result<(), UpdateRefusal> {
    let model =
        Model::<C, INPUTS, UNITS, OUTPUTS, LAYERS, S>::from_bytes(candidate).map_err(UpdateRefusal::Model)?;
    check_interface(built_in, model.header())?;
    model.self_test().map_err(UpdateRefusal::SelfTest)
}

/// Refuses a model whose rows or logits are of another kind than those of the one in the program: hosts, and the room for
/// messages, were made for that.
fn check_interface(built_in: &[u8], found: &Header<'_>) -> Result<(), UpdateRefusal> {
    let (expected, _) = Header::read(built_in).map_err(UpdateRefusal::Model)?;
    if found.input.samples != expected.input.samples {
        let (found, expected) = (found.input.samples, expected.input.samples);
        return Err(UpdateRefusal::Samples { found, expected });
    }
    if found.output != expected.output {
        return Err(UpdateRefusal::Output { found: found.output, expected: expected.output });
    }
    Ok(())
}
