//! A data set in figures: how many photos of what, how large, in which formats, and their colours.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_photo::{Framing, Normalisation, Photo};
use image::ImageReader;
use rayon::prelude::*;
use serde::Serialize;

use crate::mean_std::{ChannelSums, all_unreadable, framed};
use crate::{BadPhoto, DatasetError, Example, ImageFolder};

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
    let photos: Vec<&Example> = [&data.train, &data.valid, &data.test].into_iter().flatten().collect();
    let done = AtomicUsize::new(0);
    let measured: Vec<Result<Measured, BadPhoto>> = photos
        .par_iter()
        .enumerate()
        .map(|(at, example)| {
            let framing = (at < data.train.len()).then_some(framing);
            let measured = Measured::of(&example.path, framing);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, photos.len());
            measured
        })
        .collect();

    let mut readable = Vec::with_capacity(measured.len());
    let mut unreadable = Vec::new();
    let mut colours = ChannelSums::default();
    for photo in measured {
        match photo {
            Ok(photo) => {
                colours.add(&photo.colours);
                readable.push(photo);
            }
            Err(bad) => unreadable.push(bad),
        }
    }
    let normalisation = colours.normalisation().ok_or_else(|| all_unreadable(&unreadable))?;
    let classes = class_stats(data);
    Ok(DatasetStats {
        photos: PartCounts { train: data.train.len(), valid: data.valid.len(), test: data.test.len() },
        balance: ClassBalance::of(&classes),
        classes,
        width: Spread::of(readable.iter().map(|photo| photo.width)),
        height: Spread::of(readable.iter().map(|photo| photo.height)),
        sizes: commonest_first(readable.iter().map(|photo| (photo.width, photo.height)))
            .map(|((width, height), photos)| SizeCount { width, height, photos })
            .collect(),
        formats: commonest_first(readable.iter().map(|photo| photo.format.clone()))
            .map(|(format, photos)| FormatCount { format, photos })
            .collect(),
        normalisation,
        framing: framing.clone(),
        unreadable,
        ignored: data.ignored.len(),
    })
}

/// What there is to know about one photo.
struct Measured {
    width: usize,
    height: usize,
    format: String,
    colours: ChannelSums,
}

impl Measured {
    /// Reads the photo at `path`; its colours count only where there is a framing to see them in.
    fn of(path: &Path, framing: Option<&Framing>) -> Result<Measured, BadPhoto> {
        BadPhoto::guard(path, || {
            let photo = Photo::open(path)?;
            Ok(Measured {
                width: photo.width() as usize,
                height: photo.height() as usize,
                format: format_of(path),
                colours: framing.map(|framing| ChannelSums::of(&framed(&photo, framing))).unwrap_or_default(),
            })
        })
    }
}

/// The format of a file by its first bytes, or by its name where those tell nothing.
fn format_of(path: &Path) -> String {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let ending = reader.ok().and_then(|reader| reader.format()?.extensions_str().first().copied());
    match ending {
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

/// Each different value with its count, the commonest first, equally common ones in their own order.
fn commonest_first<T: Ord>(values: impl Iterator<Item = T>) -> impl Iterator<Item = (T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
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
    }

    #[test]
    fn the_commonest_comes_first_and_ties_in_order() {
        let counts: Vec<_> = commonest_first("abcbdb c".chars()).collect();
        assert_eq!(counts, [('b', 3), ('c', 2), (' ', 1), ('a', 1), ('d', 1)]);
    }
}
