//! Which settings make sense.

use super::{Augmentation, Augmentations, ColorJitterStrength};

/// A setting of a step of augmentation that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("augmentation step {step} ({name}): {problem}")]
pub struct AugmentationError {
    /// Which step, counted from 1.
    pub step: usize,
    /// The step's name, as written in a recipe.
    pub name: &'static str,
    /// What is wrong, with the value and its range.
    pub problem: String,
}

impl Augmentations {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first step whose settings make no sense, and what is wrong with them.
    pub fn validate(&self) -> Result<(), AugmentationError> {
        for (index, step) in self.0.iter().enumerate() {
            step.check().map_err(|problem| AugmentationError {
                step: index + 1,
                name: step.name(),
                problem,
            })?;
        }
        Ok(())
    }
}

impl Augmentation {
    /// The name in a recipe.
    fn name(&self) -> &'static str {
        match self {
            Augmentation::Resize { .. } => "resize",
            Augmentation::RandomCrop { .. } => "random_crop",
            Augmentation::RandomResizedCrop { .. } => "random_resized_crop",
            Augmentation::CenterCrop { .. } => "center_crop",
            Augmentation::Squash { .. } => "squash",
            Augmentation::HorizontalFlip { .. } => "horizontal_flip",
            Augmentation::RandomRotation { .. } => "random_rotation",
            Augmentation::RandomAffine { .. } => "random_affine",
            Augmentation::ColorJitter(_) => "color_jitter",
            Augmentation::GaussianBlur { .. } => "gaussian_blur",
            Augmentation::RandAugment { .. } => "rand_augment",
            Augmentation::TrivialAugmentWide { .. } => "trivial_augment_wide",
            Augmentation::RandomErasing { .. } => "random_erasing",
        }
    }

    fn check(&self) -> Result<(), String> {
        match *self {
            Augmentation::Resize { short_side } => positive("short_side", short_side),
            Augmentation::RandomCrop { size } | Augmentation::CenterCrop { size } => positive("size", size),
            Augmentation::RandomResizedCrop { size, scale, ratio } => {
                positive("size", size)?;
                range("scale", scale, 1.0)?;
                range("ratio", ratio, f32::MAX)
            }
            Augmentation::Squash { width, height } => {
                positive("width", width)?;
                positive("height", height)
            }
            Augmentation::HorizontalFlip { p } => between("p", p, 0.0, 1.0),
            Augmentation::RandomRotation { degrees } => between("degrees", degrees, 0.0, 360.0),
            Augmentation::RandomAffine { degrees, translate, scale, shear } => {
                between("degrees", degrees, 0.0, 360.0)?;
                between("translate", translate[0], 0.0, 1.0)?;
                between("translate", translate[1], 0.0, 1.0)?;
                range("scale", scale, f32::MAX)?;
                // At 90 degrees every pixel is infinitely far away.
                between("shear", shear, 0.0, 89.0)
            }
            Augmentation::ColorJitter(ColorJitterStrength { brightness, contrast, saturation, hue }) => {
                between("brightness", brightness, 0.0, f32::MAX)?;
                between("contrast", contrast, 0.0, f32::MAX)?;
                between("saturation", saturation, 0.0, f32::MAX)?;
                between("hue", hue, 0.0, 0.5)
            }
            Augmentation::GaussianBlur { kernel, sigma } => {
                if kernel % 2 == 0 {
                    return Err(format!("kernel is {kernel}; it must be odd"));
                }
                range("sigma", sigma, f32::MAX)
            }
            Augmentation::RandAugment { magnitude, num_magnitude_bins, .. } => {
                bins(num_magnitude_bins)?;
                if magnitude >= num_magnitude_bins {
                    return Err(format!(
                        "magnitude is {magnitude}; it must be below num_magnitude_bins, {num_magnitude_bins}"
                    ));
                }
                Ok(())
            }
            Augmentation::TrivialAugmentWide { num_magnitude_bins } => bins(num_magnitude_bins),
            Augmentation::RandomErasing { p, scale, ratio, .. } => {
                between("p", p, 0.0, 1.0)?;
                range("scale", scale, 1.0)?;
                range("ratio", ratio, f32::MAX)
            }
        }
    }
}

