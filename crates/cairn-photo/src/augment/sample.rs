//! What a step of a recipe comes to for one photo.

use rand::{Rng, RngExt};

use super::{
    Affine, Augmentation, Change, Changes, ColorJitter, CropWindow, Erasing, GaussianBlur, ResizedCrop,
    policy,
};
use crate::resize::short_side_size;

impl Augmentation {
    /// Draws this step's parameters and adds what it does to `changes`.
    pub(super) fn sample(&self, changes: &mut Changes, rng: &mut impl Rng) {
        let size = changes.size();
        match *self {
            Augmentation::Resize { short_side } => {
                let (width, height) = short_side_size(size[0], size[1], short_side);
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
