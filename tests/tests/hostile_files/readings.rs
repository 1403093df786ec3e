//! Inputs and outputs: offsets, gains and scalings that the arithmetic cannot take, and names that do not belong to them.

use refrain::fixed::OFFSET_LIMIT;
use refrain::format::{SectionFault, SectionKind};
use refrain::{ModelError, Numbers, Samples, Scaling};

use crate::forgery::{Forgery, kinds, refusal, refused, sensor_model};

#[test]
fn readings_that_the_arithmetic_cannot_take_are_refused() {
    for (cell, numbers) in kinds() {
        for samples in [Samples::I16, Samples::F32] {
            let file = sensor_model(cell, numbers, samples);
            let is_integer = numbers != Numbers::F32;
            let refused = |change: &dyn Fn(&mut Forgery<'_>)| {
                let mut forgery = Forgery::of(file.as_bytes());
                change(&mut forgery);
                refusal(&forgery.sealed())
            };
            let field = |name: &str, shift, limit| {
                let reason = refused(&|forgery| {
                    forgery.header.input.scaling = Scaling::PerFeature { shift, limit };
                });
                assert!(
                    matches!(reason, ModelError::Field { field, .. } if field.name() == name),
                    "{reason:?}"
                );
            };
            field("input.shift", 8, if is_integer { 100 } else { 0 });
            for limit in if is_integer { &[0, 32_768, u16::MAX][..] } else { &[1, 100] } {
                field("input.limit", 0, *limit);
            }
            for kind in [SectionKind::InputOffset, SectionKind::InputGain, SectionKind::OutputScaling] {
                let fault = |fault| ModelError::Section { kind, fault };
                let is = |section: &(SectionKind, Vec<u8>)| section.0 == kind;
                let missing = refused(&|forgery| forgery.sections.retain(|section| !is(section)));
                assert_eq!(missing, fault(SectionFault::Missing));
                let longer = refused(&|forgery| forgery.section(kind).extend([0; 4]));
                let expected = if kind == SectionKind::OutputScaling { 16 } else { 12 };
                assert_eq!(longer, fault(SectionFault::Length { found: expected + 4, expected }));
                let is_float = kind == SectionKind::OutputScaling || !is_integer || samples == Samples::F32;
                if is_float {
                    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                        let reason = refused(&|forgery| forgery.put(kind, 1, value.to_le_bytes()));
                        assert_eq!(reason, ModelError::NotFinite { kind });
                    }
                }
            }
            if is_integer && samples == Samples::I16 {
                for offset in [OFFSET_LIMIT as i32 + 1, -(OFFSET_LIMIT as i32) - 1, i32::MIN, i32::MAX] {
                    let reason =
                        refused(&|forgery| forgery.put(SectionKind::InputOffset, 2, offset.to_le_bytes()));
                    assert_eq!(reason, ModelError::Offset { feature: 2 });
                }
                let kind = SectionKind::InputGain;
                let reason = refused(&|forgery| forgery.put(kind, 0, (-1i32).to_le_bytes()));
                assert_eq!(reason, ModelError::Multiplier { kind, row: 0 });
            }
        }
    }
}

#[test]
fn scalings_that_do_not_belong_together_are_refused() {
    for (cell, numbers) in kinds() {
        let reason = refused(cell, numbers, |forgery| forgery.header.input.samples = Samples::F32);
        assert_eq!(reason, ModelError::InputScaling);
        for kind in [SectionKind::InputOffset, SectionKind::InputGain, SectionKind::OutputScaling] {
            let reason = refused(cell, numbers, |forgery| forgery.sections.push((kind, vec![0; 24])));
            assert_eq!(reason, ModelError::Section { kind, fault: SectionFault::Unexpected });
        }
        for labels in ["one", "one\ntwo", "one\ntwo\nthree\n"] {
            let reason = refused(cell, numbers, |forgery| forgery.header.labels = labels.into());
            let found = labels.split('\n').count();
            assert_eq!(reason, ModelError::OutputNames { found, expected: 3 });
        }
    }
}
