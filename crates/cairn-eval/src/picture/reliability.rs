//! Whether confidence can be believed.

use super::pen::{Align, Pen};
use super::{BLUE, Canvas, DrawResult, FAINT, GRID, INK, Picture, PictureSize, VERMILION};
use crate::calibration::{Reliability, ReliabilityBin};
use crate::evaluation::{Evaluation, percent};
use plotters::prelude::*;

const SIZE: PictureSize = PictureSize { width: 440, height: 440 };
/// The square's left upper corner and its side.
const LEFT: f64 = 62.0;
const TOP: f64 = 66.0;
const SIDE: f64 = 320.0;

/// Accuracy against confidence in bins: on the diagonal, answers are right as often as they say. A mark's area grows
/// with the photos in its bin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReliabilityDiagram<'a> {
    pub(crate) evaluation: &'a Evaluation,
}

impl Picture for ReliabilityDiagram<'_> {
    fn title(&self) -> &str {
        "Reliability"
    }

    fn size(&self) -> PictureSize {
        SIZE
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let pen = Pen::new(canvas, scale);
        draw_axes(&pen)?;
        let Evaluation { reliability, reliability_uncalibrated, .. } = self.evaluation;
        pen.dot([22.0, 20.0], 5, BLUE)?;
        let is_calibrated = self.evaluation.temperature != 1.0;
        let name = if is_calibrated { "calibrated, " } else { "" };
        let ece = percent(self.evaluation.ece);
        pen.text(&format!("{name}ECE {ece}"), [34.0, 20.0], 14, Align::Left, INK)?;
        let width = SIDE / reliability.bins.len() as f64;
        for (place, bin) in reliability.bins.iter().enumerate().filter(|(_, bin)| bin.photos > 0) {
            let height = bin.accuracy() * SIDE;
            let corner = [LEFT + place as f64 * width, TOP + SIDE - height];
            pen.bar(corner, [width, height], BLUE.mix(0.15))?;
        }
        for (bin, radius) in marks(reliability) {
            pen.dot(position(bin), radius, BLUE)?;
        }
        if is_calibrated {
            pen.ring([22.0, 42.0], 5, VERMILION)?;
            let ece = percent(self.evaluation.ece_uncalibrated);
            pen.text(&format!("uncalibrated, ECE {ece}"), [34.0, 42.0], 14, Align::Left, INK)?;
            for (bin, radius) in marks(reliability_uncalibrated) {
                pen.ring(position(bin), radius, VERMILION)?;
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

fn position(bin: &ReliabilityBin) -> [f64; 2] {
    [LEFT + SIDE * bin.confidence(), TOP + SIDE * (1.0 - bin.accuracy())]
}

fn draw_axes<B: DrawingBackend>(pen: &Pen<'_, B>) -> DrawResult<B> {
    let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
    for step in 0..=5 {
        let share = f64::from(step) / 5.0;
        let label = format!("{:.0}%", 100.0 * share);
        let (x, y) = (LEFT + share * SIDE, bottom - share * SIDE);
        pen.rule([LEFT, y], [right, y], GRID)?;
        pen.text(&label, [LEFT - 8.0, y], 13, Align::Right, INK)?;
        pen.text(&label, [x, bottom + 14.0], 13, Align::Middle, INK)?;
    }
    pen.rule([LEFT, bottom], [right, bottom], FAINT)?;
    pen.rule([LEFT, TOP], [LEFT, bottom], FAINT)?;
    pen.rule([LEFT, bottom], [right, TOP], FAINT)?;
    pen.text("confidence", [LEFT + SIDE / 2.0, bottom + 36.0], 14, Align::Middle, INK)?;
    pen.text("accuracy", [14.0, bottom - SIDE / 2.0 + 28.0], 14, Align::Upwards, INK)
}
