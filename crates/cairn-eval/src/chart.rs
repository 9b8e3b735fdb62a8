//! One chart of two lines against epoch, drawn as SVG or PNG by the same code.

use crate::axis::Axis;
use crate::error::EvalError;
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::prelude::*;
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::sync::LazyLock;

/// Blue and vermilion of Okabe and Ito's palette, which colour-blind readers tell apart.
pub(crate) const TRAIN: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(crate) const VALID: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// Text.
pub(crate) const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// Axes, and the mark that stands behind the lines.
pub(crate) const FAINT: RGBColor = RGBColor(0x8C, 0x8C, 0x8C);
pub(crate) const GRID: RGBColor = RGBColor(0xE6, 0xE6, 0xE6);
pub(crate) const PAPER: RGBColor = RGBColor(0xFF, 0xFF, 0xFF);

/// A measure of training and validation against epoch: the lines labelled at their ends, the best epoch
/// marked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LineChart<'a> {
    pub(crate) title: &'static str,
    pub(crate) values: Values,
    /// Element 0 belongs to epoch 1; what is not finite leaves a gap.
    pub(crate) train: &'a [f64],
    pub(crate) valid: &'a [f64],
    /// Counted from 1.
    pub(crate) best_epoch: Option<usize>,
}

/// What the values are, and so how their axis is named and labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Cross-entropy in nats.
    Loss,
    /// A fraction, shown in per cent.
    Fraction,
}

/// Width and height in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureSize {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// PNG pixels to one CSS pixel, so that the picture is sharp on today's screens.
const PNG_SCALE: u32 = 2;

impl LineChart<'_> {
    /// The chart as an SVG document.
    pub(crate) fn svg(&self, size: PictureSize) -> Result<String, EvalError> {
        let mut svg = String::new();
        let backend = SVGBackend::with_string(&mut svg, (size.width, size.height));
        self.draw(backend, 1).map_err(|error| self.failure(&error))?;
        Ok(svg)
    }

    /// The chart as the bytes of a PNG file, twice as many pixels wide and high as `size` says.
    pub(crate) fn png(&self, size: PictureSize) -> Result<Vec<u8>, EvalError> {
        let (width, height) = (size.width * PNG_SCALE, size.height * PNG_SCALE);
        let mut pixels = vec![0; (width * height * 3) as usize];
        let backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        self.draw(backend, PNG_SCALE).map_err(|error| self.failure(&error))?;
        let mut png = Vec::new();
        PngEncoder::new(&mut png)
            .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| self.failure(&error))?;
        Ok(png)
    }

    /// Draws the whole chart; `scale` is the number of the backend's pixels to a CSS pixel.
    fn draw<B: DrawingBackend>(&self, backend: B, scale: u32) -> DrawResult<B> {
        LazyLock::force(&FONT);
        let canvas = backend.into_drawing_area();
        canvas.fill(&PAPER)?;
        let (x, y) = self.axes();
        let title = font(17, scale, INK).pos(Pos::new(HPos::Left, VPos::Top));
        canvas.draw_text(self.title, &title, pixels(16, 14, scale))?;
        let mut chart = ChartBuilder::on(&canvas)
            .margin_top(62 * scale)
            .margin_right(88 * scale)
            .margin_bottom(8 * scale)
            .margin_left(8 * scale)
            .x_label_area_size(44 * scale)
            .y_label_area_size(58 * scale)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(scale))
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT.stroke_width(scale))
            .set_all_tick_mark_size(4 * scale)
            .label_style(font(13, scale, INK))
            .axis_desc_style(font(14, scale, INK))
            .x_desc("epoch")
            .y_desc(self.values.name())
            .draw()?;
        self.draw_best_epoch(&canvas, &mut chart, scale)?;
        for (values, color) in [(self.train, TRAIN), (self.valid, VALID)] {
            draw_line(&mut chart, values, color, scale)?;
        }
        self.draw_line_labels(&canvas, &chart, scale)?;
        canvas.present()
    }

    fn axes(&self) -> (Axis, Axis) {
        let greatest = self.train.iter().chain(self.valid).copied().filter(|value| value.is_finite());
        let greatest = greatest.fold(f64::NEG_INFINITY, f64::max);
        let y = match self.values {
            Values::Loss => Axis::of_values(greatest),
            Values::Fraction => Axis::of_fractions(greatest),
        };
        (Axis::of_epochs(self.train.len().max(self.valid.len())), y)
    }

    /// A thin upright at the best epoch, its number above, and a ring round the validation line's point
    /// there.
    fn draw_best_epoch<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        chart: &mut Chart<B>,
        scale: u32,
    ) -> DrawResult<B> {
        let Some(best) = self.best_epoch.filter(|&best| best >= 1 && best <= self.valid.len()) else {
            return Ok(());
        };
        let (epoch, top) = (best as f64, chart.y_range().end);
        chart.draw_series([PathElement::new([(epoch, 0.0), (epoch, top)], FAINT.stroke_width(scale))])?;
        let (x, y) = chart.backend_coord(&(epoch, top));
        // Held back from both edges, so that the first and the last epoch's text stays in the picture.
        let (width, _) = canvas.dim_in_pixel();
        let room = 48 * scale as i32;
        let at = (x.clamp(room, width as i32 - room), y - 6 * scale as i32);
        let style = font(13, scale, INK).pos(Pos::new(HPos::Center, VPos::Bottom));
        canvas.draw_text(&format!("best epoch {best}"), &style, at)?;
        let value = self.valid[best - 1];
        if value.is_finite() {
            let ring = Circle::new((epoch, value), 6 * scale, VALID.stroke_width(2 * scale));
            chart.draw_series([ring])?;
        }
        Ok(())
    }

    /// The lines' names at their ends, which need no legend to be looked up in; moved apart where they would
    /// meet.
    fn draw_line_labels<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        chart: &Chart<B>,
        scale: u32,
    ) -> DrawResult<B> {
        let (columns, _) = chart.plotting_area().get_pixel_range();
        let end = |values: &[f64]| {
            let last = values.iter().rev().find(|value| value.is_finite())?;
            Some(chart.backend_coord(&(1.0, *last)).1)
        };
        let (train, valid) = (end(self.train), end(self.valid));
        let (train, valid) = match (train, valid) {
            (Some(train), Some(valid)) => {
                let (train, valid) = moved_apart(train, valid, 16 * scale as i32);
                (Some(train), Some(valid))
            }
            either => either,
        };
        for (name, row, color) in [("training", train, TRAIN), ("validation", valid, VALID)] {
            let Some(row) = row else { continue };
            let style = font(14, scale, color).pos(Pos::new(HPos::Left, VPos::Center));
            canvas.draw_text(name, &style, (columns.end + 8 * scale as i32, row))?;
        }
        Ok(())
    }

    fn failure(&self, reason: &dyn std::fmt::Display) -> EvalError {
        EvalError::Draw { title: self.title.to_owned(), reason: reason.to_string() }
    }
}

