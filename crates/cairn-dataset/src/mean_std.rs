//! Mean and standard deviation of a data set's colours, for the normalisation of a network's input.

use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_photo::{Framing, Limits, Normalisation, Photo, Preprocess};
use rayon::prelude::*;

use crate::{BadPhoto, DatasetError, Example};

/// The colours of a data set, and the photos that could not be counted in.
#[derive(Debug)]
pub struct MeanStd {
    /// Mean and standard deviation of each channel, on a scale of 0 to 1.
    pub normalisation: Normalisation,
    /// The photos left out because they cannot be read.
    pub bad: Vec<BadPhoto>,
}

/// Measures mean and standard deviation of red, green and blue over these photos, on all cores.
///
/// The photos are framed first, as the network sees them at test time, so that each photo counts the same whatever
/// its size; then every pixel of every photo counts the same. The standard deviation is that of all pixels about the
/// one mean of the data set (not the average of the photos' own), divided by their count.
///
/// `progress` is told how many photos are done, and of how many, after each; from several threads at once, so not
/// always in order.
///
/// # Errors
/// [`DatasetError::AllUnreadable`] where not one photo can be read.
pub fn mean_std(
    examples: &[Example],
    framing: &Framing,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<MeanStd, DatasetError> {
    let done = AtomicUsize::new(0);
    let measure = |(mut sums, mut bad): (ChannelSums, Vec<BadPhoto>), example: &Example| {
        let measured = BadPhoto::guard(&example.place, || {
            let photo = example.place.open(framing.read_size(), &Limits::default())?;
            Ok(ChannelSums::of(&framed(&photo, framing)))
        });
        match measured {
            Ok(of_photo) => sums.add(&of_photo),
            Err(error) => bad.push(error),
        }
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, examples.len());
        (sums, bad)
    };
    // Sums alone are kept, whole numbers, of which the order makes no difference; bad photos stay in theirs.
    let (sums, bad) = examples.par_iter().fold(Default::default, measure).reduce(
        Default::default,
        |(mut sums, mut bad), (more_sums, more_bad)| {
            sums.add(&more_sums);
            bad.extend(more_bad);
            (sums, bad)
        },
    );
    let normalisation = sums.normalisation().ok_or_else(|| all_unreadable(&bad))?;
    Ok(MeanStd { normalisation, bad })
}

/// The error for a data set in which nothing can be read.
pub(crate) fn all_unreadable(bad: &[BadPhoto]) -> DatasetError {
    let first = bad.first().map_or_else(|| "there are none".to_owned(), BadPhoto::message);
    DatasetError::AllUnreadable { photos: bad.len(), first }
}

/// The photo as the network sees it, in pixels still.
pub(crate) fn framed(photo: &Photo, framing: &Framing) -> Photo {
    // Framing does not ask for the normalisation, which is what is being looked for.
    Preprocess { framing: framing.clone(), normalisation: Normalisation::IMAGENET }.frame(photo)
}

/// Sums over pixels, each channel for itself. Whole numbers, so they are exact, and the same in whatever order the
/// photos come; 64 bits hold the squares of 10^14 pixels.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChannelSums {
    pixels: u64,
    sum: [u64; 3],
    squares: [u64; 3],
}

impl ChannelSums {
    /// The sums over one photo.
    pub(crate) fn of(photo: &Photo) -> ChannelSums {
        let (pixels, _) = photo.pixels().as_chunks::<3>();
        let mut sums = ChannelSums { pixels: pixels.len() as u64, ..ChannelSums::default() };
        for pixel in pixels {
            for (channel, &level) in pixel.iter().enumerate() {
                let level = u64::from(level);
                sums.sum[channel] += level;
                sums.squares[channel] += level * level;
            }
        }
        sums
    }

    /// Counts another photo in.
    pub(crate) fn add(&mut self, other: &ChannelSums) {
        self.pixels += other.pixels;
        for channel in 0..3 {
            self.sum[channel] += other.sum[channel];
            self.squares[channel] += other.squares[channel];
        }
    }

    /// Mean and standard deviation; `None` before the first photo.
    ///
    /// A channel of one single level has a deviation of 0, which nothing can be divided by. It gets that of one
    /// level instead.
    pub(crate) fn normalisation(&self) -> Option<Normalisation> {
        if self.pixels == 0 {
            return None;
        }
        let pixels = self.pixels as f64;
        let mean = |channel: usize| self.sum[channel] as f64 / pixels / 255.0;
        let std = |channel: usize| {
            // n sum(x^2) - sum(x)^2 in whole numbers: no digits are lost where the two are close.
            let (sum, squares) = (u128::from(self.sum[channel]), u128::from(self.squares[channel]));
            let spread = u128::from(self.pixels) * squares - sum * sum;
            ((spread as f64).sqrt() / pixels).max(1.0) / 255.0
        };
        Some(Normalisation {
            mean: std::array::from_fn(|channel| mean(channel) as f32),
            std: std::array::from_fn(|channel| std(channel) as f32),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_counted_gives_nothing() {
        assert_eq!(ChannelSums::default().normalisation(), None);
    }

    #[test]
    fn a_channel_of_one_level_has_the_deviation_of_one_level() {
        let found = ChannelSums::of(&Photo::filled(4, 4, [51, 102, 255])).normalisation().unwrap();
        assert_eq!(found.mean, [0.2, 0.4, 1.0]);
        assert_eq!(found.std, [1.0 / 255.0; 3]);
    }

    proptest! {
        #[test]
        fn mean_and_deviation_agree_with_their_definition_in_f64(
            photos in prop::collection::vec(prop::collection::vec(any::<u8>(), 12), 1..6)
        ) {
            let mut sums = ChannelSums::default();
            for pixels in &photos {
                sums.add(&ChannelSums::of(&Photo::from_pixels(2, 2, pixels.clone()).unwrap()));
            }
            let found = sums.normalisation().unwrap();
            for channel in 0..3 {
                let levels: Vec<f64> = photos.iter()
                    .flat_map(|pixels| pixels.iter().skip(channel).step_by(3))
                    .map(|&level| f64::from(level) / 255.0)
                    .collect();
                let mean = levels.iter().sum::<f64>() / levels.len() as f64;
                let variance = levels.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / levels.len() as f64;
                let std = variance.sqrt().max(1.0 / 255.0);
                prop_assert!((f64::from(found.mean[channel]) - mean).abs() < 1e-6);
                prop_assert!((f64::from(found.std[channel]) - std).abs() < 1e-6);
            }
        }
    }
}
