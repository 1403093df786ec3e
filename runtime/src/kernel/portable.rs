//! The kernel for every core that has no better one: safe Rust, 32-bit products.

use super::PairSums;

/// As [`reference::accumulate`](super::reference::accumulate), with about half its multiplications' unpacking.
///
/// With `w = 256·A + B` the sum of `w·p` is `256·(A·p) + (B·p)`, so rows A and B come out of two sums, of
/// `w·p` and of `B·p`, and A needs no unpacking. The first may wrap around 2^32: shifting the difference right
/// by 8 recovers A's sum as long as that is below 2^23, which every checked model guarantees.
///
/// Four operands that are all zero are skipped; blank pixels cost next to nothing.
#[inline]
pub(crate) fn accumulate<const P: usize>(sums: &mut [PairSums; P], tile: &[i16], operand: &[i16]) {
    let mut packed = [0i32; P];
    let mut low = [0i32; P];
    let groups = operand.chunks_exact(4);
    let rest = groups.remainder();
    let mut tail = [0; 4];
    for (place, &value) in tail.iter_mut().zip(rest) {
        *place = value;
    }
    let groups = groups.map(|group| [group[0], group[1], group[2], group[3]]);
    for (weights, group) in tile.chunks_exact(4 * P).zip(groups.chain([tail])) {
        if group == [0; 4] {
            continue;
        }
        let (first, second) = weights.split_at(2 * P);
        for (half, [p, q]) in [(first, [group[0], group[1]]), (second, [group[2], group[3]])] {
            for ((words, packed), low) in half.chunks_exact(2).zip(&mut packed).zip(&mut low) {
                *packed = packed
                    .wrapping_add(i32::from(words[0]) * i32::from(p))
                    .wrapping_add(i32::from(words[1]) * i32::from(q));
                *low += i32::from(words[0] as i8) * i32::from(p) + i32::from(words[1] as i8) * i32::from(q);
            }
        }
    }
    for ((sum, packed), low) in sums.iter_mut().zip(packed).zip(low) {
        sum[0] += packed.wrapping_sub(low) >> 8;
        sum[1] += low;
    }
}
