//! The self-test that travels in a model file: a few sequences that no data set holds, and their logits.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::Samples;
use refrain::format::SectionKind;

use super::writer::Payload;
use crate::data::InputScaling;
use crate::model_file::ModelFile;

const SEQUENCES: usize = 2;
const TIMESTEPS: usize = 8;
const SEED: u64 = 0x5e1f_7e57;

/// Adds the sections: random rows, and what `plain`, the same model without them, makes of them.
pub(super) fn add(payload: &mut Payload, plain: &ModelFile, scaling: &InputScaling) {
    let model = plain.model();
    let header = model.header();
    let outputs = usize::from(header.shape.outputs);
    let rng = &mut ChaCha8Rng::seed_from_u64(SEED);
    let features = (0..usize::from(header.shape.inputs)).cycle();
    let count = SEQUENCES * TIMESTEPS * usize::from(header.shape.inputs);
    let sample = |feature| match scaling {
        InputScaling::Uniform { scale } => uniform(header.input.samples, *scale, rng),
        InputScaling::PerFeature { mean, deviation } => {
            let reading = mean[feature] + deviation[feature] * (rng.next_u32() >> 8) as f32 / 4_194_304.0
                - deviation[feature] * 2.0;
            bytes(header.input.samples, reading)
        }
    };
    let rows: Vec<u8> = features.take(count).flat_map(sample).collect();
    let mut logits = vec![0; SEQUENCES * outputs * 4];
    for (rows, logits) in rows.chunks(TIMESTEPS * header.row_bytes()).zip(logits.chunks_mut(outputs * 4)) {
        model.classify(rows, logits).expect("whole rows, and four bytes for each logit");
    }
    payload.push(SectionKind::SelfTestRows, &rows);
    payload.push(SectionKind::SelfTestLogits, &logits);
}

/// A sample where all features have one scale: blank as often as not, otherwise anything.
fn uniform(samples: Samples, scale: f32, rng: &mut impl Rng) -> Vec<u8> {
    let bits = rng.next_u32();
    let blank = bits.is_multiple_of(2);
    match samples {
        _ if blank => vec![0; samples.bytes()],
        Samples::U8 => vec![(bits / 2) as u8],
        Samples::I16 => ((bits >> 16) as i16).to_le_bytes().to_vec(),
        Samples::F32 => bytes(samples, ((bits >> 8) as f32 / 8_388_608.0 - 1.0) / scale),
    }
}

/// A reading as it travels on the link.
fn bytes(samples: Samples, reading: f32) -> Vec<u8> {
    match samples {
        // `as` saturates
        Samples::U8 => vec![reading.round() as u8],
        Samples::I16 => (reading.round() as i16).to_le_bytes().to_vec(),
        Samples::F32 => reading.to_le_bytes().to_vec(),
    }
}
