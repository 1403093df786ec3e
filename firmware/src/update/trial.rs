//! Whether bytes are a model that may take the place of one in the program.

use refrain::cell::Cell;
use refrain::link::UpdateRefusal;
use refrain::{Header, Model, ModelError, SampleType};

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

/// Refuses the first bytes of a file, where they hold the header of a model that is not as the one in the program: what
/// [`trial`] would refuse when all of it has come. Of fewer bytes, or such as are no header, nothing is said yet.
pub(super) fn check_start(built_in: &[u8], start: &[u8]) -> Result<(), UpdateRefusal> {
    let (Ok((found, _)), Ok((expected, _))) = (Header::read(start), Header::read(built_in)) else {
        return Ok(());
    };
    if found.cell != expected.cell {
        let (found, expected) = (found.cell, expected.cell);
        return Err(UpdateRefusal::Model(ModelError::Cell { found, expected }));
    }
    if found.numbers != expected.numbers {
        let (found, expected) = (found.numbers, expected.numbers);
        return Err(UpdateRefusal::Model(ModelError::Numbers { found, expected }));
    }
    if found.shape != expected.shape {
        let (found, expected) = (found.shape, expected.shape);
        return Err(UpdateRefusal::Model(ModelError::Shape { found, expected }));
    }
    check_interface(built_in, &found)
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
