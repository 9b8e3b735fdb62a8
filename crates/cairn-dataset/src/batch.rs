//! A batch: photos as one block of numbers, with their classes.

use cairn_photo::{Normalisation, Photo};

use crate::{BadPhoto, ClassId, Example};

/// Photos that go through the network together.
#[derive(Debug)]
pub struct Batch {
    /// Which batch of its epoch this is, counted from zero.
    pub number: usize,
    /// Normalised pixels, `[len, 3, height, width]`.
    pub pixels: Vec<f32>,
    /// The class of each photo, `[len]`.
    pub labels: Vec<ClassId>,
    /// Which example of the loader's list each photo is, `[len]`.
    pub examples: Vec<usize>,
    /// Rows of each photo.
    pub height: usize,
    /// Columns of each photo.
    pub width: usize,
    /// The photos that belong here but could not be used. They are in none of the other fields, so a batch may be
    /// shorter than the others, or empty.
    pub bad: Vec<BadPhoto>,
}

impl Batch {
    /// How many photos there are, the bad ones not counted.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether not one photo could be used.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The photos turned back into pixels to look at: `normalisation` undone, rounded to whole levels.
    pub fn photos(&self, normalisation: &Normalisation) -> Vec<Photo> {
        let plane = self.height * self.width;
        self.pixels.chunks_exact(3 * plane).map(|chw| self.photo(chw, plane, normalisation)).collect()
    }

    fn photo(&self, chw: &[f32], plane: usize, normalisation: &Normalisation) -> Photo {
        let mut photo = Photo::filled(self.width as u32, self.height as u32, [0; 3]);
        for (at, pixel) in photo.pixels_mut().chunks_exact_mut(3).enumerate() {
            for (channel, level) in pixel.iter_mut().enumerate() {
                let (mean, std) = (normalisation.mean[channel], normalisation.std[channel]);
                // `as` clamps to 0..=255.
                *level = ((chw[channel * plane + at] * std + mean) * 255.0).round() as u8;
            }
        }
        photo
    }
}

/// A batch whose photos arrive one by one, in any order.
#[derive(Debug)]
pub(crate) struct Filling {
    number: usize,
    height: usize,
    width: usize,
    examples: Vec<usize>,
    /// Room for all photos, `[examples, 3, height, width]`.
    pixels: Vec<f32>,
    /// What became of each photo; `None` while it is awaited.
    outcomes: Vec<Option<Result<ClassId, BadPhoto>>>,
    awaited: usize,
}

impl Filling {
    /// Room for these examples, photos of `width` x `height`.
    pub(crate) fn new(number: usize, examples: Vec<usize>, width: usize, height: usize) -> Filling {
        let awaited = examples.len();
        Filling {
            number,
            height,
            width,
            pixels: vec![0.0; awaited * 3 * height * width],
            outcomes: (0..awaited).map(|_| None).collect(),
            examples,
            awaited,
        }
    }

    /// Puts in the photo at `position`: the pixels of `example`, or what was wrong with it. Gives the batch with
    /// the last one, and leaves nothing behind.
    pub(crate) fn put(
        &mut self,
        position: usize,
        example: &Example,
        photo: Result<&[f32], BadPhoto>,
    ) -> Option<Batch> {
        let outcome = photo.map(|pixels| {
            self.pixels[position * pixels.len()..][..pixels.len()].copy_from_slice(pixels);
            example.class
        });
        self.outcomes[position] = Some(outcome);
        self.awaited -= 1;
        (self.awaited == 0).then(|| self.close())
    }

    fn close(&mut self) -> Batch {
        let photo_len = 3 * self.height * self.width;
        let mut pixels = std::mem::take(&mut self.pixels);
        let mut batch = Batch {
            number: self.number,
            pixels: Vec::new(),
            labels: Vec::with_capacity(self.examples.len()),
            examples: Vec::with_capacity(self.examples.len()),
            height: self.height,
            width: self.width,
            bad: Vec::new(),
        };
        for (position, outcome) in self.outcomes.drain(..).enumerate() {
            match outcome {
                Some(Ok(label)) => {
                    // Good photos move up into the room that bad ones before them left.
                    if position > batch.len() {
                        pixels.copy_within(
                            position * photo_len..(position + 1) * photo_len,
                            batch.len() * photo_len,
                        );
                    }
                    batch.labels.push(label);
                    batch.examples.push(self.examples[position]);
                }
                Some(Err(bad)) => batch.bad.push(bad),
                None => {}
            }
        }
        pixels.truncate(batch.len() * photo_len);
        batch.pixels = pixels;
        batch
    }
}
