//! A data set in figures: how many photos of what, how large, in which formats, and their colours.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_photo::{Framing, Limits, Normalisation, ReadSize};
use image::ImageReader;
use rayon::prelude::*;
use serde::Serialize;

use crate::mean_std::{ChannelSums, all_unreadable, framed};
use crate::{BadPhoto, DatasetError, Example, ImageFolder, PhotoPlace};

/// What [`stats`] found.
#[derive(Debug, Serialize)]
pub struct DatasetStats {
    /// Photos in each part, all classes together.
    pub photos: PartCounts,
    /// Photos in each part, class by class, in the order of the classes.
    pub classes: Vec<ClassStats>,
    /// How evenly the training photos are spread over the classes.
    pub balance: ClassBalance,
    /// Widths of the photos, upright, in pixels.
    pub width: Spread,
    /// Heights of the photos, upright, in pixels.
    pub height: Spread,
    /// Sizes of the photos, the commonest first.
    pub sizes: Vec<SizeCount>,
    /// File formats, told by content, the commonest first.
    pub formats: Vec<FormatCount>,
    /// Mean and standard deviation of the training photos' channels, as [`mean_std`](crate::mean_std()) measures them.
    pub normalisation: Normalisation,
    /// The framing under which they were measured.
    pub framing: Framing,
    /// Photos that cannot be read: counted among the photos, left out of sizes, formats and colours.
    pub unreadable: Vec<BadPhoto>,
    /// How many files were left out: hidden ones, and those that are no photos by their name.
    pub ignored: usize,
}

/// How many photos each part has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PartCounts {
    /// To learn from.
    pub train: usize,
    /// To choose the best model by.
    pub valid: usize,
    /// To report on.
    pub test: usize,
}

/// How many photos a class has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassStats {
    /// The class's folder.
    pub class: String,
    /// Its name to show.
    pub name: String,
    /// Its photos.
    #[serde(flatten)]
    pub photos: PartCounts,
}

/// How evenly training photos are spread over classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClassBalance {
    /// Photos in a class: the smallest, the middle and the largest class.
    #[serde(flatten)]
    pub photos: Spread,
    /// How many times as many photos the largest class has as the smallest; `None` where the smallest has none.
    pub ratio: Option<f64>,
}

/// Least, middle and greatest of some counts, all zero where there are none. The median of an even number of them is
/// the upper of the middle two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// The least.
    pub min: usize,
    /// The one in the middle.
    pub median: usize,
    /// The greatest.
    pub max: usize,
}

impl Spread {
    /// Of values with their counts, in any order.
    fn of_counts(values: impl Iterator<Item = (usize, usize)>) -> Spread {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        values.for_each(|(value, count)| *counts.entry(value).or_default() += count);
        let middle = counts.values().sum::<usize>() / 2;
        let mut before = 0;
        let median = counts.iter().find(|(_, count)| {
            before += **count;
            before > middle
        });
        let value = |entry: Option<(&usize, &usize)>| entry.map_or(0, |(value, _)| *value);
        Spread {
            min: value(counts.first_key_value()),
            median: value(median),
            max: value(counts.last_key_value()),
        }
    }

    fn of(values: impl Iterator<Item = usize>) -> Spread {
        let mut values: Vec<usize> = values.collect();
        values.sort_unstable();
        let at = |place: usize| values.get(place).copied().unwrap_or_default();
        Spread { min: at(0), median: at(values.len() / 2), max: at(values.len().saturating_sub(1)) }
    }
}

/// How many photos have a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SizeCount {
    /// Columns of the upright photo.
    pub width: usize,
    /// Rows of the upright photo.
    pub height: usize,
    /// Photos of this size.
    pub photos: usize,
}

/// How many photos have a format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormatCount {
    /// The format's usual file name ending: `jpg`, `png`.
    pub format: String,
    /// Photos of this format.
    pub photos: usize,
}

/// Reads every photo of `data`, on all cores, and sums the data set up. Colours are measured under `framing`.
///
/// `progress` is told how many photos are done, and of how many, after each; from several threads at once, so not
/// always in order.
///
/// # Errors
/// [`DatasetError::AllUnreadable`] where not one training photo can be read.
pub fn stats(
    data: &ImageFolder,
    framing: &Framing,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<DatasetStats, DatasetError> {
    let photos = data.train.len() + data.valid.len() + data.test.len();
    let done = AtomicUsize::new(0);
    let measure = |mut sums: Measurements, (example, framing): (&Example, Option<&Framing>)| {
        sums.add(&example.place, framing);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, photos);
        sums
    };
    let trained = data.train.par_iter().map(|example| (example, Some(framing)));
    let others = data.valid.par_iter().chain(&data.test).map(|example| (example, None));
    let measured = trained
        .chain(others)
        .fold(Measurements::default, measure)
        .reduce(Measurements::default, Measurements::and);
    let Measurements { sizes, formats, colours, unreadable } = measured;
    let normalisation = colours.normalisation().ok_or_else(|| all_unreadable(&unreadable))?;
    let classes = class_stats(data);
    Ok(DatasetStats {
        photos: PartCounts { train: data.train.len(), valid: data.valid.len(), test: data.test.len() },
        balance: ClassBalance::of(&classes),
        classes,
        width: Spread::of_counts(sizes.iter().map(|(size, count)| (size.0, *count))),
        height: Spread::of_counts(sizes.iter().map(|(size, count)| (size.1, *count))),
        sizes: commonest_first(sizes)
            .map(|((width, height), photos)| SizeCount { width, height, photos })
            .collect(),
        formats: commonest_first(formats).map(|(format, photos)| FormatCount { format, photos }).collect(),
        normalisation,
        framing: framing.clone(),
        unreadable,
        ignored: data.ignored.len(),
    })
}

