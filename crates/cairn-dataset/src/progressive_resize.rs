//! Photos that grow with the epochs: progressive resizing.

use serde::{Deserialize, Serialize};

use crate::{InputSize, LoaderError};

/// Smaller photos in the first epochs, when there are coarse things to learn: they take a fraction of the time (Howard
/// 2018 in fast.ai's DAWNBench entry; Tan and Le 2021, <https://arxiv.org/abs/2104.00298>).
///
/// The side rises evenly from `from` in the first epoch to the network's input after `epochs` of them, in multiples of
/// 32, the step by which most networks reduce their input. All sizes in the augmentation are scaled alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressiveResize {
    /// Side of the photos in the first epoch, in pixels.
    pub from: usize,
    /// The first epoch with photos at full size, counted from zero.
    pub epochs: usize,
}

impl ProgressiveResize {
    const STEP: usize = 32;

    /// Side of the photos in `epoch`, counted from zero, where they end at `full`.
    pub fn side_in(&self, epoch: usize, full: InputSize) -> usize {
        if epoch >= self.epochs {
            return full.width;
        }
        let grown = full.width.saturating_sub(self.from) * epoch / self.epochs;
        let side = (self.from + grown) / ProgressiveResize::STEP * ProgressiveResize::STEP;
        side.max(self.from).min(full.width)
    }

    /// Refuses figures that make no growth.
    pub(crate) fn validate(&self, full: InputSize) -> Result<(), LoaderError> {
        let problem = if full.width != full.height {
            "only squares grow"
        } else if self.from == 0 || self.from > full.width {
            "it must begin above 0 and not above where it ends"
        } else {
            return Ok(());
        };
        let InputSize { width, height } = full;
        Err(LoaderError::Growth { from: self.from, epochs: self.epochs, width, height, problem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: InputSize = InputSize { width: 224, height: 224 };

    #[test]
    fn sides_rise_in_steps_of_32_and_end_at_the_full_size() {
        let growth = ProgressiveResize { from: 128, epochs: 6 };
        let sides: Vec<usize> = (0..9).map(|epoch| growth.side_in(epoch, FULL)).collect();
        // 128 + 96 * epoch / 6, down to a multiple of 32.
        assert_eq!(sides, [128, 128, 160, 160, 192, 192, 224, 224, 224]);
    }

    #[test]
    fn a_growth_from_nothing_or_downwards_is_refused() {
        assert!(ProgressiveResize { from: 0, epochs: 3 }.validate(FULL).is_err());
        assert!(ProgressiveResize { from: 256, epochs: 3 }.validate(FULL).is_err());
        assert!(
            ProgressiveResize { from: 96, epochs: 3 }
                .validate(InputSize { width: 224, height: 160 })
                .is_err()
        );
        assert!(ProgressiveResize { from: 224, epochs: 0 }.validate(FULL).is_ok());
    }
}
