//! Cutting a photo and mirroring it: pixels move, none changes.

use crate::Photo;

/// A rectangle of pixels: its top left corner and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Region {
    /// Whether this is at least one pixel and no pixel of it is outside of `photo`.
    pub fn lies_inside(&self, photo: &Photo) -> bool {
        let ends_inside = |start: u32, length: u32, limit: u32| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= limit)
        };
        ends_inside(self.x, self.width, photo.width()) && ends_inside(self.y, self.height, photo.height())
    }
}

/// A rectangle that may reach outside of what it is cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Window {
    /// All of a picture of this size.
    pub(crate) fn whole([width, height]: [u32; 2]) -> Window {
        Window { x: 0, y: 0, width, height }
    }

    /// The middle `width` x `height` of a picture of `size`, as [`Photo::center_cropped`] has it.
    pub(crate) fn center(size: [u32; 2], width: u32, height: u32) -> Window {
        Window { x: center_offset(size[0], width), y: center_offset(size[1], height), width, height }
    }

    /// Whether no pixel of it is outside of a picture of this size.
    pub(crate) fn lies_inside(&self, [width, height]: [u32; 2]) -> bool {
        self.x >= 0
            && self.y >= 0
            && self.x + i64::from(self.width) <= i64::from(width)
            && self.y + i64::from(self.height) <= i64::from(height)
    }

    /// The part of it within a picture of this size; `None` if there is none.
    pub(crate) fn within(&self, [width, height]: [u32; 2]) -> Option<Window> {
        let (left, right) = overlap(self.x, self.width, width)?;
        let (top, bottom) = overlap(self.y, self.height, height)?;
        // Both differences are at most a side of the picture.
        Some(Window { x: left, y: top, width: (right - left) as u32, height: (bottom - top) as u32 })
    }
}

/// Which of `length` pixels from `start` on are within `0..available`.
fn overlap(start: i64, length: u32, available: u32) -> Option<(i64, i64)> {
    let (first, end) = (start.max(0), (start + i64::from(length)).min(i64::from(available)));
    (first < end).then_some((first, end))
}

impl Photo {
    /// All of the photo.
    pub(crate) fn region(&self) -> Region {
        Region { x: 0, y: 0, width: self.width(), height: self.height() }
    }

    /// The pixels of `region`.
    ///
    /// # Panics
    /// If `region` is empty or reaches outside of the photo (see [`Region::lies_inside`]).
    pub fn cropped(&self, region: Region) -> Photo {
        assert!(region.lies_inside(self), "{region:?} reaches outside of {self:?}");
        let Region { x, y, width, height } = region;
        self.window(Window { x: x.into(), y: y.into(), width, height })
    }

    /// The middle `width` x `height` pixels; black where the photo is smaller than that.
    ///
    /// Follows torchvision's `CenterCrop`: an odd margin is split by rounding half of it to the even number, and
    /// padding puts the odd pixel after the photo.
    ///
    /// # Panics
    /// If `width` or `height` is zero.
    pub fn center_cropped(&self, width: u32, height: u32) -> Photo {
        self.window(Window::center([self.width(), self.height()], width, height))
    }

    /// The photo in a mirror: left and right exchanged.
    pub fn flipped_horizontally(&self) -> Photo {
        let mut flipped = self.clone();
        flipped.flip_horizontally();
        flipped
    }

    /// Exchanges left and right in place, where a second copy of a large photo would take too much memory.
    pub fn flip_horizontally(&mut self) {
        let stride = self.width() as usize * 3;
        for row in self.pixels_mut().chunks_exact_mut(stride) {
            let (pixels, _) = row.as_chunks_mut::<3>();
            pixels.reverse();
        }
    }

    /// What is seen through the window: what is not photo is black.
    pub(crate) fn window(&self, Window { x, y, width, height }: Window) -> Photo {
        let mut window = Photo::filled(width, height, [0; 3]);
        let Some((left, right)) = overlap(x, width, self.width()) else { return window };
        // Both differences are between zero and a side of the photo or the window.
        let source = left as usize * 3..right as usize * 3;
        let target = (left - x) as usize * 3..(right - x) as usize * 3;
        for (row, out) in (y..).zip(window.pixels_mut().chunks_exact_mut(width as usize * 3)) {
            if (0..i64::from(self.height())).contains(&row) {
                out[target.clone()].copy_from_slice(&self.row(row as u32)[source.clone()]);
            }
        }
        window
    }
}

/// Where a centred window of `wanted` pixels begins on a side of `available` pixels; negative if it is longer.
pub(crate) fn center_offset(available: u32, wanted: u32) -> i64 {
    let margin = i64::from(available) - i64::from(wanted);
    if margin < 0 {
        // torchvision pads -margin / 2 before, rounded down, and the rest after.
        return -(-margin / 2);
    }
    // Python's round(): a half goes to the even number.
    (margin as f64 / 2.0).round_ties_even() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pixel's red is its column, its green its row.
    fn chart(width: u32, height: u32) -> Photo {
        let pixels =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 200])).collect();
        Photo::from_pixels(width, height, pixels).unwrap()
    }

    #[test]
    fn a_crop_holds_the_pixels_of_its_region() {
        let crop = chart(7, 5).cropped(Region { x: 2, y: 1, width: 3, height: 4 });
        assert_eq!((crop.width(), crop.height()), (3, 4));
        assert_eq!(crop.pixel(0, 0), [2, 1, 200]);
        assert_eq!(crop.pixel(2, 3), [4, 4, 200]);
    }

    #[test]
    fn a_region_that_reaches_outside_is_known_as_such() {
        let photo = chart(7, 5);
        let inside = Region { x: 6, y: 4, width: 1, height: 1 };
        assert!(inside.lies_inside(&photo));
        assert!(!Region { x: 7, ..inside }.lies_inside(&photo));
        assert!(!Region { height: 2, ..inside }.lies_inside(&photo));
        assert!(!Region { width: 0, ..inside }.lies_inside(&photo));
        assert!(!Region { width: u32::MAX, ..inside }.lies_inside(&photo));
    }

    /// Margins of 1, 3 and 5 pixels: Python's round(0.5), round(1.5), round(2.5) are 0, 2, 2.
    #[test]
    fn an_odd_margin_of_a_center_crop_is_rounded_to_even() {
        for (available, first) in [(5, 0), (7, 2), (9, 2), (6, 1), (4, 0)] {
            assert_eq!(chart(available, 4).center_cropped(4, 4).pixel(0, 0)[0], first, "{available} -> 4");
        }
    }

    #[test]
    fn a_photo_smaller_than_its_center_crop_is_padded_with_black_the_odd_pixel_last() {
        let crop = chart(2, 3).center_cropped(5, 3);
        let row: Vec<_> = (0..5).map(|x| crop.pixel(x, 1)).collect();
        assert_eq!(row, [[0, 0, 0], [0, 1, 200], [1, 1, 200], [0, 0, 0], [0, 0, 0]]);
    }

    #[test]
    fn a_mirror_exchanges_left_and_right() {
        let photo = Photo::from_pixels(2, 2, (0..12).collect()).unwrap();
        assert_eq!(photo.flipped_horizontally().pixels(), [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8]);
    }

    #[test]
    fn mirrored_twice_is_the_photo_itself() {
        let photo = chart(5, 3);
        let flipped = photo.flipped_horizontally();
        assert_eq!(flipped.pixel(0, 2), [4, 2, 200]);
        assert_eq!(flipped.flipped_horizontally(), photo);
    }
}
