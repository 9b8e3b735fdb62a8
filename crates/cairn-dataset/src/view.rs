//! How a network is shown a photo: augmented differently each epoch in training, always the same in testing.

use cairn_photo::{Augmentations, Normalisation, Photo, Preprocess, ReadSize};
use rand::Rng;

use crate::LoaderError;

/// From a photo of any size to a network's input.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// Augmented by chance.
    Train {
        /// The steps that end at the network's input size.
        augment: Augmentations,
        /// How pixel values become numbers.
        normalisation: Normalisation,
    },
    /// As in testing and in use: nothing by chance.
    Test(Preprocess),
}

/// The size of a network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputSize {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl InputSize {
    /// Numbers in one photo: `3 * height * width`.
    pub const fn numbers(self) -> usize {
        3 * self.height * self.width
    }
}

impl View {
    /// The photo as the network sees it, in pixels still. `rng` is asked only by [`View::Train`].
    pub fn frame(&self, photo: &Photo, rng: &mut impl Rng) -> Photo {
        match self {
            View::Train { augment, .. } => augment.apply(photo, rng),
            View::Test(preprocess) => preprocess.frame(photo),
        }
    }

    /// Writes the photo to `out` as numbers for the network, `[3, height, width]`: [`View::frame`], normalised.
    ///
    /// # Panics
    /// If `out` is not as long as [`InputSize::numbers`] of [`View::size`].
    pub fn write_chw(&self, photo: &Photo, rng: &mut impl Rng, out: &mut [f32]) {
        match self {
            View::Train { augment, normalisation } => {
                augment.sample(photo.width(), photo.height(), rng).write_chw(photo, normalisation, out);
            }
            View::Test(preprocess) => preprocess.normalisation.write_chw(&preprocess.frame(photo), out),
        }
    }

    /// The size at which a photo is read for this view. See [`Augmentations::read_size`] and
    /// [`Framing::read_size`](cairn_photo::Framing::read_size).
    pub fn read_size(&self) -> ReadSize {
        match self {
            View::Train { augment, .. } => augment.read_size(),
            View::Test(preprocess) => preprocess.framing.read_size(),
        }
    }

    /// How pixel values become numbers.
    pub fn normalisation(&self) -> &Normalisation {
        match self {
            View::Train { normalisation, .. } => normalisation,
            View::Test(preprocess) => &preprocess.normalisation,
        }
    }

    /// The size of every photo that [`View::frame`] gives.
    ///
    /// # Errors
    /// Where the augmentation is out of its range, or leaves photos of different sizes.
    pub fn size(&self) -> Result<InputSize, LoaderError> {
        let (width, height) = match self {
            View::Train { augment, .. } => {
                augment.validate()?;
                augment.output_size().ok_or(LoaderError::SizeVaries)?
            }
            View::Test(preprocess) => (preprocess.input_width(), preprocess.input_height()),
        };
        Ok(InputSize { width: width as usize, height: height as usize })
    }
}
