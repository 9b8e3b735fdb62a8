//! Where in a photo each of its views is taken from.

use crate::crop::center_offset;
use crate::resize::short_side_size;
use crate::{Framing, Preprocess, TestViews};

/// Where a view's left upper corner is in the resized photo, in pixels. Negative where the crop is larger than the photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewPlace {
    /// Column.
    pub x: i64,
    /// Row.
    pub y: i64,
    /// Whether the view is the mirror image of that part of the photo.
    pub mirrored: bool,
}

impl Preprocess {
    /// Width and height to which a photo of `width` x `height` pixels is resized before views are cut from it.
    pub fn viewed_size(&self, width: u32, height: u32) -> (u32, u32) {
        match self.framing {
            Framing::ShortSideCrop { short_side, .. } => short_side_size(width, height, short_side),
            Framing::Squash { width, height } => (width, height),
        }
    }

    /// The place of each view, in the order of [`Preprocess::views`], in a photo of the [viewed
    /// size](Self::viewed_size).
    pub fn view_places(&self, (width, height): (u32, u32), views: TestViews) -> Vec<ViewPlace> {
        let (across, down) = (self.input_width(), self.input_height());
        let middle = (center_offset(width, across), center_offset(height, down));
        let room = (i64::from(width.saturating_sub(across)), i64::from(height.saturating_sub(down)));
        let corners = match views {
            TestViews::One | TestViews::Flip => vec![middle],
            TestViews::ThreeCrop | TestViews::SixCrop if width >= height => {
                vec![(0, room.1 / 2), middle, (room.0, room.1 / 2)]
            }
            TestViews::ThreeCrop | TestViews::SixCrop => vec![(room.0 / 2, 0), middle, (room.0 / 2, room.1)],
            TestViews::FiveCrop | TestViews::TenCrop => {
                vec![(0, 0), (room.0, 0), (0, room.1), (room.0, room.1), middle]
            }
        };
        let mirrored: &[bool] = match views {
            TestViews::Flip | TestViews::SixCrop | TestViews::TenCrop => &[false, true],
            TestViews::One | TestViews::ThreeCrop | TestViews::FiveCrop => &[false],
        };
        let places = mirrored
            .iter()
            .flat_map(|&mirrored| corners.iter().map(move |&(x, y)| ViewPlace { x, y, mirrored }));
        places.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Normalisation, Photo};

    #[test]
    fn each_view_is_the_part_of_the_photo_at_its_place() {
        use TestViews::*;
        for (width, height) in [(24_u32, 16_u32), (16, 24), (16, 16), (17, 40)] {
            // Red is the column and green the row, from 1 on: black is outside of the photo.
            let pixels =
                (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8 + 1, y as u8 + 1, 9]));
            let photo = Photo::from_pixels(width, height, pixels.collect()).unwrap();
            for framing in [
                Framing::ShortSideCrop { short_side: 16, crop: 9 },
                Framing::ShortSideCrop { short_side: 16, crop: 16 },
                Framing::ShortSideCrop { short_side: 16, crop: 21 },
                Framing::Squash { width: 12, height: 10 },
            ] {
                let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
                let viewed = preprocess.viewed_size(width, height);
                let resized = photo.resized(viewed.0, viewed.1);
                for views in [One, Flip, ThreeCrop, SixCrop, FiveCrop, TenCrop] {
                    let shown = preprocess.views(&photo, views);
                    let places = preprocess.view_places(viewed, views);
                    assert_eq!(shown.len(), places.len());
                    for (view, place) in shown.iter().zip(places) {
                        let size = (view.width(), view.height());
                        for (row, column) in (0..size.1).flat_map(|row| (0..size.0).map(move |x| (row, x))) {
                            let across = if place.mirrored { size.0 - 1 - column } else { column };
                            let at = [place.x + i64::from(across), place.y + i64::from(row)];
                            let [x, y] = at.map(|at| u32::try_from(at).unwrap_or(u32::MAX));
                            let inside = x < viewed.0 && y < viewed.1;
                            let expected = if inside { resized.pixel(x, y) } else { [0; 3] };
                            let framing = &preprocess.framing;
                            assert_eq!(
                                view.pixel(column, row),
                                expected,
                                "{width} x {height}, {framing:?}, {views:?}: {place:?} at {column}, {row}"
                            );
                        }
                    }
                }
            }
        }
    }
}
