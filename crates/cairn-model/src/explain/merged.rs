//! What spoke for a class in all views of a photo by which the model answers.

use cairn_dataset::ClassId;
use cairn_photo::{Photo, ViewPlace};

use super::heat_map::interpolated;
use super::{ExplainError, Explainer, HeatMap, MOST_ASPECT};

/// Heat maps of a photo, and the part of it that they cover.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The part of the photo that the model's views show.
    pub part: Part,
    /// A map of that part for each class.
    pub maps: Vec<HeatMap>,
}

/// A rectangle of a photo, in shares of its width and height from the left upper corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its left edge, and its right one.
    pub across: [f64; 2],
    /// Its upper edge, and its lower one.
    pub down: [f64; 2],
}

impl Explainer<'_> {
    /// What spoke for each of `classes` in `photo`, of any size, by all views that the model looks at.
    ///
    /// Each view's map is laid where the view is in the photo, mirror images turned back; where several views show the same
    /// place, the map is their mean. The views are not scaled one by one, so one that says little weighs little. A map's
    /// size is that of the part in pixels of the resized photo.
    ///
    /// # Errors
    /// [`ExplainError::TooLong`] for photos of extreme proportions, and when the graph does not fit the weights.
    ///
    /// # Panics
    /// If the model was not trained on one of the classes.
    pub fn explain_views(&self, photo: &Photo, classes: &[ClassId]) -> Result<Explained, ExplainError> {
        if photo.width().max(photo.height()) / MOST_ASPECT > photo.width().min(photo.height()) {
            return Err(ExplainError::TooLong { width: photo.width(), height: photo.height() });
        }
        let (width, height) = self.preprocess.viewed_size(photo.width(), photo.height());
        let places = self.preprocess.view_places((width, height), self.views);
        let side = [self.preprocess.input_width() as usize, self.preprocess.input_height() as usize];
        let canvas = Canvas::around(&places, side, [width as usize, height as usize]);
        let views = self.preprocess.views(photo, self.views);
        let maps = self.class_maps(&views, classes)?;
        let merge = |of_views: &Vec<Vec<f32>>| {
            let resized = of_views.iter().map(|map| interpolated(map, [maps.columns, maps.rows], side));
            HeatMap::new(canvas.width(), canvas.height(), canvas.mean(places.iter().zip(resized), side))
        };
        let maps = maps.of_classes.iter().map(merge).collect();
        Ok(Explained { part: canvas.part([width as usize, height as usize]), maps })
    }
}

/// The pixels of a resized photo that some view shows, from a first column and row to others.
struct Canvas {
    across: [usize; 2],
    down: [usize; 2],
}

impl Canvas {
    /// The least rectangle within a photo of this size that holds all views.
    fn around(places: &[ViewPlace], side: [usize; 2], photo: [usize; 2]) -> Self {
        let span = |starts: &dyn Fn(&ViewPlace) -> i64, side: usize, photo: usize| {
            let first = places.iter().map(starts).min().unwrap_or(0).max(0) as usize;
            let last = places.iter().map(|place| starts(place) + side as i64).max().unwrap_or(0);
            // A view reaches into the photo, whatever the framing.
            [first, usize::try_from(last).unwrap_or(0).min(photo)]
        };
        Self {
            across: span(&|place| place.x, side[0], photo[0]),
            down: span(&|place| place.y, side[1], photo[1]),
        }
    }

    fn width(&self) -> usize {
        self.across[1] - self.across[0]
    }

    fn height(&self) -> usize {
        self.down[1] - self.down[0]
    }

    fn part(&self, [width, height]: [usize; 2]) -> Part {
        let share = |edges: [usize; 2], of: usize| edges.map(|edge| edge as f64 / of as f64);
        Part { across: share(self.across, width), down: share(self.down, height) }
    }

    /// The mean of the maps at their places, negative values as 0; 0 outside of all views.
    fn mean<'a>(
        &self,
        maps: impl Iterator<Item = (&'a ViewPlace, Vec<f32>)>,
        [width, height]: [usize; 2],
    ) -> Vec<f32> {
        let mut sums = vec![0.0; self.width() * self.height()];
        let mut counts = vec![0_u8; sums.len()];
        for (place, map) in maps {
            for row in 0..height {
                let Some(y) = within(place.y + row as i64, self.down) else { continue };
                for column in 0..width {
                    let Some(x) = within(place.x + column as i64, self.across) else { continue };
                    let seen = if place.mirrored { width - 1 - column } else { column };
                    let at = y * self.width() + x;
                    sums[at] += map[row * width + seen].max(0.0);
                    counts[at] += 1;
                }
            }
        }
        sums.iter().zip(counts).map(|(sum, count)| sum / f32::from(count.max(1))).collect()
    }
}

/// The place of a pixel on a side of the canvas, if it is on it.
fn within(pixel: i64, [first, end]: [usize; 2]) -> Option<usize> {
    let pixel = usize::try_from(pixel).ok()?;
    (first..end).contains(&pixel).then(|| pixel - first)
}

impl Part {
    /// The pixels of this part of `photo`, which may be of any size.
    pub fn of(&self, photo: &Photo) -> Photo {
        let span = |[first, end]: [f64; 2], length: u32| {
            let at = |share: f64| ((share * f64::from(length)).round() as u32).min(length);
            let first = at(first).min(length - 1);
            (first, at(end).max(first + 1) - first)
        };
        let ((x, width), (y, height)) = (span(self.across, photo.width()), span(self.down, photo.height()));
        photo.cropped(cairn_photo::Region { x, y, width, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(x: i64, y: i64, mirrored: bool) -> ViewPlace {
        ViewPlace { x, y, mirrored }
    }

    #[test]
    fn overlapping_views_are_averaged_and_mirror_images_turned_back() {
        // Three columns of a photo of four; the second view is the mirror image of its right three.
        let places = [place(0, 0, false), place(1, 0, true)];
        let canvas = Canvas::around(&places, [3, 1], [4, 1]);
        let maps = [vec![1.0, 2.0, 4.0], vec![8.0, 6.0, -5.0]];
        assert_eq!(canvas.mean(places.iter().zip(maps), [3, 1]), [1.0, 1.0, 5.0, 8.0]);
        assert_eq!(canvas.part([4, 1]), Part { across: [0.0, 1.0], down: [0.0, 1.0] });
    }

    #[test]
    fn views_larger_than_the_photo_are_cut_to_it_and_gaps_between_views_are_cold() {
        let larger = [place(-1, -1, false)];
        let canvas = Canvas::around(&larger, [4, 3], [2, 1]);
        assert_eq!(canvas.mean(larger.iter().zip([(0..12).map(|n| n as f32).collect()]), [4, 3]), [5.0, 6.0]);
        let apart = [place(0, 0, false), place(3, 0, false)];
        let canvas = Canvas::around(&apart, [1, 1], [4, 1]);
        assert_eq!(canvas.mean(apart.iter().zip([vec![1.0], vec![2.0]]), [1, 1]), [1.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn a_part_is_the_same_of_a_photo_of_any_size() {
        let part = Part { across: [0.25, 0.75], down: [0.0, 1.0] };
        for side in [4, 40] {
            let cut = part.of(&Photo::filled(side, side, [0; 3]));
            assert_eq!((cut.width(), cut.height()), (side / 2, side));
        }
        let tiny = part.of(&Photo::filled(1, 1, [0; 3]));
        assert_eq!((tiny.width(), tiny.height()), (1, 1));
    }
}
