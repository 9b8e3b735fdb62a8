//! Sharpening and softening: Pillow's `ImageEnhance.Sharpness`.

use pulp::{Arch, NullaryFnOnce};

use super::planes::Planes;
use super::pointwise::blend;

/// Blends with a softened photo: 0 is that one, 1 the photo itself, beyond it sharper.
///
/// Softened is Pillow's `SMOOTH`: the mean of 3 x 3 pixels in which the middle one counts five times. The outermost pixels
/// stay as they are.
pub(super) fn scale_sharpness(planes: &mut Planes<'_>, factor: f32) {
    let (width, height) = (planes.width, planes.height);
    if width < 3 || height < 3 {
        return;
    }
    for plane in planes.planes_mut() {
        let source = plane.to_vec();
        for (y, row) in plane.chunks_exact_mut(width).enumerate().take(height - 1).skip(1) {
            let line = |y: usize| &source[y * width..][..width];
            let rows = [line(y - 1), line(y), line(y + 1)];
            Arch::new().dispatch(Row { rows, factor, out: &mut row[1..width - 1] });
        }
    }
}

/// The inner pixels of a row. A type rather than a closure, because it must be inlined to where the instruction set is
/// chosen.
struct Row<'a> {
    /// Above, here, below.
    rows: [&'a [f32]; 3],
    factor: f32,
    out: &'a mut [f32],
}

impl NullaryFnOnce for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let count = self.out.len();
        let at = |shift: usize| self.rows.map(|row| &row[shift..][..count]);
        let ([above_left, left, below_left], [above, here, below], [above_right, right, below_right]) =
            (at(0), at(1), at(2));
        for (x, level) in self.out.iter_mut().enumerate() {
            // Whole numbers, so exact but for the division.
            let sum = above_left[x]
                + above[x]
                + above_right[x]
                + left[x]
                + 5.0 * here[x]
                + right[x]
                + below_left[x]
                + below[x]
                + below_right[x];
            let soft = (sum / 13.0 + 0.5).floor();
            *level = blend(soft, here[x], self.factor);
        }
    }
}
