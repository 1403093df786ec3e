//! Matrix-vector products of int8 weights and 16-bit operands, a tile of rows at a time.
//!
//! A cell calls [`accumulate`] and does not know which kernel runs. [`reference`] is the specification; any
//! other kernel in this module equals it bit for bit, as the tests show.
//!
//! How weights are packed into tiles is written in [`format`](crate::format).

#[cfg_attr(
    target_arch = "x86_64",
    cfg_attr(not(test), expect(dead_code, reason = "another kernel runs on this machine"))
)]
mod portable;
pub(crate) mod reference;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use portable::accumulate;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::accumulate;

/// The sums of one pair of rows: A, then B.
pub(crate) type PairSums = [i32; 2];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::tile_columns;

    /// Packs rows of int8 weights into one tile, as an exporter does.
    fn pack<const P: usize>(rows: &[[Vec<i8>; 2]; P]) -> Vec<u32> {
        let columns = rows[0][0].len();
        let weight = |row: &Vec<i8>, column| i16::from(row.get(column).copied().unwrap_or(0));
        let mut tile = Vec::new();
        for first in (0..tile_columns(columns)).step_by(2) {
            for [a, b] in rows {
                let column = |column| (256 * weight(a, column) + weight(b, column)) as u16;
                tile.push(u32::from(column(first)) | u32::from(column(first + 1)) << 16);
            }
        }
        tile
    }

    /// Sums by the definition, on the weights before they were packed.
    fn plain<const P: usize>(rows: &[[Vec<i8>; 2]; P], operand: &[i16]) -> [PairSums; P] {
        let dot = |row: &Vec<i8>| row.iter().zip(operand).map(|(&w, &p)| i32::from(w) * i32::from(p)).sum();
        core::array::from_fn(|pair| [dot(&rows[pair][0]), dot(&rows[pair][1])])
    }

    /// Checks that every kernel gives the definition's sums, on top of sums that are there already.
    fn check<const P: usize>(rows: [[Vec<i8>; 2]; P], operand: &[i16]) -> Result<(), TestCaseError> {
        let tile = pack(&rows);
        let start: [PairSums; P] = core::array::from_fn(|pair| [pair as i32 * 1000 - 500, 77]);
        let mut expected = plain(&rows, operand);
        for (sums, first) in expected.iter_mut().zip(start) {
            sums[0] += first[0];
            sums[1] += first[1];
        }
        let (mut by_reference, mut by_portable, mut by_this_machine) = (start, start, start);
        reference::accumulate(&mut by_reference, &tile, operand);
        portable::accumulate(&mut by_portable, &tile, operand);
        accumulate(&mut by_this_machine, &tile, operand);
        prop_assert_eq!(by_reference, expected);
        prop_assert_eq!(by_portable, expected);
        prop_assert_eq!(by_this_machine, expected);
        Ok(())
    }

    /// Rows and an operand of `1..=130` columns whose sums stay inside the accumulator's bound.
    fn tile<const P: usize>() -> impl Strategy<Value = ([[Vec<i8>; 2]; P], Vec<i16>)> {
        (1usize..=130).prop_flat_map(|columns| {
            let rows = proptest::array::uniform(proptest::array::uniform(proptest::collection::vec(
                prop_oneof![3 => -127i8..=127, 1 => Just(-127), 1 => Just(127), 1 => Just(0)],
                columns,
            )));
            // 130 * 128 * 500 < 2^23
            let value = prop_oneof![3 => -500i16..=500, 3 => Just(0), 1 => Just(500), 1 => Just(-500)];
            (rows, proptest::collection::vec(value, columns))
        })
    }

    proptest! {
        #[test]
        fn one_pair((rows, operand) in tile::<1>()) { check(rows, &operand)?; }

        #[test]
        fn two_pairs((rows, operand) in tile::<2>()) { check(rows, &operand)?; }

        #[test]
        fn three_pairs((rows, operand) in tile::<3>()) { check(rows, &operand)?; }
    }

    proptest! {
        #[test]
        fn any_packed_word_means_the_same_to_all(
            words in proptest::collection::vec(any::<u32>(), 36),
            operand in proptest::collection::vec(-1000i16..=1000, 24),
        ) {
            agree::<1>(&words[..12], &operand)?;
            agree::<2>(&words[..24], &operand)?;
            agree::<3>(&words, &operand)?;
            agree::<3>(&words[..30], &operand[..17])?;
        }
    }

    /// Checks that all kernels give the same for words that no exporter needs to have packed.
    fn agree<const P: usize>(tile: &[u32], operand: &[i16]) -> Result<(), TestCaseError> {
        let mut sums = [[[0; 2]; P]; 3];
        let [by_reference, by_portable, by_this_machine] = &mut sums;
        reference::accumulate(by_reference, tile, operand);
        portable::accumulate(by_portable, tile, operand);
        accumulate(by_this_machine, tile, operand);
        prop_assert_eq!(&*by_reference, &*by_portable);
        prop_assert_eq!(by_reference, by_this_machine);
        Ok(())
    }

    #[test]
    fn the_largest_sum_that_the_bound_allows() {
        // 2 * 127 * 32767 = 8322818, just below 2^23 = 8388608
        for sign in [1, -1] {
            let rows = [[vec![127 * sign, 127], vec![-127, -127 * sign]]];
            check(rows, &[32767 * i16::from(sign), 32767]).unwrap();
        }
    }
}
