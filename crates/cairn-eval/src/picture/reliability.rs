//! Whether confidence can be believed.

use super::pen::{Align, Pen};
use super::{BLUE, Breadth, Canvas, DrawResult, FAINT, GRID, INK, Picture, PictureSize, VERMILION};
use crate::calibration::{Reliability, ReliabilityBin};
use crate::evaluation::{Evaluation, percent};
use plotters::prelude::*;

/// The square's left upper corner.
const LEFT: f64 = 62.0;
const TOP: f64 = 66.0;
/// Room right of the square and below it.
const RIGHT: f64 = 26.0;
const BOTTOM: f64 = 54.0;

/// Accuracy against confidence in bins: on the diagonal, answers are right as often as they say. A mark's area grows
/// with the photos in its bin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReliabilityDiagram<'a> {
    pub(crate) evaluation: &'a Evaluation,
    pub(crate) breadth: Breadth,
}

impl ReliabilityDiagram<'_> {
    /// The square's side.
    fn side(&self) -> f64 {
        match self.breadth {
            Breadth::Wide => 400.0,
            Breadth::Narrow => f64::from(Breadth::Narrow.pixels()) - LEFT - RIGHT,
        }
    }

    fn position(&self, bin: &ReliabilityBin) -> [f64; 2] {
        let side = self.side();
        [LEFT + side * bin.confidence(), TOP + side * (1.0 - bin.accuracy())]
    }
}

impl Picture for ReliabilityDiagram<'_> {
    fn title(&self) -> &str {
        "Reliability"
    }

    fn size(&self) -> PictureSize {
        let side = self.side();
        PictureSize { width: (LEFT + side + RIGHT) as u32, height: (TOP + side + BOTTOM) as u32 }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let pen = Pen::new(canvas, scale);
        let side = self.side();
        draw_axes(&pen, side)?;
        let Evaluation { reliability, reliability_uncalibrated, .. } = self.evaluation;
        pen.dot([22.0, 20.0], 5, BLUE)?;
        let is_calibrated = self.evaluation.temperature != 1.0;
        let name = if is_calibrated { "calibrated, " } else { "" };
        let ece = percent(self.evaluation.ece);
        pen.text(&format!("{name}ECE {ece}"), [34.0, 20.0], 16, Align::Left, INK)?;
        let width = side / reliability.bins.len() as f64;
        for (place, bin) in reliability.bins.iter().enumerate().filter(|(_, bin)| bin.photos > 0) {
            let height = bin.accuracy() * side;
            let corner = [LEFT + place as f64 * width, TOP + side - height];
            pen.bar(corner, [width, height], BLUE.mix(0.15))?;
        }
        for (bin, radius) in marks(reliability) {
            pen.dot(self.position(bin), radius, BLUE)?;
        }
        if is_calibrated {
            pen.ring([22.0, 42.0], 5, VERMILION)?;
            let ece = percent(self.evaluation.ece_uncalibrated);
            pen.text(&format!("uncalibrated, ECE {ece}"), [34.0, 42.0], 16, Align::Left, INK)?;
            for (bin, radius) in marks(reliability_uncalibrated) {
                pen.ring(self.position(bin), radius, VERMILION)?;
            }
        }
        Ok(())
    }
}

/// The bins that hold photos, and how large their marks are.
fn marks(reliability: &Reliability) -> impl Iterator<Item = (&ReliabilityBin, u32)> {
    let photos: usize = reliability.bins.iter().map(|bin| bin.photos).sum();
    let radius = move |bin: &ReliabilityBin| 2 + (12.0 * (bin.photos as f64 / photos as f64).sqrt()) as u32;
    reliability.bins.iter().filter(|bin| bin.photos > 0).map(move |bin| (bin, radius(bin)))
}

fn draw_axes<B: DrawingBackend>(pen: &Pen<'_, B>, side: f64) -> DrawResult<B> {
    let (right, bottom) = (LEFT + side, TOP + side);
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let label = format!("{:.0}%", 100.0 * share);
        let (x, y) = (LEFT + share * side, bottom - share * side);
        pen.rule([LEFT, y], [right, y], GRID)?;
        pen.text(&label, [LEFT - 8.0, y], 15, Align::Right, INK)?;
        pen.text(&label, [x, bottom + 14.0], 15, Align::Middle, INK)?;
    }
    pen.rule([LEFT, bottom], [right, bottom], FAINT)?;
    pen.rule([LEFT, TOP], [LEFT, bottom], FAINT)?;
    pen.rule([LEFT, bottom], [right, TOP], FAINT)?;
    pen.text("confidence", [LEFT + side / 2.0, bottom + 36.0], 16, Align::Middle, INK)?;
    pen.text("accuracy", [14.0, bottom - side / 2.0 + 28.0], 16, Align::Upwards, INK)
}
