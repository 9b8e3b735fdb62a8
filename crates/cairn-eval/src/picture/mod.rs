//! Pictures, each drawn as SVG or PNG by the same code.
//!
//! All of them keep to the colours named here: the report's style gives each a counterpart for dark pages.

mod axis;
mod classes;
mod confusion;
mod lines;
mod overlay;
mod pen;
mod plane;
mod rate_curve;
mod reliability;
mod sizes;

pub(crate) use classes::ClassFigures;
pub(crate) use confusion::ConfusionPicture;
pub(crate) use lines::{LineChart, Values};
pub use overlay::{RunCurves, write_run_curves};
pub use rate_curve::RateCurve;
pub(crate) use reliability::ReliabilityDiagram;
pub(crate) use sizes::{ClassSize, ClassSizes};

use crate::error::EvalError;
use crate::whole_file::write_whole;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::prelude::*;
use plotters::style::register_font;
use std::fmt::Display;
use std::path::Path;
use std::sync::LazyLock;

/// Blue and vermilion of Okabe and Ito's palette, which colour-blind readers tell apart.
pub(crate) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(crate) const VERMILION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Text.
pub(crate) const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// Axes, and marks that stand behind the data.
pub(crate) const FAINT: RGBColor = RGBColor(0x8C, 0x8C, 0x8C);
pub(crate) const GRID: RGBColor = RGBColor(0xE6, 0xE6, 0xE6);
pub(crate) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

/// Width and height in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// How wide a picture of rows is drawn: its text keeps its size, and its bars take what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// For a page on a desk, and for files.
    Wide,
    /// For a page in a hand.
    Narrow,
}

impl Breadth {
    /// In CSS pixels: as wide as the report's text on either.
    pub(crate) fn pixels(self) -> u32 {
        match self {
            Self::Wide => 940,
            Self::Narrow => 358,
        }
    }
}

/// PNG pixels to one CSS pixel, so that the picture is sharp on today's screens.
const PNG_SCALE: u32 = 2;

pub(crate) type Canvas<B> = DrawingArea<B, plotters::coord::Shift>;
pub(crate) type DrawResult<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// What can be drawn.
pub(crate) trait Picture {
    /// What it shows, for error messages.
    fn title(&self) -> &str;

    /// How large it is.
    fn size(&self) -> PictureSize;

    /// Draws all of it on white paper; `scale` is the number of the backend's pixels to a CSS pixel.
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B>;

    /// The picture as an SVG document.
    fn svg(&self) -> Result<String, EvalError> {
        let PictureSize { width, height } = self.size();
        let mut svg = String::new();
        let backend = SVGBackend::with_string(&mut svg, (width, height));
        present(self, backend, 1).map_err(|error| failure(self, error))?;
        Ok(svg)
    }

    /// The picture as the bytes of a PNG file, twice as many pixels wide and high as its size says.
    fn png(&self) -> Result<Vec<u8>, EvalError> {
        let PictureSize { width, height } = self.size();
        let (width, height) = (width * PNG_SCALE, height * PNG_SCALE);
        let mut pixels = vec![0; width as usize * height as usize * 3];
        let backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        present(self, backend, PNG_SCALE).map_err(|error| failure(self, error))?;
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| failure(self, error))?;
        Ok(png)
    }

    /// Writes `NAME.svg` and `NAME.png` into `folder`, which must exist.
    fn write(&self, folder: &Path, name: &str) -> Result<(), EvalError> {
        self.write_file(&folder.join(name).with_extension("svg"))?;
        self.write_file(&folder.join(name).with_extension("png"))
    }

    /// Writes the picture as what the file's name ends in.
    fn write_file(&self, path: &Path) -> Result<(), EvalError> {
        match ChartKind::of(path)? {
            ChartKind::Svg => write_whole(path, self.svg()?.as_bytes()),
            ChartKind::Png => write_whole(path, &self.png()?),
        }
    }
}

/// Checks that a chart's file name ends in .png or .svg: before the work whose chart it is.
///
/// # Errors
/// [`EvalError::PictureKind`] when it ends otherwise.
pub fn check_chart_name(path: &Path) -> Result<(), EvalError> {
    ChartKind::of(path).map(drop)
}

/// What a chart is written as.
enum ChartKind {
    Svg,
    Png,
}

impl ChartKind {
    fn of(path: &Path) -> Result<Self, EvalError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "svg" => Ok(Self::Svg),
            "png" => Ok(Self::Png),
            _ => Err(EvalError::PictureKind { path: path.to_owned() }),
        }
    }
}

fn present<P: Picture + ?Sized, B: DrawingBackend>(picture: &P, backend: B, scale: u32) -> DrawResult<B> {
    LazyLock::force(&FONT);
    let canvas = backend.into_drawing_area();
    canvas.fill(&PAPER)?;
    picture.draw(&canvas, scale)?;
    canvas.present()
}

fn failure<P: Picture + ?Sized>(picture: &P, reason: impl Display) -> EvalError {
    EvalError::Draw { title: picture.title().to_owned(), reason: reason.to_string() }
}

/// The one family of all text: in SVG the reader's own sans-serif, in PNG the font registered under that
/// name.
const FAMILY: &str = "sans-serif";

/// Registers the font that comes inside a crate, so that pictures need nothing installed. Should it ever be
/// unreadable, drawing says that the font is unavailable.
static FONT: LazyLock<bool> =
    LazyLock::new(|| register_font(FAMILY, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok());

fn font(size: u32, scale: u32, color: RGBColor) -> TextStyle<'static> {
    (FAMILY, size * scale).into_font().color(&color)
}

fn pixels(x: i32, y: i32, scale: u32) -> (i32, i32) {
    (x * scale as i32, y * scale as i32)
}
