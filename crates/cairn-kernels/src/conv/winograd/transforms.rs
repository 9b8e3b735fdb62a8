//! The changes of basis, along one axis and for some channels side by side.
//!
//! The interpolation points are 0, 1, -1 and infinity for tiles of 2 pixels, and 2 and -2 besides for tiles of 4. All of these
//! are written out, since a multiplication by a zero of the matrix would still be one.

/// So many channels of one pixel or position.
pub(super) type Lanes<const L: usize> = [f32; L];

/// Some lanes, each computed from the same lane of `from` by `one`.
#[inline(always)]
fn each<const L: usize, const FROM: usize, const TO: usize>(
    from: [Lanes<L>; FROM],
    one: impl Fn([f32; FROM]) -> [f32; TO],
) -> [Lanes<L>; TO] {
    let mut to = [[0.0; L]; TO];
    for lane in 0..L {
        let values = one(std::array::from_fn(|index| from[index][lane]));
        for (to, value) in to.iter_mut().zip(values) {
            to[lane] = value;
        }
    }
    to
}

/// Both axes of a square: `along` each row, then along each column.
#[inline(always)]
pub(super) fn square<const L: usize, const FROM: usize, const TO: usize>(
    from: &[[Lanes<L>; FROM]; FROM],
    along: impl Fn([Lanes<L>; FROM]) -> [Lanes<L>; TO],
) -> [[Lanes<L>; TO]; TO] {
    let mut rows = [[[0.0; L]; FROM]; TO];
    for (index, row) in from.iter().enumerate() {
        let turned = along(*row);
        for (rows, value) in rows.iter_mut().zip(turned) {
            rows[index] = value;
        }
    }
    // `rows[column][row]` now: the other axis lies along the last index.
    let mut to = [[[0.0; L]; TO]; TO];
    for (column, lane) in rows.iter().enumerate() {
        let turned = along(*lane);
        for (to, value) in to.iter_mut().zip(turned) {
            to[column] = value;
        }
    }
    to
}

/// `B^T x`: N input pixels.
#[inline(always)]
pub(super) fn input<const L: usize, const N: usize>(x: [Lanes<L>; N]) -> [Lanes<L>; N] {
    each(x, |x| {
        let mut v = [0.0; N];
        if N == 4 {
            v[0] = x[0] - x[2];
            v[1] = x[1] + x[2];
            v[2] = x[2] - x[1];
            v[3] = x[1] - x[3];
        } else {
            v[0] = 4.0 * x[0] - 5.0 * x[2] + x[4];
            let (even, odd) = (x[4] - 4.0 * x[2], x[3] - 4.0 * x[1]);
            v[1] = even + odd;
            v[2] = even - odd;
            let (even, odd) = (x[4] - x[2], 2.0 * (x[3] - x[1]));
            v[3] = even + odd;
            v[4] = even - odd;
            v[5] = 4.0 * x[1] - 5.0 * x[3] + x[5];
        }
        v
    })
}

/// `G w`: three weights.
#[inline(always)]
pub(super) fn weights<const L: usize, const N: usize>(w: [Lanes<L>; 3]) -> [Lanes<L>; N] {
    each(w, |w| {
        let mut u = [0.0; N];
        u[N - 1] = w[2];
        if N == 4 {
            u[0] = w[0];
            u[1] = 0.5 * (w[0] + w[2] + w[1]);
            u[2] = 0.5 * (w[0] + w[2] - w[1]);
        } else {
            u[0] = w[0] / 4.0;
            let (even, odd) = (-(w[0] + w[2]) / 6.0, -w[1] / 6.0);
            u[1] = even + odd;
            u[2] = even - odd;
            let (even, odd) = (w[0] / 24.0 + w[2] / 6.0, w[1] / 12.0);
            u[3] = even + odd;
            u[4] = even - odd;
        }
        u
    })
}

