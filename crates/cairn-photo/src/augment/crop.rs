//! Random crops.

use rand::{Rng, RngExt};

use crate::Region;
use crate::crop::center_offset;

/// A square of a photo, which may reach over its edges: torchvision's `RandomCrop` with `pad_if_needed=True`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropWindow {
    /// First column; negative if black columns come first.
    pub x: i64,
    /// First row; negative if black rows come first.
    pub y: i64,
    /// Side of the square.
    pub size: u32,
}

impl CropWindow {
    /// The middle square, as [`Photo::center_cropped`](crate::Photo::center_cropped) finds it.
    pub fn center([width, height]: [u32; 2], size: u32) -> CropWindow {
        CropWindow { x: center_offset(width, size), y: center_offset(height, size), size }
    }

    /// Draws a place in a photo of `width` x `height`: any where the square lies inside of the photo, or, along a
    /// side that is too short, any where the photo lies inside of the square.
    pub fn sample([width, height]: [u32; 2], size: u32, rng: &mut impl Rng) -> CropWindow {
        let mut place = |side: u32| {
            let margin = i64::from(side) - i64::from(size);
            rng.random_range(margin.min(0)..=margin.max(0))
        };
        let y = place(height);
        let x = place(width);
        CropWindow { x, y, size }
    }
}

/// A region of a photo and the side of the square that it is resized to: torchvision's `RandomResizedCrop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizedCrop {
    /// What is kept of the photo.
    pub region: Region,
    /// Side of the square.
    pub size: u32,
}

impl ResizedCrop {
    /// Draws a region of a photo of `width` x `height` with an area of `scale` times the photo's and a width / height
    /// of `ratio`, the latter uniform on a logarithmic scale.
    ///
    /// After ten draws that do not fit into the photo it is the largest central region with a ratio in range.
    pub fn sample(
        [photo_width, photo_height]: [u32; 2],
        size: u32,
        scale: [f32; 2],
        ratio: [f32; 2],
        rng: &mut impl Rng,
    ) -> ResizedCrop {
        let area = f64::from(photo_width) * f64::from(photo_height);
        let ([scale_min, scale_max], [ratio_min, ratio_max]) = (scale.map(f64::from), ratio.map(f64::from));
        for _ in 0..10 {
            let target_area = area * rng.random_range(scale_min..=scale_max);
            let aspect = rng.random_range(ratio_min.ln()..=ratio_max.ln()).exp();
            // The casts saturate; Python's round() takes halves to the even number.
            let width = (target_area * aspect).sqrt().round_ties_even() as u32;
            let height = (target_area / aspect).sqrt().round_ties_even() as u32;
            if (1..=photo_width).contains(&width) && (1..=photo_height).contains(&height) {
                let y = rng.random_range(0..=photo_height - height);
                let x = rng.random_range(0..=photo_width - width);
                return ResizedCrop { region: Region { x, y, width, height }, size };
            }
        }
        ResizedCrop { region: central_region([photo_width, photo_height], ratio_min, ratio_max), size }
    }
}

/// The largest central region with a width / height between the two.
fn central_region([photo_width, photo_height]: [u32; 2], ratio_min: f64, ratio_max: f64) -> Region {
    let (width, height) = (photo_width, photo_height);
    let (full_width, full_height) = (f64::from(width), f64::from(height));
    let aspect = full_width / full_height;
    // A photo much longer than wide must not round to a region of no pixels.
    let (width, height) = if aspect < ratio_min {
        (width, ((full_width / ratio_min).round_ties_even() as u32).clamp(1, height))
    } else if aspect > ratio_max {
        (((full_height * ratio_max).round_ties_even() as u32).clamp(1, width), height)
    } else {
        (width, height)
    };
    Region { x: (photo_width - width) / 2, y: (photo_height - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    #[test]
    fn a_random_crop_reaches_every_place_and_none_outside() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let photo = [12, 8];
        let windows: Vec<_> = (0..500).map(|_| CropWindow::sample(photo, 10, &mut rng)).collect();
        // Two columns to spare; two rows too few.
        for x in 0..=2 {
            assert!(windows.iter().any(|window| window.x == x), "column {x}");
        }
        for y in -2..=0 {
            assert!(windows.iter().any(|window| window.y == y), "row {y}");
        }
        assert!(windows.iter().all(|window| (0..=2).contains(&window.x) && (-2..=0).contains(&window.y)));
    }

    #[test]
    fn a_random_region_keeps_to_its_area_and_proportions() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let photo = [400, 300];
        let mut areas = Vec::new();
        for _ in 0..1000 {
            let Region { width, height, .. } =
                ResizedCrop::sample(photo, 224, [0.25, 0.5], [0.75, 4.0 / 3.0], &mut rng).region;
            let (width, height) = (f64::from(width), f64::from(height));
            let (area, ratio) = (width * height / 120_000.0, width / height);
            // Sides are rounded to whole pixels.
            assert!((0.245..0.505).contains(&area), "area {area}");
            assert!((0.74..1.35).contains(&ratio), "ratio {ratio}");
            areas.push(area);
        }
        let mean = areas.iter().sum::<f64>() / 1000.0;
        // Uniform: five standard errors of the mean are 0.0114.
        assert!((mean - 0.375).abs() < 0.0114, "mean area {mean}");
    }

    #[test]
    fn where_no_region_fits_the_largest_central_one_is_taken() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut fallback = |width, height| {
            // The whole area in these proportions fits into no long photo.
            ResizedCrop::sample([width, height], 8, [1.0, 1.0], [0.75, 4.0 / 3.0], &mut rng).region
        };
        // round(30 * 4 / 3) = 40 columns, (300 - 40) / 2 = 130; round(30 / 0.75) = 40 rows.
        assert_eq!(fallback(300, 30), Region { x: 130, y: 0, width: 40, height: 30 });
        assert_eq!(fallback(30, 300), Region { x: 0, y: 130, width: 30, height: 40 });
    }
}
