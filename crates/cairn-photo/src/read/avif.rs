//! AVIF: a still picture of AV1 video in the HEIF container.

use image::{DynamicImage, RgbImage};
use re_rav1d::dav1d::pixel::YUVRange;
use re_rav1d::dav1d::{self, Decoder, Picture, PixelLayout, PlanarImageComponent, Settings};
use zenavif_parse::{AvifParser, ColorInformation, ImageMirror, ImageRotation};

use super::Limits;
use super::allowance::Allowance;
use super::colorimetry::Colorimetry;
use super::decode::check_size;
use super::decode_error::{DecodeError, unsupported};
use super::rgb::on_white;
use crate::Photo;

/// The picture in `bytes`, turned and mirrored as the container says, what is transparent laid on white.
pub(super) fn decode(bytes: &[u8], allowance: &Allowance<'_>) -> Result<Photo, DecodeError> {
    let limits = allowance.limits();
    let container = AvifParser::from_bytes(bytes)?;
    if container.grid_config().is_some() {
        return Err(unsupported("a grid of tiles"));
    }
    let size = container.primary_metadata()?;
    let (width, height) = (size.max_frame_width.get(), size.max_frame_height.get());
    // Planes of up to 16 bits of the picture and its transparency, and three pictures of RGB on the way to the photo.
    allowance.reserve(width, height, u64::from(width) * u64::from(height) * (8 + 9))?;

    let color = decode_av1(&container.primary_data()?, limits)?;
    check_size(color.width(), color.height(), limits)?;
    let rgb = to_rgb(&color, &colorimetry(&color, container.color_info())?);
    let rgb = match container.alpha_data() {
        Some(_) if container.premultiplied_alpha() => return Err(unsupported("premultiplied alpha")),
        Some(alpha) => with_alpha(&rgb, &decode_av1(&alpha?, limits)?)?,
        None => rgb,
    };

    let upright = turned(DynamicImage::ImageRgb8(rgb), container.rotation(), container.mirror()).into_rgb8();
    Photo::from_pixels(upright.width(), upright.height(), upright.into_raw())
        .ok_or_else(|| DecodeError::Corrupt("it has no pixels".into()))
}

