//! Training-time augmentation: random changes to a photo that leave its landmark what it is.
//!
//! A step such as `random_affine` is two parts, as in torchvision: *sampling* draws the concrete parameters from the
//! step's ranges, *applying* does what the parameters say and has no randomness in it. The type named after the
//! concrete change ([`Affine`], [`ColorJitter`], ...) has a `sample` for the former. What it draws becomes a [`Change`], and
//! [`Changes`] makes all of a photo's changes together.

mod affine;
mod changes;
mod color_jitter;
mod crop;
mod erasing;
mod gaussian_blur;
mod geometry;
mod histogram;
mod planes;
mod pointwise;
mod policy;
mod sample;
mod sharpness;
mod validate;

pub use affine::Affine;
pub use changes::{Change, Changes};
pub use color_jitter::{ColorAdjustment, ColorJitter, ColorJitterStrength};
pub use crop::{CropWindow, ResizedCrop};
pub use erasing::Erasing;
pub use gaussian_blur::GaussianBlur;
pub use policy::Operation;
pub use validate::AugmentationError;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{Photo, ReadSize};

/// One step of augmentation, by its name in torchvision and with the same meaning.
///
/// In TOML a step is a table of one entry, such as `{ random_crop = { size = 224 } }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Augmentation {
    /// Shorter side to `short_side` pixels, the longer one in proportion.
    Resize {
        /// Pixels.
        short_side: u32,
    },
    /// A square from a random place. A photo smaller than the square gets black borders first
    /// (`pad_if_needed=True`).
    RandomCrop {
        /// Side of the square.
        size: u32,
    },
    /// A region of random area, proportions and place, resized to a square.
    RandomResizedCrop {
        /// Side of the square.
        size: u32,
        /// Least and greatest area of the region, as a share of the photo's.
        scale: [f32; 2],
        /// Least and greatest width / height of the region.
        #[serde(default = "three_quarters_to_four_thirds")]
        ratio: [f32; 2],
    },
    /// The middle square. A photo smaller than the square gets black borders.
    CenterCrop {
        /// Side of the square.
        size: u32,
    },
    /// The whole photo at exactly this size, its proportions lost.
    Squash {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Left and right exchanged, with probability `p`.
    HorizontalFlip {
        /// Probability, 0 to 1.
        p: f32,
    },
    /// Turned about the centre; the corners that come free are black.
    RandomRotation {
        /// Greatest angle, to either side.
        degrees: f32,
    },
    /// Turned, shifted, scaled and sheared about the centre; what comes free is black.
    RandomAffine {
        /// Greatest angle, to either side.
        degrees: f32,
        /// Greatest shift to either side, as shares of width and height.
        #[serde(default)]
        translate: [f32; 2],
        /// Least and greatest scale.
        #[serde(default = "no_scaling")]
        scale: [f32; 2],
        /// Greatest angle of shear along x, to either side, in degrees.
        #[serde(default)]
        shear: f32,
    },
    /// Brightness, contrast, saturation and hue changed, in random order.
    ColorJitter(ColorJitterStrength),
    /// Blurred.
    GaussianBlur {
        /// Side of the square kernel, an odd number of pixels.
        kernel: u32,
        /// Least and greatest standard deviation, in pixels.
        sigma: [f32; 2],
    },
    /// Some of fourteen operations, picked again for each photo, all at one magnitude (RandAugment, Cubuk et al. 2019).
    RandAugment {
        /// How many operations.
        #[serde(default = "two")]
        num_ops: u32,
        /// How strong, from 0 up to but not including `num_magnitude_bins`.
        #[serde(default = "nine")]
        magnitude: u32,
        /// Steps from nothing to the strongest.
        #[serde(default = "thirty_one")]
        num_magnitude_bins: u32,
    },
    /// One of fourteen operations at a magnitude drawn from a wide range (TrivialAugment, Müller and Hutter 2021).
    TrivialAugmentWide {
        /// Steps from nothing to the strongest.
        #[serde(default = "thirty_one")]
        num_magnitude_bins: u32,
    },
    /// A rectangle covered with one colour, with probability `p`.
    RandomErasing {
        /// Probability, 0 to 1.
        #[serde(default = "half")]
        p: f32,
        /// Least and greatest area of the rectangle, as a share of the photo's.
        #[serde(default = "a_fiftieth_to_a_third")]
        scale: [f32; 2],
        /// Least and greatest height / width of the rectangle.
        #[serde(default = "three_tenths_to_ten_thirds")]
        ratio: [f32; 2],
        /// Levels of red, green and blue. torchvision erases normalised photos, mostly with zero: the mean colour.
        #[serde(default = "mean_of_imagenet")]
        value: [u8; 3],
    },
}

/// torchvision's default for `RandomResizedCrop`.
fn three_quarters_to_four_thirds() -> [f32; 2] {
    [3.0 / 4.0, 4.0 / 3.0]
}

/// torchvision's defaults for `RandAugment` and `TrivialAugmentWide`.
fn two() -> u32 {
    2
}

