//! The self-test that travels in a model file: a few sequences that no data set holds, and their logits.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::Samples;
use refrain::format::SectionKind;

use super::UniformInput;
use super::writer::Payload;
use crate::model_file::ModelFile;

const SEQUENCES: usize = 2;
const TIMESTEPS: usize = 8;
const SEED: u64 = 0x5e1f_7e57;

/// Adds the sections: random samples in the model's range, half of them zero, and what `plain`, the same model
/// without them, makes of them.
pub(super) fn add(payload: &mut Payload, plain: &ModelFile, input: &UniformInput) {
    let model = plain.model();
    let (inputs, outputs) =
        (usize::from(model.header().shape.inputs), usize::from(model.header().shape.outputs));
    let rng = &mut ChaCha8Rng::seed_from_u64(SEED);
    let (min, max) = input.range;
    let span = (i32::from(max) - i32::from(min) + 1) as u32;
    let mut sample = || match rng.next_u32() {
        blank if blank % 2 == 0 => 0i16.clamp(min, max),
        bits => (i32::from(min) + (bits / 2 % span) as i32) as i16,
    };
    let rows: Vec<i16> = (0..SEQUENCES * TIMESTEPS * inputs).map(|_| sample()).collect();
    let mut logits = vec![0; SEQUENCES * outputs * 4];
    for (rows, logits) in rows.chunks(TIMESTEPS * inputs).zip(logits.chunks_mut(outputs * 4)) {
        let bytes: Vec<u8> = match input.samples() {
            Samples::U8 => rows.iter().map(|&sample| sample as u8).collect(),
            _ => rows.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
        };
        model.classify(&bytes, logits).expect("whole rows, and four bytes for each logit");
    }
    payload.push(SectionKind::SelfTestRows, &rows);
    payload.push(SectionKind::SelfTestLogits, &logits);
}
