//! Bands: the tasks of a convolution.

use std::ops::Range;

use crate::shape::Extent;

/// Output pixels of a band, about: its source stays in the first-level cache, or nearly.
const BAND_PIXELS: usize = 256;

/// Tasks for each thread, at least, where a layer has enough panels: so that none waits long for the slowest.
const TASKS_EACH: usize = 2;

/// A task: output pixels that follow each other in memory, and some panels of their channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) photos: Range<usize>,
    /// Rows of the output map: all of them where there are several photos.
    pub(super) rows: Range<usize>,
    pub(super) panels: Range<usize>,
}

/// Cuts a layer into bands: whole photos or rows of one, and panels too where there are fewer bands than threads need.
pub(super) fn bands(batch: usize, output: Extent, panels: usize, threads: usize) -> Vec<Band> {
    let photos_each = even_part(batch, (BAND_PIXELS / output.area()).max(1));
    let rows_each = match output.area() {
        small if small <= BAND_PIXELS => output.height,
        _ => even_part(output.height, (BAND_PIXELS / output.width).max(1)),
    };
    let count = batch.div_ceil(photos_each) * output.height.div_ceil(rows_each);
    let wanted = if threads > 1 { (TASKS_EACH * threads).div_ceil(count) } else { 1 };
    let panels_each = even_part(panels, panels.div_ceil(wanted));
    let mut bands = Vec::with_capacity(count * panels.div_ceil(panels_each));
    for photo in (0..batch).step_by(photos_each) {
        for row in (0..output.height).step_by(rows_each) {
            for panel in (0..panels).step_by(panels_each) {
                bands.push(Band {
                    photos: photo..(photo + photos_each).min(batch),
                    rows: row..(row + rows_each).min(output.height),
                    panels: panel..(panel + panels_each).min(panels),
                });
            }
        }
    }
    bands
}

/// The size of nearly equal parts of at most `most`.
fn even_part(total: usize, most: usize) -> usize {
    total.div_ceil(total.div_ceil(most))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bands_cover_every_pixel_and_panel_once(
            batch in 1_usize..40, height in 1_usize..60, width in 1_usize..300, panels in 1_usize..9,
            threads in 1_usize..9,
        ) {
            let output = Extent { height, width };
            let mut seen = vec![0_u8; batch * height * panels];
            for band in bands(batch, output, panels, threads) {
                prop_assert!(band.photos.len() == 1 || band.rows == (0..height), "its pixels are together");
                for photo in band.photos.clone() {
                    for row in band.rows.clone() {
                        for panel in band.panels.clone() {
                            seen[(photo * height + row) * panels + panel] += 1;
                        }
                    }
                }
            }
            prop_assert!(seen.iter().all(|&times| times == 1));
        }
    }
}
