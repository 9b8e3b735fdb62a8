//! The size of the photos that a model looks at.

use crate::BundleInfo;
use cairn_nets::{Architecture, NetworkSpec, SpecError};

/// Why a model cannot look at photos of some size.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputSizeError {
    /// A linear layer over its map fits one size alone.
    #[error("{architecture} takes photos of {side} px only, the size that it was trained on; omit --side")]
    OneSize {
        /// The network.
        architecture: Architecture,
        /// The size that it takes.
        side: usize,
    },
    /// Too small.
    #[error(transparent)]
    Spec(#[from] SpecError),
}

/// Makes a bundle one for photos of `side` x `side` pixels, framed as before.
pub(crate) fn resize_input(info: &mut BundleInfo, side: u32) -> Result<(), InputSizeError> {
    let NetworkSpec { architecture, side: before, .. } = info.network;
    let network = NetworkSpec { side: side as usize, ..info.network.clone() };
    if architecture.takes_one_size() && network.side != before {
        return Err(InputSizeError::OneSize { architecture, side: before });
    }
    network.validate()?;
    info.network = network;
    info.preprocess.framing = info.preprocess.framing.with_side(side);
    Ok(())
}

#[cfg(test)]
mod tests {
    use cairn_photo::Framing;

    use super::*;
    use crate::untrained::untrained;

    #[test]
    fn a_larger_side_shows_as_much_of_the_photo_as_before() {
        for (before, after) in [
            (
                Framing::ShortSideCrop { short_side: 36, crop: 32 },
                Framing::ShortSideCrop { short_side: 54, crop: 48 },
            ),
            (Framing::Squash { width: 32, height: 32 }, Framing::Squash { width: 48, height: 48 }),
        ] {
            let mut model = untrained(Architecture::ResNet10Small, 32, before);
            model.set_input_size(48).unwrap();
            assert_eq!(model.info().preprocess.framing, after);
            assert_eq!(model.info().network.side, 48);
        }
    }

    #[test]
    fn a_size_that_the_network_does_not_take_changes_nothing() {
        let framing = Framing::ShortSideCrop { short_side: 36, crop: 32 };
        for (architecture, side) in [(Architecture::ThreeConv, 48), (Architecture::ResNet10Small, 3)] {
            let mut model = untrained(architecture, 32, framing.clone());
            model.set_input_size(side).unwrap_err();
            assert_eq!(model.info().preprocess.framing, framing);
            assert_eq!(model.info().network.side, 32);
        }
    }
}
