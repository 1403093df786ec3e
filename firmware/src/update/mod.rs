//! Models that are replaced on the board: two slots in flash for each model of the program.
//!
//! A host [begins](Store::begin) an upload, sends the model file in [chunks](Store::chunk) of any length and
//! [commits](Store::commit) it; after a restart [`Store::open`] finds it and the board uses it. Power may fail at any moment,
//! and an upload may be taken up again where it was: the board always starts with the old model or the new one, whole.
//!
//! # Which model is used
//!
//! Of the two slots the one with the higher revision whose upload was committed, whose bytes are those that were
//! committed, and which is a model of the cell, numbers and shape that the program was built for that passes the self-test
//! in its own file; if there is none such, the other slot; if that is nothing either, the model in the program, which is
//! revision 0. All of that is looked at each time the board starts. The slot in use is never erased or written: an upload
//! goes to the other one.
//!
//! A slot names the model in the program that it stands in for, by its CRC-32. When a program with another model is
//! flashed, what the slots hold was for the old program and counts no more.
//!
//! # A slot
//!
//! ```text
//! offset
//! 0         head 1     a record, and a journal behind it
//! E         head 2     the same
//! 2 E       the model  as in its file, up to the end of the slot
//!
//! record                                        entry of a journal
//! 0   4     "RFSL"                              0   4   CRC-32 of the model's bytes up to there
//! 4   1     version of this layout, 1           4   2   erase units of the model that are written, or ffff: committed
//! 5   1     number of the model                 6   2   lower 15 bits of the CRC-32 of: the record's CRC-32,
//! 6   2     0                                           then the six bytes before this field
//! 8   4     revision
//! 12  4     bytes of the model file
//! 16  4     CRC-32 in the last four bytes of the model file
//! 20  4     the same of the model in the program
//! 24  4     0
//! 28  4     CRC-32 of the 28 bytes before
//! ```
//!
//! `E` is the flash's erase unit. Numbers are little-endian. Entries lie at multiples of 8 bytes, or of the flash's write unit
//! if that is more, from offset 32 of a head on. The model begins at a multiple of 16, so it is read in place.
//!
//! # How an upload goes, and why each cut is safe
//!
//! Nothing is relied on but what `embedded-storage` says of power that fails: the word that was being written, or the unit
//! that was being erased, holds anything afterwards, and all else is as it was. In particular what *looks* erased may be
//! half erased, so a word is written only if its unit was erased since power came back, and only once.
//!
//! | step | if power fails in the middle of it |
//! | --- | --- |
//! | Both heads are erased. | The model before it is still there, whole. Either a head says that it was committed, or none does and the slot is empty. |
//! | The record is written to head 1. | It fails its CRC-32: the slot is empty. |
//! | Each unit of the model is erased, then written. | No entry speaks for it yet: later this unit and all behind it are erased and written anew. |
//! | After every unit, or every few, an entry says how far the model is written. | An entry that fails its check, or whose CRC-32 is not that of the model's bytes as they are read back, does not count. |
//! | The CRC-32 is computed from what is in flash, the model is parsed and passes its self-test. | Nothing is written in this step. |
//! | The commitment is written: one entry, which is one word of a flash that writes 8 bytes at once. | It is whole and the new model is used, or it fails its check and the old one is. |
//!
//! An upload that was interrupted is taken up again by erasing the head that knows less of it, and writing there the record
//! and an entry for what the other head is right about. Power that fails in there leaves the other head as it is. So an
//! interruption costs what came since the last entry, at most, and there may be any number of them.
//!
//! A model of another cell, shape or kind is refused as soon as its header comes, where the first chunk holds all of that.
//! An upload that is refused at its end has its heads erased. Until the board is started again, the model that was in use
//! stays in use.
//!
//! Bits that read now so, now so after a power failure can at worst let the board choose the old model in one start and the
//! new one in the next: whichever it chooses was whole when it was checked.
//!
//! `cargo test -p refrain-firmware --lib update -- --nocapture` cuts power at every single write and erase of uploads to a
//! simulated flash, in seven ways each, and prints how often; and at each operation of the driver in [`stm32`], on simulated
//! registers.
//!
//! # What it does not do
//!
//! - It asks for no signature: whoever reaches the link may replace a model.
//! - It does not spread wear: an update erases each unit of a slot once, its heads up to twice, and again whenever it is
//!   taken up again.
//! - The new model has the cell, numbers, shape, rows and kind of logits of the old one, and is at most a quarter longer than
//!   the one in the program.
//! - A flash that is not mapped into memory has no [`MappedFlash::bytes`], so its models cannot be read in place.

mod flash;
mod journal;
mod ram_flash;
mod record;
#[cfg(test)]
mod simulation;
mod slot;
pub mod stm32;
mod store;
#[cfg(test)]
mod tests;
mod trial;
mod upload;

pub use flash::{HeldFlash, MappedFlash, NoFlash};
pub use ram_flash::RamFlash;
pub use store::{Active, NoUpdates, Store, Updates};
pub use trial::{BuiltIn, trial};
