//! `--tta`: several views of each photo in a test or a prediction.

use cairn_photo::TestViews;
use clap::ValueEnum;

/// Which views of a photo are shown to the network.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Tta {
    /// The photo as framed, alone
    #[value(alias = "one")]
    None,
    /// The photo and its mirror image
    Flip,
    /// Both ends and the middle of its longer side
    ThreeCrop,
    /// Those three and their mirror images
    SixCrop,
    /// Its four corners and its middle
    FiveCrop,
    /// Those five and their mirror images
    TenCrop,
}

impl From<Tta> for TestViews {
    fn from(tta: Tta) -> Self {
        match tta {
            Tta::None => Self::One,
            Tta::Flip => Self::Flip,
            Tta::ThreeCrop => Self::ThreeCrop,
            Tta::SixCrop => Self::SixCrop,
            Tta::FiveCrop => Self::FiveCrop,
            Tta::TenCrop => Self::TenCrop,
        }
    }
}
