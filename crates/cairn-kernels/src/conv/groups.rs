//! The tasks of the gradient to the weights, and the sum of their results.

use std::ops::Range;

use rayon::prelude::*;

use super::bands::even_part;
use super::transpose::{Pixels, transpose};
use crate::aligned::AlignedWords;
use crate::disjoint_slice::DisjointSlice;
use crate::isa::Isa;
use crate::memory::with_scratch;
use crate::microkernel::Panel;
use crate::shape::Extent;
use crate::vectorised::vectorised;

/// A thread's memory for the groups' sums.
#[derive(Default)]
struct Scratch {
    sums: AlignedWords,
}

/// A product over all pixels of a batch, with output channels as its columns.
///
/// It is cut, by the shape alone, into groups of photos and blocks of output channels; each pair is one task, and the
/// groups are added up in order. So the result has the same bits on any number of threads.
pub(super) struct PixelProduct<'a> {
    pub(super) isa: Isa,
    pub(super) batch: usize,
    /// The columns.
    pub(super) panels: &'a [Panel],
    /// Rows that are summed.
    pub(super) rows: usize,
    /// Output channels of a task, roughly.
    pub(super) task_outputs: usize,
    /// Tasks to cut the product into, at least, where there are photos enough.
    pub(super) min_tasks: usize,
}

impl PixelProduct<'_> {
    /// Has `task` sum over some photos for some panels, for every task, and writes the totals of the first `rows_kept`
    /// rows to `gradient`, a row for each output channel. A task's sums are panel after panel, and in each panel row
    /// after row.
    pub(super) fn sum(
        &self,
        rows_kept: usize,
        task: impl Fn(Range<usize>, &[Panel], &mut [f32]) + Sync,
        gradient: &mut [f32],
    ) {
        let finish = |panel, groups: &[&[f32]], gradient: &mut [f32]| {
            add_groups(self.isa, groups, panel, rows_kept, gradient);
        };
        self.sum_and_finish(rows_kept, task, finish, gradient);
    }

    /// The same, but `finish` makes of the groups' sums of a panel its part of `gradient`: `row_len` values for each
    /// output channel.
    pub(super) fn sum_and_finish(
        &self,
        row_len: usize,
        task: impl Fn(Range<usize>, &[Panel], &mut [f32]) + Sync,
        finish: impl Fn(Panel, &[&[f32]], &mut [f32]) + Sync,
        gradient: &mut [f32],
    ) {
        let Self { batch, panels, rows, .. } = *self;
        let blocks: Vec<&[Panel]> = panels.chunks((self.task_outputs / panels[0].width).max(1)).collect();
        let groups = self.min_tasks.div_ceil(blocks.len()).min(batch);
        let group_len = rows * panels.iter().map(|panel| panel.width).sum::<usize>();

        with_scratch(|Scratch { sums }: &mut Scratch| {
            sums.reserve(groups * group_len);
            let all = DisjointSlice::new(sums.as_mut_slice::<f32>(groups * group_len));
            let tasks: Vec<(usize, &[Panel])> =
                (0..groups).flat_map(|group| blocks.iter().map(move |&block| (group, block))).collect();
            tasks.into_par_iter().with_max_len(1).for_each(|(group, block)| {
                let photos = group * batch / groups..(group + 1) * batch / groups;
                let start = group * group_len + rows * block[0].first;
                let width: usize = block.iter().map(|panel| panel.width).sum();
                // SAFETY: every group and block of panels has its own part.
                task(photos, block, unsafe { all.part(start..start + rows * width) });
            });

            let sums_of_all = sums.as_slice::<f32>(groups * group_len);
            let gradient = DisjointSlice::new(gradient);
            panels.par_iter().for_each(|panel| {
                let outputs = panel.first * row_len..(panel.first + panel.outputs) * row_len;
                // SAFETY: every panel has its own output channels, which are rows of the gradient.
                let gradient = unsafe { gradient.part(outputs) };
                let of_panel = |group: usize| {
                    let start = group * group_len + rows * panel.first;
                    &sums_of_all[start..start + rows * panel.width]
                };
                finish(*panel, &(0..groups).map(of_panel).collect::<Vec<_>>(), gradient);
            });
        });
    }
}

/// Some output rows of some photos.
pub(super) struct Chunk {
    pub(super) photos: Range<usize>,
    pub(super) rows: Range<usize>,
}

/// Cuts photos with output maps of `positions` into chunks of about `pixels`: rows of one photo, or whole photos.
pub(super) fn chunks(photos: Range<usize>, positions: Extent, pixels: usize) -> Vec<Chunk> {
    let rows = (pixels / positions.width).clamp(1, positions.height);
    let photos_each = if rows < positions.height { 1 } else { (pixels / positions.area()).max(1) };
    let photos_each = even_part(photos.len(), photos_each);
    let rows = even_part(positions.height, rows);
    photos
        .clone()
        .step_by(photos_each)
        .flat_map(|photo| {
            let photos = photo..(photo + photos_each).min(photos.end);
            let firsts = (0..positions.height).step_by(rows);
            firsts.map(move |row| Chunk {
                photos: photos.clone(),
                rows: row..(row + rows).min(positions.height),
            })
        })
        .collect()
}

/// Adds up the first `rows` of the groups' sums of a panel, in order, and turns its columns into rows of the gradient.
fn add_groups(isa: Isa, groups: &[&[f32]], panel: Panel, rows: usize, gradient: &mut [f32]) {
    /// Rows at a time: a stretch that stays in the first-level cache.
    const STRETCH: usize = 64;
    let mut totals = vec![0.0; STRETCH * panel.width];
    for first in (0..rows).step_by(STRETCH) {
        let count = STRETCH.min(rows - first);
        let totals = &mut totals[..count * panel.width];
        let stretch = first * panel.width..(first + count) * panel.width;
        totals.copy_from_slice(&groups[0][stretch.clone()]);
        for group in &groups[1..] {
            add(isa, &group[stretch.clone()], totals);
        }
        let rows_as_pixels = Pixels { elements: totals, step: panel.width, count, channels: panel.outputs };
        transpose(isa, rows_as_pixels, &mut gradient[first..], rows);
    }
}

vectorised! {
    /// Adds `terms` to `totals`.
    fn add(terms: &[f32], totals: &mut [f32]) {
        for (total, term) in totals.iter_mut().zip(terms) {
            *total += term;
        }
    }
}
