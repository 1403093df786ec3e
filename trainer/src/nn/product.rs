//! Matrix products and the sums of rows, on slices that hold matrices row after row.
//!
//! The products are faer's: register tiles for AVX-512, for AVX2 with FMA and for NEON, chosen when the program runs. They
//! are always computed by the thread that asks: threads divide a batch, not a product.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use multiversion::multiversion;
use ndarray::Array2;

/// A matrix to read: a slice with a number of rows and columns, or some of its columns, or its transpose.
pub(super) type Matrix<'a> = MatRef<'a, f32>;
/// A matrix to write to.
pub(super) type MatrixMut<'a> = MatMut<'a, f32>;

/// A contiguous slice seen as a matrix `[data.len() / columns, columns]`.
pub(super) fn matrix(data: &[f32], columns: usize) -> Matrix<'_> {
    MatRef::from_row_major_slice(data, data.len() / columns, columns)
}

/// [`matrix`], to write to.
pub(super) fn matrix_mut(data: &mut [f32], columns: usize) -> MatrixMut<'_> {
    let rows = data.len() / columns;
    MatMut::from_row_major_slice_mut(data, rows, columns)
}

/// Weights seen as a matrix.
pub(super) fn tensor(values: &Array2<f32>) -> Matrix<'_> {
    matrix(values.as_slice().expect("weights are kept in standard layout"), values.ncols())
}

/// [`tensor`], to write to.
pub(super) fn tensor_mut(values: &mut Array2<f32>) -> MatrixMut<'_> {
    let columns = values.ncols();
    matrix_mut(values.as_slice_mut().expect("gradients are kept in standard layout"), columns)
}

/// `out += a·b`
pub(super) fn add_product(a: Matrix<'_>, b: Matrix<'_>, out: MatrixMut<'_>) {
    matmul(out, Accum::Add, a, b, 1.0, Par::Seq);
}

/// `out = a·b`
pub(super) fn set_product(a: Matrix<'_>, b: Matrix<'_>, out: MatrixMut<'_>) {
    matmul(out, Accum::Replace, a, b, 1.0, Par::Seq);
}

/// Writes the transpose of `values` `[rows, columns]` into `out`.
///
/// A product with a transpose that is taken again and again is faster with a copy of it: faer would make one each time.
pub(super) fn transpose<'o>(values: &Array2<f32>, out: &'o mut Vec<f32>) -> Matrix<'o> {
    /// As many columns as fill a cache line of each row, so that every line is read once.
    const BLOCK: usize = 16;
    let (rows, columns) = values.dim();
    let values = values.as_slice().expect("weights are kept in standard layout");
    out.resize(values.len(), 0.0);
    for first in (0..columns).step_by(BLOCK) {
        for (row, values) in values.chunks_exact(columns).enumerate() {
            for (column, value) in values.iter().enumerate().skip(first).take(BLOCK) {
                out[column * rows + row] = *value;
            }
        }
    }
    matrix(out, rows)
}

/// Sets `out` to the sum of the rows of `matrix` `[rows, out.len()]`, taken in their order.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2"))]
pub(super) fn sum_rows(matrix: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    for row in matrix.chunks_exact(out.len()) {
        for (sum, value) in out.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[rows, columns]` of numbers without a pattern, between -1 and 1.
    fn numbers(rows: usize, columns: usize) -> Vec<f32> {
        (0..rows * columns).map(|n| ((n * 7919 + rows) as f32 * 0.7).sin()).collect()
    }

    /// `a·b` by the definition.
    fn plain(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f64> {
        let entry = |row, column| {
            (0..a.ncols()).map(|k| f64::from(a[(row, k)]) * f64::from(b[(k, column)])).sum::<f64>()
        };
        (0..a.nrows())
            .flat_map(|row| (0..b.ncols()).map(move |column| (row, column)))
            .map(|(r, c)| entry(r, c))
            .collect()
    }

    fn assert_close(found: &[f32], expected: impl IntoIterator<Item = f64>, about: &str) {
        for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((f64::from(*found) - expected).abs() < 1e-4, "{about}, {index}: {found} for {expected}");
        }
    }

    /// From a single number to more than faer's smallest products, which have kernels of their own, take.
    const SIZES: [[usize; 3]; 6] =
        [[1, 1, 1], [3, 5, 2], [16, 16, 16], [32, 64, 256], [28, 97, 65], [1, 300, 64]];

    #[test]
    fn products_are_those_of_the_definition() {
        for [rows, inner, columns] in SIZES {
            let (a, b) = (numbers(rows, inner), numbers(inner, columns));
            let (a_transposed, b_transposed) = (numbers(inner, rows), numbers(columns, inner));
            let about = format!("{rows} x {inner} x {columns}");
            for a in [matrix(&a, inner), matrix(&a_transposed, rows).transpose()] {
                for b in [matrix(&b, columns), matrix(&b_transposed, inner).transpose()] {
                    let mut out = vec![f32::NAN; rows * columns];
                    set_product(a, b, matrix_mut(&mut out, columns));
                    assert_close(&out, plain(a, b), &about);
                    add_product(a, b, matrix_mut(&mut out, columns));
                    assert_close(&out, plain(a, b).into_iter().map(|sum| 2.0 * sum), &about);
                }
            }
        }
    }

    #[test]
    fn a_product_writes_to_its_own_columns_alone() {
        let (a, b) = (numbers(40, 64), numbers(64, 64));
        let mut out = vec![7.0; 40 * 96];
        let (a, b) = (matrix(&a, 64), matrix(&b, 64));
        set_product(a, b.subcols(0, 32), matrix_mut(&mut out, 96).subcols_mut(48, 32));
        let expected = plain(a, b.subcols(0, 32));
        for (row, expected) in out.chunks_exact(96).zip(expected.chunks_exact(32)) {
            assert!(row[..48].iter().chain(&row[80..]).all(|&value| value == 7.0));
            assert_close(&row[48..80], expected.iter().copied(), "columns 48 to 79");
        }
    }

    #[test]
    fn a_transpose_of_a_transpose_is_the_matrix() {
        for (rows, columns) in [(1, 1), (3, 70), (64, 256), (17, 16)] {
            let values = Array2::from_shape_vec((rows, columns), numbers(rows, columns)).unwrap();
            // longer than is needed: a buffer is used again
            let mut transposed = vec![9.0; rows * columns + 5];
            let matrix = transpose(&values, &mut transposed);
            assert_eq!((matrix.nrows(), matrix.ncols()), (columns, rows));
            assert!(values.indexed_iter().all(|((row, column), &value)| matrix[(column, row)] == value));
        }
    }

    #[test]
    fn rows_are_summed_in_their_order() {
        // in any other order the one would be lost
        let mut out = [5.0; 2];
        sum_rows(&[1e9, 0.5, -1e9, 0.25, 1.0, 0.125], &mut out);
        assert_eq!(out, [1.0, 0.875]);
    }
}
