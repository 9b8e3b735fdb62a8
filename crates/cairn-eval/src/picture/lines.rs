//! One chart of two lines against epoch.

use super::axis::Axis;
use super::plane::{Chart, Plane, Stroke, by_epoch, draw_line, draw_upright};
use super::{BLUE, Canvas, DrawResult, Picture, PictureSize, VERMILION, font};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Training and validation.
const TRAIN: RGBColor = BLUE;
const VALID: RGBColor = VERMILION;

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
    pub(crate) size: PictureSize,
}

/// What the values are, and so how their axis is named and labelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Cross-entropy in nats.
    Loss,
    /// A fraction, shown in per cent.
    Fraction,
}

impl Picture for LineChart<'_> {
    fn title(&self) -> &str {
        self.title
    }

    fn size(&self) -> PictureSize {
        self.size
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let (x, y) = self.axes();
        let (title, y_name) = (self.title, self.values.name());
        let mut chart =
            Plane { title, x, x_name: "epoch", y, y_name, margin_right: 88 }.draw(canvas, scale)?;
        self.draw_best_epoch(canvas, &mut chart, scale)?;
        for (values, color) in [(self.train, TRAIN), (self.valid, VALID)] {
            draw_line(&mut chart, &by_epoch(values), Stroke::solid(color), scale)?;
        }
        self.draw_line_labels(canvas, &chart, scale)
    }
}

impl LineChart<'_> {
    fn axes(&self) -> (Axis, Axis) {
        let y = self.values.axis(self.train.iter().chain(self.valid).copied());
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
        let epoch = best as f64;
        draw_upright(canvas, chart, epoch, &format!("best epoch {best}"), scale)?;
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
        // The chart counts pixels from the whole picture's corner, the canvas from its own.
        let (left, top) = canvas.get_base_pixel();
        let end = |values: &[f64]| {
            let last = values.iter().rev().find(|value| value.is_finite())?;
            Some(chart.backend_coord(&(1.0, *last)).1 - top)
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
            let style = font(16, scale, color).pos(Pos::new(HPos::Left, VPos::Center));
            canvas.draw_text(name, &style, (columns.end - left + 12 * scale as i32, row))?;
        }
        Ok(())
    }
}

impl Values {
    /// From 0 to about the greatest of these values that is finite.
    pub(crate) fn axis(self, values: impl Iterator<Item = f64>) -> Axis {
        let greatest = values.filter(|value| value.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        match self {
            Values::Loss => Axis::of_values(greatest),
            Values::Fraction => Axis::of_fractions(greatest),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Values::Loss => "cross-entropy loss",
            Values::Fraction => "accuracy",
        }
    }
}

/// Two rows at least `gap` apart, with the same middle and in the same order.
fn moved_apart(a: i32, b: i32, gap: i32) -> (i32, i32) {
    if (a - b).abs() >= gap {
        return (a, b);
    }
    let upper = (a + b - gap) / 2;
    if a <= b { (upper, upper + gap) } else { (upper + gap, upper) }
}

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