/// What there is to know about photos, summed up: no photo has anything of its own here, but a bad one.
#[derive(Default)]
struct Measurements {
    sizes: BTreeMap<(usize, usize), usize>,
    formats: BTreeMap<String, usize>,
    colours: ChannelSums,
    unreadable: Vec<BadPhoto>,
}

impl Measurements {
    /// Reads a photo; its colours count only where there is a framing to see them in.
    fn add(&mut self, place: &PhotoPlace, framing: Option<&Framing>) {
        let measured = BadPhoto::guard(place, || {
            let photo = place.open(ReadSize::Full, &Limits::default())?;
            let colours = framing.map(|framing| ChannelSums::of(&framed(&photo, framing)));
            Ok(((photo.width() as usize, photo.height() as usize), colours.unwrap_or_default()))
        });
        match measured {
            Ok((size, colours)) => {
                *self.sizes.entry(size).or_default() += 1;
                *self.formats.entry(format_of(place)).or_default() += 1;
                self.colours.add(&colours);
            }
            Err(bad) => self.unreadable.push(bad),
        }
    }

    /// Both together; the bad photos of `other` come after.
    fn and(mut self, other: Self) -> Self {
        other.sizes.into_iter().for_each(|(size, count)| *self.sizes.entry(size).or_default() += count);
        other
            .formats
            .into_iter()
            .for_each(|(format, count)| *self.formats.entry(format).or_default() += count);
        self.colours.add(&other.colours);
        self.unreadable.extend(other.unreadable);
        self
    }
}

/// The format of a file by its first bytes, or by its name where those tell nothing.
fn format_of(place: &PhotoPlace) -> String {
    let path = place.path();
    let format = if place.is_member() {
        place.content(1 << 12).ok().and_then(|content| image::guess_format(&content).ok())
    } else {
        let reader = ImageReader::open(&path).and_then(ImageReader::with_guessed_format);
        reader.ok().and_then(|reader| reader.format())
    };
    match format.and_then(|format| format.extensions_str().first().copied()) {
        Some(ending) => ending.to_owned(),
        None => path.extension().unwrap_or_default().to_string_lossy().to_lowercase(),
    }
}

fn class_stats(data: &ImageFolder) -> Vec<ClassStats> {
    let mut counts = vec![PartCounts::default(); data.classes.len()];
    data.train.iter().for_each(|photo| counts[photo.class.index()].train += 1);
    data.valid.iter().for_each(|photo| counts[photo.class.index()].valid += 1);
    data.test.iter().for_each(|photo| counts[photo.class.index()].test += 1);
    let classes = data.classes.iter().zip(counts);
    classes
        .map(|((_, class), photos)| ClassStats {
            class: class.folder.clone(),
            name: class.name.clone(),
            photos,
        })
        .collect()
}

impl ClassBalance {
    fn of(classes: &[ClassStats]) -> ClassBalance {
        let photos = Spread::of(classes.iter().map(|class| class.photos.train));
        let ratio = (photos.min > 0).then(|| photos.max as f64 / photos.min as f64);
        ClassBalance { photos, ratio }
    }
}

/// The values with their counts, the commonest first, equally common ones in their own order.
fn commonest_first<T: Ord>(counts: BTreeMap<T, usize>) -> impl Iterator<Item = (T, usize)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_least_middle_and_greatest() {
        let spread = |values: &[usize]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[5, 1, 9]), Spread { min: 1, median: 5, max: 9 });
        assert_eq!(spread(&[4, 1, 9, 6]), Spread { min: 1, median: 6, max: 9 });
        assert_eq!(spread(&[]), Spread::default());
        let of_counts = |values: &[(usize, usize)]| Spread::of_counts(values.iter().copied());
        assert_eq!(of_counts(&[(9, 1), (1, 1), (5, 1)]), spread(&[5, 1, 9]));
        assert_eq!(of_counts(&[(4, 1), (1, 1), (6, 1), (9, 1)]), spread(&[4, 1, 9, 6]));
        assert_eq!(of_counts(&[(2, 3), (7, 2), (2, 1)]), spread(&[2, 7, 2, 7, 2, 2]));
        assert_eq!(of_counts(&[]), Spread::default());
    }

    #[test]
    fn the_commonest_comes_first_and_ties_in_order() {
        let counts = BTreeMap::from([('a', 1), ('b', 3), ('c', 2), ('d', 1), (' ', 1)]);
        let counts: Vec<_> = commonest_first(counts).collect();
        assert_eq!(counts, [('b', 3), ('c', 2), (' ', 1), ('a', 1), ('d', 1)]);
    }
}
