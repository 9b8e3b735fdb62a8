//! Loss against learning rate: what a learning-rate finder shows.

use super::axis::Axis;
use super::plane::{PALETTE, Plane, Stroke, draw_line};
use super::{Canvas, DrawResult, FAINT, INK, Picture, PictureSize, Values, font};
use crate::error::EvalError;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// The losses of a training whose learning rate grew from step to step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RateCurve {
    /// The learning rates, all above 0, the lowest first.
    pub rates: Vec<f64>,
    /// The loss at each, in nats; what is not finite leaves a gap.
    pub losses: Vec<f64>,
    /// The rate to mark.
    pub suggestion: Option<f64>,
}

const SIZE: PictureSize = PictureSize { width: 800, height: 480 };

impl RateCurve {
    /// Draws the curve over a logarithmic axis: a PNG or SVG picture, as the file's name ends.
    ///
    /// # Errors
    /// When the name ends otherwise, or the picture cannot be drawn or written.
    pub fn write(&self, path: &Path) -> Result<(), EvalError> {
        self.write_file(path)
    }
}

impl Picture for RateCurve {
    fn title(&self) -> &str {
        "Loss against learning rate"
    }

    fn size(&self) -> PictureSize {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let powers: Vec<f64> = self.rates.iter().map(|rate| rate.log10()).collect();
        let least = powers.first().copied().unwrap_or(-1.0);
        let greatest = powers.last().copied().unwrap_or(0.0);
        let y = Values::Loss.axis(self.losses.iter().copied());
        let x = Axis::of_powers_of_ten(least, greatest);
        let (title, y_name) = (self.title(), Values::Loss.name());
        let mut chart =
            Plane { title, x, x_name: "learning rate", y, y_name, margin_right: 24 }.draw(canvas, scale)?;
        if let Some(rate) = self.suggestion {
            let (power, top) = (rate.log10(), chart.y_range().end);
            let upright = PathElement::new([(power, 0.0), (power, top)], FAINT.stroke_width(scale));
            chart.draw_series([upright])?;
            let (x, y) = chart.backend_coord(&(power, top));
            let style = font(13, scale, INK).pos(Pos::new(HPos::Center, VPos::Bottom));
            canvas.draw_text(&format!("suggestion {rate:.1e}"), &style, (x, y - 6 * scale as i32))?;
        }
        let points: Vec<(f64, f64)> = powers.into_iter().zip(self.losses.iter().copied()).collect();
        draw_line(&mut chart, &points, Stroke::solid(PALETTE[0]), scale)
    }
}
