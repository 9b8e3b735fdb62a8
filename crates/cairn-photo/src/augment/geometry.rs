//! Consecutive geometric changes, composed into one pass over the pixels.

use std::borrow::Cow;

use super::{Affine, ResizedCrop};
use crate::crop::Window;
use crate::part::Part;
use crate::{Photo, Region};

/// Where the pixels of a photo go: part of it is resized, cut or bordered with black, mapped, mirrored, in this order.
///
/// Crops and resizings are composed into one resizing of one part. Where a step was drawn for pixels that this cannot
/// express (a crop of a photo that was turned, a second affine map), [`Geometry::then`] refuses it, and it starts a
/// pass of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Geometry {
    /// What the resizing may look at: a crop before a resizing hides what is outside of it.
    bounds: Region,
    /// What of the photo is resized.
    part: Part,
    /// To which size.
    resized: [u32; 2],
    /// What of that is kept.
    window: Window,
    affine: Option<Affine>,
    flip: bool,
}

/// A geometric change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Move {
    Resize([u32; 2]),
    Crop(Window),
    ResizedCrop(ResizedCrop),
    Affine(Affine),
    Flip,
}

impl Geometry {
    /// Nothing moves in a photo of this size.
    pub(super) fn identity([width, height]: [u32; 2]) -> Geometry {
        let bounds = Region { x: 0, y: 0, width, height };
        Geometry {
            bounds,
            part: Part::of(bounds),
            resized: [width, height],
            window: Window::whole([width, height]),
            affine: None,
            flip: false,
        }
    }

    /// Width and height of the outcome.
    pub(super) fn size(&self) -> [u32; 2] {
        [self.window.width, self.window.height]
    }

    /// This and then `step`; `None` if that takes another pass.
    pub(super) fn then(&self, step: Move) -> Option<Geometry> {
        match step {
            Move::Flip => Some(Geometry { flip: !self.flip, ..self.clone() }),
            _ if self.affine.is_some() => None,
            Move::Resize(size) => {
                let [width, height] = self.size();
                self.resize(Region { x: 0, y: 0, width, height }, size)
            }
            Move::ResizedCrop(ResizedCrop { region, size }) => self.resize(region, [size, size]),
            Move::Crop(window) => self.cut(window),
            Move::Affine(affine) => {
                let affine = if self.flip { affine.mirrored(self.window.width) } else { affine };
                Some(Geometry { affine: Some(affine), ..self.clone() })
            }
        }
    }

    /// `region` of the outcome, resized.
    fn resize(&self, region: Region, size: [u32; 2]) -> Option<Geometry> {
        if size == [region.width, region.height] {
            let Region { x, y, width, height } = region;
            return self.cut(Window { x: x.into(), y: y.into(), width, height });
        }
        if !self.window.lies_inside(self.resized) {
            return None;
        }
        let x = if self.flip { self.window.width - region.width - region.x } else { region.x };
        let x = self.window.x as f64 + f64::from(x);
        let y = self.window.y as f64 + f64::from(region.y);
        let part = self.part_under(x, y, [region.width, region.height]);
        let bounds = part.covering(self.bounds);
        Some(Geometry {
            bounds,
            part,
            resized: size,
            window: Window::whole(size),
            affine: None,
            flip: self.flip,
        })
    }

    /// The part of the photo that is at `x`, `y` of the resized one, in this size.
    fn part_under(&self, x: f64, y: f64, [width, height]: [u32; 2]) -> Part {
        let scale_x = self.part.width / f64::from(self.resized[0]);
        let scale_y = self.part.height / f64::from(self.resized[1]);
        Part {
            x: self.part.x + x * scale_x,
            y: self.part.y + y * scale_y,
            width: f64::from(width) * scale_x,
            height: f64::from(height) * scale_y,
        }
    }

    /// `window` of the outcome.
    fn cut(&self, window: Window) -> Option<Geometry> {
        // Pixels that are black, or cut away, by now must not come back.
        if self.window != Window::whole(self.resized) && !window.lies_inside(self.size()) {
            return None;
        }
        let x = if self.flip {
            i64::from(self.window.width) - i64::from(window.width) - window.x
        } else {
            window.x
        };
        let window = Window { x: self.window.x + x, y: self.window.y + window.y, ..window };
        Some(Geometry { window, ..self.clone() })
    }

    /// The photo with its pixels moved.
    pub(super) fn apply<'a>(&self, photo: &'a Photo) -> Cow<'a, Photo> {
        let placed = self.resized_and_cut(photo);
        match (self.affine, self.flip) {
            (None, false) => placed,
            (None, true) => Cow::Owned(placed.flipped_horizontally()),
            (Some(affine), flip) => Cow::Owned(affine.apply(&placed, flip)),
        }
    }

    fn resized_and_cut<'a>(&self, photo: &'a Photo) -> Cow<'a, Photo> {
        let Window { x, y, width, height } = self.window;
        let bounds = Part::of(self.bounds);
        if self.part == bounds && self.resized == [self.bounds.width, self.bounds.height] {
            // Nothing is resized.
            let whole = self.window == Window::whole([photo.width(), photo.height()]);
            if whole && self.bounds.width == photo.width() && self.bounds.height == photo.height() {
                return Cow::Borrowed(photo);
            }
            if self.window.lies_inside(self.resized) {
                let (x, y) = (self.bounds.x + x as u32, self.bounds.y + y as u32);
                return Cow::Owned(photo.cropped(Region { x, y, width, height }));
            }
        }
        if !self.window.lies_inside(self.resized) {
            return Cow::Owned(photo.resized_part_window(self.bounds, self.part, self.resized, self.window));
        }
        // Only what is kept need be made.
        let part = self.part_under(x as f64, y as f64, [width, height]);
        Cow::Owned(photo.resized_part(self.bounds, part, [width, height]))
    }
}
