//! What a network sees of a photo at test time.

use pulp::Arch;
use serde::{Deserialize, Serialize};

use crate::crop::Window;
use crate::resize::{ResizedPhoto, short_side_size};
use crate::{Photo, ReadSize};

/// From a photo to a network's input: framing, then normalisation. Stored in the model file, so that every use of a
/// network shows it photos in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// How a photo of any size becomes one of the input size.
    pub framing: Framing,
    /// How pixel values become numbers.
    pub normalisation: Normalisation,
}

impl Preprocess {
    /// Columns of the network's input.
    pub fn input_width(&self) -> u32 {
        match self.framing {
            Framing::ShortSideCrop { crop, .. } => crop,
            Framing::Squash { width, .. } => width,
        }
    }

    /// Rows of the network's input.
    pub fn input_height(&self) -> u32 {
        match self.framing {
            Framing::ShortSideCrop { crop, .. } => crop,
            Framing::Squash { height, .. } => height,
        }
    }

    /// The part of `photo` that the network sees, at input size.
    ///
    /// # Panics
    /// If a size in [`Preprocess::framing`] is zero.
    pub fn frame(&self, photo: &Photo) -> Photo {
        match self.framing {
            Framing::ShortSideCrop { short_side, crop } => {
                let resized = with_short_side(photo, short_side);
                resized.window(Window::center(resized.size(), crop, crop))
            }
            Framing::Squash { width, height } => photo.resized(width, height),
        }
    }
}

/// The photo with its shorter side at `side` pixels. Of a large photo only the crops are made.
fn with_short_side(photo: &Photo, side: u32) -> ResizedPhoto<'_> {
    ResizedPhoto::new(photo, short_side_size(photo.width(), photo.height(), side))
}

/// Which views of a photo are shown to a network in a test. What it says of them is averaged, as probabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestViews {
    /// The photo as framed.
    #[default]
    One,
    /// That, and its mirror image.
    Flip,
    /// Both ends and the middle of the resized photo's longer side, which are all of it where the crop is as high as the
    /// photo (`ThreeCrop` of those who classify videos: Feichtenhofer et al. 2019, "SlowFast", section 4).
    ThreeCrop,
    /// Those three, and their mirror images.
    SixCrop,
    /// The four corners and the middle of the resized photo (torchvision's `FiveCrop`).
    FiveCrop,
    /// Those five, and their mirror images (torchvision's `TenCrop`).
    TenCrop,
}

impl TestViews {
    /// Whether it is the photo as framed, alone.
    pub fn is_one(&self) -> bool {
        *self == TestViews::One
    }

    /// How many views there are of each photo.
    pub fn count(self) -> usize {
        match self {
            TestViews::One => 1,
            TestViews::Flip => 2,
            TestViews::ThreeCrop => 3,
            TestViews::SixCrop => 6,
            TestViews::FiveCrop => 5,
            TestViews::TenCrop => 10,
        }
    }
}

impl Preprocess {
    /// The views of `photo`, each at input size. The order of three crops is left or top, middle, right or bottom; that of
    /// five is torchvision's: top left, top right, bottom left, bottom right, middle; then the mirror images in the same
    /// order. [`Framing::Squash`] leaves nothing to crop: all are alike.
    ///
    /// # Panics
    /// If a size in [`Preprocess::framing`] is zero.
    pub fn views(&self, photo: &Photo, views: TestViews) -> Vec<Photo> {
        let mut shown = match views {
            TestViews::One | TestViews::Flip => vec![self.frame(photo)],
            TestViews::ThreeCrop | TestViews::SixCrop => self.three_crops(photo),
            TestViews::FiveCrop | TestViews::TenCrop => self.five_crops(photo),
        };
        if matches!(views, TestViews::Flip | TestViews::SixCrop | TestViews::TenCrop) {
            let mirrored: Vec<Photo> = shown.iter().map(Photo::flipped_horizontally).collect();
            shown.extend(mirrored);
        }
        shown
    }

    fn three_crops(&self, photo: &Photo) -> Vec<Photo> {
        match self.framing {
            Framing::ShortSideCrop { short_side, crop } => {
                let resized = with_short_side(photo, short_side);
                let (right, bottom) = room(resized.size(), crop);
                let [width, height] = resized.size();
                // The shorter side's middle, as the middle crop has it.
                let ends = if width >= height {
                    [(0, bottom / 2), (right, bottom / 2)]
                } else {
                    [(right / 2, 0), (right / 2, bottom)]
                };
                let [first, last] = ends.map(|(x, y)| square(x, y, crop));
                let middle = Window::center(resized.size(), crop, crop);
                [first, middle, last].map(|window| resized.window(window)).into()
            }
            Framing::Squash { width, height } => vec![photo.resized(width, height); 3],
        }
    }

