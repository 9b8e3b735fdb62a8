//! Folders of labelled photos: index, check, statistics, splits, prefetched batches.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use cairn_dataset::{ImageFolder, Loader, LoaderOptions, ValidSplit, View};
//! use cairn_photo::{Framing, Normalisation, Preprocess};
//!
//! let data = ImageFolder::open(Path::new("landmarks"), &ValidSplit::default())?;
//! let preprocess = Preprocess {
//!     framing: Framing::ShortSideCrop { short_side: 256, crop: 224 },
//!     normalisation: Normalisation::IMAGENET,
//! };
//! let loader = Loader::new(data.valid, View::Test(preprocess), LoaderOptions::default())?;
//! for batch in loader.epoch(0, 0) {
//!     assert_eq!(batch.pixels.len(), batch.len() * 3 * batch.height * batch.width);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bad_photo;
mod batch;
mod cache;
mod check;
mod class;
mod epoch;
mod error;
pub mod escape;
mod filling;
mod formats;
mod image_folder;
mod index;
mod lettering;
mod loader;
mod loader_error;
mod mean_std;
mod mixed_labels;
mod mixup;
mod montage;
mod partition;
mod path_text;
mod photo_place;
mod pixels;
mod progressive_resize;
mod rng;
mod sampling;
mod scan;
mod skipped;
mod softmax;
mod split;
mod stats;
mod tar_file;
mod text_file;
mod view;
mod walk;

pub use bad_photo::BadPhoto;
pub use batch::Batch;
pub use cache::{
    CacheError, CacheMode, CacheOptions, CacheStatistics, PhotoCache, cache_folder, user_cache_folder,
};
pub use check::{CheckReport, Copies, ThinPhoto, check};
pub use class::{Class, ClassId, ClassList};
pub use epoch::Epoch;
pub use error::DatasetError;
pub use formats::manifest::ManifestPaths;
pub use image_folder::{Example, ImageFolder, TestFolder};
pub use loader::{Loader, LoaderOptions};
pub use loader_error::LoaderError;
pub use mean_std::{MeanStd, mean_std};
pub use mixed_labels::MixedLabels;
pub use mixup::BatchMixing;
pub use montage::{Tile, montage};
pub use partition::{ClassParts, ListedPhotos, PartShares, Partition, PartitionError, Placement};
pub use path_text::{path_of_text, path_text};
pub use photo_place::PhotoPlace;
pub use pixels::Pixels;
pub use progressive_resize::ProgressiveResize;
pub use sampling::Sampling;
pub use skipped::{SkipReason, Skipped, skipped_summary};
pub use softmax::Softmax;
pub use split::ValidSplit;
pub use stats::{ClassBalance, ClassStats, DatasetStats, FormatCount, PartCounts, SizeCount, Spread, stats};
pub use tar_file::{TarMember, each_tar_member};
pub use text_file::{TextFileError, read_lines, read_text_file};
pub use view::{InputSize, View};
pub use walk::{PhotoListing, reason_by_name};
