//! Resizing as Pillow and torchvision do it.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::{Photo, Region};

impl Photo {
    /// The photo at `width` x `height` pixels.
    ///
    /// Antialiased bilinear: each new pixel is the mean of the old ones below it, weighted by a triangle as wide as
    /// the scale, as in Pillow's `Image.resize` with `BILINEAR` and torchvision's `Resize`.
    ///
    /// # Panics
    /// If `width` or `height` is zero.
    pub fn resized(&self, width: u32, height: u32) -> Photo {
        self.region_resized(Region { x: 0, y: 0, width: self.width(), height: self.height() }, width, height)
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

    /// `region` at `width` x `height` pixels; pixels beside the region have no part in it.
    pub(crate) fn region_resized(&self, region: Region, width: u32, height: u32) -> Photo {
        assert!(region.lies_inside(self), "{region:?} reaches outside of {self:?}");
        assert!(width > 0 && height > 0, "a photo has at least one pixel");
        if (region.width, region.height) == (width, height) {
            return self.cropped(region);
        }
        let mut resized = Photo::filled(width, height, [0; 3]);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
            region.x.into(),
            region.y.into(),
            region.width.into(),
            region.height.into(),
        );
        let source = TypedImageRef::<U8x3>::from_buffer(self.width(), self.height(), self.pixels());
        let target = TypedImage::<U8x3>::from_buffer(width, height, resized.pixels_mut());
        // A Photo's buffer has exactly the size that it says, and the region lies inside (checked above): the three
        // things that can go wrong here are wrong buffer sizes, wrong crop boxes and unequal pixel types.
        let (source, mut target) = (source.expect("full buffer"), target.expect("full buffer"));
        Resizer::new().resize_typed(&source, &mut target, &options).expect("region inside of the photo");
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
