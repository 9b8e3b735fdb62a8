//! A step of a recipe, drawn for one photo.

use rand::{Rng, RngExt};

use super::{
    Affine, Augmentation, Change, Changes, ColorJitter, CropWindow, Erasing, GaussianBlur, ResizedCrop,
    policy,
};
use crate::resize::{most_long_side, short_side_size};

/// The size of the middle part of a photo of `width` x `height` that is no longer, at this shorter side, than
/// [`most_long_side`]: of a photo of one row and millions of columns, the whole would not fit into memory.
fn without_far_ends([width, height]: [u32; 2], short_side: u32) -> [u32; 2] {
    let most = most_long_side(short_side);
    let (resized_width, resized_height) = short_side_size(width, height, short_side);
    if resized_width.max(resized_height) <= most {
        return [width, height];
    }
    let short = u64::from(width.min(height));
    let long = (u64::from(most) * short / u64::from(short_side)).max(short);
    // No longer than it was.
    let long = u32::try_from(long).unwrap_or(u32::MAX).min(width.max(height));
    if width >= height { [long, height] } else { [width, long] }
}

impl Augmentation {
    /// Draws this step's parameters and adds what it does to `changes`.
    pub(super) fn sample(&self, changes: &mut Changes, rng: &mut impl Rng) {
        let size = changes.size();
        match *self {
            Augmentation::Resize { short_side } => {
                let [width, height] = without_far_ends(size, short_side);
                if [width, height] != size {
                    changes.push(Change::Middle { width, height });
                }
                let (width, height) = short_side_size(width, height, short_side);
                changes.push(Change::Resize { width, height });
            }
            Augmentation::Squash { width, height } => changes.push(Change::Resize { width, height }),
            Augmentation::RandomCrop { size: side } => {
                changes.push(Change::Crop(CropWindow::sample(size, side, rng)));
            }
            Augmentation::CenterCrop { size: side } => {
                changes.push(Change::Crop(CropWindow::center(size, side)));
            }
            Augmentation::RandomResizedCrop { size: side, scale, ratio } => {
                changes.push(Change::ResizedCrop(ResizedCrop::sample(size, side, scale, ratio, rng)));
            }
            Augmentation::HorizontalFlip { p } => {
                if rng.random_bool(p.into()) {
                    changes.push(Change::FlipHorizontally);
                }
            }
            Augmentation::RandomRotation { degrees } => {
                changes.push(Change::Affine(Affine::sample_rotation(degrees, rng)));
            }
            Augmentation::RandomAffine { degrees, translate, scale, shear } => {
                changes.push(Change::Affine(Affine::sample(size, degrees, translate, scale, shear, rng)));
            }
            Augmentation::ColorJitter(ref strength) => {
                let jitter = ColorJitter::sample(strength, rng);
                jitter.adjustments.into_iter().for_each(|change| changes.push(Change::Color(change)));
            }
            Augmentation::GaussianBlur { kernel, sigma } => {
                changes.push(Change::Blur(GaussianBlur::sample(kernel, sigma, rng)));
            }
            Augmentation::RandAugment { num_ops, magnitude, num_magnitude_bins } => {
                let drawn = policy::rand_augment(num_ops, magnitude, num_magnitude_bins, size, rng);
                drawn.into_iter().for_each(|change| changes.push(change));
            }
            Augmentation::TrivialAugmentWide { num_magnitude_bins } => {
                let drawn = policy::trivial_augment_wide(num_magnitude_bins, rng);
                drawn.into_iter().for_each(|change| changes.push(change));
            }
            Augmentation::RandomErasing { p, scale, ratio, value } => {
                if rng.random_bool(p.into()) {
                    let erasing = Erasing::sample(size, scale, ratio, value, rng);
                    erasing.into_iter().for_each(|erasing| changes.push(Change::Erase(erasing)));
                }
            }
        }
    }
}
