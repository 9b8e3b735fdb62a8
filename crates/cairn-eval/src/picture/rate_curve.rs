//! Loss against learning rate: what a learning-rate finder shows.

use super::axis::Axis;
use super::plane::{PALETTE, Plane, Stroke, draw_line, draw_upright};
use super::{Canvas, DrawResult, Picture, PictureSize, Values};
use crate::error::EvalError;
use plotters::prelude::*;
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

const SIZE: PictureSize = PictureSize { width: 460, height: 320 };

impl RateCurve {
    /// Draws the curve over a logarithmic axis: a PNG or SVG picture, as the file's name ends. Losses far above those
    /// before the lowest one leave the picture at its top: a training that diverges would flatten all others.
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
        let (bottom, top) = self.span();
        let y = Axis::of_span(bottom, top);
        let x = Axis::of_powers_of_ten(least, greatest);
        let (title, y_name) = (self.title(), Values::Loss.name());
        let mut chart =
            Plane { title, x, x_name: "learning rate", y, y_name, margin_right: 24 }.draw(canvas, scale)?;
        if let Some(rate) = self.suggestion {
            draw_upright(canvas, &mut chart, rate.log10(), &format!("suggestion {rate:.1e}"), scale)?;
        }
        let points: Vec<(f64, f64)> = powers.into_iter().zip(self.losses.iter().copied()).collect();
        draw_line(&mut chart, &below(&points, top), Stroke::solid(PALETTE[0]), scale)
    }
}

impl RateCurve {
    /// The losses at the picture's bottom and top: from somewhat below the lowest loss to somewhat above the highest one
    /// that comes before it.
    fn span(&self) -> (f64, f64) {
        let finite: Vec<f64> = self.losses.iter().copied().filter(|loss| loss.is_finite()).collect();
        let lowest = (0..finite.len()).min_by(|&a, &b| finite[a].total_cmp(&finite[b]));
        let Some(lowest) = lowest else { return (0.0, 1.0) };
        let least = finite[lowest];
        let before = finite[..=lowest].iter().copied().fold(least, f64::max);
        // A loss that only rises is shown over a tenth of it.
        let fall = (before - least).max(0.1 * least.abs()).max(f64::MIN_POSITIVE);
        ((least - 0.1 * fall).max(0.0), before + 0.5 * fall)
    }
}

/// The line's parts up to the height `top`, with a gap where it is above.
fn below(points: &[(f64, f64)], top: f64) -> Vec<(f64, f64)> {
    let crossing =
        |(x0, y0): (f64, f64), (x1, y1): (f64, f64)| (x0 + (x1 - x0) * (top - y0) / (y1 - y0), top);
    let mut kept: Vec<(f64, f64)> = Vec::new();
    let mut previous: Option<(f64, f64)> = None;
    for &point in points {
        match (previous.filter(|previous| previous.1.is_finite()), point.1 > top) {
            (Some(previous), true) if previous.1 <= top && point.1.is_finite() => {
                kept.extend([crossing(previous, point), (point.0, f64::NAN)]);
            }
            (Some(previous), false) if previous.1 > top => kept.extend([crossing(previous, point), point]),
            (_, true) => kept.push((point.0, f64::NAN)),
            (_, false) => kept.push(point),
        }
        previous = Some(point);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_that_diverges_does_not_flatten_the_fall_before() {
        let losses = vec![3.5, 3.4, 3.0, 2.5, 2.6, 40.0, 9000.0];
        let curve = RateCurve { rates: vec![1e-3; losses.len()], losses, suggestion: None };
        let (bottom, top) = curve.span();
        assert!(bottom < 2.5 && top > 3.5, "{bottom} {top}");
        assert!((3.5 - 2.5) / (top - bottom) > 0.5, "the fall takes half of the height: {bottom} {top}");
    }

    #[test]
    fn losses_that_only_rise_are_alike_or_are_no_numbers_make_a_picture_too() {
        for losses in [vec![1.0, 2.0, 8.0], vec![2.0, 2.0], vec![0.0, 0.0], vec![f64::NAN], vec![]] {
            let curve = RateCurve { rates: vec![1e-3; losses.len()], losses, suggestion: None };
            let (bottom, top) = curve.span();
            assert!(bottom < top && top.is_finite(), "{curve:?}: {bottom} {top}");
        }
    }

    #[test]
    fn a_line_is_cut_where_it_leaves_the_picture_and_goes_on_where_it_comes_back() {
        let cut = below(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 1.0)], 2.0);
        let parts: Vec<&[(f64, f64)]> =
            cut.split(|point| point.1.is_nan()).filter(|part| !part.is_empty()).collect();
        assert_eq!(parts, [&[(0.0, 1.0), (0.5, 2.0)][..], &[(2.75, 2.0), (3.0, 1.0)][..]]);
    }
}
