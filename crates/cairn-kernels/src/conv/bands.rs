//! Bands: the tasks of a gathering product.

use std::ops::Range;

use super::axis::Sweep;

/// The least number of tasks, if the layer is large enough. Panels are spread over tasks when there are few bands.
const MIN_TASKS: usize = 16;

/// A task: some destination pixels of one sweep, and some panels of their channels.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) sweep: Sweep,
    pub(super) photos: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) panels: Range<usize>,
}

/// Cuts sweeps over a batch into bands of at most `rows_of(sweep)` rows: whole photos, or rows of one, split evenly.
pub(super) fn bands(
    sweeps: &[Sweep],
    batch: usize,
    panels: usize,
    rows_of: impl Fn(&Sweep) -> usize,
) -> Vec<Band> {
    let mut bands = Vec::new();
    for &sweep in sweeps {
        let rows = rows_of(&sweep).max(1);
        let photos_each = even_part(batch, (rows / sweep.rows.count).max(1));
        let rows_each = even_part(sweep.rows.count, rows);
        for photo in (0..batch).step_by(photos_each) {
            for row in (0..sweep.rows.count).step_by(rows_each) {
                bands.push(Band {
                    sweep,
                    photos: photo..(photo + photos_each).min(batch),
                    rows: row..(row + rows_each).min(sweep.rows.count),
                    panels: 0..panels,
                });
            }
        }
    }
    if bands.len() >= MIN_TASKS {
        return bands;
    }
    let panels_each = (panels * bands.len()).div_ceil(MIN_TASKS);
    let split = |band: Band| {
        (0..panels)
            .step_by(panels_each)
            .map(move |first| Band { panels: first..(first + panels_each).min(panels), ..band.clone() })
    };
    bands.into_iter().flat_map(split).collect()
}

/// The size of nearly equal parts of at most `most`.
pub(super) fn even_part(total: usize, most: usize) -> usize {
    total.div_ceil(total.div_ceil(most))
}
