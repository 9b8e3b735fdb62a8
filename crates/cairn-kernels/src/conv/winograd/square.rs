//! The pixels of a tile, with zeros around the map.

use super::transforms::Lanes;
use crate::conv::patch::Map;
use crate::element::Element;
use crate::shape::Extent;

/// A square of pixels that begins at a row and a column, with some channels from `first` on. It is zero outside of the
/// map.
#[derive(Clone, Copy)]
pub(super) struct Square<'a, T> {
    pub(super) map: Map<'a, T>,
    pub(super) photo: usize,
    pub(super) row: isize,
    pub(super) column: isize,
    pub(super) first: usize,
}

impl<T: Element> Square<'_, T> {
    /// The channels of the pixel at a row and a column of the square.
    #[inline(always)]
    pub(super) fn pixel<const L: usize>(&self, row: usize, column: usize) -> Lanes<L> {
        let Extent { height, width } = self.map.extent;
        // A negative place is a huge one as an unsigned number.
        let (row, column) = ((self.row + row as isize) as usize, (self.column + column as isize) as usize);
        if row >= height || column >= width {
            return [0.0; L];
        }
        let at = ((self.photo * height + row) * width + column) * self.map.channels + self.first;
        let values = &self.map.pixels[at..at + L];
        let mut lanes = [0.0; L];
        for lane in 0..L {
            lanes[lane] = values[lane].to_f32();
        }
        lanes
    }
}