fn positive(name: &str, value: u32) -> Result<(), String> {
    if value == 0 { Err(format!("{name} is 0; it must be at least 1")) } else { Ok(()) }
}

fn bins(count: u32) -> Result<(), String> {
    if count < 2 { Err(format!("num_magnitude_bins is {count}; it must be at least 2")) } else { Ok(()) }
}

/// Not true of NaN.
fn between(name: &str, value: f32, least: f32, greatest: f32) -> Result<(), String> {
    if (least..=greatest).contains(&value) {
        return Ok(());
    }
    let bound = if greatest == f32::MAX {
        format!("at least {least}")
    } else {
        format!("from {least} to {greatest}")
    };
    Err(format!("{name} is {value}; it must be {bound}"))
}

/// `0 < least <= greatest <= limit`.
fn range(name: &str, [least, greatest]: [f32; 2], limit: f32) -> Result<(), String> {
    if least > 0.0 && least <= greatest && greatest <= limit {
        return Ok(());
    }
    let bound = if limit == f32::MAX { String::new() } else { format!(" and not above {limit}") };
    Err(format!("{name} is [{least}, {greatest}]; it must rise from above 0{bound}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_named_with_its_step() {
        let steps = Augmentations(vec![
            Augmentation::CenterCrop { size: 224 },
            Augmentation::HorizontalFlip { p: 1.5 },
        ]);
        let message = steps.validate().unwrap_err().to_string();
        assert_eq!(message, "augmentation step 2 (horizontal_flip): p is 1.5; it must be from 0 to 1");
    }

    #[test]
    fn settings_that_would_stop_a_training_are_refused_before_it_begins() {
        let affine = |degrees, translate, scale, shear| Augmentation::RandomAffine {
            degrees,
            translate: [translate, 0.0],
            scale,
            shear,
        };
        let jitter = |brightness, hue| {
            Augmentation::ColorJitter(ColorJitterStrength { brightness, hue, ..Default::default() })
        };
        for step in [
            Augmentation::Resize { short_side: 0 },
            Augmentation::RandomCrop { size: 0 },
            Augmentation::Squash { width: 5, height: 0 },
            Augmentation::RandomResizedCrop { size: 8, scale: [0.9, 0.8], ratio: [0.75, 1.3] },
            Augmentation::RandomResizedCrop { size: 8, scale: [0.5, 1.1], ratio: [0.75, 1.3] },
            Augmentation::RandomResizedCrop { size: 8, scale: [0.5, 1.0], ratio: [0.0, 1.3] },
            Augmentation::HorizontalFlip { p: f32::NAN },
            Augmentation::RandomRotation { degrees: -1.0 },
            affine(f32::INFINITY, 0.0, [1.0, 1.0], 0.0),
            affine(0.0, 1.1, [1.0, 1.0], 0.0),
            affine(0.0, 0.0, [0.0, 1.0], 0.0),
            affine(0.0, 0.0, [1.0, 1.0], 90.0),
            jitter(-0.1, 0.0),
            jitter(0.0, 0.6),
            Augmentation::GaussianBlur { kernel: 4, sigma: [0.1, 2.0] },
            Augmentation::GaussianBlur { kernel: 5, sigma: [0.0, 2.0] },
            Augmentation::RandAugment { num_ops: 2, magnitude: 31, num_magnitude_bins: 31 },
            Augmentation::TrivialAugmentWide { num_magnitude_bins: 1 },
            Augmentation::RandomErasing { p: 0.5, scale: [0.4, 0.3], ratio: [0.3, 3.3], value: [0; 3] },
        ] {
            assert!(Augmentations(vec![step.clone()]).validate().is_err(), "{step:?}");
        }
    }
}
