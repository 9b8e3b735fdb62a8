//! Concrete changes, with nothing by chance in them, and how they are made in as few passes over the pixels as can be.

use std::borrow::Cow;

use super::geometry::{Geometry, Move};
use super::planes::Planes;
use super::pointwise::{self, Pointwise};
use super::{Affine, ColorAdjustment, CropWindow, Erasing, GaussianBlur, ResizedCrop, histogram, sharpness};
use crate::crop::Window;
use crate::{Normalisation, Photo};

/// One change to a photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The whole photo at this size.
    Resize {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A square of it.
    Crop(CropWindow),
    /// So much of its middle.
    Middle {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A region of it, resized.
    ResizedCrop(ResizedCrop),
    /// Left and right exchanged.
    FlipHorizontally,
    /// Turned, shifted, scaled, sheared.
    Affine(Affine),
    /// Brightness, contrast, saturation or hue.
    Color(ColorAdjustment),
    /// Blended with a softened photo: 0 is that one, 1 the photo itself (Pillow's `ImageEnhance.Sharpness`).
    Sharpness(f32),
    /// Only the upper bits of each level are kept.
    Posterize {
        /// How many, up to 8.
        bits: u32,
    },
    /// Levels are inverted from here on.
    Solarize {
        /// The first level that is.
        threshold: f32,
    },
    /// Each channel stretched to all levels (Pillow's `ImageOps.autocontrast`).
    AutoContrast,
    /// Each channel's levels made equally frequent (Pillow's `ImageOps.equalize`).
    Equalize,
    /// Blurred.
    Blur(GaussianBlur),
    /// A rectangle covered.
    Erase(Erasing),
}

/// Changes to be made to a photo of a given size, one after the other.
///
/// Geometric changes are composed and made first, in one pass of resampling, as long as that comes to the same: a
/// mirroring moves ahead of changes of colour, and a crop of a resized photo resizes no more than what is kept. Changes
/// of colour share one pass. See `docs/decisions/004-augmentation.md`.
#[derive(Clone, Debug)]
pub struct Changes {
    passes: Vec<Pass>,
}

/// A geometric change and what comes after it.
#[derive(Clone, Debug)]
struct Pass {
    geometry: Geometry,
    levels: Vec<LevelChange>,
}

/// Changes that move no pixel.
#[derive(Clone, Debug)]
enum LevelChange {
    Pointwise(Vec<Pointwise>),
    Sharpness(f32),
    AutoContrast,
    Equalize,
    Blur(GaussianBlur),
    Erase(Erasing),
}

impl Changes {
    /// No change yet to a photo of `width` x `height`.
    pub fn new(width: u32, height: u32) -> Changes {
        Changes { passes: vec![Pass { geometry: Geometry::identity([width, height]), levels: Vec::new() }] }
    }

    /// Width and height of the photo after these changes.
    pub fn size(&self) -> [u32; 2] {
        // There is always a pass: the first is made with the list.
        self.passes.last().map_or([0, 0], |pass| pass.geometry.size())
    }

    /// Adds a change after all others.
    pub fn push(&mut self, change: Change) {
        let level = match change {
            Change::Resize { width, height } => return self.push_move(Move::Resize([width, height])),
            Change::Crop(CropWindow { x, y, size }) => {
                return self.push_move(Move::Crop(Window { x, y, width: size, height: size }));
            }
            Change::Middle { width, height } => {
                return self.push_move(Move::Crop(Window::center(self.size(), width, height)));
            }
            Change::ResizedCrop(crop) => return self.push_move(Move::ResizedCrop(crop)),
            Change::FlipHorizontally => return self.push_move(Move::Flip),
            Change::Affine(affine) => return self.push_move(Move::Affine(affine)),
            Change::Color(adjustment) => return self.push_pointwise(Pointwise::Color(adjustment)),
            Change::Posterize { bits } => return self.push_pointwise(Pointwise::Posterize { bits }),
            Change::Solarize { threshold } => return self.push_pointwise(Pointwise::Solarize { threshold }),
            Change::Sharpness(factor) => LevelChange::Sharpness(factor),
            Change::AutoContrast => LevelChange::AutoContrast,
            Change::Equalize => LevelChange::Equalize,
            Change::Blur(blur) => LevelChange::Blur(blur),
            Change::Erase(erasing) => LevelChange::Erase(erasing),
        };
        if let Some(pass) = self.passes.last_mut() {
            pass.levels.push(level);
        }
    }

    fn push_pointwise(&mut self, change: Pointwise) {
        let Some(pass) = self.passes.last_mut() else { return };
        match pass.levels.last_mut() {
            Some(LevelChange::Pointwise(changes)) => changes.push(change),
            _ => pass.levels.push(LevelChange::Pointwise(vec![change])),
        }
    }

    fn push_move(&mut self, step: Move) {
        let Some(pass) = self.passes.last_mut() else { return };
        // All but an erased rectangle looks the same in a mirror as beside it.
        let moves_ahead = pass.levels.is_empty()
            || step == Move::Flip && !pass.levels.iter().any(|level| matches!(level, LevelChange::Erase(_)));
        match pass.geometry.then(step).filter(|_| moves_ahead) {
            Some(geometry) => pass.geometry = geometry,
            None => {
                let identity = Geometry::identity(pass.geometry.size());
                // A pass that moves nothing yet takes every step.
                let geometry = identity.then(step).unwrap_or(identity);
                self.passes.push(Pass { geometry, levels: Vec::new() });
            }
        }
    }

    /// The photo with all changes made.
    ///
    /// # Panics
    /// If `photo` is not of the size that the changes are for.
    pub fn apply(&self, photo: &Photo) -> Photo {
        self.passes
            .iter()
            .fold(Cow::Borrowed(photo), |photo, pass| Cow::Owned(pass.apply(&photo)))
            .into_owned()
    }

    /// Writes the photo with all changes made to `out`, normalised, `[3, height, width]`: the same numbers as
    /// [`Normalisation::write_chw`] gives for [`Changes::apply`], sooner.
    ///
    /// # Panics
    /// If `photo` is not of the size that the changes are for, or `out` is not `3 * height * width` long.
    pub fn write_chw(&self, photo: &Photo, normalisation: &Normalisation, out: &mut [f32]) {
        // There is always a pass: the first is made with the list.
        let Some((last, before)) = self.passes.split_last() else { return };
        let photo = before.iter().fold(Cow::Borrowed(photo), |photo, pass| Cow::Owned(pass.apply(&photo)));
        let moved = last.geometry.apply(&photo);
        if last.levels.is_empty() {
            return normalisation.write_chw(&moved, out);
        }
        let mut planes = Planes::of(&moved, out);
        last.levels.iter().for_each(|level| level.apply(&mut planes));
        planes.normalise(normalisation);
    }
}

impl Pass {
    fn apply(&self, photo: &Photo) -> Photo {
        let moved = self.geometry.apply(photo);
        if self.levels.is_empty() {
            return moved.into_owned();
        }
        let mut levels = vec![0.0; moved.pixels().len()];
        let mut planes = Planes::of(&moved, &mut levels);
        self.levels.iter().for_each(|level| level.apply(&mut planes));
        planes.to_photo()
    }
}

impl LevelChange {
    fn apply(&self, planes: &mut Planes<'_>) {
        match self {
            LevelChange::Pointwise(changes) => pointwise::apply(planes, changes),
            LevelChange::Sharpness(factor) => sharpness::scale_sharpness(planes, *factor),
            LevelChange::AutoContrast => histogram::stretch_contrast(planes),
            LevelChange::Equalize => histogram::equalize(planes),
            LevelChange::Blur(blur) => blur.apply(planes),
            LevelChange::Erase(erasing) => erasing.apply(planes),
        }
    }
}

impl Change {
    /// The photo with this change made.
    pub fn apply(self, photo: &Photo) -> Photo {
        let mut changes = Changes::new(photo.width(), photo.height());
        changes.push(self);
        changes.apply(photo)
    }
}
