//! Parts of a photo that need not be whole pixels.

use crate::Region;

/// A part of a photo that need not be whole pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Part {
    /// All of `region`.
    pub(crate) fn of(region: Region) -> Part {
        let [x, y, width, height] = [region.x, region.y, region.width, region.height].map(f64::from);
        Part { x, y, width, height }
    }

    /// The whole pixels within `bounds` that have a share in this.
    pub(crate) fn covering(&self, bounds: Region) -> Region {
        // What is a whole pixel but for a rounding in the last bits must not bring another in.
        let cover = |start: f64, length: f64, bounds_start: u32, bounds_length: u32| {
            let first = ((start + 1e-6).floor() as u32).clamp(bounds_start, bounds_start + bounds_length - 1);
            let end = ((start + length - 1e-6).ceil() as u32).clamp(first + 1, bounds_start + bounds_length);
            (first, end - first)
        };
        let (x, width) = cover(self.x, self.width, bounds.x, bounds.width);
        let (y, height) = cover(self.y, self.height, bounds.y, bounds.height);
        Region { x, y, width, height }
    }
}

/// Start and length of a stretch, without what reaches outside of `0..limit` for the sake of a rounding in the last bits.
pub(crate) fn within(start: f64, length: f64, limit: u32) -> (f64, f64) {
    let limit = f64::from(limit);
    let start = start.clamp(0.0, limit);
    let length = length.min(limit - start);
    (start, if start + length > limit { length - 1e-9 } else { length })
}
