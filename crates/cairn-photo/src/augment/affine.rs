//! Turning, shifting, scaling and shearing a photo.

use rand::{Rng, RngExt};

use crate::Photo;

/// An affine map: shear, then scale, then rotation about a centre, then shift, as in torchvision's `functional.affine`.
///
/// The pixel nearest to where a new pixel came from is taken, not a mean of four: torchvision's default for
/// `RandomRotation` and `RandomAffine`, so the published systems were trained on photos with just these jagged edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Angle of rotation, clockwise.
    pub degrees: f64,
    /// Shift to the right and down, in pixels.
    pub translate: [i32; 2],
    /// Factor of size.
    pub scale: f64,
    /// Angles of shear along x and y, in degrees.
    pub shear: [f64; 2],
    /// What stays in place, from the top left corner in pixels; `None` for the photo's centre.
    pub center: Option<[f64; 2]>,
}

impl Affine {
    /// Nothing moves.
    pub const IDENTITY: Affine =
        Affine { degrees: 0.0, translate: [0, 0], scale: 1.0, shear: [0.0, 0.0], center: None };

    /// Turned by `degrees` counterclockwise: torchvision's `functional.rotate`, whose sense is the opposite of
    /// `functional.affine`'s.
    pub fn rotation(degrees: f64) -> Affine {
        Affine { degrees: -degrees, ..Affine::IDENTITY }
    }

    /// Draws the parameters of `RandomRotation(degrees)`.
    pub fn sample_rotation(degrees: f32, rng: &mut impl Rng) -> Affine {
        Affine::rotation(either_side(degrees, rng))
    }

    /// Draws the parameters of `RandomAffine` for a photo of `width` x `height`: an angle up to `degrees` to either side,
    /// whole pixels of shift up to `translate` times width and height, a scale, an angle of shear along x up to `shear` to
    /// either side.
    pub fn sample(
        [width, height]: [u32; 2],
        degrees: f32,
        translate: [f32; 2],
        scale: [f32; 2],
        shear: f32,
        rng: &mut impl Rng,
    ) -> Affine {
        let degrees = either_side(degrees, rng);
        let [x, y] = translate;
        let shift_x = either_side(x * width as f32, rng).round_ties_even() as i32;
        let shift_y = either_side(y * height as f32, rng).round_ties_even() as i32;
        let scale = rng.random_range(f64::from(scale[0])..=f64::from(scale[1]));
        let shear = [either_side(shear, rng), 0.0];
        Affine { degrees, translate: [shift_x, shift_y], scale, shear, center: None }
    }

    /// The photo mapped, at its old size, and left and right exchanged afterwards if `flip`; what lies outside of it is
    /// black.
    ///
    /// Positions are kept in 16.16 fixed point as in Pillow, so that the same pixel is the nearest. (Where neither rotation
    /// nor shear is asked for, Pillow uses floating point, and pixels halfway between two may differ.)
    pub(super) fn apply(&self, photo: &Photo, flip: bool) -> Photo {
        let [x_from_x, x_from_y, x_from_1, y_from_x, y_from_y, y_from_1] =
            self.inverse(photo.width(), photo.height());
        let step = [fixed(x_from_x), fixed(y_from_x)];
        let line_step = [fixed(x_from_y), fixed(y_from_y)];
        // The source position of the first pixel's centre.
        let mut line_start =
            [fixed(x_from_1 + (x_from_x + x_from_y) / 2.0), fixed(y_from_1 + (y_from_x + y_from_y) / 2.0)];
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let (source, _) = photo.pixels().as_chunks::<3>();
        let mut mapped = Photo::filled(photo.width(), photo.height(), [0; 3]);
        let (target, _) = mapped.pixels_mut().as_chunks_mut::<3>();
        for line in target.chunks_exact_mut(width) {
            let columns = inside(line_start[0], step[0], width, width);
            let rows = inside(line_start[1], step[1], height, width);
            let Span { first, end } = columns.intersection(rows);
            let mut x = line_start[0] + first as i64 * step[0];
            let mut y = line_start[1] + first as i64 * step[1];
            for pixel in &mut line[first..end] {
                *pixel = source[(y >> 16) as usize * width + (x >> 16) as usize];
                x += step[0];
                y += step[1];
            }
            if flip {
                line.reverse();
            }
            line_start[0] += line_step[0];
            line_start[1] += line_step[1];
        }
        mapped
    }

