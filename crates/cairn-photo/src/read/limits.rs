//! How much one photo may take.

use std::time::Duration;

/// How much a photo may take, to be safe from small files that decode to gigabytes or for minutes.
///
/// What all photos that are decoded at the same time may take together is the
/// [`MemoryBudget`](crate::MemoryBudget)'s matter.
///
/// What bounds the work on a photo, by its format:
///
/// | format | bound |
/// | --- | --- |
/// | JPEG | [`Limits::max_scans`] and [`Limits::max_scan_pixels`], checked before decoding; the deadline where it is decoded at a fraction of its size |
/// | PNG, GIF, BMP, TIFF, WebP | the pixels, and the deadline; of a PNG's metadata no more than 4 MiB are looked at |
/// | AVIF | the pixels; the file's length |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, checked against the file's header before any pixel is decoded.
    pub max_pixels: u64,
    /// Most bytes of a file, of its decoded pixels in the file's own colour type, and of what its decoder asks for
    /// besides, where the decoder keeps account of that.
    pub max_bytes: u64,
    /// Most scans of a JPEG. A decoder goes over the whole photo once for each scan, however little is in it.
    pub max_scans: u32,
    /// Most scans times pixels of a JPEG of more than one scan.
    pub max_scan_pixels: u64,
    /// Time to decode any photo.
    pub max_time: Duration,
    /// Time on top of [`Limits::max_time`] for each megapixel.
    pub max_time_per_megapixel: Duration,
}

impl Default for Limits {
    /// 200 megapixels, one gibibyte; 100 scans (libjpeg writes 10, programs that search for the smallest file some 20)
    /// and five thousand megapixels in all scans (10 scans of 200 megapixels, 100 of 50); 10 seconds and one more for
    /// each megapixel, which is a hundred times what an ordinary computer needs.
    fn default() -> Limits {
        Limits {
            max_pixels: 200_000_000,
            max_bytes: 1 << 30,
            max_scans: 100,
            max_scan_pixels: 5_000_000_000,
            max_time: Duration::from_secs(10),
            max_time_per_megapixel: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// The most time to decode a photo of this number of pixels.
    pub(super) fn time_for(&self, pixels: u64) -> Duration {
        self.max_time + self.max_time_per_megapixel.mul_f64(pixels as f64 / 1e6)
    }
}
