//! Resizing row by row: the same pixels as the vector code of `fast_image_resize` gives, with no picture in between.
//!
//! [`Photo::resized_part`](crate::Photo) makes a picture of the new width and the old height first. Of a photo that is
//! one pixel wide and a million high, that picture takes gigabytes. Here a row is resized when it is needed, and only
//! the columns and rows of the window are made. It is slower than the vector code, so it serves where that one needs
//! too much memory.

use crate::crop::Window;
use crate::part::{Part, within};
use crate::{Photo, Region};

/// Most weights that are kept for all columns together; beyond that they are computed again for each row.
const MOST_KEPT_WEIGHTS: u64 = 8 << 20;

/// `window` of the picture that `part` of the photo becomes at `width` x `height` pixels, as if there were nothing
/// outside of `bounds`.
///
/// # Panics
/// If `window` reaches outside of the picture, or `bounds` outside of the photo.
pub(crate) fn resized_window(
    photo: &Photo,
    bounds: Region,
    part: Part,
    [width, height]: [u32; 2],
    window: Window,
) -> Photo {
    assert!(bounds.lies_inside(photo), "{bounds:?} reaches outside of {photo:?}");
    assert!(window.lies_inside([width, height]), "{window:?} reaches outside of {width} x {height}");
    // Both positions are within the picture.
    let (first_column, first_row) = (window.x as u32, window.y as u32);
    let columns = Columns::new(
        Axis::new(bounds.width, part.x - f64::from(bounds.x), part.width, width),
        first_column..first_column + window.width,
    );
    let rows = Axis::new(bounds.height, part.y - f64::from(bounds.y), part.height, height);
    let source_row = |row: u32| {
        let start = bounds.x as usize * 3;
        &photo.row(bounds.y + row)[start..][..bounds.width as usize * 3]
    };

    let mut resized = Photo::filled(window.width, window.height, [0; 3]);
    let stride = window.width as usize * 3;
    let mut squeezed = RecentRows::new(stride);
    let mut sums = vec![0_i32; stride];
    let mut taps = Taps::default();
    for (row, out) in (first_row..).zip(resized.pixels_mut().chunks_exact_mut(stride)) {
        rows.taps(row, &mut taps);
        if let [only] = taps.weights[..]
            && only == 1 << rows.precision
        {
            out.copy_from_slice(squeezed.row(taps.first, |out| columns.squeeze(source_row(taps.first), out)));
            continue;
        }
        sums.fill(rows.half());
        for (from, &weight) in (taps.first..).zip(&taps.weights) {
            let line = squeezed.row(from, |out| columns.squeeze(source_row(from), out));
            for (sum, &level) in sums.iter_mut().zip(line) {
                *sum += i32::from(level) * i32::from(weight);
            }
        }
        for (level, &sum) in out.iter_mut().zip(&sums) {
            *level = rows.level(sum);
        }
    }
    resized
}

/// The old pixels that make up one new pixel, and their weights.
#[derive(Default)]
struct Taps {
    first: u32,
    weights: Vec<i16>,
    exact: Vec<f64>,
}

/// One side of a resizing. Every operation is that of `fast_image_resize`, in its order, so that the weights are the
/// same to the last bit: those of Pillow, in 16 bits.
struct Axis {
    old_size: u32,
    start: f64,
    scale: f64,
    /// Bits behind the point of a weight.
    precision: u32,
    /// Pixels are not resized but moved by this many.
    moved: Option<u32>,
}

impl Axis {
    fn new(old_size: u32, start: f64, length: f64, new_size: u32) -> Axis {
        let (start, length) = within(start, length, old_size);
        if length == f64::from(new_size) && start == start.round() {
            return Axis { old_size, start, scale: 1.0, precision: 0, moved: Some(start as u32) };
        }
        let end = start + length;
        let scale = (end - start) / f64::from(new_size);
        let mut axis = Axis { old_size, start, scale, precision: 0, moved: None };
        axis.precision = precision(axis.greatest_weight(new_size));
        axis
    }

    /// The greatest weight of all new pixels.
    fn greatest_weight(&self, new_size: u32) -> f64 {
        if self.start == 0.0 && self.scale < 1.0 {
            // The first new pixel is in the first half of the first old pixel and is made from that alone.
            return 1.0;
        }
        let mut taps = Taps::default();
        let mut greatest = 0.0_f64;
        for new in 0..new_size {
            self.exact_taps(new, &mut taps);
            greatest = taps.exact.iter().fold(greatest, |greatest, &weight| greatest.max(weight));
        }
        greatest
    }

