//! What outlives a reset: how the program ended.
//!
//! A [`Record`] lies in RAM that no start of the program clears. Each life of the program [begins](Record::begin) it
//! anew and learns from it how the last one ended; whatever ends a life on purpose writes there how.

use refrain::crc32;
use refrain::link::{Boot, Cause};

/// Most bytes of the name of a source file that a record holds.
pub const FILE_BYTES: usize = 36;

/// Bytes of a cause as `postcard` writes it: a variant, a length, the name of a file and the longest line number.
const CAUSE_BYTES: usize = 1 + 1 + FILE_BYTES + 5;

/// Bytes that the checksum is over.
const CHECKED_BYTES: usize = 4 + 4 + 4 + CAUSE_BYTES;

/// Begins every record, so that one of another layout is not taken for this one's.
const MAGIC: [u8; 4] = *b"RFR1";

/// What [`Record::working`] is while the program works; words that RAM holds neither at power-on nor by accident.
const WORKING: u32 = 0x7a3c_91d5;
const IDLE: u32 = !WORKING;

/// How a life of the program ends. All of it are words and bytes, so that any memory holds one, sound or not.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Record {
    /// Whether something is worked on. Apart from the rest, because it changes with every request.
    working: u32,
    /// CRC-32 of all that follows.
    checksum: [u8; 4],
    magic: [u8; 4],
    /// Resets since power came.
    resets: [u8; 4],
    /// Lives in a row, this one included, in which no work was done.
    idle_lives: [u8; 4],
    /// How this life ended. As long as it lasts, from outside: that is how it ends where nothing is written any more.
    cause: [u8; CAUSE_BYTES],
    /// Makes the size a multiple of that of a word.
    unused: u8,
}

/// What a record has told of the lives before.
#[derive(Clone, Debug)]
pub struct Past {
    resets: u32,
    idle_lives: u32,
    cause: [u8; CAUSE_BYTES],
}

impl Past {
    /// Why this life began.
    pub fn boot(&self) -> Boot<&str> {
        Boot { resets: self.resets, cause: read_cause(&self.cause) }
    }

    /// Lives in a row, up to the last one, that ended before they had done any work.
    pub fn idle_lives(&self) -> u32 {
        self.idle_lives
    }
}

impl Record {
    /// Bytes of a record.
    pub const BYTES: usize = size_of::<Self>();

    /// A life begins. Returns what is known of those before.
    pub fn begin(&mut self) -> Past {
        let past = self.past();
        let is_first = matches!(past.boot().cause, Cause::PowerOn);
        // one more life that, so far, has done no work
        self.idle_lives = past.idle_lives.saturating_add(1).to_le_bytes();
        self.resets = if is_first { 0 } else { past.resets.saturating_add(1) }.to_le_bytes();
        self.working = IDLE;
        self.unused = 0;
        self.magic = MAGIC;
        self.set_cause(Cause::Outside);
        Past { resets: u32::from_le_bytes(self.resets), ..past }
    }

    /// Something is worked on from now on: a life that ends now by no word of its own has hung.
    pub fn work(&mut self) {
        self.working = WORKING;
    }

    /// Nothing is worked on any more.
    pub fn rest(&mut self) {
        self.working = IDLE;
    }

    /// Some work is done: this life is none of those that ended before that.
    pub fn has_worked(&mut self) {
        if self.idle_lives != [0; 4] {
            self.idle_lives = [0; 4];
            self.seal();
        }
    }

    /// The life ends so. What is written first stays: all that follows, such as a fault while it is logged, follows
    /// from that.
    pub fn end(&mut self, cause: Cause<&str>) {
        let has_ended = self.is_sound() && read_cause(&self.cause) != Cause::Outside;
        if !has_ended {
            self.working = IDLE;
            self.set_cause(cause);
        }
    }

    /// What a sound record says; nothing, as when power comes, where it is not sound.
    fn past(&self) -> Past {
        let (mut resets, mut idle_lives, mut cause) = (0, 0, [0; CAUSE_BYTES]);
        write_cause(&mut cause, Cause::PowerOn);
        if self.is_sound() {
            resets = u32::from_le_bytes(self.resets);
            idle_lives = u32::from_le_bytes(self.idle_lives);
            cause = self.cause;
        }
        if read_cause(&cause) == Cause::Outside && self.working == WORKING {
            write_cause(&mut cause, Cause::Watchdog { pc: 0 });
        }
        Past { resets, idle_lives, cause }
    }

    fn is_sound(&self) -> bool {
        self.magic == MAGIC && self.checksum == self.computed_checksum()
    }

    fn set_cause(&mut self, cause: Cause<&str>) {
        write_cause(&mut self.cause, cause);
        self.seal();
    }

    fn seal(&mut self) {
        self.checksum = self.computed_checksum();
    }

    fn computed_checksum(&self) -> [u8; 4] {
        let mut bytes = [0; CHECKED_BYTES];
        let words = [self.magic, self.resets, self.idle_lives];
        let all = words.as_flattened().iter().chain(&self.cause);
        for (place, &byte) in bytes.iter_mut().zip(all) {
            *place = byte;
        }
        crc32(&bytes).to_le_bytes()
    }
}

/// Writes a cause; of a long name of a file the end, which says most.
fn write_cause(into: &mut [u8; CAUSE_BYTES], cause: Cause<&str>) {
    *into = [0; CAUSE_BYTES];
    let short = Boot { resets: 0, cause }.map(end_of).cause;
    // The room is for the longest cause that there is; a test tries it.
    let _ = postcard::to_slice(&short, into);
}