    fn five_crops(&self, photo: &Photo) -> Vec<Photo> {
        match self.framing {
            Framing::ShortSideCrop { short_side, crop } => {
                let resized = with_short_side(photo, short_side);
                let (right, bottom) = room(resized.size(), crop);
                let corners = [(0, 0), (right, 0), (0, bottom), (right, bottom)];
                let corners = corners.map(|(x, y)| square(x, y, crop));
                let middle = Window::center(resized.size(), crop, crop);
                corners.into_iter().chain([middle]).map(|window| resized.window(window)).collect()
            }
            Framing::Squash { width, height } => vec![photo.resized(width, height); 5],
        }
    }
}

/// The square of side `crop` from column `x`, row `y` on.
fn square(x: i64, y: i64, crop: u32) -> Window {
    Window { x, y, width: crop, height: crop }
}

/// How far a square of side `crop` can move to the right and down within a picture: not at all if it is larger.
fn room([width, height]: [u32; 2], crop: u32) -> (i64, i64) {
    (i64::from(width.saturating_sub(crop)), i64::from(height.saturating_sub(crop)))
}

/// How a photo of any size becomes one of a network's input size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Framing {
    /// Shorter side to `short_side` pixels, then the middle `crop` x `crop` of them: torchvision's `Resize`, then
    /// `CenterCrop`.
    ShortSideCrop {
        /// Shorter side after resizing.
        short_side: u32,
        /// Side of the square that is kept.
        crop: u32,
    },
    /// The whole photo at exactly this size, its proportions lost.
    Squash {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
}

impl Framing {
    /// The framing that shows the same part of a photo `times` as wide and high: for people to look at.
    #[must_use]
    pub fn enlarged(&self, times: u32) -> Framing {
        match *self {
            Framing::ShortSideCrop { short_side, crop } => {
                Framing::ShortSideCrop { short_side: short_side * times, crop: crop * times }
            }
            Framing::Squash { width, height } => {
                Framing::Squash { width: width * times, height: height * times }
            }
        }
    }

    /// The framing whose result is `side` x `side` pixels and shows as much of a photo as this one's.
    #[must_use]
    pub fn with_side(&self, side: u32) -> Framing {
        match *self {
            Framing::ShortSideCrop { short_side, crop } => {
                let short_side = f64::from(side) * f64::from(short_side) / f64::from(crop);
                Framing::ShortSideCrop { short_side: short_side.round() as u32, crop: side }
            }
            Framing::Squash { .. } => Framing::Squash { width: side, height: side },
        }
    }

    /// The size at which a photo is best read to be framed: the framing begins with just this resizing.
    pub fn read_size(&self) -> ReadSize {
        match *self {
            Framing::ShortSideCrop { short_side, .. } => ReadSize::ShortSide(short_side),
            Framing::Squash { width, height } => ReadSize::Exactly { width, height },
        }
    }
}

/// What brings pixel values to about zero mean and unit variance: `(value / 255 - mean) / std` in each channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean of red, green and blue over a data set, on a scale of 0 to 1.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue, on the same scale.
    pub std: [f32; 3],
}

