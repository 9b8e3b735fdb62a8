//! Depthwise convolutions three taps wide, with stride 1 or 2: most of those that networks have.
//!
//! A walk along a row of the destination with some channels at a time, whose weights stay in registers. Every source
//! pixel is read once, and goes into all the sums that read it: with stride 1 three, which wait in registers until
//! their last tap has come.

use crate::conv::axis::Axis;
use crate::element::Element;
use crate::lanes::blocks;
use crate::vectorised::vectorised;

use super::readings::Reading;
use super::row::Finish;

/// Taps along a row.
const TAPS: usize = 3;
/// Channels that are walked together, at most: their weights for three rows take 18 of 32 registers of 16.
const MAX_LANES: usize = 32;

/// How the pixels of a row read their sources.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slide {
    /// Pixels of the row.
    count: usize,
    /// The source column of the first pixel's first tap.
    first: isize,
    stride: usize,
    /// Which weight each tap takes, from left to right.
    taps: [usize; TAPS],
    /// Columns of the source.
    width: usize,
}

impl Slide {
    /// For columns that read their sources so; `None` where that is not three taps with stride 1 or 2.
    pub(super) fn of(columns: &[Axis], tap_order: &[usize], width: usize) -> Option<Self> {
        let [axis] = columns else { return None };
        let whole = axis.taps == TAPS && axis.first == 0 && axis.step == 1;
        (whole && [1, 2].contains(&axis.source_step)).then(|| Self {
            count: axis.count,
            first: axis.source_first,
            stride: axis.source_step,
            taps: std::array::from_fn(|tap| tap_order[axis.first_tap + tap]),
            width,
        })
    }

    /// The index of a source column, if it is in the map.
    #[inline(always)]
    fn inside(&self, column: isize) -> Option<usize> {
        usize::try_from(column).ok().filter(|&column| column < self.width)
    }
}

/// A row of the source that the destination's row reads, and the weights of its taps from left to right.
#[derive(Clone, Copy)]
struct Row<'a, T> {
    source: &'a [T],
    weights: [&'a [f32]; TAPS],
}

vectorised! {
    /// Computes one row of a photo's destination map that reads the rows `readings` of `source`: two of them or three.
    pub(super) fn slide_row<T: Element>(
        slide: &Slide,
        readings: &[Reading],
        source: &[T],
        weights: &[f32],
        finish: Finish<'_, T>,
        output: &mut [T],
    ) {
        let channels = finish.bias.len();
        let row = |reading: &Reading| Row {
            source: &source[reading.source * slide.width * channels..][..slide.width * channels],
            weights: slide.taps.map(|tap| &weights[(reading.tap * TAPS + tap) * channels..][..channels]),
        };
        match readings {
            [a, b, c] => walk(slide, [row(a), row(b), row(c)], finish, output),
            [a, b] => walk(slide, [row(a), row(b)], finish, output),
            _ => unreachable!("{} rows", readings.len()),
        }
    }
}

#[inline(always)]
fn walk<const ROWS: usize, T: Element>(
    slide: &Slide,
    rows: [Row<'_, T>; ROWS],
    finish: Finish<'_, T>,
    output: &mut [T],
) {
    for (first, width) in blocks(finish.bias.len()) {
        for first in (first..first + width).step_by(MAX_LANES) {
            match width.min(MAX_LANES) {
                32 => walk_block::<32, ROWS, T>(slide, rows, first, finish, output),
                16 => walk_block::<16, ROWS, T>(slide, rows, first, finish, output),
                8 => walk_block::<8, ROWS, T>(slide, rows, first, finish, output),
                _ => walk_block::<1, ROWS, T>(slide, rows, first, finish, output),
            }
        }
    }
}

/// Walks along the row with the channels from `first` on.
#[inline(always)]
fn walk_block<const LANES: usize, const ROWS: usize, T: Element>(
    slide: &Slide,
    rows: [Row<'_, T>; ROWS],
    first: usize,
    finish: Finish<'_, T>,
    output: &mut [T],
) {
    let channels = finish.bias.len();
    let weights: [[[f32; LANES]; TAPS]; ROWS] = std::array::from_fn(|row| {
        std::array::from_fn(|tap| {
            let from = &rows[row].weights[tap][first..first + LANES];
            std::array::from_fn(|lane| from[lane])
        })
    });
    let read = |row: usize, column: usize| -> [f32; LANES] {
        let from = &rows[row].source[column * channels + first..][..LANES];
        std::array::from_fn(|lane| from[lane].to_f32())
    };
    let add = |sums: &mut [f32; LANES], values: &[f32; LANES], row: usize, tap: usize| {
        for lane in 0..LANES {
            sums[lane] += values[lane] * weights[row][tap][lane];
        }
    };
    if slide.stride == 1 {
        // The sums that wait for their last tap, and for their last two.
        let mut waiting = [[0.0; LANES]; 2];
        for step in 0..slide.count + 2 {
            let mut fresh = [0.0; LANES];
            if let Some(column) = slide.inside(slide.first + step as isize) {
                for row in 0..ROWS {
                    let values = read(row, column);
                    add(&mut waiting[0], &values, row, 2);
                    add(&mut waiting[1], &values, row, 1);
                    add(&mut fresh, &values, row, 0);
                }
            }
            // The sums that ended before this belong to pixels left of the first.
            if step >= 2 {
                finish.store(waiting[0], step - 2, first, output);
            }
            waiting = [waiting[1], fresh];
        }
        return;
    }
    // The sum that waits for its last tap.
    let mut waiting = [0.0; LANES];
    for step in 0..=slide.count {
        let mut fresh = [0.0; LANES];
        let column = slide.first + 2 * step as isize;
        if let Some(column) = slide.inside(column) {
            for row in 0..ROWS {
                let values = read(row, column);
                add(&mut waiting, &values, row, 2);
                add(&mut fresh, &values, row, 0);
            }
        }
        if step > 0 {
            finish.store(waiting, step - 1, first, output);
        }
        if let Some(column) = slide.inside(column + 1) {
            for row in 0..ROWS {
                add(&mut fresh, &read(row, column), row, 1);
            }
        }
        waiting = fresh;
    }
}
