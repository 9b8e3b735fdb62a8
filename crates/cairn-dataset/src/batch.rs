//! A batch: photos as one block of numbers, with their classes.

use std::sync::Arc;

use cairn_photo::{Normalisation, Photo};

use crate::mixing::Mix;
use crate::pixels::SparePixels;
use crate::{BadPhoto, ClassId, Example, InputSize, Mixture, Pixels};

/// Photos that go through the network together.
#[derive(Debug)]
pub struct Batch {
    /// Which batch of its epoch this is, counted from zero.
    pub number: usize,
    /// Normalised pixels, `[len * views, 3, height, width]`.
    pub pixels: Pixels,
    /// The class of each photo, `[len]`.
    pub labels: Vec<ClassId>,
    /// Which example of the loader's list each photo is, `[len]`.
    pub examples: Vec<usize>,
    /// Rows of each photo.
    pub height: usize,
    /// Columns of each photo.
    pub width: usize,
    /// How many views of each photo there are, one after the other: 1, but where the loader's
    /// [`views`](crate::Loader::viewed_as) are several.
    pub views: usize,
    /// What the photos are mixed with, where the loader [mixes](crate::Loader::mixed) them.
    pub mixture: Option<Mixture>,
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

    /// The labels as probabilities, `[len, classes]`: of a mixed photo, two of them.
    ///
    /// # Panics
    /// If a class is not below `classes`.
    pub fn soft_labels(&self, classes: usize) -> Vec<f32> {
        let pure = || Mixture { weight: 1.0, partners: self.labels.clone() };
        self.mixture.clone().unwrap_or_else(pure).soft_labels(&self.labels, classes)
    }

    /// The photos, every view, turned back into pixels to look at: `normalisation` undone, rounded to whole levels.
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

/// A batch yet to be made: which one of its epoch, and of which examples.
#[derive(Clone, Debug)]
pub(crate) struct BatchPlan {
    pub(crate) number: usize,
    pub(crate) examples: Vec<usize>,
    pub(crate) mix: Option<Mix>,
}

/// A batch whose photos arrive one by one, in any order.
#[derive(Debug)]
pub(crate) struct Filling {
    plan: BatchPlan,
    size: InputSize,
    views: usize,
    /// Room for all photos, `[examples * views, 3, height, width]`.
    pixels: Pixels,
    /// What became of each photo; `None` while it is awaited.
    outcomes: Vec<Option<Result<ClassId, BadPhoto>>>,
    awaited: usize,
}

impl Filling {
    /// Room for the photos of this plan, of which every one is to be [put](Self::put).
    pub(crate) fn new(plan: BatchPlan, size: InputSize, views: usize, memory: &Arc<SparePixels>) -> Filling {
        let awaited = plan.examples.len();
        let pixels = memory.take(awaited * views * size.numbers());
        Filling { plan, size, views, pixels, outcomes: (0..awaited).map(|_| None).collect(), awaited }
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
        let mut batch = Batch {
            number: self.plan.number,
            pixels: std::mem::take(&mut self.pixels),
            labels: Vec::with_capacity(self.plan.examples.len()),
            examples: Vec::with_capacity(self.plan.examples.len()),
            height: self.size.height,
            width: self.size.width,
            views: self.views,
            mixture: None,
            bad: Vec::new(),
        };
        let numbers = self.views * self.size.numbers();
        for (position, outcome) in self.outcomes.drain(..).enumerate() {
            match outcome {
                Some(Ok(label)) => {
                    // Good photos move up into the room that bad ones before them left.
                    let place = batch.len();
                    if place < position {
                        batch
                            .pixels
                            .copy_within(position * numbers..(position + 1) * numbers, place * numbers);
                    }
                    batch.labels.push(label);
                    batch.examples.push(self.plan.examples[position]);
                }
                Some(Err(bad)) => batch.bad.push(bad),
                None => {}
            }
        }
        batch.pixels.truncate(batch.len() * numbers);
        if let Some(mix) = self.plan.mix {
            mix.apply(&mut batch);
        }
        batch
    }
}