/// The cause that was written so.
fn read_cause(bytes: &[u8; CAUSE_BYTES]) -> Cause<&str> {
    postcard::from_bytes(bytes).unwrap_or(Cause::PowerOn)
}

/// The end of a name, of at most [`FILE_BYTES`] bytes.
fn end_of(name: &str) -> &str {
    let start = name.len().saturating_sub(FILE_BYTES);
    (start..=name.len()).find_map(|start| name.get(start..)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A record as power leaves it, in bytes without meaning.
    fn noise() -> Record {
        Record {
            working: 0xdead_beef,
            checksum: [1; 4],
            magic: [2; 4],
            resets: [3; 4],
            idle_lives: [4; 4],
            cause: [5; CAUSE_BYTES],
            unused: 6,
        }
    }

    /// A record that has begun its first life.
    fn begun() -> Record {
        let mut record = noise();
        record.begin();
        record
    }

    const ENDS: [Cause<&str>; 7] = [
        Cause::Requested,
        Cause::Failure,
        Cause::Panic { file: "firmware/src/board/stm32l4/flash.rs", line: u32::MAX },
        Cause::HardFault { pc: u32::MAX, lr: u32::MAX },
        Cause::StackOverflow { beyond: u32::MAX },
        Cause::UnexpectedInterrupt { number: -14 },
        Cause::Watchdog { pc: u32::MAX },
    ];

    #[test]
    fn every_end_is_told_to_the_next_life() {
        let mut record = begun();
        for (lives, end) in (1..).zip(ENDS) {
            record.work();
            record.end(end);
            let past = record.begin();
            assert_eq!(past.boot(), Boot { resets: lives, cause: end });
        }
    }

    #[test]
    fn power_forgets() {
        let mut record = noise();
        assert_eq!(record.begin().boot(), Boot { resets: 0, cause: Cause::PowerOn });
        record.end(Cause::StackOverflow { beyond: 9 });
        assert_eq!(record.begin().boot(), Boot { resets: 1, cause: Cause::StackOverflow { beyond: 9 } });
        record = noise();
        let past = record.begin();
        assert_eq!((past.boot(), past.idle_lives()), (Boot { resets: 0, cause: Cause::PowerOn }, 0));
    }

    #[test]
    fn a_life_that_ends_without_a_word_was_ended_from_outside_or_hung() {
        let mut record = begun();
        assert_eq!(record.begin().boot().cause, Cause::Outside);
        record.work();
        assert_eq!(record.begin().boot().cause, Cause::Watchdog { pc: 0 });
        assert_eq!(record.begin().boot().cause, Cause::Outside, "the work of a life before does not count");
        record.work();
        record.rest();
        assert_eq!(record.begin().boot(), Boot { resets: 4, cause: Cause::Outside });
    }

    #[test]
    fn what_is_written_first_stays() {
        let mut record = begun();
        record.end(Cause::StackOverflow { beyond: 9 });
        record.end(Cause::Failure);
        assert_eq!(record.begin().boot().cause, Cause::StackOverflow { beyond: 9 });
    }

    #[test]
    fn an_end_is_written_where_an_earlier_attempt_was_cut_short() {
        let mut record = begun();
        write_cause(&mut record.cause, Cause::Failure);
        record.end(Cause::StackOverflow { beyond: 9 });
        assert_eq!(record.begin().boot().cause, Cause::StackOverflow { beyond: 9 });
    }

    #[test]
    fn lives_without_work_are_counted_until_there_is_some() {
        let mut record = begun();
        for lives in 1..4 {
            record.work();
            record.end(Cause::Failure);
            assert_eq!(record.begin().idle_lives(), lives);
        }
        record.work();
        record.rest();
        record.end(Cause::Failure);
        assert_eq!(record.begin().idle_lives(), 4, "what was begun is not done");
        record.has_worked();
        record.end(Cause::Failure);
        assert_eq!(record.begin().idle_lives(), 0);
        assert_eq!(record.begin().idle_lives(), 1);
    }

    #[test]
    fn of_a_long_name_the_end_is_kept() {
        let long = "home/me/.cargo/registry/src/äöü/crate-1.2.3/src/lib.rs";
        for cut in 0..long.len() {
            let Some(file) = long.get(cut..) else { continue };
            let mut record = begun();
            record.end(Cause::Panic { file, line: 3 });
            let past = record.begin();
            let Cause::Panic { file: kept, line: 3 } = past.boot().cause else { panic!("{past:?}") };
            assert!(file.ends_with(kept), "{kept}");
            let wanted = file.len().min(FILE_BYTES);
            assert!((wanted.saturating_sub(1)..=wanted).contains(&kept.len()), "{kept}");
        }
    }

    #[test]
    fn it_has_the_size_that_the_linker_script_keeps_free() {
        assert_eq!(Record::BYTES, 64);
        assert_eq!(align_of::<Record>(), 4);
    }

    proptest! {
        #[test]
        fn a_record_of_which_any_bit_has_changed_is_none(end in 0..ENDS.len(), bit in 0..CHECKED_BYTES * 8 + 32) {
            let mut record = begun();
            record.end(ENDS[end]);
            let Record { checksum, magic, resets, idle_lives, cause, .. } = &mut record;
            let mut bytes: Vec<&mut u8> =
                [checksum, magic, resets, idle_lives].into_iter().flatten().chain(cause).collect();
            *bytes[bit / 8] ^= 1 << (bit % 8);
            let past = record.begin();
            prop_assert_eq!(past.boot(), Boot { resets: 0, cause: Cause::PowerOn });
        }
    }
}
