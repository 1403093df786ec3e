//! Bytes on their way from an interrupt to the program.

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};

/// A queue of less than `N` bytes. One interrupt puts in, one reader takes out, and neither ever waits for the other: what
/// comes when it is full is lost, and counted.
///
/// Both ends work on `&self`, so it can be a `static` without a lock; cores that cannot swap atomically, as the
/// Cortex-M0, have it too. Two that put in, or two that take out, would lose bytes or get some twice, and no more.
///
/// ```
/// use refrain_firmware::Ring;
///
/// static RECEIVED: Ring<5> = Ring::new();
///
/// for byte in *b"serial" {
///     RECEIVED.push(byte); // in the interrupt
/// }
/// let read: Vec<u8> = std::iter::from_fn(|| RECEIVED.pop()).collect(); // in the program
/// assert_eq!((&read[..], RECEIVED.lost()), (&b"seri"[..], 2));
/// ```
#[derive(Debug)]
pub struct Ring<const N: usize> {
    bytes: [AtomicU8; N],
    /// The place that the next byte is put into; one place always stays empty, or full and empty would look alike. The
    /// interrupt alone writes it.
    put: AtomicUsize,
    /// The place that the next byte is taken from. The reader alone writes it.
    taken: AtomicUsize,
    /// How many bytes were lost. The interrupt alone writes it.
    lost: AtomicU32,
}

impl<const N: usize> Ring<N> {
    /// An empty one.
    pub const fn new() -> Self {
        const { assert!(N > 1, "a ring of one place or none holds nothing") };
        Self {
            bytes: [const { AtomicU8::new(0) }; N],
            put: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            lost: AtomicU32::new(0),
        }
    }

    /// Puts a byte in; false where there was no room and it is lost.
    pub fn push(&self, byte: u8) -> bool {
        self.push_all([byte])
    }

    /// Puts bytes in that are read only together; false where there was no room for all of them. Then all are lost, and
    /// count as one.
    pub fn push_all<const COUNT: usize>(&self, bytes: [u8; COUNT]) -> bool {
        let taken = self.taken.load(Ordering::Acquire);
        let mut place = self.put.load(Ordering::Relaxed);
        for byte in bytes {
            let next = Self::after(place);
            if next == taken {
                self.count_lost();
                return false;
            }
            // There always is such a place; asking costs less than to divide by a length that is no power of two.
            if let Some(slot) = self.bytes.get(place) {
                slot.store(byte, Ordering::Relaxed);
            }
            place = next;
        }
        // Released after the bytes, so who sees the places taken sees the bytes.
        self.put.store(place, Ordering::Release);
        true
    }

    /// Takes the oldest byte out.
    pub fn pop(&self) -> Option<u8> {
        let place = self.taken.load(Ordering::Relaxed);
        if place == self.put.load(Ordering::Acquire) {
            return None;
        }
        let byte = self.bytes.get(place)?.load(Ordering::Relaxed);
        // Released after the byte was read, so who sees the place free may write it.
        self.taken.store(Self::after(place), Ordering::Release);
        Some(byte)
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.taken.load(Ordering::Relaxed) == self.put.load(Ordering::Acquire)
    }

    /// Counts a byte that was lost before it could be put in, as in a UART that was not read in time. For the interrupt.
    pub fn count_lost(&self) {
        self.lost.store(self.lost.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// How many bytes were lost since the start.
    pub fn lost(&self) -> u32 {
        self.lost.load(Ordering::Relaxed)
    }

    const fn after(place: usize) -> usize {
        if place + 1 < N { place + 1 } else { 0 }
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn drain<const N: usize>(ring: &Ring<N>) -> Vec<u8> {
        std::iter::from_fn(|| ring.pop()).collect()
    }

    #[test]
    fn bytes_come_out_once_in_their_order() {
        let ring = Ring::<9>::new();
        let mut next = 0;
        for count in (0..=8).cycle().take(1000) {
            let bytes: Vec<u8> = (0..count).map(|index: u8| index.wrapping_add(next)).collect();
            assert!(bytes.iter().all(|&byte| ring.push(byte)));
            assert_eq!(ring.is_empty(), count == 0);
            assert_eq!(drain(&ring), bytes);
            next = next.wrapping_add(count);
        }
        assert_eq!(ring.lost(), 0);
    }

    #[test]
    fn what_comes_when_it_is_full_is_counted_and_spoils_nothing() {
        let ring = Ring::<5>::new();
        let kept = [1, 2, 3, 4, 5, 6].map(|byte| ring.push(byte));
        assert_eq!(kept, [true, true, true, true, false, false]);
        assert_eq!(ring.lost(), 2);
        assert_eq!(ring.pop(), Some(1));
        assert!(ring.push(7));
        assert_eq!(drain(&ring), [2, 3, 4, 7]);
        assert!(!ring.push_all([8; 5]) && ring.push_all([8, 9]) && !ring.push_all([8, 9, 10]));
        assert_eq!((drain(&ring), ring.lost()), (vec![8, 9], 4));
        ring.count_lost();
        assert_eq!(ring.lost(), 5);
        ring.lost.store(u32::MAX, Ordering::Relaxed);
        ring.count_lost();
        assert_eq!(ring.lost(), u32::MAX);
    }

    #[test]
    fn a_writer_and_a_reader_at_once_lose_no_byte_unseen() {
        const BYTES: u32 = 20_000;
        let (ring, done) = (Ring::<17>::new(), AtomicU32::new(0));
        let read = thread::scope(|scope| {
            scope.spawn(|| {
                for count in 0..BYTES {
                    // One that is lost here comes again, so the reader must get all of them in order.
                    while !ring.push(count as u8) {
                        thread::yield_now();
                    }
                }
                done.store(1, Ordering::Release);
            });
            let mut read = Vec::new();
            loop {
                let last = done.load(Ordering::Acquire) == 1;
                match ring.pop() {
                    Some(byte) => read.push(byte),
                    None if last => return read,
                    None => thread::yield_now(),
                }
            }
        });
        let expected: Vec<u8> = (0..BYTES).map(|count| count as u8).collect();
        assert!(read == expected, "{} bytes came of {BYTES}", read.len());
    }
}
