//! Sections that are missing, surplus, misplaced or of another length.

use refrain::format::{MAX_SECTIONS, PAYLOAD_ALIGNMENT, Section, SectionFault, SectionKind};
use refrain::{CellKind, Header, ModelError, Numbers};
use refrain_tests::random_model;

use crate::forgery::{Forgery, SHAPE, kinds, refusal, refused, seal, sealed_again};

#[test]
fn a_section_that_is_missing_surplus_or_of_another_length_is_refused() {
    let fault = |cell, numbers, change: &dyn Fn(&mut Forgery<'_>)| match refused(cell, numbers, change) {
        ModelError::Section { kind, fault } => (kind, fault),
        other => panic!("{other:?}"),
    };
    for (cell, numbers) in kinds() {
        let file = random_model(cell, SHAPE, numbers, 1);
        for (index, (kind, bytes)) in Forgery::of(file.as_bytes()).sections.into_iter().enumerate() {
            let (found_kind, found) = fault(cell, numbers, &|forgery| {
                forgery.sections.remove(index);
            });
            let logits_are_gone = kind == SectionKind::SelfTestLogits;
            let expected = match logits_are_gone {
                true => (SectionKind::SelfTestRows, SectionFault::Unexpected),
                false => (kind, SectionFault::Missing),
            };
            if kind == SectionKind::SelfTestRows {
                assert!(matches!(found, SectionFault::Missing), "{found:?}");
            } else {
                assert_eq!((found_kind, found), expected, "{cell} {numbers}");
            }

            for length in [0, bytes.len() - 1, bytes.len() - 4, bytes.len() + 4] {
                let (_, found) = fault(cell, numbers, &|forgery| forgery.sections[index].1.resize(length, 0));
                assert!(matches!(found, SectionFault::Length { .. }), "{cell} {numbers} {kind:?}: {found:?}");
            }
        }
        if cell != CellKind::Gru {
            let surplus = fault(cell, numbers, &|forgery| {
                forgery.sections.push((SectionKind::RecurrentBias, vec![0; 16]));
            });
            assert_eq!(surplus, (SectionKind::RecurrentBias, SectionFault::Unexpected));
        }
        if numbers == Numbers::F32 {
            for kind in [SectionKind::Multiplier, SectionKind::DenseMultiplier] {
                let surplus = fault(cell, numbers, &|forgery| forgery.sections.push((kind, vec![0; 16])));
                assert_eq!(surplus, (kind, SectionFault::Unexpected));
            }
        }
    }
}

#[test]
fn sections_that_overlap_repeat_or_leave_the_file_are_refused() {
    let file = random_model(CellKind::Lstm, SHAPE, Numbers::Int8, 1);
    let (header, length) = Header::read(file.as_bytes()).unwrap();
    let start = length.next_multiple_of(PAYLOAD_ALIGNMENT);
    let payload = &file.as_bytes()[start..file.as_bytes().len() - 4];
    let sections: Vec<Section> = header.sections.iter().collect();
    let changed = |index: usize, change: &dyn Fn(&mut Section)| {
        let mut sections = sections.clone();
        change(&mut sections[index]);
        refusal(&seal(&header, &sections, payload))
    };
    for (index, section) in sections.iter().enumerate() {
        for offset in [1, 8, 16, u32::MAX, u32::MAX - 15, section.offset + 16] {
            if offset != section.offset {
                let reason = changed(index, &|section| section.offset = offset);
                let is_misplaced =
                    matches!(reason, ModelError::Section { fault: SectionFault::Misplaced, .. });
                assert!(is_misplaced, "{index}, {offset}: {reason:?}");
            }
        }
        for length in [u32::MAX, u32::MAX - 15, 1 << 31] {
            // what follows is then misplaced; the last section leaves the file
            let reason = changed(index, &|section| section.length = length);
            let expected = matches!(
                reason,
                ModelError::Section { fault: SectionFault::Misplaced, .. } | ModelError::Truncated { .. }
            );
            assert!(expected, "{index}, {length}: {reason:?}");
        }
        let reason = changed(index, &|section| {
            section.kind = if index == 0 { SectionKind::Bias } else { SectionKind::Kernel };
        });
        assert!(
            matches!(reason, ModelError::Section { fault: SectionFault::Twice, .. }),
            "{index}: {reason:?}"
        );
    }
    // one section more than a header has room for: the count is the byte before the sections
    let mut bytes = file.as_bytes().to_vec();
    let table = postcard::to_stdvec(&sections).unwrap();
    let at = length - table.len();
    assert_eq!(&bytes[at..length], table);
    bytes[at] = MAX_SECTIONS as u8 + 1;
    assert_eq!(refusal(&sealed_again(bytes)), ModelError::Header);
}
