//! A map of what spoke for a class, from 0 to 1.

use std::path::Path;

use cairn_photo::Photo;

use super::colour::COLOURS;
use super::{ExplainError, npy};

/// Where in a photo a class was seen: 0 where nothing spoke for it, 1 where most did.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    width: usize,
    height: usize,
    /// Row after row.
    values: Vec<f32>,
}

/// How much of an overlay is the map's colour; the rest is the photo.
const COVER: f32 = 0.55;

impl HeatMap {
    /// Of a class activation map: negative values become 0, the others are scaled to 0 to 1.
    pub(super) fn new(width: usize, height: usize, mut values: Vec<f32>) -> Self {
        debug_assert_eq!(values.len(), width * height);
        values.iter_mut().for_each(|value| *value = value.max(0.0));
        Self { width, height, values: scaled(values) }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The values, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The map of another size, by bilinear interpolation between the pixels' middles, scaled to 0 to 1 again: OpenCV's
    /// `resize`, as pytorch-grad-cam brings maps to the photo's size.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let values = interpolated(&self.values, [self.width, self.height], [width, height]);
        Self { width, height, values: scaled(values) }
    }

    /// The photo with the map laid over it in colours from dark, for 0, to bright, for 1. A map of another size than
    /// the photo is resized.
    pub fn over(&self, photo: &Photo) -> Photo {
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let map = self.resized(width, height);
        let mut overlay = photo.clone();
        for (pixel, heat) in overlay.pixels_mut().chunks_exact_mut(3).zip(&map.values) {
            let colour = COLOURS[(heat.clamp(0.0, 1.0) * 255.0).round() as usize];
            for (level, colour) in pixel.iter_mut().zip(colour) {
                *level = (f32::from(*level) * (1.0 - COVER) + f32::from(colour) * COVER).round() as u8;
            }
        }
        overlay
    }

    /// The values as the bytes of a NumPy array's file, f32 of `[height, width]`.
    pub fn to_npy(&self) -> Vec<u8> {
        npy::bytes([self.height, self.width], &self.values)
    }

    /// Writes the values as a NumPy array, f32 of `[height, width]`.
    ///
    /// # Errors
    /// [`ExplainError::Write`] when the file cannot be written.
    pub fn save_npy(&self, path: &Path) -> Result<(), ExplainError> {
        npy::write(path, [self.height, self.width], &self.values)
            .map_err(|source| ExplainError::Write { path: path.to_owned(), source })
    }
}

/// A map, row after row, of another width and height.
pub(super) fn interpolated(values: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let (columns, rows) = (taps(from[0], to[0]), taps(from[1], to[1]));
    let mut resized = Vec::with_capacity(to[0] * to[1]);
    for row in &rows {
        let [upper, lower] = row.places.map(|place| &values[place * from[0]..]);
        resized.extend(columns.iter().map(|column| row.between(column.of(upper), column.of(lower))));
    }
    resized
}

/// From 0 to (all but) 1, as pytorch-grad-cam scales: a map that is the same everywhere becomes 0.
fn scaled(mut values: Vec<f32>) -> Vec<f32> {
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max) - least;
    values.iter_mut().for_each(|value| *value = (*value - least) / (1e-7 + greatest));
    values
}

/// The two values between which a new one is, and its distance from the first.
struct Tap {
    places: [usize; 2],
    along: f32,
}

impl Tap {
    fn of(&self, values: &[f32]) -> f32 {
        self.between(values[self.places[0]], values[self.places[1]])
    }

    fn between(&self, first: f32, second: f32) -> f32 {
        first + (second - first) * self.along
    }
}

/// For each of `to` pixels in a row, its position among `from` pixels of the same total length.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let tap = |pixel: usize| {
        let middle = (pixel as f32 + 0.5) * (from as f32 / to as f32) - 0.5;
        let middle = middle.clamp(0.0, (from - 1) as f32);
        let first = middle as usize;
        Tap { places: [first, (first + 1).min(from - 1)], along: middle - first as f32 }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_resized_as_opencv_does() {
        // OpenCV 5.0: cv2.resize(np.float32([[0, 1], [1, 0]]), (4, 4))
        let map = HeatMap { width: 2, height: 2, values: vec![0.0, 1.0, 1.0, 0.0] };
        let expected = [
            [0.0, 0.25, 0.75, 1.0],
            [0.25, 0.375, 0.625, 0.75],
            [0.75, 0.625, 0.375, 0.25],
            [1.0, 0.75, 0.25, 0.0],
        ];
        for (found, expected) in map.resized(4, 4).values().iter().zip(expected.concat()) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn what_speaks_against_a_class_is_nothing_and_a_level_map_stays_finite() {
        let map = HeatMap::new(3, 1, vec![-5.0, 0.0, 2.0]);
        assert_eq!(map.values()[..2], [0.0, 0.0]);
        assert!((map.values()[2] - 1.0).abs() < 1e-6);
        assert_eq!(HeatMap::new(2, 1, vec![3.0, 3.0]).values(), [0.0, 0.0]);
    }

    #[test]
    fn an_overlay_is_brighter_where_more_speaks_for_the_class() {
        let map = HeatMap::new(2, 1, vec![0.0, 1.0]);
        let overlay = map.over(&Photo::filled(20, 10, [128; 3]));
        let light = |x: u32| overlay.pixel(x, 5).iter().map(|&level| u32::from(level)).sum::<u32>();
        assert!((0..19).all(|x| light(x) <= light(x + 1)), "lighter to the right");
        assert!(light(19) > light(0) + 150);
    }
}
