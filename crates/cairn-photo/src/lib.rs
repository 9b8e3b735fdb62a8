//! A photo as pixels: read any format, turn it upright, resize, crop, augment.
//!
//! ```no_run
//! use cairn_photo::{Framing, Normalisation, Photo, Preprocess};
//!
//! let photo = Photo::open("lighthouse.jpg")?;
//! let preprocess = Preprocess {
//!     framing: Framing::ShortSideCrop { short_side: 256, crop: 224 },
//!     normalisation: Normalisation::IMAGENET,
//! };
//! let framed = preprocess.frame(&photo);
//! let mut input = vec![0.0; 3 * 224 * 224];
//! preprocess.normalisation.write_chw(&framed, &mut input);
//! # Ok::<(), cairn_photo::PhotoError>(())
//! ```
//!
//! Everything that scales, crops or distorts pixels follows torchvision on Pillow images, so that a network
//! trained there sees here what it expects.

pub mod augment;
mod bmff;
mod coded_picture;
mod convolution;
mod crop;
mod embedded;
mod error;
mod ifd;
mod kind;
mod metadata;
mod orientation;
mod panic_message;
mod part;
mod path_text;
mod photo;
mod preprocess;
mod read;
mod resize;
mod save;
mod view_place;

pub use augment::{Augmentation, AugmentationError, Augmentations};
pub use coded_picture::each_part_of_coded_picture;
pub use crop::Region;
pub use error::PhotoError;
pub use kind::FileKind;
pub use metadata::{GpsPosition, PhotoMetadata, TimeTaken, xmp_packet};
pub use panic_message::panic_message;
pub use path_text::path_text;
pub use photo::Photo;
pub use preprocess::{Framing, Normalisation, Preprocess, TestViews};
pub use read::{Limits, MemoryBudget, ReadSize, Reservation, SizedPhoto, is_photo_name};
pub use save::PictureKind;
pub use view_place::ViewPlace;
