//! Covering a rectangle with one colour.

use rand::{Rng, RngExt};

use super::planes::Planes;
use crate::Region;

/// A rectangle of one colour: torchvision's `RandomErasing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasing {
    /// What is covered.
    pub region: Region,
    /// Levels of red, green and blue.
    pub value: [u8; 3],
}

impl Erasing {
    /// Draws a rectangle with an area of `scale` times the photo's and a height / width of `ratio`, the latter uniform on a
    /// logarithmic scale; `None` after ten draws that do not fit into the photo.
    pub fn sample(
        [photo_width, photo_height]: [u32; 2],
        scale: [f32; 2],
        ratio: [f32; 2],
        value: [u8; 3],
        rng: &mut impl Rng,
    ) -> Option<Erasing> {
        let area = f64::from(photo_width) * f64::from(photo_height);
        let ([scale_min, scale_max], [ratio_min, ratio_max]) = (scale.map(f64::from), ratio.map(f64::from));
        for _ in 0..10 {
            let erased = area * rng.random_range(scale_min..=scale_max);
            let aspect = rng.random_range(ratio_min.ln()..=ratio_max.ln()).exp();
            // The casts saturate; Python's round() takes halves to the even number.
            let height = (erased * aspect).sqrt().round_ties_even() as u32;
            let width = (erased / aspect).sqrt().round_ties_even() as u32;
            if height < photo_height && width < photo_width {
                let y = rng.random_range(0..=photo_height - height);
                let x = rng.random_range(0..=photo_width - width);
                return Some(Erasing { region: Region { x, y, width, height }, value });
            }
        }
        None
    }

    /// Covers the rectangle.
    pub(super) fn apply(&self, planes: &mut Planes<'_>) {
        let Region { x, y, width, height } = self.region;
        let [x, y, columns, rows] = [x, y, width, height].map(|number| number as usize);
        let row_length = planes.width;
        for (plane, value) in planes.planes_mut().zip(self.value) {
            for row in plane.chunks_exact_mut(row_length).skip(y).take(rows) {
                row[x..x + columns].fill(value.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    #[test]
    fn an_erased_rectangle_keeps_to_its_area_and_proportions_and_lies_inside() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for _ in 0..1000 {
            let erasing = Erasing::sample([200, 100], [0.02, 0.33], [0.3, 3.3], [0; 3], &mut rng);
            let Region { x, y, width, height } = erasing.unwrap().region;
            assert!(x + width <= 200 && y + height <= 100);
            let (width, height) = (f64::from(width), f64::from(height));
            // Sides are rounded to whole pixels.
            assert!((0.018..0.34).contains(&(width * height / 20_000.0)));
            assert!((0.27..3.6).contains(&(height / width)));
        }
    }

    #[test]
    fn where_no_rectangle_fits_nothing_is_erased() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        assert_eq!(Erasing::sample([300, 3], [0.9, 0.9], [1.0, 1.0], [0; 3], &mut rng), None);
    }
}
