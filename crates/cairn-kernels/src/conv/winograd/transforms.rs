//! The changes of basis, along one axis and for some channels side by side.
//!
//! The interpolation points are 0, the square roots of 1/2 and of 2 with both signs, and infinity: with them errors are
//! a fifth of what they are with the usual 0, 1, -1, 2, -2 (largest error relative to the largest output, 512 channels:
//! 2.8e-6, not 1.5e-5). The matrices are written out as sums, since a multiplication by a zero would still be one.

use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::mem::MaybeUninit;

use super::tiling::{PIXELS, SIDE};

/// `L` channels of one pixel or position.
pub(super) type Lanes<const L: usize> = [f32; L];

/// Some lanes, each computed from the same lane of `from` by `one`.
#[inline(always)]
fn each<const L: usize, const FROM: usize, const TO: usize>(
    from: [Lanes<L>; FROM],
    one: impl Fn([f32; FROM]) -> [f32; TO],
) -> [Lanes<L>; TO] {
    let mut to = [[0.0; L]; TO];
    for lane in 0..L {
        let mut values = [0.0; FROM];
        for index in 0..FROM {
            values[index] = from[index][lane];
        }
        let values = one(values);
        for index in 0..TO {
            to[index][lane] = values[index];
        }
    }
    to
}

/// Both axes of a square. Its lanes at a row and a column are `at(row, column)`; the result goes to `store(index, lanes)`.
///
/// The result is transposed, column by column. So positions are transposed, and pixels made of positions are upright
/// again. These are loops over memory that is not cleared first, since `array::from_fn` is not inlined here: it took a
/// tenth of a training step.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "rows and columns change places")]
pub(super) fn square<const L: usize, const FROM: usize, const TO: usize>(
    at: impl Fn(usize, usize) -> Lanes<L>,
    along: impl Fn([Lanes<L>; FROM]) -> [Lanes<L>; TO],
    mut store: impl FnMut(usize, &Lanes<L>),
) {
    let mut half = [[MaybeUninit::<Lanes<L>>::uninit(); FROM]; TO];
    for row in 0..FROM {
        let mut line = [[0.0; L]; FROM];
        for column in 0..FROM {
            line[column] = at(row, column);
        }
        let line = along(line);
        for column in 0..TO {
            half[column][row].write(line[column]);
        }
    }
    for column in 0..TO {
        let mut line = [[0.0; L]; FROM];
        for row in 0..FROM {
            // SAFETY: every row of every column was written above.
            line[row] = unsafe { half[column][row].assume_init() };
        }
        let line = along(line);
        for row in 0..TO {
            store(column * TO + row, &line[row]);
        }
    }
}

/// `B^T x`: input pixels to positions.
#[inline(always)]
pub(super) fn input<const L: usize>(x: [Lanes<L>; SIDE]) -> [Lanes<L>; SIDE] {
    each(x, |x| {
        let (small_even, small_odd) = (x[4] - 2.0 * x[2], FRAC_1_SQRT_2 * x[3] - SQRT_2 * x[1]);
        let (large_even, large_odd) = (x[4] - 0.5 * x[2], SQRT_2 * x[3] - FRAC_1_SQRT_2 * x[1]);
        [
            x[0] - 2.5 * x[2] + x[4],
            small_even + small_odd,
            small_even - small_odd,
            large_even + large_odd,
            large_even - large_odd,
            x[1] - 2.5 * x[3] + x[5],
        ]
    })
}

/// `G w`: three weights to positions.
#[inline(always)]
pub(super) fn weights<const L: usize>(w: [Lanes<L>; 3]) -> [Lanes<L>; SIDE] {
    each(w, |w| {
        let (small_even, small_odd) = ((-2.0 / 3.0) * (w[0] + 0.5 * w[2]), (-SQRT_2 / 3.0) * w[1]);
        let (large_even, large_odd) = ((1.0 / 6.0) * (w[0] + 2.0 * w[2]), (SQRT_2 / 6.0) * w[1]);
        [
            w[0],
            small_even + small_odd,
            small_even - small_odd,
            large_even + large_odd,
            large_even - large_odd,
            w[2],
        ]
    })
}

/// `A^T m`: positions to output pixels.
#[inline(always)]
pub(super) fn output<const L: usize>(m: [Lanes<L>; SIDE]) -> [Lanes<L>; PIXELS] {
    each(m, |m| {
        let (small_even, small_odd) = (m[1] + m[2], FRAC_1_SQRT_2 * (m[1] - m[2]));
        let (large_even, large_odd) = (m[3] + m[4], SQRT_2 * (m[3] - m[4]));
        [
            m[0] + small_even + large_even,
            small_odd + large_odd,
            0.5 * small_even + 2.0 * large_even,
            0.5 * small_odd + 2.0 * large_odd + m[5],
        ]
    })
}

/// `A y`: gradients to output pixels to positions.
#[inline(always)]
pub(super) fn output_gradient<const L: usize>(y: [Lanes<L>; PIXELS]) -> [Lanes<L>; SIDE] {
    each(y, |y| {
        let (small_even, small_odd) = (y[0] + 0.5 * y[2], FRAC_1_SQRT_2 * (y[1] + 0.5 * y[3]));
        let (large_even, large_odd) = (y[0] + 2.0 * y[2], SQRT_2 * (y[1] + 2.0 * y[3]));
        [
            y[0],
            small_even + small_odd,
            small_even - small_odd,
            large_even + large_odd,
            large_even - large_odd,
            y[3],
        ]
    })
}

/// `G^T u`: sums at positions to the gradients to three weights.
#[inline(always)]
pub(super) fn weight_gradient<const L: usize>(u: [Lanes<L>; SIDE]) -> [Lanes<L>; 3] {
    each(u, |u| {
        let (small_even, small_odd) = ((-2.0 / 3.0) * (u[1] + u[2]), (-SQRT_2 / 3.0) * (u[1] - u[2]));
        let (large_even, large_odd) = ((1.0 / 6.0) * (u[3] + u[4]), (SQRT_2 / 6.0) * (u[3] - u[4]));
        [u[0] + small_even + large_even, small_odd + large_odd, 0.5 * small_even + 2.0 * large_even + u[5]]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane<const N: usize>(values: [f32; N]) -> [Lanes<1>; N] {
        values.map(|value| [value])
    }

    #[test]
    fn a_row_is_convolved_and_differentiated_as_by_the_definition() {
        let x: [f32; SIDE] = std::array::from_fn(|i| (i * i) as f32 * 0.3 - 1.7 * i as f32 + 0.2);
        let dy: [f32; PIXELS] = std::array::from_fn(|i| 0.9 - 0.4 * i as f32);
        let w = [0.5, -1.25, 0.75];
        let (v, u) = (input(lane(x)), weights(lane(w)));
        let y = output(std::array::from_fn(|i| [v[i][0] * u[i][0]]));
        for (i, y) in y.iter().enumerate() {
            let expected: f32 = (0..3).map(|k| x[i + k] * w[k]).sum();
            assert!((y[0] - expected).abs() < 1e-4, "output {i}: {} for {expected}", y[0]);
        }
        let dm = output_gradient(lane(dy));
        let dw = weight_gradient(std::array::from_fn(|i| [v[i][0] * dm[i][0]]));
        for (k, dw) in dw.iter().enumerate() {
            let expected: f32 = (0..PIXELS).map(|i| x[i + k] * dy[i]).sum();
            assert!((dw[0] - expected).abs() < 1e-4, "weight {k}: {} for {expected}", dw[0]);
        }
    }
}
