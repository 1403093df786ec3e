//! Every kernel against the definition of its sums.

use proptest::prelude::*;

use super::*;
use crate::tiles::tile_columns;

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

/// What the kernel for this machine gives.
fn by_this_machine<W: Packing, const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    halves: [&[i16]; 2],
) -> [PairSums; P] {
    let mut operands = W::Operands::default();
    W::prepare(&mut operands, halves);
    W::sums(start, tiles, &operands, None)
}

/// What the portable kernel gives.
fn by_portable<const P: usize>(
    start: &[PairSums; P],
    tiles: [&[u32]; 2],
    halves: [&[i16]; 2],
) -> [PairSums; P] {
    let mut operands = portable::Operands::default();
    operands.set(halves);
    portable::sums(start, tiles, &operands, None)
}

/// What the rows' sums begin with, and what they are by the definition.
fn start_and_sums<const P: usize>(rows: &[[Vec<i8>; 2]; P], operand: &[i16]) -> [[PairSums; P]; 2] {
    let start: [PairSums; P] = core::array::from_fn(|pair| [pair as i32 * 1000 - 500, 77]);
    let mut expected = plain(rows, operand);
    for (sums, first) in expected.iter_mut().zip(start) {
        sums[0] += first[0];
        sums[1] += first[1];
    }
    [start, expected]
}

/// Words and operands of both halves.
type Halves<'a> = ([&'a [u32]; 2], [&'a [i16]; 2]);

/// A tile and its operand as either half, and in two parts; `columns_of_word` of the tile's columns are in a word.
fn as_halves<'a, const P: usize>(
    tile: &'a [u32],
    operand: &'a [i16],
    columns_of_word: usize,
) -> [Halves<'a>; 3] {
    let at = operand.len() / 2 / 4 * 4;
    [
        ([tile, &[]], [operand, &[1; 9]]),
        ([&[], tile], [&[1; 9], operand]),
        (tile.split_at(at / columns_of_word * P).into(), operand.split_at(at).into()),
    ]
}

/// Checks that every kernel gives the definition's sums, on top of sums that are there already.
fn check<const P: usize>(rows: [[Vec<i8>; 2]; P], operand: &[i16]) -> Result<(), TestCaseError> {
    let tile = pack(&rows);
    let [start, expected] = start_and_sums(&rows, operand);
    let mut by_reference = start;
    reference::accumulate(&mut by_reference, &tile, operand);
    prop_assert_eq!(by_reference, expected);
    for (tiles, halves) in as_halves::<P>(&tile, operand, Bits8::COLUMNS) {
        prop_assert_eq!(by_portable(&start, tiles, halves), expected);
        prop_assert_eq!(by_this_machine::<Bits8, P>(&start, tiles, halves), expected);
    }
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

/// Packs rows of weights from -7 to 7 into one tile of nibbles, as an exporter does.
fn pack_nibbles<const P: usize>(rows: &[[Vec<i8>; 2]; P]) -> Vec<u32> {
    let columns = rows[0][0].len();
    let nibble = |row: &Vec<i8>, column| (row.get(column).copied().unwrap_or(0) + 8) as u32;
    let mut tile = Vec::new();
    for first in (0..tile_columns(columns)).step_by(4) {
        for [a, b] in rows {
            let half = |column| {
                let [even, odd] = [column, column + 2];
                nibble(b, even) | nibble(b, odd) << 4 | nibble(a, even) << 8 | nibble(a, odd) << 12
            };
            tile.push(half(first) | half(first + 1) << 16);
        }
    }
    tile
}

/// As `check`, of weights of 4 bits.
fn check_nibbles<const P: usize>(rows: [[Vec<i8>; 2]; P], operand: &[i16]) -> Result<(), TestCaseError> {
    let tile = pack_nibbles(&rows);
    let [start, expected] = start_and_sums(&rows, operand);
    let mut by_reference = start;
    reference::accumulate_nibbles(&mut by_reference, &tile, operand);
    prop_assert_eq!(by_reference, expected);
    for (tiles, halves) in as_halves::<P>(&tile, operand, Bits4::COLUMNS) {
        prop_assert_eq!(by_this_machine::<Bits4, P>(&start, tiles, halves), expected);
    }
    for (pair, [a, b]) in rows.iter().enumerate() {
        let sum = |row: &Vec<i8>| row.iter().map(|weight| u32::from(weight.unsigned_abs())).sum::<u32>();
        let words = tile.iter().skip(pair).step_by(P).map(|&word| Bits4::magnitudes(word));
        let found = words.fold([0; 2], |[a, b], [more_a, more_b]| [a + more_a, b + more_b]);
        prop_assert_eq!(found, [sum(a), sum(b)]);
    }
    Ok(())
}

/// Rows of 4-bit weights and an operand whose sums stay inside the accumulator's bound.
fn nibble_tile<const P: usize>() -> impl Strategy<Value = ([[Vec<i8>; 2]; P], Vec<i16>)> {
    (1usize..=130).prop_flat_map(|columns| {
        let rows = proptest::array::uniform(proptest::array::uniform(proptest::collection::vec(
            prop_oneof![3 => -8i8..=7, 1 => Just(-7), 1 => Just(7), 1 => Just(0)],
            columns,
        )));
        // 130 * 8 * 8000 < 2^23
        let value = prop_oneof![3 => -8000i16..=8000, 3 => Just(0), 1 => Just(8000), 1 => Just(-8000)];
        (rows, proptest::collection::vec(value, columns))
    })
}

proptest! {
    #[test]
    fn one_pair_of_nibbles((rows, operand) in nibble_tile::<1>()) { check_nibbles(rows, &operand)?; }

    #[test]
    fn two_pairs_of_nibbles((rows, operand) in nibble_tile::<2>()) { check_nibbles(rows, &operand)?; }

    #[test]
    fn three_pairs_of_nibbles((rows, operand) in nibble_tile::<3>()) { check_nibbles(rows, &operand)?; }
}

#[test]
fn the_largest_sum_of_nibbles_that_the_bound_allows() {
    // 36 * 7 * 32767 = 8257284, just below 2^23; opposite signs put the greatest strain on the excess
    for sign in [1, -1] {
        let rows = [[vec![7 * sign; 36], vec![-7 * sign; 36]]];
        check_nibbles(rows, &[32767; 36]).unwrap();
    }
}

#[test]
fn masks_of_nibbles_give_words_of_bytes() {
    let row = |weights: [i8; 4]| weights.to_vec();
    let [word] = pack_nibbles(&[[row([1, 2, 3, 4]), row([-1, -2, -3, -4])]])[..] else { panic!("one") };
    let excess = |columns: [[i16; 2]; 2]| columns.map(|pair| pair.map(|weight| weight - 8));
    assert_eq!(excess(reference::unpack(word & 0x0f0f_0f0f)), [[1, -1], [2, -2]]);
    assert_eq!(excess(reference::unpack(word >> 4 & 0x0f0f_0f0f)), [[3, -3], [4, -4]]);
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
    let start = [[0; 2]; P];
    let mut by_reference = start;
    reference::accumulate(&mut by_reference, tile, operand);
    prop_assert_eq!(by_reference, by_portable(&start, [tile, &[]], [operand, &[]]));
    prop_assert_eq!(by_reference, by_this_machine::<Bits8, P>(&start, [tile, &[]], [operand, &[]]));
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