impl From<zenavif_parse::Error> for DecodeError {
    fn from(error: zenavif_parse::Error) -> DecodeError {
        match error {
            zenavif_parse::Error::UnexpectedEOF => DecodeError::Truncated,
            zenavif_parse::Error::Unsupported(what) => unsupported(what),
            zenavif_parse::Error::OutOfMemory | zenavif_parse::Error::ResourceLimitExceeded(_) => {
                DecodeError::TooMuchMemory
            }
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

impl From<dav1d::Error> for DecodeError {
    fn from(error: dav1d::Error) -> DecodeError {
        match error {
            // It asks for more data than there are.
            dav1d::Error::Again => DecodeError::Truncated,
            dav1d::Error::NotEnoughMemory => DecodeError::TooMuchMemory,
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

/// The first frame of an AV1 stream.
fn decode_av1(stream: &[u8], limits: &Limits) -> Result<Picture, DecodeError> {
    if stream.is_empty() {
        return Err(DecodeError::Truncated);
    }
    let mut settings = Settings::new();
    // Whoever reads many photos has threads of his own.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_frame_size_limit(u32::try_from(limits.max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings)?;
    decoder.send_data(stream.to_vec(), None, None, None)?;
    Ok(decoder.get_picture()?)
}

/// One plane of a picture, whatever its depth.
struct Plane {
    bytes: dav1d::Plane,
    stride: usize,
    bytes_per_sample: usize,
    /// By how many bits positions in the picture are shifted to get those in the plane.
    subsampling: (u32, u32),
    /// The value that means 1.
    max: f32,
}

impl Plane {
    fn of(picture: &Picture, component: PlanarImageComponent) -> Plane {
        let subsampling = match (component, picture.pixel_layout()) {
            (PlanarImageComponent::Y, _) | (_, PixelLayout::I444 | PixelLayout::I400) => (0, 0),
            (_, PixelLayout::I422) => (1, 0),
            (_, PixelLayout::I420) => (1, 1),
        };
        Plane {
            bytes: picture.plane(component),
            stride: picture.stride(component) as usize,
            bytes_per_sample: picture.bit_depth().div_ceil(8),
            subsampling,
            max: ((1_u32 << picture.bit_depth()) - 1) as f32,
        }
    }

    /// The sample for column `x`, row `y` of the picture, 0 to 1. Subsampled planes are repeated.
    fn sample(&self, x: u32, y: u32) -> f32 {
        let (column, row) = ((x >> self.subsampling.0) as usize, (y >> self.subsampling.1) as usize);
        let at = row * self.stride + column * self.bytes_per_sample;
        let value = match self.bytes_per_sample {
            1 => u16::from(self.bytes[at]),
            _ => u16::from_ne_bytes([self.bytes[at], self.bytes[at + 1]]),
        };
        f32::from(value) / self.max
    }
}

/// What the container says of the picture's colours, or else the picture itself.
fn colorimetry(picture: &Picture, container: Option<&ColorInformation>) -> Result<Colorimetry, DecodeError> {
    match container {
        Some(&ColorInformation::Nclx { matrix_coefficients, full_range, .. }) => {
            Colorimetry::of(matrix_coefficients, full_range)
        }
        _ => Colorimetry::of(picture.matrix_coefficients() as u16, picture.color_range() == YUVRange::Full),
    }
}

fn to_rgb(picture: &Picture, colorimetry: &Colorimetry) -> RgbImage {
    let luma = Plane::of(picture, PlanarImageComponent::Y);
    let chroma = (picture.pixel_layout() != PixelLayout::I400)
        .then(|| [PlanarImageComponent::U, PlanarImageComponent::V].map(|c| Plane::of(picture, c)));
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        // Grey is where both differences are in their middle.
        let [u, v] =
            chroma.as_ref().map_or([128.0 / 255.0; 2], |planes| planes.each_ref().map(|p| p.sample(x, y)));
        image::Rgb(colorimetry.to_rgb([luma.sample(x, y), u, v]))
    })
}

/// `rgb` on white, as far as the luma of `alpha` lets it through.
fn with_alpha(rgb: &RgbImage, alpha: &Picture) -> Result<RgbImage, DecodeError> {
    if (alpha.width(), alpha.height()) != rgb.dimensions() {
        return Err(DecodeError::Corrupt("its transparency is of another size".into()));
    }
    // The range of an alpha plane is always full (AVIF specification, section 4.1).
    let plane = Plane::of(alpha, PlanarImageComponent::Y);
    Ok(RgbImage::from_fn(rgb.width(), rgb.height(), |x, y| {
        image::Rgb(on_white(rgb.get_pixel(x, y).0, (plane.sample(x, y) * 255.0).round() as u8))
    }))
}

/// The picture turned, then mirrored (ISO/IEC 23008-12, sections 6.5.10 and 6.5.12). An EXIF orientation in the same
/// file has no meaning beside these.
fn turned(
    picture: DynamicImage,
    rotation: Option<&ImageRotation>,
    mirror: Option<&ImageMirror>,
) -> DynamicImage {
    // Angles are counterclockwise in the container and clockwise in `image`.
    let picture = match rotation.map(|rotation| rotation.angle) {
        Some(90) => picture.rotate270(),
        Some(180) => picture.rotate180(),
        Some(270) => picture.rotate90(),
        _ => picture,
    };
    match mirror.map(|mirror| mirror.axis) {
        // The parser's words for the axis are those of the first edition; what writers and libavif mean by 0 is that top and
        // bottom are exchanged.
        Some(0) => picture.flipv(),
        Some(_) => picture.fliph(),
        None => picture,
    }
}