impl Values {
    fn name(self) -> &'static str {
        match self {
            Values::Loss => "cross-entropy loss",
            Values::Fraction => "accuracy",
        }
    }
}

type Canvas<B> = DrawingArea<B, plotters::coord::Shift>;
type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;
type DrawResult<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Draws the values' line, broken where a value is not finite; a value alone between two gaps becomes a dot.
fn draw_line<B: DrawingBackend>(
    chart: &mut Chart<B>,
    values: &[f64],
    color: RGBColor,
    scale: u32,
) -> DrawResult<B> {
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().map(|(index, &value)| ((index + 1) as f64, value)).collect();
    for run in points.split(|(_, value)| !value.is_finite()) {
        match run {
            [] => {}
            [alone] => {
                chart.draw_series([Circle::new(*alone, 3 * scale, color.filled())])?;
            }
            run => {
                chart.draw_series(LineSeries::new(run.iter().copied(), color.stroke_width(2 * scale)))?;
            }
        }
    }
    Ok(())
}

/// Two rows at least `gap` apart, with the same middle and in the same order.
fn moved_apart(a: i32, b: i32, gap: i32) -> (i32, i32) {
    if (a - b).abs() >= gap {
        return (a, b);
    }
    let upper = (a + b - gap) / 2;
    if a <= b { (upper, upper + gap) } else { (upper + gap, upper) }
}

fn pixels(x: i32, y: i32, scale: u32) -> (i32, i32) {
    (x * scale as i32, y * scale as i32)
}

/// The one family of all text: in SVG the reader's own sans-serif, in PNG the font registered under that
/// name.
const FAMILY: &str = "sans-serif";

fn font(size: u32, scale: u32, color: RGBColor) -> TextStyle<'static> {
    (FAMILY, size * scale).into_font().color(&color)
}

/// Registers the font that comes inside a crate, so that pictures need nothing installed. Should it ever be
/// unreadable, drawing says that the font is unavailable.
static FONT: LazyLock<bool> =
    LazyLock::new(|| register_font(FAMILY, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_meet_are_moved_apart_and_others_stay() {
        assert_eq!(moved_apart(100, 300, 16), (100, 300));
        assert_eq!(moved_apart(100, 100, 16), (92, 108));
        assert_eq!(moved_apart(104, 100, 16), (110, 94));
    }
}