impl Normalisation {
    /// The figures of ImageNet, which every network pretrained on it expects (torchvision's models).
    pub const IMAGENET: Normalisation =
        Normalisation { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// Mean and deviation of one half, for values from -1 to 1: what TensorFlow's Inception and EfficientNet-Lite expect.
    pub const INCEPTION: Normalisation = Normalisation { mean: [0.5; 3], std: [0.5; 3] };

    /// Writes the normalised photo to `out` as three planes, `[3, height, width]`.
    ///
    /// # Panics
    /// If `out` is not `3 * height * width` long.
    pub fn write_chw(&self, photo: &Photo, out: &mut [f32]) {
        let pixels = photo.pixels();
        assert_eq!(out.len(), pixels.len(), "the input must have three numbers for each pixel of {photo:?}");
        let (pixels, _) = pixels.as_chunks::<3>();
        for (channel, plane) in out.chunks_exact_mut(pixels.len()).enumerate() {
            let line = self.line(channel);
            Arch::new().dispatch(|| {
                for (number, pixel) in plane.iter_mut().zip(pixels) {
                    *number = line.at(f32::from(pixel[channel]));
                }
            });
        }
    }

    /// From a level of this channel to a number.
    pub(crate) fn line(&self, channel: usize) -> Line {
        let (mean, std) = (f64::from(self.mean[channel]), f64::from(self.std[channel]));
        Line { slope: (1.0 / (255.0 * std)) as f32, offset: (-mean / std) as f32 }
    }
}

/// `(level / 255 - mean) / std` as one multiplication and one addition.
#[derive(Clone, Copy)]
pub(crate) struct Line {
    slope: f32,
    offset: f32,
}

impl Line {
    #[inline(always)]
    pub(crate) fn at(self, level: f32) -> f32 {
        level * self.slope + self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_is_three_planes_of_normalised_values() {
        let photo = Photo::from_pixels(2, 1, vec![0, 128, 255, 255, 64, 1]).unwrap();
        let mut input = vec![0.0; 6];
        Normalisation::IMAGENET.write_chw(&photo, &mut input);
        let planes = [[0_u8, 255], [128, 64], [255, 1]];
        let (means, stds) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        for channel in 0..3 {
            for column in 0..2 {
                let expected = (f64::from(planes[channel][column]) / 255.0 - means[channel]) / stds[channel];
                let found = f64::from(input[channel * 2 + column]);
                assert!(
                    (found - expected).abs() < 1e-6,
                    "channel {channel}, column {column}: {found}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn every_framing_ends_at_the_input_size() {
        let framings =
            [Framing::ShortSideCrop { short_side: 32, crop: 28 }, Framing::Squash { width: 40, height: 20 }];
        for framing in framings {
            let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
            for (width, height) in [(100, 50), (50, 100), (3, 3)] {
                let framed = preprocess.frame(&Photo::filled(width, height, [9; 3]));
                let expected = (preprocess.input_width(), preprocess.input_height());
                assert_eq!((framed.width(), framed.height()), expected);
            }
        }
    }

    #[test]
    fn framing_begins_with_the_resizing_that_reading_can_take_off_it() {
        let photo = Photo::from_pixels(30, 20, (0..1800).map(|i| (i % 253) as u8).collect()).unwrap();
        for framing in
            [Framing::ShortSideCrop { short_side: 9, crop: 7 }, Framing::Squash { width: 8, height: 9 }]
        {
            let (width, height) = framing.read_size().of(photo.width(), photo.height());
            let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
            assert!(preprocess.frame(&photo.resized(width, height)) == preprocess.frame(&photo));
        }
    }

    /// The first pixel of each view, whose red is its column in a photo of 12 x 8 or 8 x 12 pixels and whose green is
    /// its row, of 4 x 4 pixels that are seen.
    fn first_pixels(width: u8, height: u8, views: TestViews) -> Vec<[u8; 3]> {
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x, y, 0])).collect();
        let photo = Photo::from_pixels(width.into(), height.into(), pixels).unwrap();
        let framing = Framing::ShortSideCrop { short_side: 8, crop: 4 };
        let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
        preprocess.views(&photo, views).iter().map(|view| view.pixel(0, 0)).collect()
    }

    #[test]
    fn the_three_crops_are_the_ends_and_the_middle_of_the_longer_side() {
        let wide = [[0, 2, 0], [4, 2, 0], [8, 2, 0]];
        assert_eq!(first_pixels(12, 8, TestViews::ThreeCrop), wide);
        let high = [[2, 0, 0], [2, 4, 0], [2, 8, 0]];
        assert_eq!(first_pixels(8, 12, TestViews::ThreeCrop), high);
        assert_eq!(first_pixels(12, 8, TestViews::SixCrop)[..3], wide);
        assert_eq!(first_pixels(12, 8, TestViews::SixCrop)[3..], wide.map(|[x, y, z]| [x + 3, y, z]));
    }

    #[test]
    fn the_five_crops_are_the_corners_and_the_middle() {
        let first = |views| first_pixels(12, 8, views);
        let five = [[0, 0, 0], [8, 0, 0], [0, 4, 0], [8, 4, 0], [4, 2, 0]];
        assert_eq!(first(TestViews::FiveCrop), five);
        assert_eq!(first(TestViews::TenCrop)[..5], five);
        assert_eq!(first(TestViews::TenCrop)[5..], five.map(|[x, y, z]| [x + 3, y, z]));
        assert_eq!(first(TestViews::Flip), [[4, 2, 0], [7, 2, 0]]);
        assert_eq!(first(TestViews::One), [[4, 2, 0]]);
    }

    #[test]
    fn there_are_as_many_views_as_are_said_whatever_the_framing() {
        use TestViews::*;
        for views in [One, Flip, ThreeCrop, SixCrop, FiveCrop, TenCrop] {
            assert_eq!(first_pixels(12, 8, views).len(), views.count());
            // A crop larger than the photo, and no crop at all.
            for framing in
                [Framing::ShortSideCrop { short_side: 3, crop: 5 }, Framing::Squash { width: 5, height: 5 }]
            {
                let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
                let shown = preprocess.views(&Photo::filled(9, 7, [9; 3]), views);
                assert_eq!(shown.len(), views.count());
                assert!(shown.iter().all(|view| (view.width(), view.height()) == (5, 5)));
            }
        }
    }

    #[test]
    fn it_survives_being_stored() {
        let preprocess = Preprocess {
            framing: Framing::ShortSideCrop { short_side: 256, crop: 224 },
            normalisation: Normalisation { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 1.0 / 3.0] },
        };
        let json = serde_json::to_string(&preprocess).unwrap();
        assert_eq!(serde_json::from_str::<Preprocess>(&json).unwrap(), preprocess);
        assert!(json.contains(r#""short_side_crop":{"short_side":256,"crop":224}"#), "{json}");
    }
}
