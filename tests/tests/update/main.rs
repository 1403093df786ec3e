//! Models that take another one's place on a board: over the link of an emulated board, and of a simulated one whose flash is
//! slow.

mod qemu;
mod slow;

use refrain::link::{Refusal, UpdateRefusal};
use refrain_trainer::link::LinkError;

/// What a board says against a model.
fn refusal<A: std::fmt::Debug>(outcome: Result<A, LinkError>) -> UpdateRefusal {
    match outcome {
        Err(LinkError::Refused { refusal: Refusal::Update(refusal), .. }) => refusal,
        other => panic!("it is not refused: {other:?}"),
    }
}
