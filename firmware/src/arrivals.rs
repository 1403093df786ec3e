//! Bytes from a serial line, and when each frame's end came.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::Ring;

/// Bytes that the time takes behind a zero byte.
const TIME_BYTES: usize = size_of::<u32>();

/// A [`Ring`] of what a serial line brings. With each zero byte, the end of a frame, goes the time at which it came,
/// however long it waits here.
///
/// ```
/// use refrain_firmware::Arrivals;
///
/// static RECEIVED: Arrivals<{ Arrivals::<0>::room(4) }> = Arrivals::new();
///
/// for (byte, micros) in [(7, 100), (0, 187), (9, 274), (0, 361)] {
///     RECEIVED.put(byte, || micros); // in the interrupt
/// }
/// let mut frame = [0; 64];
/// assert_eq!((RECEIVED.read(&mut frame), RECEIVED.arrived()), (2, 187)); // in the program
/// assert_eq!((RECEIVED.read(&mut frame), RECEIVED.arrived()), (2, 361));
/// ```
#[derive(Debug)]
pub struct Arrivals<const N: usize> {
    ring: Ring<N>,
    /// When the zero byte came that was read last. The reader alone writes it.
    arrived: AtomicU32,
}

impl Arrivals<0> {
    /// The `N` with room for the longest frame, of so many bytes: it begins and ends with a zero byte.
    pub const fn room(frame: usize) -> usize {
        frame + 2 * TIME_BYTES + 1
    }
}

impl<const N: usize> Arrivals<N> {
    /// Nothing has come.
    pub const fn new() -> Self {
        Self { ring: Ring::new(), arrived: AtomicU32::new(0) }
    }

    /// Puts a byte in that comes now, in microseconds; that is asked only where it is of interest. What there is no room
    /// for is lost and counted. For the interrupt.
    pub fn put(&self, byte: u8, now: impl FnOnce() -> u32) {
        if byte == 0 {
            let [a, b, c, d] = now().to_le_bytes();
            self.ring.push_all([byte, a, b, c, d]);
        } else {
            self.ring.push(byte);
        }
    }

    /// Reads bytes up to the next zero byte, that included, as many as there are and `buffer` holds; returns how many.
    pub fn read(&self, buffer: &mut [u8]) -> usize {
        let mut count = 0;
        for place in buffer {
            let Some(byte) = self.ring.pop() else { break };
            *place = byte;
            count += 1;
            if byte == 0 {
                // they were put in with it, so they are there
                let time = [(); TIME_BYTES].map(|()| self.ring.pop().unwrap_or(0));
                self.arrived.store(u32::from_le_bytes(time), Ordering::Relaxed);
                break;
            }
        }
        count
    }

    /// When the zero byte came that was read last.
    pub fn arrived(&self) -> u32 {
        self.arrived.load(Ordering::Relaxed)
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// Counts a byte that was lost before it could be put in. For the interrupt.
    pub fn count_lost(&self) {
        self.ring.count_lost();
    }

    /// How many bytes were lost since the start.
    pub fn lost(&self) -> u32 {
        self.ring.lost()
    }
}

impl<const N: usize> Default for Arrivals<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_room_for_the_longest_frame() {
        let arrivals = Arrivals::<{ Arrivals::<0>::room(9) }>::new();
        for byte in [0, 1, 2, 3, 4, 5, 6, 7, 0] {
            arrivals.put(byte, || 5);
        }
        let mut read = [9; 20];
        assert_eq!((arrivals.read(&mut read), arrivals.read(&mut read[1..])), (1, 8));
        assert_eq!(read[..9], [0, 1, 2, 3, 4, 5, 6, 7, 0]);
        assert!(arrivals.is_empty() && arrivals.lost() == 0);
    }

    proptest! {
        /// `None` reads a chunk, anything else comes at the time that is its place.
        #[test]
        fn every_byte_comes_out_with_its_own_time_or_is_counted(
            steps in prop::collection::vec(prop::option::of(0_u8..3), 0..200),
            chunk in 1_usize..9,
        ) {
            const N: usize = 24;
            let arrivals = Arrivals::<N>::new();
            let (mut there, mut taken, mut lost) = (VecDeque::new(), 0, 0);
            for (now, step) in (1_u32..).zip(steps) {
                let Some(byte) = step else {
                    let mut read = [7; 8];
                    let count = arrivals.read(&mut read[..chunk.min(8)]);
                    prop_assert_eq!(count == 0, there.is_empty());
                    for (place, &byte) in read[..count].iter().enumerate() {
                        let (expected, came) = there.pop_front().expect("as many as were put in");
                        prop_assert_eq!(byte, expected);
                        taken -= if byte == 0 { 5 } else { 1 };
                        prop_assert!(byte != 0 || (place + 1 == count && arrivals.arrived() == came));
                    }
                    continue;
                };
                arrivals.put(byte, || now);
                let takes = if byte == 0 { 5 } else { 1 };
                if taken + takes < N {
                    taken += takes;
                    there.push_back((byte, now));
                } else {
                    lost += 1;
                }
                prop_assert_eq!(arrivals.lost(), lost);
            }
        }
    }
}
