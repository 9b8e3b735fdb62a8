//! Several runs in one picture: their validation losses and accuracies against epoch.

use super::axis::Axis;
use super::plane::{Plane, Stroke, by_epoch, draw_line};
use super::{Canvas, DrawResult, INK, Picture, PictureSize, Values, font, pixels};
use crate::error::EvalError;
use cairn_dataset::escape::shown;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// What a run measured on its validation photos, epoch after epoch: element 0 belongs to epoch 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunCurves {
    /// What the legend calls it. Runs of one name, such as those that differ in their seed alone, share a colour and a
    /// line of the legend.
    pub name: String,
    /// Mean cross-entropy, in nats.
    pub valid_loss: Vec<f64>,
    /// Fraction of photos named rightly, 0 to 1.
    pub valid_accuracy: Vec<f64>,
}

/// Draws the runs' losses and accuracies side by side over a common legend, each run's lowest loss ringed. The file is a
/// PNG or SVG picture, as its name ends.
///
/// # Errors
/// When the name ends otherwise, or the picture cannot be drawn or written.
pub fn write_run_curves(path: &Path, runs: &[RunCurves]) -> Result<(), EvalError> {
    Overlay::of(runs).write_file(path)
}

/// The two panels, in CSS pixels.
const PANELS: PictureSize = PictureSize { width: 1200, height: 440 };
/// A line of the legend.
const LEGEND_LINE: u32 = 24;

/// Letters of a legend's line that fit beside its stroke.
const LONGEST_NAME: usize = 140;

/// The name, or so many letters of it: what runs of one sweep differ in may stand at the beginning or at the end.
fn within(name: &str, longest: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= longest {
        return name.to_owned();
    }
    let (before, after) = ((longest - 1) / 2, longest / 2);
    letters[..before].iter().chain(&['…']).chain(&letters[letters.len() - after..]).collect()
}

struct Overlay<'a> {
    runs: &'a [RunCurves],
    /// The names, each once.
    names: Vec<&'a str>,
}

impl<'a> Overlay<'a> {
    fn of(runs: &'a [RunCurves]) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for run in runs {
            if !names.contains(&run.name.as_str()) {
                names.push(&run.name);
            }
        }
        Self { runs, names }
    }

    fn stroke(&self, run: &RunCurves) -> Stroke {
        Stroke::nth(self.names.iter().position(|name| *name == run.name).unwrap_or_default())
    }

    fn draw_panel<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        scale: u32,
        values: Values,
        of: fn(&RunCurves) -> &[f64],
    ) -> DrawResult<B> {
        let title = match values {
            Values::Loss => "Validation loss",
            Values::Fraction => "Validation accuracy",
        };
        let epochs = self.runs.iter().map(|run| of(run).len()).max().unwrap_or_default();
        let y = values.axis(self.runs.iter().flat_map(of).copied());
        let x = Axis::of_epochs(epochs);
        let plane = Plane { title, x, x_name: "epoch", y, y_name: values.name(), margin_right: 24 };
        let mut chart = plane.draw(canvas, scale)?;
        for run in self.runs {
            draw_line(&mut chart, &by_epoch(of(run)), self.stroke(run), scale)?;
        }
        if values == Values::Loss {
            for run in self.runs {
                let points = by_epoch(of(run)).into_iter().filter(|point| point.1.is_finite());
                let lowest = points.min_by(|a, b| a.1.total_cmp(&b.1));
                let ring = |at| Circle::new(at, 6 * scale, self.stroke(run).color.stroke_width(2 * scale));
                chart.draw_series(lowest.map(ring))?;
            }
        }
        Ok(())
    }

    fn draw_legend<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        for (n, name) in self.names.iter().enumerate() {
            let row = LEGEND_LINE as i32 * n as i32 + LEGEND_LINE as i32 / 2;
            let stroke = Stroke::nth(n);
            let style = stroke.color.stroke_width(2 * scale);
            let ends = [pixels(66, row, scale), pixels(98, row, scale)];
            if stroke.dashed {
                let (dash, gap) = (7 * scale as i32, 5 * scale as i32);
                canvas.draw(&DashedPathElement::new(ends, dash, gap, style))?;
            } else {
                canvas.draw(&PathElement::new(ends, style))?;
            }
            let text = font(14, scale, INK).pos(Pos::new(HPos::Left, VPos::Center));
            canvas.draw_text(&within(&shown(name), LONGEST_NAME), &text, pixels(108, row, scale))?;
        }
        Ok(())
    }
}

impl Picture for Overlay<'_> {
    fn title(&self) -> &str {
        "Validation loss and accuracy"
    }

    fn size(&self) -> PictureSize {
        let lines = self.names.len() as u32;
        PictureSize { height: PANELS.height + LEGEND_LINE * lines + 16, ..PANELS }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let (panels, legend) = canvas.split_vertically(PANELS.height * scale);
        let (losses, accuracies) = panels.split_horizontally(PANELS.width / 2 * scale);
        self.draw_panel(&losses, scale, Values::Loss, |run| &run.valid_loss)?;
        self.draw_panel(&accuracies, scale, Values::Fraction, |run| &run.valid_accuracy)?;
        self.draw_legend(&legend, scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_too_long_for_the_legend_keeps_its_beginning_and_its_end() {
        let name = "photos=[ä, b, c] seed=1";
        assert_eq!(within(name, 23), name);
        assert_eq!(within(name, 15), "photos=… seed=1");
        assert_eq!(within(name, 16), "photos=…] seed=1");
    }
}
