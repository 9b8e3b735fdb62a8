//! Products of embeddings, compiled for each instruction set.
//!
//! Sums are taken in lanes, in one order on every machine: all instruction sets give the same bits.

use pulp::Arch;

const LANES: usize = 16;

/// The cosine of the angle between two embeddings, which are of length 1.
///
/// # Panics
/// If they are not of one length.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "embeddings of one network are of one length");
    Arch::new().dispatch(
        #[inline(always)]
        || precise(a, b),
    )
}

/// The cosines of `sought` and each of `rows`, `[rows, features]`, are told to `each` with the row's number.
pub(super) fn each_cosine(sought: &[f32], rows: &[f32], mut each: impl FnMut(usize, f64)) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, values) in rows.chunks_exact(sought.len()).enumerate() {
                each(row, precise(sought, values));
            }
        },
    );
}

/// For each of `rows`, `[rows, features]`, the centre of `[centres, features]` that is most like it, and how like it is.
pub(super) fn nearest_centres(rows: &[f32], centres: &[f32], features: usize) -> Vec<(u32, f32)> {
    // A centre is compared with some rows while it is in the cache.
    const ROWS: usize = 16;
    let mut nearest = Vec::with_capacity(rows.len() / features);
    for rows in rows.chunks(ROWS * features) {
        let mut best = [(0_u32, f32::NEG_INFINITY); ROWS];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (number, centre) in (0_u32..).zip(centres.chunks_exact(features)) {
                    for (row, best) in rows.chunks_exact(features).zip(&mut best) {
                        let likeness = quick(row, centre);
                        if likeness > best.1 {
                            *best = (number, likeness);
                        }
                    }
                }
            },
        );
        nearest.extend_from_slice(&best[..rows.len() / features]);
    }
    nearest
}

#[inline(always)]
fn precise(a: &[f32], b: &[f32]) -> f64 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f64; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
    sums.iter().sum::<f64>() + rest
}

#[inline(always)]
fn quick(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
