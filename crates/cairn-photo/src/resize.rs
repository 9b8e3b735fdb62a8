//! Resizing as Pillow and torchvision do it.

use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::convolution::resized_window;
use crate::crop::Window;
use crate::part::{Part, within};
use crate::{Photo, Region};

/// Most bytes for a resized photo and the picture on the way to it, of the new width and the old height. Where it would
/// be more, rows are resized one by one ([`resized_window`]).
const MOST_BYTES: u64 = 96 << 20;

/// Pixels after resizing from which on a photo can be too long to be resized whole.
const MANY_PIXELS: u64 = 1 << 24;

impl Photo {
    /// The photo at `width` x `height` pixels.
    ///
    /// Antialiased bilinear: each new pixel is the mean of the old ones below it, weighted by a triangle as wide as
    /// the scale, as in Pillow's `Image.resize` with `BILINEAR` and torchvision's `Resize`.
    ///
    /// # Panics
    /// If `width` or `height` is zero.
    pub fn resized(&self, width: u32, height: u32) -> Photo {
        let bounds = self.region();
        self.resized_part(bounds, Part::of(bounds), [width, height])
    }

    /// The photo with its shorter side at `side` pixels and the longer one in proportion, rounded down: the rule of
    /// torchvision's `Resize(side)`.
    ///
    /// # Panics
    /// If `side` is zero.
    pub fn resized_short_side(&self, side: u32) -> Photo {
        let (width, height) = short_side_size(self.width(), self.height(), side);
        self.resized(width, height)
    }

    /// The photo with its longer side at most `side` pixels long, and the shorter one in proportion, rounded down. A smaller one
    /// stays as it is.
    ///
    /// # Panics
    /// If `side` is zero.
    pub fn no_larger_than(&self, side: u32) -> Photo {
        let longest = self.width().max(self.height());
        if longest <= side {
            return self.clone();
        }
        let reduced = |length: u32| (u64::from(length) * u64::from(side) / u64::from(longest)).max(1) as u32;
        self.resized(reduced(self.width()), reduced(self.height()))
    }

    /// `part` of the photo at `width` x `height` pixels, as if there were nothing outside of `bounds`.
    ///
    /// # Panics
    /// If `width` or `height` is zero, `bounds` reaches outside of the photo, or `part` outside of `bounds`.
    pub(crate) fn resized_part(&self, bounds: Region, part: Part, [width, height]: [u32; 2]) -> Photo {
        if !is_cheap(bounds, [width, height]) {
            return self.resized_slowly(bounds, part, [width, height]);
        }
        // Within the bounds from here on.
        let part = Part { x: part.x - f64::from(bounds.x), y: part.y - f64::from(bounds.y), ..part };
        let all = Part::of(Region { x: 0, y: 0, ..bounds });
        let keeps_columns = part.x == all.x && part.width == all.width && bounds.width == width;
        let keeps_rows = part.y == all.y && part.height == all.height && bounds.height == height;
        // Pillow works along rows first and rounds in between; both at once would work along columns first, and a value
        // in ten would come out a level higher or lower.
        match (keeps_columns, keeps_rows) {
            (true, true) => self.cropped(bounds),
            (false, true) | (true, false) => self.convolved(bounds, part, [width, height]),
            (false, false) => {
                let along_rows = Part { y: 0.0, height: f64::from(bounds.height), ..part };
                let squeezed = self.convolved(bounds, along_rows, [width, bounds.height]);
                let along_columns = Part { x: 0.0, width: f64::from(width), ..part };
                let bounds = Region { x: 0, y: 0, width, height: bounds.height };
                squeezed.convolved(bounds, along_columns, [width, height])
            }
        }
    }

    /// [`Photo::resized_part`] in little memory. What is to become much smaller is made smaller by whole numbers first,
    /// which no network could tell: going over each of a hundred million rows takes minutes.
    fn resized_slowly(&self, bounds: Region, part: Part, [width, height]: [u32; 2]) -> Photo {
        // So that 32 pixels are left to make each new one of.
        let divisor = |old: f64, new: u32| ((old / f64::from(new) / 32.0) as u32).max(1);
        let (across, down) = (divisor(part.width, width), divisor(part.height, height));
        let all = Window::whole([width, height]);
        if across == 1 && down == 1 {
            return resized_window(self, bounds, part, [width, height], all);
        }
        let smaller = self.divided(bounds, across, down);
        let part = Part {
            x: (part.x - f64::from(bounds.x)) / f64::from(across),
            y: (part.y - f64::from(bounds.y)) / f64::from(down),
            width: part.width / f64::from(across),
            height: part.height / f64::from(down),
        };
        smaller.resized_part(smaller.region(), part, [width, height])
    }

