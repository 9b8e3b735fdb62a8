//! A batch under way: its photos arrive one by one.

use std::ops::Range;
use std::sync::Arc;

use crate::mixup::Mix;
use crate::pixels::SparePixels;
use crate::rng::mixing_rng;
use crate::{BadPhoto, Batch, BatchMixing, ClassId, Example, InputSize, Pixels};

/// A batch yet to be made: its number in the epoch, its examples and their weights.
#[derive(Clone, Debug)]
pub(crate) struct BatchPlan {
    pub(crate) number: usize,
    pub(crate) examples: Vec<usize>,
    pub(crate) weights: Vec<f32>,
    pub(crate) mix: Option<Mix>,
}

/// The batches of an epoch that are yet to be made, in order: an epoch may have very many.
#[derive(Debug)]
pub(crate) struct BatchPlans {
    /// The examples in the order of the epoch; `None` for their own.
    pub(crate) order: Option<Vec<u32>>,
    pub(crate) examples: usize,
    pub(crate) batch_size: usize,
    /// The number of the next batch, and how many there are.
    pub(crate) batches: Range<usize>,
    /// Of each example; `None` where all count the same.
    pub(crate) weights: Option<Arc<[f32]>>,
    pub(crate) mixing: Option<BatchMixing>,
    pub(crate) size: InputSize,
    pub(crate) seed: u64,
    pub(crate) epoch: usize,
}

impl Iterator for BatchPlans {
    type Item = BatchPlan;

    fn next(&mut self) -> Option<BatchPlan> {
        let number = self.batches.next()?;
        let places = number * self.batch_size..self.examples.min((number + 1) * self.batch_size);
        let examples: Vec<usize> = match &self.order {
            Some(order) => order[places].iter().map(|&example| example as usize).collect(),
            None => places.collect(),
        };
        let weight = |&example: &usize| self.weights.as_ref().map_or(1.0, |weights| weights[example]);
        let weights = examples.iter().map(weight).collect();
        let mut rng = mixing_rng(self.seed, self.epoch, number);
        let mix = self.mixing.map(|mixing| mixing.draw(self.size.width, self.size.height, &mut rng));
        Some(BatchPlan { number, examples, weights, mix })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.batches.size_hint()
    }
}

impl ExactSizeIterator for BatchPlans {}

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
    /// Room for the photos of this plan. Each of them must be [put](Self::put).
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
            weights: Vec::with_capacity(self.plan.examples.len()),
            height: self.size.height,
            width: self.size.width,
            views: self.views,
            mixed_labels: None,
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
                    batch.weights.push(self.plan.weights[position]);
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