fn nine() -> u32 {
    9
}

fn thirty_one() -> u32 {
    31
}

/// torchvision's defaults for `RandomErasing`.
fn half() -> f32 {
    0.5
}

fn a_fiftieth_to_a_third() -> [f32; 2] {
    [0.02, 0.33]
}

fn three_tenths_to_ten_thirds() -> [f32; 2] {
    [0.3, 3.3]
}

/// What `Normalisation::IMAGENET` turns to about zero.
fn mean_of_imagenet() -> [u8; 3] {
    [124, 116, 104]
}

fn no_scaling() -> [f32; 2] {
    [1.0, 1.0]
}

/// Steps of augmentation, in the order in which they are applied.
///
/// ```
/// # #[derive(serde::Deserialize)] struct Recipe { augment: cairn_photo::Augmentations }
/// let recipe: Recipe = toml::from_str(
///     "augment = [
///         { resize = { short_side = 256 } },
///         { random_crop = { size = 224 } },
///         { horizontal_flip = { p = 0.5 } },
///     ]",
/// )?;
/// assert_eq!(recipe.augment.output_size(), Some((224, 224)));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Augmentations(pub Vec<Augmentation>);

impl Augmentations {
    /// Draws the parameters of every step for a photo of `width` x `height`.
    ///
    /// # Panics
    /// If [`Augmentations::validate`] would refuse the steps.
    pub fn sample(&self, width: u32, height: u32, rng: &mut impl Rng) -> Changes {
        let mut changes = Changes::new(width, height);
        self.0.iter().for_each(|step| step.sample(&mut changes, rng));
        changes
    }

    /// Applies every step in turn. The outcome depends on `photo` and the state of `rng` alone.
    ///
    /// # Panics
    /// If [`Augmentations::validate`] would refuse the steps.
    pub fn apply(&self, photo: &Photo, rng: &mut impl Rng) -> Photo {
        self.sample(photo.width(), photo.height(), rng).apply(photo)
    }

    /// The size at which a photo is best read for these steps.
    ///
    /// Where they begin with a `resize` or a `squash`, that size: reading takes the step off them. Where they begin with a
    /// `random_resized_crop`, as much that its smallest region still has as many pixels as the crop. Else every pixel of the
    /// file, since a crop from a photo of another size would be another crop.
    pub fn read_size(&self) -> ReadSize {
        let geometric = |step: &&Augmentation| !matches!(step, Augmentation::HorizontalFlip { .. });
        match self.0.iter().find(geometric) {
            Some(&Augmentation::Resize { short_side }) => ReadSize::ShortSide(short_side),
            Some(&Augmentation::Squash { width, height }) => ReadSize::Exactly { width, height },
            Some(&Augmentation::RandomResizedCrop { size, scale: [least_area, _], .. }) => {
                // The cast saturates: a share of area near zero asks for everything.
                ReadSize::ShortSide((size as f32 / least_area.sqrt()).ceil() as u32)
            }
            _ => ReadSize::Full,
        }
    }

    /// The same steps for photos smaller or larger by `factor`: every size in pixels scaled and rounded, at least 1.
    /// What is a share, an angle or a probability stays, and so does the blur.
    pub fn scaled(&self, factor: f64) -> Augmentations {
        let scaled = |pixels: u32| ((f64::from(pixels) * factor).round() as u32).max(1);
        let steps = self.0.iter().map(|step| match step.clone() {
            Augmentation::Resize { short_side } => Augmentation::Resize { short_side: scaled(short_side) },
            Augmentation::RandomCrop { size } => Augmentation::RandomCrop { size: scaled(size) },
            Augmentation::CenterCrop { size } => Augmentation::CenterCrop { size: scaled(size) },
            Augmentation::RandomResizedCrop { size, scale, ratio } => {
                Augmentation::RandomResizedCrop { size: scaled(size), scale, ratio }
            }
            Augmentation::Squash { width, height } => {
                Augmentation::Squash { width: scaled(width), height: scaled(height) }
            }
            unsized_step => unsized_step,
        });
        Augmentations(steps.collect())
    }