    /// `bounds` of the photo with `across` times `down` pixels become one, their mean. At the right and lower edge they may
    /// be fewer.
    fn divided(&self, bounds: Region, across: u32, down: u32) -> Photo {
        let mut divided = Photo::filled(bounds.width.div_ceil(across), bounds.height.div_ceil(down), [0; 3]);
        let stride = divided.width() as usize * 3;
        let mut sums = vec![0_u64; stride];
        for (top, out) in
            (0..bounds.height).step_by(down as usize).zip(divided.pixels_mut().chunks_exact_mut(stride))
        {
            let rows = down.min(bounds.height - top);
            sums.fill(0);
            for row in top..top + rows {
                let row = &self.row(bounds.y + row)[bounds.x as usize * 3..][..bounds.width as usize * 3];
                let blocks = row.chunks(across as usize * 3).zip(sums.as_chunks_mut::<3>().0);
                for (block, sums) in blocks {
                    for pixel in block.as_chunks::<3>().0 {
                        sums.iter_mut().zip(pixel).for_each(|(sum, &level)| *sum += u64::from(level));
                    }
                }
            }
            let columns =
                (0..bounds.width).step_by(across as usize).map(|left| across.min(bounds.width - left));
            let (out, sums) = (out.as_chunks_mut::<3>().0, sums.as_chunks::<3>().0);
            for ((pixel, sums), columns) in out.iter_mut().zip(sums).zip(columns) {
                let count = u64::from(columns) * u64::from(rows);
                // A mean of levels is a level.
                *pixel = sums.map(|sum| ((sum + count / 2) / count) as u8);
            }
        }
        divided
    }

    /// `window` of what [`Photo::resized_part`] gives, black where it reaches outside; only the window is made where the
    /// whole would be large.
    pub(crate) fn resized_part_window(
        &self,
        bounds: Region,
        part: Part,
        size: [u32; 2],
        window: Window,
    ) -> Photo {
        if is_cheap(bounds, size) {
            return self.resized_part(bounds, part, size).window(window);
        }
        let Some(inside) = window.within(size) else {
            return Photo::filled(window.width, window.height, [0; 3]);
        };
        let made = resized_window(self, bounds, part, size, inside);
        // `window` as seen from the corner of what was made.
        made.window(Window { x: window.x - inside.x, y: window.y - inside.y, ..window })
    }

    /// One call of the convolution, along whichever sides change. `part` counts from the corner of `bounds`.
    fn convolved(&self, bounds: Region, part: Part, [width, height]: [u32; 2]) -> Photo {
        assert!(bounds.lies_inside(self), "{bounds:?} reaches outside of {self:?}");
        let mut resized = Photo::filled(width, height, [0; 3]);
        let (left, part_width) = within(part.x, part.width, bounds.width);
        let (top, part_height) = within(part.y, part.height, bounds.height);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
            left,
            top,
            part_width,
            part_height,
        );
        let source = TypedImageRef::<U8x3>::from_buffer(self.width(), self.height(), self.pixels());
        let target = TypedImage::<U8x3>::from_buffer(width, height, resized.pixels_mut());
        // Creating the images fails only if a buffer is too short, and a photo's buffer is as long as its size says.
        let (source, mut target) = (source.expect("full buffer"), target.expect("full buffer"));
        let Region { x, y, .. } = bounds;
        let source = TypedCroppedImage::from_ref(&source, x, y, bounds.width, bounds.height);
        // The bounds are within the photo, and the part within the bounds.
        let source = source.expect("bounds within the photo");
        Resizer::new().resize_typed(&source, &mut target, &options).expect("part within the bounds");
        resized
    }
}

/// Whether resizing a whole photo takes little memory: the picture that it becomes, the one on the way to it, and the
/// weights.
fn is_cheap(old: Region, [width, height]: [u32; 2]) -> bool {
    let bytes = |width: u32, height: u32| (u64::from(width) * u64::from(height)).saturating_mul(3);
    let weights = 20 * (u64::from(old.width) + u64::from(old.height));
    bytes(width, old.height).saturating_add(bytes(width, height)).saturating_add(weights) <= MOST_BYTES
}

/// The photo at one size, of which windows are looked at. It is resized whole where that takes little memory; else each
/// window is made by itself, with the same pixels.
pub(crate) struct ResizedPhoto<'a> {
    photo: &'a Photo,
    size: [u32; 2],
    whole: Option<Photo>,
}

