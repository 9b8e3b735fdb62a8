//! The views of a photo as exported models cut them from it.

use cairn_photo::{Framing, TestViews};

/// Where views are cut from the resized photo, and whether their mirror images follow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExportedViews {
    pub(super) crops: Crops,
    pub(super) mirrored: bool,
}

/// Where views are cut from the resized photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crops {
    /// From the middle, or all of it where the framing crops nothing.
    Middle,
    /// Both ends and the middle of the longer side, for squares of this many pixels.
    Three(u32),
    /// The corners and the middle, for squares of this many pixels.
    Five(u32),
}

impl ExportedViews {
    /// The views of a framing. Where it crops nothing, the crops are all alike, and one says as much as their mean.
    pub(super) fn of(framing: &Framing, views: TestViews) -> Self {
        let mirrored = matches!(views, TestViews::Flip | TestViews::SixCrop | TestViews::TenCrop);
        let crops = match (framing, views) {
            (Framing::Squash { .. }, _) | (_, TestViews::One | TestViews::Flip) => Crops::Middle,
            (Framing::ShortSideCrop { crop, .. }, TestViews::ThreeCrop | TestViews::SixCrop) => {
                Crops::Three(*crop)
            }
            (Framing::ShortSideCrop { crop, .. }, TestViews::FiveCrop | TestViews::TenCrop) => {
                Crops::Five(*crop)
            }
        };
        Self { crops, mirrored }
    }

    /// How many there are of each photo.
    pub(super) fn count(self) -> usize {
        let crops = match self.crops {
            Crops::Middle => 1,
            Crops::Three(_) => 3,
            Crops::Five(_) => 5,
        };
        if self.mirrored { 2 * crops } else { crops }
    }
}

/// The least probability whose logarithm an answer of several views takes: smaller ones are no normal f32.
pub(super) const LEAST_PROBABILITY: f32 = f32::MIN_POSITIVE;
