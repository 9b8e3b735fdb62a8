//! The photo itself: upright RGB pixels in memory.

use std::path::Path;

use crate::PhotoError;

/// An upright photo: 8-bit RGB, rows from top to bottom, the three channels of a pixel side by side.
///
/// A photo has at least one pixel.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Photo {
    /// A photo from its `[height, width, 3]` pixels.
    ///
    /// `None` if a side is zero or `pixels` is not `width * height * 3` bytes long.
    pub fn from_pixels(width: u32, height: u32, pixels: Vec<u8>) -> Option<Photo> {
        // Two sides of 32 bits and three bytes a pixel may take 66 bits.
        let expected = u128::from(width) * u128::from(height) * 3;
        (expected > 0 && pixels.len() as u128 == expected).then_some(Photo { width, height, pixels })
    }

    /// A photo of one colour.
    ///
    /// # Panics
    /// If a side is zero.
    pub fn filled(width: u32, height: u32, rgb: [u8; 3]) -> Photo {
        assert!(width > 0 && height > 0, "a photo has at least one pixel");
        Photo { width, height, pixels: rgb.repeat(width as usize * height as usize) }
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Whether the photo is so thin that no network can make anything of it: a side of less than 8 pixels, or one side
    /// more than 50 times the other. What a network sees of it is a smear of a few pixels, or a fiftieth of it. (The
    /// longest panoramas are some 20 times as wide as high.)
    pub fn is_too_thin(&self) -> bool {
        let (short, long) = (self.width.min(self.height), self.width.max(self.height));
        short < 8 || u64::from(long) > 50 * u64::from(short)
    }

    /// The photo of the file at `path`, unless it is too thin.
    ///
    /// # Errors
    /// [`PhotoError::TooThin`] where it [is](Photo::is_too_thin).
    pub fn unless_too_thin(self, path: &Path) -> Result<Photo, PhotoError> {
        if self.is_too_thin() {
            let (width, height) = (self.width, self.height);
            return Err(PhotoError::TooThin { path: path.to_owned(), width, height });
        }
        Ok(self)
    }

    /// All pixels, `[height, width, 3]`.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All pixels, `[height, width, 3]`, to be changed in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// The pixels alone, `[height, width, 3]`.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// The colour at column `x`, row `y`.
    ///
    /// # Panics
    /// If the position is outside of the photo.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        assert!(x < self.width && y < self.height, "({x}, {y}) is outside of {self:?}");
        let start = (y as usize * self.width as usize + x as usize) * 3;
        [self.pixels[start], self.pixels[start + 1], self.pixels[start + 2]]
    }

    /// The bytes of row `y`, `[width, 3]`.
    pub(crate) fn row(&self, y: u32) -> &[u8] {
        let stride = self.width as usize * 3;
        &self.pixels[y as usize * stride..][..stride]
    }
}

/// The size alone: a log needs no million numbers.
impl std::fmt::Debug for Photo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Photo({} x {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_must_fill_the_size_exactly() {
        assert!(Photo::from_pixels(2, 1, vec![0; 6]).is_some());
        assert!(Photo::from_pixels(2, 1, vec![0; 5]).is_none());
        assert!(Photo::from_pixels(2, 1, vec![0; 7]).is_none());
        assert!(Photo::from_pixels(0, 1, vec![]).is_none());
        assert!(Photo::from_pixels(u32::MAX, u32::MAX, vec![0; 3]).is_none());
    }

    #[test]
    fn strips_are_too_thin_and_panoramas_are_not() {
        let is_too_thin = |width, height| Photo::filled(width, height, [0; 3]).is_too_thin();
        assert!(is_too_thin(7, 100) && is_too_thin(501, 10) && is_too_thin(10, 501));
        assert!(!is_too_thin(8, 400) && !is_too_thin(6000, 300) && !is_too_thin(8, 8));
        let refused = Photo::filled(300, 1, [0; 3]).unless_too_thin(Path::new("a.png")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a.png: too thin: 300 x 1 pixels, of which no network can make anything"
        );
        assert!(Photo::filled(8, 8, [0; 3]).unless_too_thin(Path::new("a.png")).is_ok());
    }

    #[test]
    fn a_pixel_is_found_by_column_and_row() {
        let photo = Photo::from_pixels(2, 2, (0..12).collect()).unwrap();
        assert_eq!(photo.pixel(1, 0), [3, 4, 5]);
        assert_eq!(photo.pixel(0, 1), [6, 7, 8]);
    }
}
