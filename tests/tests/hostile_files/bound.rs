//! The bound of the sums: it is exact, and what is just within it runs without an overflow.

use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use refrain::fixed::ACCUMULATOR_LIMIT;
use refrain::format::SectionKind;
use refrain::{CellKind, ModelError, Numbers, Samples};
use refrain_tests::random_model;
use refrain_trainer::model_file::{ModelFile, ModelFileError};

use crate::forgery::{Forgery, SCALE, SHAPE, uniform};

#[test]
fn the_bound_is_exact() {
    // One row of no weights: its bias alone is the sum.
    let limit = ACCUMULATOR_LIMIT as i32;
    for cell in CellKind::ALL {
        let file = random_model(cell, SHAPE, Numbers::Int8, 1);
        let with_bias = |bias: i32| {
            let mut forgery = Forgery::of(file.as_bytes());
            for kind in [SectionKind::Kernel, SectionKind::RecurrentKernel] {
                forgery.section(kind).fill(0);
            }
            forgery.put(SectionKind::Bias, 0, bias.to_le_bytes());
            ModelFile::from_bytes("forged", &forgery.sealed())
        };
        for sign in [1, -1] {
            assert!(with_bias(sign * (limit - 1)).is_ok(), "{cell}");
            assert!(with_bias(sign * limit).is_err(), "{cell}");
        }
    }
}

/// A model of random sections whose sums go right up to the bound.
fn hostile(cell: CellKind, of: Numbers) -> impl Strategy<Value = Vec<u8>> {
    let numbers = (any::<u64>(), 4u8..=15, 12u8..=29, -15i8..=7, -32767i16..=0, 0i16..=255);
    numbers.prop_map(move |(seed, operand_bits, cell_bits, shift, min, max)| {
        let file = random_model(cell, SHAPE, of, 1);
        let mut forgery = Forgery::of(file.as_bytes());
        forgery.header.operand_bits = operand_bits;
        forgery.header.cell_bits = if cell == CellKind::Lstm { cell_bits } else { 0 };
        // after a left shift an operand still has 16 bits
        forgery.header.input = uniform(Samples::I16, SCALE, (-(min.abs() >> shift.max(0)), max), shift);
        let is_self_test = |kind| matches!(kind, SectionKind::SelfTestRows | SectionKind::SelfTestLogits);
        forgery.sections.retain(|(kind, _)| !is_self_test(*kind));
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        for (kind, bytes) in &mut forgery.sections {
            for number in bytes.as_chunks_mut::<4>().0 {
                let bits = rng.next_u32();
                *number = match kind {
                    // nibbles are small enough as they are
                    SectionKind::Kernel | SectionKind::RecurrentKernel if of == Numbers::Int4 => {
                        bits.to_le_bytes()
                    }
                    // from -16 to 16: with eight columns of units and four of inputs, padding included, the
                    // weights alone stay below the bound
                    SectionKind::Kernel | SectionKind::RecurrentKernel | SectionKind::DenseKernel => {
                        bits.to_le_bytes().map(|byte| (byte as i8 >> 3) as u8)
                    }
                    SectionKind::Multiplier | SectionKind::DenseMultiplier => {
                        (i32::MAX >> [0, 0, 8, 16][bits as usize % 4]).to_le_bytes()
                    }
                    _ => [0i32, 8_388_607, -8_388_607, 100_000][bits as usize % 4].to_le_bytes(),
                };
            }
        }
        within_the_bound(forgery)
    })
}

/// The file with biases just so small that the runtime takes it.
fn within_the_bound(mut forgery: Forgery<'_>) -> Vec<u8> {
    loop {
        let bytes = forgery.clone().sealed();
        match ModelFile::from_bytes("hostile", &bytes) {
            Err(ModelFileError::Model { reason: ModelError::Accumulator { kind, row, bound }, .. }) => {
                let surplus = (bound - ACCUMULATOR_LIMIT + 1) as i32;
                let own =
                    if kind == SectionKind::Kernel { SectionKind::Bias } else { SectionKind::DenseBias };
                if !forgery.shrink(own, row, surplus) {
                    forgery.shrink(SectionKind::RecurrentBias, row / 6 * 2 + row % 6 - 4, surplus);
                }
            }
            _ => return bytes,
        }
    }
}

/// Runs rows of extreme samples; every overflow would panic, as tests check them.
fn run_extremes(bytes: &[u8]) {
    let file = ModelFile::from_bytes("hostile", bytes).expect("its sums were brought within the bound");
    let model = file.model();
    let row = model.header().row_bytes();
    let timesteps = 40;
    let mut hidden = vec![0.0; timesteps * usize::from(SHAPE.units)];
    let mut logits = [0; 4 * SHAPE.outputs as usize];
    for pattern in [[0x00, 0x80], [0xff, 0x7f], [0xff, 0xff], [0x00, 0x00], [0x34, 0x12]] {
        let sequence: Vec<u8> = pattern.into_iter().cycle().take(row * timesteps).collect();
        model.classify(&sequence, &mut logits).expect("whole rows");
        model.trace(&sequence, &mut hidden).expect("whole rows");
        assert!(hidden.iter().all(|h| h.abs() < 1.0), "{hidden:?}");
    }
}

proptest! {
    #[test]
    fn a_simple_rnn_at_the_bound_runs_without_overflow(bytes in hostile(CellKind::SimpleRnn, Numbers::Int8)) {
        run_extremes(&bytes);
    }

    #[test]
    fn an_lstm_at_the_bound_runs_without_overflow(bytes in hostile(CellKind::Lstm, Numbers::Int8)) {
        run_extremes(&bytes);
    }

    #[test]
    fn a_gru_at_the_bound_runs_without_overflow(bytes in hostile(CellKind::Gru, Numbers::Int8)) {
        run_extremes(&bytes);
    }

    #[test]
    fn a_simple_rnn_of_nibbles_runs_without_overflow(bytes in hostile(CellKind::SimpleRnn, Numbers::Int4)) {
        run_extremes(&bytes);
    }

    #[test]
    fn an_lstm_of_nibbles_runs_without_overflow(bytes in hostile(CellKind::Lstm, Numbers::Int4)) {
        run_extremes(&bytes);
    }

    #[test]
    fn a_gru_of_nibbles_runs_without_overflow(bytes in hostile(CellKind::Gru, Numbers::Int4)) {
        run_extremes(&bytes);
    }
}
