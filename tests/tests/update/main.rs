//! Models that take another one's place on a board: over the link of an emulated board, and of a simulated one whose flash is
//! slow.

mod qemu;
mod slow;

use refrain::format::{PAYLOAD_ALIGNMENT, SectionKind};
use refrain::link::{Refusal, UpdateRefusal};
use refrain::{Header, crc32};
use refrain_trainer::link::LinkError;

/// What a board says against a model.
fn refusal<A: std::fmt::Debug>(outcome: Result<A, LinkError>) -> UpdateRefusal {
    match outcome {
        Err(LinkError::Refused { refusal: Refusal::Update(refusal), .. }) => refusal,
        other => panic!("it is not refused: {other:?}"),
    }
}

/// A model file of the same kind that promises other logits than it gives.
fn failing(file: &[u8]) -> Vec<u8> {
    let (header, length) = Header::read(file).expect("a sound file");
    let mut sections = header.sections.iter();
    let logits =
        sections.find(|section| section.kind == SectionKind::SelfTestLogits).expect("it has a self-test");
    let mut forged = file.to_vec();
    forged[length.next_multiple_of(PAYLOAD_ALIGNMENT) + logits.offset as usize] ^= 1;
    let (body, crc) = forged.split_last_chunk_mut::<4>().expect("it ends in a CRC-32");
    *crc = crc32(body).to_le_bytes();
    forged
}
