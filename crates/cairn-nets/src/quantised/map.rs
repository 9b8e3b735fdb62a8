//! Maps on their way from step to step.

use std::borrow::Cow;

use cairn_kernels::Isa;
use cairn_kernels::int8::{self, Quantisation};

use super::buffers::Buffer;
use super::network::PhotoLevels;

/// A map `[batch, height, width, channels]`; a vector is a map of one pixel.
#[derive(Debug)]
pub(super) struct Map<'a> {
    pub(super) shape: [usize; 4],
    pub(super) values: Values<'a>,
}

/// A map's values.
#[derive(Debug)]
pub(super) enum Values<'a> {
    /// The pixels of photos as they are.
    Photo(&'a [u8]),
    /// Levels.
    Levels(Buffer),
    /// The numbers themselves.
    Floats(Vec<f32>),
}

/// What the values of a step's output mean as levels.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// Pixels of a photo.
    Photo(PhotoLevels),
    /// Levels.
    Levels(Quantisation),
}

impl Map<'_> {
    /// Its values as levels.
    pub(super) fn levels(&self, meaning: Meaning) -> Cow<'_, [u8]> {
        match (&self.values, meaning) {
            (Values::Photo(pixels), _) => Cow::Borrowed(pixels),
            (Values::Levels(levels), _) => Cow::Borrowed(levels),
            (Values::Floats(values), Meaning::Levels(quantisation)) => {
                let mut levels = vec![0; values.len()];
                int8::quantise(Isa::best(), quantisation, values, &mut levels);
                Cow::Owned(levels)
            }
            (Values::Floats(_), Meaning::Photo(_)) => unreachable!("a photo is bytes"),
        }
    }

    /// Its values as numbers.
    pub(super) fn floats(&self, meaning: Meaning) -> Cow<'_, [f32]> {
        match (&self.values, meaning) {
            (Values::Floats(values), _) => Cow::Borrowed(values),
            (Values::Levels(levels), Meaning::Levels(quantisation)) => {
                let mut values = vec![0.0; levels.len()];
                int8::dequantise(Isa::best(), quantisation, levels, &mut values);
                Cow::Owned(values)
            }
            (Values::Photo(pixels), Meaning::Photo(photo)) => Cow::Owned(photo.normalised(pixels)),
            (Values::Levels(_), Meaning::Photo(_)) | (Values::Photo(_), Meaning::Levels(_)) => {
                unreachable!("only photos have the meaning of photos")
            }
        }
    }
}
