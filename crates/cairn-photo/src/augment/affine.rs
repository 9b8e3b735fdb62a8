//! Turning, shifting, scaling and shearing a photo about its centre.

use rand::{Rng, RngExt};

use crate::Photo;

/// An affine map about a photo's centre: shear, then scale, then rotation, then shift, as in torchvision's
/// `functional.affine`.
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
    /// Angle of shear along x, in degrees.
    pub shear: f64,
}

impl Affine {
    /// Turned by `degrees` counterclockwise: torchvision's `functional.rotate`, whose sense is the opposite of
    /// `functional.affine`'s.
    pub fn rotation(degrees: f64) -> Affine {
        Affine { degrees: -degrees, translate: [0, 0], scale: 1.0, shear: 0.0 }
    }

    /// Draws the parameters of `RandomRotation(degrees)`.
    pub fn sample_rotation(degrees: f32, rng: &mut impl Rng) -> Affine {
        Affine::rotation(either_side(degrees, rng))
    }

    /// Draws the parameters of `RandomAffine`: an angle up to `degrees` to either side, whole pixels of shift up to
    /// `translate` times width and height, a scale, an angle of shear up to `shear` to either side.
    pub fn sample(
        photo: &Photo,
        degrees: f32,
        translate: [f32; 2],
        scale: [f32; 2],
        shear: f32,
        rng: &mut impl Rng,
    ) -> Affine {
        let degrees = either_side(degrees, rng);
        let [x, y] = translate;
        let shift_x = either_side(x * photo.width() as f32, rng).round_ties_even() as i32;
        let shift_y = either_side(y * photo.height() as f32, rng).round_ties_even() as i32;
        let scale = rng.random_range(f64::from(scale[0])..=f64::from(scale[1]));
        let shear = either_side(shear, rng);
        Affine { degrees, translate: [shift_x, shift_y], scale, shear }
    }

    /// The photo mapped, at its old size; what lies outside of it is black.
    ///
    /// Positions are kept in 16.16 fixed point as in Pillow, so that the same pixel is the nearest. (Where neither rotation
    /// nor shear is asked for, Pillow uses floating point, and pixels that lie just between two may differ.)
    pub fn apply(&self, photo: &Photo) -> Photo {
        let [x_from_x, x_from_y, x_from_1, y_from_x, y_from_y, y_from_1] = self.inverse(photo);
        let step = [fixed(x_from_x), fixed(y_from_x)];
        let line_step = [fixed(x_from_y), fixed(y_from_y)];
        // The source position of the first pixel's centre.
        let mut line_start =
            [fixed(x_from_1 + (x_from_x + x_from_y) / 2.0), fixed(y_from_1 + (y_from_x + y_from_y) / 2.0)];
        let (width, height) = (i64::from(photo.width()), i64::from(photo.height()));
        let (source, _) = photo.pixels().as_chunks::<3>();
        let mut mapped = Photo::filled(photo.width(), photo.height(), [0; 3]);
        let (target, _) = mapped.pixels_mut().as_chunks_mut::<3>();
        for line in target.chunks_exact_mut(width as usize) {
            let [mut x, mut y] = line_start;
            for pixel in line {
                let (column, row) = (x >> 16, y >> 16);
                if (0..width).contains(&column) && (0..height).contains(&row) {
                    *pixel = source[(row * width + column) as usize];
                }
                x += step[0];
                y += step[1];
            }
            line_start[0] += line_step[0];
            line_start[1] += line_step[1];
        }
        mapped
    }

    /// Where a new pixel came from: the upper two rows of the inverse 3 x 3 matrix, row by row.
    ///
    /// With R the rotation, S the scale, H the shear, C and T the shifts by centre and translation, the map is
    /// `T C R S H C^-1`, and its inverse `C H^-1 S^-1 R^-1 C^-1 T^-1`.
    fn inverse(&self, photo: &Photo) -> [f64; 6] {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let shear = self.shear.to_radians().tan();
        // H^-1 is [1, shear; 0, 1] and R^-1 is [cos, sin; -sin, cos].
        let linear = [cos - shear * sin, sin + shear * cos, -sin, cos].map(|entry| entry / self.scale);
        let center = [f64::from(photo.width()) / 2.0, f64::from(photo.height()) / 2.0];
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

/// A number drawn from `-limit..=limit`.
fn either_side(limit: f32, rng: &mut impl Rng) -> f64 {
    let limit = f64::from(limit);
    rng.random_range(-limit..=limit)
}

/// `value` in 16.16 fixed point, halves rounded up.
fn fixed(value: f64) -> i64 {
    (value * 65536.0 + 0.5).floor() as i64
}
