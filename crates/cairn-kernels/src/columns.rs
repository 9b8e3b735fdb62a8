//! Some columns of a matrix: taken out, and put back.

use rayon::prelude::*;

use crate::shape::check_len;

/// Writes some columns of `matrix`, `[rows, width]`, to `taken`, `[rows, columns]`.
///
/// # Panics
/// When lengths do not fit together, or a column is not below `width`.
pub fn take(width: usize, columns: &[u32], matrix: &[f32], taken: &mut [f32]) {
    check_len("taken columns", taken.len(), matrix.len() / width.max(1) * columns.len());
    if columns.is_empty() {
        return;
    }
    taken.par_chunks_exact_mut(columns.len()).zip(matrix.par_chunks_exact(width)).for_each(|(taken, row)| {
        for (value, &column) in taken.iter_mut().zip(columns) {
            *value = row[column as usize];
        }
    });
}

/// Writes `taken`, `[rows, columns]`, into the columns of `matrix`, `[rows, width]`, that it was [taken](take) from.
///
/// # Panics
/// As [`take`].
pub fn put(width: usize, columns: &[u32], matrix: &mut [f32], taken: &[f32]) {
    check_len("taken columns", taken.len(), matrix.len() / width.max(1) * columns.len());
    if columns.is_empty() {
        return;
    }
    matrix.par_chunks_exact_mut(width).zip(taken.par_chunks_exact(columns.len())).for_each(|(row, taken)| {
        for (&value, &column) in taken.iter().zip(columns) {
            row[column as usize] = value;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_are_put_back_are_where_they_were_taken_from() {
        let matrix: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let mut taken = vec![0.0; 6];
        take(4, &[3, 1], &matrix, &mut taken);
        assert_eq!(taken, [3.0, 1.0, 7.0, 5.0, 11.0, 9.0]);
        taken.iter_mut().for_each(|value| *value = -*value);
        let mut changed = matrix.clone();
        put(4, &[3, 1], &mut changed, &taken);
        assert_eq!(changed, [0.0, -1.0, 2.0, -3.0, 4.0, -5.0, 6.0, -7.0, 8.0, -9.0, 10.0, -11.0]);
        put(4, &[], &mut changed, &[]);
        take(4, &[], &matrix, &mut []);
    }
}