    /// The map that does to a photo's mirror image what this does to the photo.
    pub(super) fn mirrored(&self, width: u32) -> Affine {
        Affine {
            degrees: -self.degrees,
            translate: [-self.translate[0], self.translate[1]],
            scale: self.scale,
            shear: self.shear.map(|angle| -angle),
            center: self.center.map(|[x, y]| [f64::from(width) - x, y]),
        }
    }

    /// Where a new pixel came from: the upper two rows of the inverse 3 x 3 matrix, row by row.
    ///
    /// With R the rotation, S the scale, H the shear, C and T the shifts by centre and translation, the map is
    /// `T C R S H C^-1`, and its inverse `C H^-1 S^-1 R^-1 C^-1 T^-1`.
    fn inverse(&self, width: u32, height: u32) -> [f64; 6] {
        let degrees = self.degrees.to_radians();
        let [shear_x, shear_y] = self.shear.map(f64::to_radians);
        // R H is [a, b; c, d], as torchvision takes the two shears together.
        let (sin, cos) = (degrees - shear_y).sin_cos();
        let (a, c) = (cos / shear_y.cos(), sin / shear_y.cos());
        let (b, d) = (-a * shear_x.tan() - degrees.sin(), -c * shear_x.tan() + degrees.cos());
        let linear = [d, -b, -c, a].map(|entry| entry / self.scale);
        let center = self.center.unwrap_or([f64::from(width) / 2.0, f64::from(height) / 2.0]);
        let moved = [center[0] + f64::from(self.translate[0]), center[1] + f64::from(self.translate[1])];
        [
            linear[0],
            linear[1],
            center[0] - linear[0] * moved[0] - linear[1] * moved[1],
            linear[2],
            linear[3],
            center[1] - linear[2] * moved[0] - linear[3] * moved[1],
        ]
    }
}

/// Some of a line's pixels: from the first to before the end.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    end: usize,
}

impl Span {
    fn intersection(self, other: Span) -> Span {
        let first = self.first.max(other.first);
        Span { first, end: self.end.min(other.end).max(first) }
    }
}

/// The `i` below `count` for which the position `start + i * step` (16.16) is within `0..length` pixels. Positions go one
/// way, so these are neighbours.
fn inside(start: i64, step: i64, length: usize, count: usize) -> Span {
    let limit = (length as i64) << 16;
    let count = count as i64;
    let (first, end) = match step {
        0 if (0..limit).contains(&start) => (0, count),
        0 => (0, 0),
        // Going up, it is inside from 0 on, until it has reached the limit.
        1.. => ((-start + step - 1).div_euclid(step), (limit - start + step - 1).div_euclid(step)),
        // Going down, it is inside once it is below the limit, as long as it is not below 0.
        _ => {
            let down = -step;
            ((start - limit + down).div_euclid(down), start.div_euclid(down) + 1)
        }
    };
    let clamp = |i: i64| i.clamp(0, count) as usize;
    Span { first: clamp(first), end: clamp(end) }
}

/// A number drawn from `-limit..=limit`.
fn either_side(limit: f32, rng: &mut impl Rng) -> f64 {
    let limit = f64::from(limit);
    rng.random_range(-limit..=limit)
}

/// `value` in 16.16 fixed point, halves rounded up.
fn fixed(value: f64) -> i64 {
    (value * 65536.0 + 0.5).floor() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_pixels_inside_are_just_those_whose_position_is(
            start in -5_000_000_i64..5_000_000, step in -200_000_i64..200_000, length in 1_usize..40, count in 1_usize..60,
        ) {
            let Span { first, end } = inside(start, step, length, count);
            for i in 0..count {
                let position = (start + i as i64 * step) >> 16;
                let is_inside = (0..length as i64).contains(&position);
                prop_assert_eq!((first..end).contains(&i), is_inside, "pixel {}", i);
            }
        }
    }
}