impl<'a> ResizedPhoto<'a> {
    /// `photo` at `width` x `height` pixels.
    pub(crate) fn new(photo: &'a Photo, (width, height): (u32, u32)) -> ResizedPhoto<'a> {
        let whole = is_cheap(photo.region(), [width, height]).then(|| photo.resized(width, height));
        ResizedPhoto { photo, size: [width, height], whole }
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> [u32; 2] {
        self.size
    }

    /// What is seen through `window`, black outside of the photo.
    pub(crate) fn window(&self, window: Window) -> Photo {
        let bounds = self.photo.region();
        match &self.whole {
            Some(whole) => whole.window(window),
            None => self.photo.resized_part_window(bounds, Part::of(bounds), self.size, window),
        }
    }
}

/// Width and height after the shorter of the two has become `side`, the longer one in proportion and rounded down.
pub(crate) fn short_side_size(width: u32, height: u32, side: u32) -> (u32, u32) {
    let long = |long: u32, short: u32| {
        let scaled = u64::from(side) * u64::from(long) / u64::from(short);
        u32::try_from(scaled).unwrap_or(u32::MAX)
    };
    if width <= height { (side, long(height, width)) } else { (long(width, height), side) }
}

/// The longer side that is of use in a photo whose shorter side is to be `side`: what is more is not resized, as no crop
/// needs it. Sixteen times the shorter side at least, and sixteen megapixels.
pub(crate) fn most_long_side(side: u32) -> u32 {
    let side = u64::from(side.max(1));
    u32::try_from((MANY_PIXELS / side).max(16 * side)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Levels without any order.
    fn noise(width: u32, height: u32) -> Photo {
        let mut state = 88_172_645_463_325_252_u64;
        let pixels = (0..width * height * 3).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        });
        Photo::from_pixels(width, height, pixels.collect()).unwrap()
    }

    /// The mean distance of levels.
    fn difference(left: &Photo, right: &Photo) -> f64 {
        let sum: u64 = left.pixels().iter().zip(right.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / left.pixels().len() as f64
    }

    #[test]
    fn a_large_photo_is_reduced_in_proportion_and_a_small_one_stays_as_it_is() {
        let size = |width, height| {
            let photo = Photo::filled(width, height, [7; 3]).no_larger_than(100);
            (photo.width(), photo.height())
        };
        assert_eq!(size(400, 299), (100, 74));
        assert_eq!(size(2, 1000), (1, 100));
        assert_eq!((size(100, 100), size(30, 20)), ((100, 100), (30, 20)));
    }

    #[test]
    fn a_photo_divided_first_looks_like_the_whole_one_resized() {
        // Slopes in both directions, of sizes that the divisors do not divide.
        for (width, height) in [(2001, 1503), (1503, 2), (1, 2003)] {
            let pixels = (0..height).flat_map(|y| {
                (0..width).flat_map(move |x| {
                    [x * 255 / width, y * 255 / height, (x + y) % 256].map(|level| level as u8)
                })
            });
            let photo = Photo::from_pixels(width, height, pixels.collect()).unwrap();
            let bounds = photo.region();
            let slowly = photo.resized_slowly(bounds, Part::of(bounds), [11, 9]);
            let difference = difference(&slowly, &photo.resized(11, 9));
            assert!(difference < 1.0, "{width} x {height}: off by {difference}");
        }
    }

    proptest! {
        #[test]
        fn row_by_row_every_window_of_a_resized_photo_is_what_resizing_it_whole_gives(
            from in (1_u32..70, 1_u32..70), to in (1_u32..90, 1_u32..90),
            at in (-20_i64..90, -20_i64..90), size in (1_u32..40, 1_u32..40),
        ) {
            let photo = noise(from.0, from.1);
            let bounds = photo.region();
            let window = Window { x: at.0, y: at.1, width: size.0, height: size.1 };
            let whole = photo.resized(to.0, to.1);
            let expected = whole.window(window);
            if let Some(inside) = window.within([to.0, to.1]) {
                let made = resized_window(&photo, bounds, Part::of(bounds), [to.0, to.1], inside);
                prop_assert!(made == whole.window(inside), "{from:?} to {to:?}, {inside:?}");
            }
            let resized = ResizedPhoto { photo: &photo, size: [to.0, to.1], whole: None };
            prop_assert!(resized.window(window) == expected, "{from:?} to {to:?}, {window:?}");
        }

        #[test]
        fn row_by_row_a_part_of_a_photo_is_what_resizing_it_whole_gives(
            from in (1_u32..60, 1_u32..60), to in (1_u32..60, 1_u32..60),
            first in (0.0_f64..0.9, 0.0_f64..0.9), share in (0.05_f64..1.0, 0.05_f64..1.0),
        ) {
            let photo = noise(from.0, from.1);
            let [width, height] = [from.0, from.1].map(f64::from);
            let (x, y) = (width * first.0, height * first.1);
            let part = Part { x, y, width: (width - x) * share.0, height: (height - y) * share.1 };
            let bounds = part.covering(photo.region());
            let all = Window::whole([to.0, to.1]);
            let made = resized_window(&photo, bounds, part, [to.0, to.1], all);
            prop_assert!(made == photo.resized_part(bounds, part, [to.0, to.1]), "{part:?} of {from:?} to {to:?}");
        }

        #[test]
        fn a_part_up_to_the_edge_is_resized_whatever_its_last_bits(
            first in 0_u32..1000, length in 1_u32..1000, sides in (1_u32..40, 1_u32..40), to in 1_u32..20,
        ) {
            let photo = Photo::filled(sides.0, sides.1, [7; 3]);
            let bounds = Region { x: 0, y: 0, width: sides.0, height: sides.1 };
            let [width, height] = [bounds.width, bounds.height].map(f64::from);
            // From this share of the whole to its end, as floating point gives it.
            let parts = f64::from(first + length);
            let part = Part {
                x: width * (f64::from(first) / parts),
                y: height * (f64::from(first) / parts),
                width: width / parts * f64::from(length),
                height: height / parts * f64::from(length),
            };
            let resized = photo.resized_part(part.covering(bounds), part, [to, to]);
            prop_assert!(resized == Photo::filled(to, to, [7; 3]));
        }
    }
}