/// `A^T m`: N positions to M output pixels.
#[inline(always)]
pub(super) fn output<const L: usize, const N: usize, const M: usize>(m: [Lanes<L>; N]) -> [Lanes<L>; M] {
    each(m, |m| {
        let mut y = [0.0; M];
        if N == 4 {
            y[0] = m[0] + m[1] + m[2];
            y[1] = m[1] - m[2] - m[3];
        } else {
            let (one_even, one_odd) = (m[1] + m[2], m[1] - m[2]);
            let (two_even, two_odd) = (m[3] + m[4], m[3] - m[4]);
            y[0] = m[0] + one_even + two_even;
            y[1] = one_odd + 2.0 * two_odd;
            y[2] = one_even + 4.0 * two_even;
            y[3] = one_odd + 8.0 * two_odd + m[5];
        }
        y
    })
}

/// `A y`: M gradients to output pixels to N positions.
#[inline(always)]
pub(super) fn output_gradient<const L: usize, const N: usize, const M: usize>(
    y: [Lanes<L>; M],
) -> [Lanes<L>; N] {
    each(y, |y| {
        let mut w = [0.0; N];
        w[0] = y[0];
        if N == 4 {
            w[1] = y[0] + y[1];
            w[2] = y[0] - y[1];
            w[3] = -y[1];
        } else {
            let (even, odd) = (y[0] + y[2], y[1] + y[3]);
            w[1] = even + odd;
            w[2] = even - odd;
            let (even, odd) = (y[0] + 4.0 * y[2], 2.0 * y[1] + 8.0 * y[3]);
            w[3] = even + odd;
            w[4] = even - odd;
            w[5] = y[3];
        }
        w
    })
}

/// `G^T u`: N sums to the gradients to three weights.
#[inline(always)]
pub(super) fn weight_gradient<const L: usize, const N: usize>(u: [Lanes<L>; N]) -> [Lanes<L>; 3] {
    each(u, |u| {
        if N == 4 {
            let (even, odd) = (0.5 * (u[1] + u[2]), 0.5 * (u[1] - u[2]));
            [u[0] + even, odd, even + u[3]]
        } else {
            let (one_even, one_odd) = ((u[1] + u[2]) / 6.0, (u[1] - u[2]) / 6.0);
            let (two_even, two_odd) = (u[3] + u[4], u[3] - u[4]);
            [
                u[0] / 4.0 - one_even + two_even / 24.0,
                two_odd / 12.0 - one_odd,
                two_even / 6.0 - one_even + u[5],
            ]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane<const N: usize>(values: [f32; N]) -> [Lanes<1>; N] {
        values.map(|value| [value])
    }

    /// One row of a convolution, and both of its gradients, by the definition and by the transformations.
    fn check<const N: usize, const M: usize>() {
        let x: [f32; N] = std::array::from_fn(|i| (i * i) as f32 * 0.3 - 1.7 * i as f32 + 0.2);
        let dy: [f32; M] = std::array::from_fn(|i| 0.9 - 0.4 * i as f32);
        let w = [0.5, -1.25, 0.75];
        let (v, u) = (input(lane(x)), weights::<1, N>(lane(w)));
        let y = output::<1, N, M>(std::array::from_fn(|i| [v[i][0] * u[i][0]]));
        for (i, y) in y.iter().enumerate() {
            let expected: f32 = (0..3).map(|k| x[i + k] * w[k]).sum();
            assert!((y[0] - expected).abs() < 1e-4, "output {i} of {M}: {} for {expected}", y[0]);
        }
        let dm = output_gradient::<1, N, M>(lane(dy));
        let dw = weight_gradient::<1, N>(std::array::from_fn(|i| [v[i][0] * dm[i][0]]));
        for (k, dw) in dw.iter().enumerate() {
            let expected: f32 = (0..M).map(|i| x[i + k] * dy[i]).sum();
            assert!((dw[0] - expected).abs() < 1e-4, "weight {k}, tiles of {M}: {} for {expected}", dw[0]);
        }
    }

    #[test]
    fn a_row_is_convolved_and_differentiated_as_by_the_definition() {
        check::<4, 2>();
        check::<6, 4>();
    }
}