    /// Width and height with which every photo ends; `None` if they depend on the photo.
    pub fn output_size(&self) -> Option<(u32, u32)> {
        self.0.iter().fold(None, |size, step| match *step {
            Augmentation::RandomCrop { size }
            | Augmentation::RandomResizedCrop { size, .. }
            | Augmentation::CenterCrop { size } => Some((size, size)),
            Augmentation::Squash { width, height } => Some((width, height)),
            Augmentation::Resize { short_side } => {
                size.map(|(width, height)| crate::resize::short_side_size(width, height, short_side))
            }
            Augmentation::HorizontalFlip { .. }
            | Augmentation::RandomRotation { .. }
            | Augmentation::RandomAffine { .. }
            | Augmentation::ColorJitter(_)
            | Augmentation::GaussianBlur { .. }
            | Augmentation::RandAugment { .. }
            | Augmentation::TrivialAugmentWide { .. }
            | Augmentation::RandomErasing { .. } => size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    /// System B's steps, as a recipe has them.
    fn system_b() -> Augmentations {
        #[derive(Deserialize)]
        struct Recipe {
            augment: Augmentations,
        }
        let recipe: Recipe = toml::from_str(
            "augment = [
                { resize = { short_side = 64 } },
                { random_crop = { size = 56 } },
                { random_resized_crop = { size = 56, scale = [0.8, 1.0] } },
                { random_affine = { degrees = 10, translate = [0.1, 0.1], scale = [0.9, 1.1], shear = 5 } },
                { color_jitter = { brightness = 0.2, contrast = 0.2, saturation = 0.2, hue = 0.1 } },
                { horizontal_flip = { p = 0.5 } },
                { gaussian_blur = { kernel = 5, sigma = [0.1, 2.0] } },
            ]",
        )
        .unwrap();
        recipe.augment
    }

    fn ramp(width: u32, height: u32) -> Photo {
        let pixels = (0..width * height * 3).map(|index| (index % 251) as u8).collect();
        Photo::from_pixels(width, height, pixels).unwrap()
    }

    #[test]
    fn a_recipe_says_nothing_of_what_is_left_at_torchvisions_default() {
        let Augmentation::RandomResizedCrop { ratio, .. } = system_b().0[2] else { panic!("not the crop") };
        assert_eq!(ratio, [0.75, 4.0 / 3.0]);
        let step: Augmentation = toml::from_str("rand_augment = {}").unwrap();
        assert_eq!(step, Augmentation::RandAugment { num_ops: 2, magnitude: 9, num_magnitude_bins: 31 });
        assert!(toml::from_str::<Augmentation>("trivial_augment_wide = {}").is_ok());
        assert!(toml::from_str::<Augmentation>("random_erasing = { p = 0.2 }").is_ok());
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused() {
        assert!(toml::from_str::<Augmentation>("random_crop = { size = 56, padding = 4 }").is_err());
        assert!(toml::from_str::<Augmentation>("color_jitter = { lightness = 0.2 }").is_err());
        assert!(toml::from_str::<Augmentation>("random_posterize = { p = 0.2 }").is_err());
    }

    #[test]
    fn the_same_seed_gives_the_same_photo_and_another_seed_another() {
        let augmented = |seed| system_b().apply(&ramp(90, 70), &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(augmented(1), augmented(1));
        assert_ne!(augmented(1), augmented(2));
    }

    #[test]
    fn every_photo_ends_at_the_output_size_however_odd_it_is() {
        let steps = system_b();
        steps.validate().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for (width, height) in [(90, 70), (1, 1), (300, 2), (2, 300), (56, 64)] {
            let augmented = steps.apply(&ramp(width, height), &mut rng);
            assert_eq!(Some((augmented.width(), augmented.height())), steps.output_size());
        }
    }

    #[test]
    fn the_output_size_is_known_only_if_some_step_sets_it() {
        let resize = Augmentation::Resize { short_side: 10 };
        let squash = Augmentation::Squash { width: 40, height: 20 };
        assert_eq!(Augmentations(vec![resize.clone()]).output_size(), None);
        assert_eq!(Augmentations(vec![squash, resize]).output_size(), Some((20, 10)));
    }

    #[test]
    fn a_photo_is_read_no_smaller_than_its_first_step_needs_it() {
        let size = |step: Augmentation| {
            Augmentations(vec![Augmentation::HorizontalFlip { p: 0.5 }, step]).read_size()
        };
        assert_eq!(size(Augmentation::Resize { short_side: 256 }), ReadSize::ShortSide(256));
        assert_eq!(
            size(Augmentation::Squash { width: 9, height: 7 }),
            ReadSize::Exactly { width: 9, height: 7 }
        );
        let region = Augmentation::RandomResizedCrop { size: 224, scale: [0.25, 1.0], ratio: [0.75, 1.3] };
        assert_eq!(size(region), ReadSize::ShortSide(448));
        assert_eq!(size(Augmentation::RandomCrop { size: 224 }), ReadSize::Full);
        assert_eq!(size(Augmentation::RandomRotation { degrees: 5.0 }), ReadSize::Full);
    }

    #[test]
    fn scaled_steps_end_at_the_scaled_size_and_leave_shares_alone() {
        let scaled = system_b().scaled(0.5);
        assert_eq!(scaled.output_size(), Some((28, 28)));
        assert_eq!(scaled.0[0], Augmentation::Resize { short_side: 32 });
        assert_eq!(scaled.0[3..], system_b().0[3..]);
    }

    #[test]
    fn a_flip_happens_as_often_as_its_probability_says() {
        let photo = ramp(3, 2);
        let flipped = photo.flipped_horizontally();
        let flip = Augmentations(vec![Augmentation::HorizontalFlip { p: 0.25 }]);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let flips = (0..4000).filter(|_| flip.apply(&photo, &mut rng) == flipped).count();
        // Five standard deviations of a binomial distribution are 137.
        assert!(flips.abs_diff(1000) < 137, "{flips} of 4000");
    }
}