    /// Weights that sum to 1.
    fn exact_taps(&self, new: u32, taps: &mut Taps) {
        let radius = self.scale.max(1.0);
        let narrowing = 1.0 / radius;
        let center = self.start + (f64::from(new) + 0.5) * self.scale;
        let start = (center - radius).floor().max(0.0) as u32;
        let end = (center + radius).ceil().min(f64::from(self.old_size)) as u32;
        let center = center - 0.5;
        taps.exact.clear();
        let mut sum = 0.0;
        let mut first = start;
        for old in start..end {
            let distance = ((f64::from(old) - center) * narrowing).abs();
            let weight = if distance < 1.0 { 1.0 - distance } else { 0.0 };
            if old == first && weight == 0.0 {
                first += 1;
            } else {
                taps.exact.push(weight);
                sum += weight;
            }
        }
        while taps.exact.last() == Some(&0.0) {
            taps.exact.pop();
        }
        if sum != 0.0 {
            taps.exact.iter_mut().for_each(|weight| *weight /= sum);
        }
        taps.first = first;
    }

    fn taps(&self, new: u32, taps: &mut Taps) {
        if let Some(moved) = self.moved {
            taps.first = new + moved;
            taps.weights.clear();
            taps.weights.push(1);
            return;
        }
        self.exact_taps(new, taps);
        let one = f64::from(1_u32 << self.precision);
        taps.weights.clear();
        taps.weights.extend(taps.exact.iter().map(|weight| (weight * one).round() as i16));
    }

    /// What rounds a sum to the nearest level.
    fn half(&self) -> i32 {
        (1 << self.precision) >> 1
    }

    fn level(&self, sum: i32) -> u8 {
        (sum >> self.precision).clamp(0, 255) as u8
    }
}

/// As many bits behind the point as the greatest weight leaves room for in 16, and a sum in 32.
fn precision(greatest_weight: f64) -> u32 {
    let fits = |bits: u32| ((greatest_weight * f64::from(1_u32 << (bits + 1))).round() as i32) < 1 << 15;
    (0..22).find(|&bits| !fits(bits)).unwrap_or(21)
}

/// The resizing along rows, of the columns of the window.
struct Columns {
    axis: Axis,
    window: std::ops::Range<u32>,
    /// The taps of each column, where they are few enough to be kept.
    kept: Vec<Taps>,
}

impl Columns {
    fn new(axis: Axis, window: std::ops::Range<u32>) -> Columns {
        let taps_of_each = (2.0 * axis.scale.max(1.0)).ceil() as u64 + 1;
        let mut columns = Columns { axis, window, kept: Vec::new() };
        if taps_of_each.saturating_mul(columns.window.len() as u64) <= MOST_KEPT_WEIGHTS {
            columns.kept = columns.window.clone().map(|column| columns.taps(column)).collect();
        }
        columns
    }

    fn taps(&self, column: u32) -> Taps {
        let mut taps = Taps::default();
        self.axis.taps(column, &mut taps);
        taps.exact = Vec::new();
        taps
    }

    /// Resizes one row of the photo.
    fn squeeze(&self, row: &[u8], out: &mut [u8]) {
        let (old, _) = row.as_chunks::<3>();
        let (new, _) = out.as_chunks_mut::<3>();
        if let Some(moved) = self.axis.moved {
            new.copy_from_slice(&old[(self.window.start + moved) as usize..][..new.len()]);
            return;
        }
        if self.kept.is_empty() {
            let mut taps = Taps::default();
            for (column, pixel) in self.window.clone().zip(new) {
                self.axis.taps(column, &mut taps);
                *pixel = self.pixel(old, &taps);
            }
        } else {
            for (taps, pixel) in self.kept.iter().zip(new) {
                *pixel = self.pixel(old, taps);
            }
        }
    }

    fn pixel(&self, old: &[[u8; 3]], taps: &Taps) -> [u8; 3] {
        let mut sums = [self.axis.half(); 3];
        for (pixel, &weight) in old[taps.first as usize..].iter().zip(&taps.weights) {
            for (sum, &level) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(level) * i32::from(weight);
            }
        }
        sums.map(|sum| self.axis.level(sum))
    }
}

/// The two rows that were resized last: where a photo is enlarged, many new rows are made of the same two.
struct RecentRows {
    rows: [(Option<u32>, Vec<u8>); 2],
}

impl RecentRows {
    fn new(stride: usize) -> RecentRows {
        RecentRows { rows: [(None, vec![0; stride]), (None, vec![0; stride])] }
    }

    /// Row `number`, made by `make` unless it is one of the last two.
    fn row(&mut self, number: u32, make: impl FnOnce(&mut [u8])) -> &[u8] {
        // Neighbours never take each other's place.
        let (held, row) = &mut self.rows[number as usize % 2];
        if *held != Some(number) {
            make(row);
            *held = Some(number);
        }
        row
    }
}
