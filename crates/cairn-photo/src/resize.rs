//! Resizing as Pillow and torchvision do it.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::Photo;

impl Photo {
    /// The photo at `width` x `height` pixels.
    ///
    /// Antialiased bilinear: each new pixel is the mean of the old ones below it, weighted by a triangle as wide as
    /// the scale, as in Pillow's `Image.resize` with `BILINEAR` and torchvision's `Resize`.
    ///
    /// # Panics
    /// If `width` or `height` is zero.
    pub fn resized(&self, width: u32, height: u32) -> Photo {
        // Pillow works along rows first and rounds in between; both at once would work along columns first, and a value
        // in ten would come out a level higher or lower.
        match (self.width() == width, self.height() == height) {
            (true, true) => self.clone(),
            (false, true) | (true, false) => self.convolved(self.size(), [width, height]),
            (false, false) => self.resized_from_corner(self.size(), [width, height]),
        }
    }

    /// The part of the photo from the top left corner on that is `part` wide and high, which need not be whole pixels, at
    /// `width` x `height` pixels.
    pub(crate) fn resized_from_corner(&self, part: [f64; 2], [width, height]: [u32; 2]) -> Photo {
        let [part_width, part_height] = part;
        let squeezed = self.convolved([part_width, f64::from(self.height())], [width, self.height()]);
        squeezed.convolved([f64::from(width), part_height], [width, height])
    }

    fn size(&self) -> [f64; 2] {
        [f64::from(self.width()), f64::from(self.height())]
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

    /// One call of the convolution on the corner of size `part`, along whichever sides change.
    fn convolved(&self, part: [f64; 2], [width, height]: [u32; 2]) -> Photo {
        let mut resized = Photo::filled(width, height, [0; 3]);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(0.0, 0.0, part[0], part[1]);
        let source = TypedImageRef::<U8x3>::from_buffer(self.width(), self.height(), self.pixels());
        let target = TypedImage::<U8x3>::from_buffer(width, height, resized.pixels_mut());
        // Creating the images fails only if a buffer is too short, and a photo's buffer is as long as its size says;
        // resizing fails only for a part that reaches outside, and callers ask for at most the whole.
        let (source, mut target) = (source.expect("full buffer"), target.expect("full buffer"));
        Resizer::new().resize_typed(&source, &mut target, &options).expect("part within the photo");
        resized
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
