//! Weights, biases and multipliers that the arithmetic cannot take.

use refrain::format::SectionKind;
use refrain::{CellKind, ModelError, Numbers, Samples};
use refrain_tests::random_model;

use crate::forgery::{Forgery, SCALE, SHAPE, refusal, refused, sensor_model, uniform};

#[test]
fn numbers_that_the_arithmetic_cannot_take_are_refused() {
    for cell in CellKind::ALL {
        for kind in [SectionKind::Multiplier, SectionKind::DenseMultiplier] {
            for value in [-1, i32::MIN] {
                let reason =
                    refused(cell, Numbers::Int8, |forgery| forgery.put(kind, 2, value.to_le_bytes()));
                assert_eq!(reason, ModelError::Multiplier { kind, row: 2 });
            }
        }
        for (kind, of) in
            [(SectionKind::Bias, SectionKind::Kernel), (SectionKind::DenseBias, SectionKind::DenseKernel)]
        {
            for value in [i32::MIN, i32::MAX, 1 << 23, -(1 << 23)] {
                let reason =
                    refused(cell, Numbers::Int8, |forgery| forgery.put(kind, 3, value.to_le_bytes()));
                assert!(
                    matches!(reason, ModelError::Accumulator { kind, row: 3, .. } if kind == of),
                    "{reason:?}"
                );
            }
        }
        let weights = [SectionKind::Kernel, SectionKind::RecurrentKernel, SectionKind::DenseKernel];
        for kind in weights {
            // 127 and -128 all over, with operands of 15 bits, are more than 2^23
            let reason = refused(cell, Numbers::Int8, |forgery| {
                forgery.header.operand_bits = 15;
                forgery.header.input = uniform(Samples::U8, SCALE, (0, 255), 7);
                let section = forgery.section(kind);
                section.iter_mut().for_each(|byte| *byte = 0x7f);
            });
            assert!(matches!(reason, ModelError::Accumulator { .. }), "{kind:?}: {reason:?}");
        }
    }
    let reason = refused(CellKind::Gru, Numbers::Int8, |forgery| {
        forgery.put(SectionKind::RecurrentBias, 3, i32::MIN.to_le_bytes());
    });
    // the fourth candidate: the second side of tile 1
    assert!(
        matches!(reason, ModelError::Accumulator { kind: SectionKind::Kernel, row: 11, .. }),
        "{reason:?}"
    );
}

#[test]
fn floats_that_are_not_finite_are_refused() {
    for cell in CellKind::ALL {
        let file = random_model(cell, SHAPE, Numbers::F32, 1);
        for (kind, _) in Forgery::of(file.as_bytes()).sections {
            if matches!(kind, SectionKind::SelfTestRows | SectionKind::SelfTestLogits) {
                continue;
            }
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let reason = refused(cell, Numbers::F32, |forgery| forgery.put(kind, 1, value.to_le_bytes()));
                assert_eq!(reason, ModelError::NotFinite { kind });
            }
        }
    }
}

#[test]
fn every_layer_has_its_bound() {
    for numbers in [Numbers::Int8, Numbers::Int4] {
        for cell in CellKind::ALL {
            let file = sensor_model(cell, numbers, Samples::I16);
            let mut forgery = Forgery::of(file.as_bytes());
            let rows = forgery.section(SectionKind::Bias).len() / 4;
            for row in [0, rows / 2, rows - 1] {
                let mut forgery = forgery.clone();
                forgery.put(SectionKind::Bias, row, (1i32 << 23).to_le_bytes());
                let reason = refusal(&forgery.sealed());
                let of_that_row = |reason: &ModelError| matches!(reason, ModelError::Accumulator { kind: SectionKind::Kernel, row: found, .. } if *found == row);
                assert!(of_that_row(&reason), "{cell}, {row}: {reason:?}");
            }
        }
    }
}
