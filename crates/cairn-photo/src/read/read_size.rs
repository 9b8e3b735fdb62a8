//! The size that a photo is wanted at, known before it is read.

use crate::Photo;
use crate::resize::{most_long_side, short_side_size};

/// The size that a photo is wanted at. What is wanted small is read faster: a JPEG is decoded at 1/2, 1/4 or 1/8 of its
/// size where that is still enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadSize {
    /// Every pixel of the file.
    Full,
    /// Shorter side at this number of pixels, as [`Photo::resized_short_side`] does it. A photo that is smaller stays as it is,
    /// and so does one that would still be more than 16 megapixels and more than 16 times as long as wide: crops of it
    /// are made without resizing the whole.
    ShortSide(u32),
    /// Exactly this number of columns and rows, as [`Photo::resized`] does it.
    Exactly {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
}

/// A photo at the size at which it was wanted, and the size of the picture in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizedPhoto {
    /// The photo, upright.
    pub photo: Photo,
    /// Columns of the picture in the file, turned upright.
    pub width: u32,
    /// Its rows.
    pub height: u32,
}

impl ReadSize {
    /// Width and height that a photo of `width` x `height` pixels ends with.
    pub fn of(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            ReadSize::ShortSide(side) if side < width.min(height) => {
                let resized = short_side_size(width, height, side);
                if resized.0.max(resized.1) > most_long_side(side) { (width, height) } else { resized }
            }
            ReadSize::Full | ReadSize::ShortSide(_) => (width, height),
            ReadSize::Exactly { width, height } => (width, height),
        }
    }

    /// The photo at this size, and the size that it had.
    pub(super) fn resized(self, photo: Photo) -> SizedPhoto {
        let (width, height) = (photo.width(), photo.height());
        let wanted = self.of(width, height);
        let photo = if wanted == (width, height) { photo } else { photo.resized(wanted.0, wanted.1) };
        SizedPhoto { photo, width, height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_side_is_met_from_above_and_never_from_below() {
        assert_eq!(ReadSize::ShortSide(256).of(4000, 3000), (341, 256));
        assert_eq!(ReadSize::ShortSide(256).of(300, 256), (300, 256));
        assert_eq!(ReadSize::ShortSide(256).of(300, 200), (300, 200));
        assert_eq!(ReadSize::Exactly { width: 64, height: 32 }.of(20, 20), (64, 32));
        assert_eq!(ReadSize::Full.of(4000, 3000), (4000, 3000));
        // 16 times as long as wide and 256 times, at 256 px 16 megapixels, are resized still.
        assert_eq!(ReadSize::ShortSide(256).of(300 * 256, 300), (256 * 256, 256));
        assert_eq!(ReadSize::ShortSide(2000).of(32_000, 2001), (31_984, 2000));
        assert_eq!(ReadSize::ShortSide(256).of(300 * 257, 300), (300 * 257, 300));
    }
}
