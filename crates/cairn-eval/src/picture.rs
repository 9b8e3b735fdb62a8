//! What all pictures share: one code draws them as SVG and as PNG, and their text, colours and axes are alike.

use crate::axis::Axis;
use crate::error::EvalError;
use crate::whole_file::write_whole;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;
use std::sync::LazyLock;

/// Text.
pub(crate) const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// Axes, and the mark that stands behind the lines.
pub(crate) const FAINT: RGBColor = RGBColor(0x8C, 0x8C, 0x8C);
pub(crate) const GRID: RGBColor = RGBColor(0xE6, 0xE6, 0xE6);
pub(crate) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

/// The colours of Okabe and Ito's palette that show on white; colour-blind readers tell them apart.
pub(crate) const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x00, 0x00, 0x00),
];

/// Width and height in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// PNG pixels to one CSS pixel, so that the picture is sharp on today's screens.
const PNG_SCALE: u32 = 2;

pub(crate) type Canvas<B> = DrawingArea<B, plotters::coord::Shift>;
pub(crate) type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;
pub(crate) type Drawn<B, T> = Result<T, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;
pub(crate) type DrawResult<B> = Drawn<B, ()>;

/// Something that can be drawn.
pub(crate) trait Picture {
    /// What an error calls it.
    fn title(&self) -> &str;

    /// Draws on a canvas of paper; `scale` is the number of the backend's pixels to a CSS pixel.
    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B>;

    /// The picture as an SVG document.
    fn svg(&self, size: PictureSize) -> Result<String, EvalError> {
        let mut svg = String::new();
        let backend = SVGBackend::with_string(&mut svg, (size.width, size.height));
        self.draw_whole(backend, 1).map_err(|error| self.failure(&error))?;
        Ok(svg)
    }

    /// The picture as the bytes of a PNG file, twice as many pixels wide and high as `size` says.
    fn png(&self, size: PictureSize) -> Result<Vec<u8>, EvalError> {
        let (width, height) = (size.width * PNG_SCALE, size.height * PNG_SCALE);
        let mut pixels = vec![0; (width * height * 3) as usize];
        let backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        self.draw_whole(backend, PNG_SCALE).map_err(|error| self.failure(&error))?;
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| self.failure(&error))?;
        Ok(png)
    }

    /// Writes the picture as what the file's name ends in.
    fn write(&self, path: &Path, size: PictureSize) -> Result<(), EvalError> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "svg" => write_whole(path, self.svg(size)?.as_bytes()),
            "png" => write_whole(path, &self.png(size)?),
            _ => Err(EvalError::PictureKind { path: path.to_owned() }),
        }
    }

    fn draw_whole<B: DrawingBackend>(&self, backend: B, scale: u32) -> DrawResult<B> {
        LazyLock::force(&FONT);
        let canvas = backend.into_drawing_area();
        canvas.fill(&PAPER)?;
        self.draw(&canvas, scale)?;
        canvas.present()
    }

    fn failure(&self, reason: &dyn std::fmt::Display) -> EvalError {
        EvalError::Draw { title: self.title().to_owned(), reason: reason.to_string() }
    }
}

/// Two axes with a grid between them, and a title over it; lines are drawn into the chart that it becomes.
#[derive(Debug, Clone)]
pub(crate) struct Plane<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: Axis,
    pub(crate) x_name: &'a str,
    pub(crate) y: Axis,
    pub(crate) y_name: &'a str,
    /// Paper right of the grid, in CSS pixels.
    pub(crate) margin_right: u32,
}

impl Plane<'_> {
    pub(crate) fn draw<'c, B: DrawingBackend>(
        self,
        canvas: &'c Canvas<B>,
        scale: u32,
    ) -> Drawn<B, Chart<'c, B>> {
        let style = font(17, scale, INK).pos(Pos::new(HPos::Left, VPos::Top));
        canvas.draw_text(self.title, &style, pixels(16, 14, scale))?;
        let mut chart = ChartBuilder::on(canvas)
            .margin_top(62 * scale)
            .margin_right(self.margin_right * scale)
            .margin_bottom(8 * scale)
            .margin_left(8 * scale)
            .x_label_area_size(44 * scale)
            .y_label_area_size(58 * scale)
            .build_cartesian_2d(self.x, self.y)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(scale))
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT.stroke_width(scale))
            .set_all_tick_mark_size(4 * scale)
            .label_style(font(13, scale, INK))
            .axis_desc_style(font(14, scale, INK))
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .draw()?;
        Ok(chart)
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stroke {
    pub(crate) color: RGBColor,
    pub(crate) dashed: bool,
}

impl Stroke {
    pub(crate) fn solid(color: RGBColor) -> Self {
        Self { color, dashed: false }
    }

    /// The `n`-th of many lines: the palette, then the palette in dashes, and so on.
    pub(crate) fn nth(n: usize) -> Self {
        Self { color: PALETTE[n % PALETTE.len()], dashed: n / PALETTE.len() % 2 == 1 }
    }
}

/// The points of one value an epoch: element 0 belongs to epoch 1.
pub(crate) fn by_epoch(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(index, &value)| ((index + 1) as f64, value)).collect()
}

/// Draws a line through the points, broken where a value is not finite; a point alone between two gaps becomes a dot.
pub(crate) fn draw_line<B: DrawingBackend>(
    chart: &mut Chart<B>,
    points: &[(f64, f64)],
    stroke: Stroke,
    scale: u32,
) -> DrawResult<B> {
    let style = stroke.color.stroke_width(2 * scale);
    for run in points.split(|(_, value)| !value.is_finite()) {
        match run {
            [] => {}
            [alone] => {
                chart.draw_series([Circle::new(*alone, 3 * scale, stroke.color.filled())])?;
            }
            run if stroke.dashed => {
                let dashes = DashedLineSeries::new(run.iter().copied(), 7 * scale, 5 * scale, style);
                chart.draw_series(dashes)?;
            }
            run => {
                chart.draw_series(LineSeries::new(run.iter().copied(), style))?;
            }
        }
    }
    Ok(())
}

pub(crate) fn pixels(x: i32, y: i32, scale: u32) -> (i32, i32) {
    (x * scale as i32, y * scale as i32)
}

/// The one family of all text: in SVG the reader's own sans-serif, in PNG the font registered under that
/// name.
const FAMILY: &str = "sans-serif";

pub(crate) fn font(size: u32, scale: u32, color: RGBColor) -> TextStyle<'static> {
    (FAMILY, size * scale).into_font().color(&color)
}

/// Registers the font that comes inside a crate, so that pictures need nothing installed. Should it ever be
/// unreadable, drawing says that the font is unavailable.
static FONT: LazyLock<bool> =
    LazyLock::new(|| register_font(FAMILY, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok());
