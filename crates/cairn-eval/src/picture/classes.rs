//! Precision, recall and F1 of every class.

use super::pen::{Align, Pen, shortened, widest};
use super::{BLUE, Breadth, Canvas, DrawResult, FAINT, GRID, INK, Picture, PictureSize, VERMILION};
use crate::classification::{ClassReport, worth_showing};
use crate::evaluation::percent;
use plotters::prelude::*;

const ROW: f64 = 20.0;
/// Room above the rows, for what the marks mean and the scale.
const HEAD: f64 = 62.0;
/// Room right of the scale, for F1 as a number.
const FIGURES: f64 = 64.0;

/// A row a class, best F1 first, of very many the best and the worst: F1 as a bar, precision as a dot, recall as a ring.
#[derive(Debug, Clone)]
pub(crate) struct ClassFigures<'a> {
    rows: Vec<&'a ClassReport>,
    breadth: Breadth,
}

impl<'a> ClassFigures<'a> {
    pub(crate) fn new(classes: &'a [ClassReport], breadth: Breadth) -> Self {
        Self { rows: worth_showing(classes), breadth }
    }
}

impl Picture for ClassFigures<'_> {
    fn title(&self) -> &str {
        "Precision, recall and F1 of each class"
    }

    fn size(&self) -> PictureSize {
        let height = HEAD + ROW * self.rows.len() as f64 + 8.0;
        PictureSize { width: self.breadth.pixels(), height: height as u32 }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let pen = Pen::new(canvas, scale);
        let width = f64::from(self.breadth.pixels());
        let left = 14.0 + widest(self.rows.iter().map(|class| class.name.as_str()));
        let length = width - FIGURES - left;
        let bottom = HEAD + ROW * self.rows.len() as f64;
        draw_key(&pen, width)?;
        for quarter in 0..=4 {
            let share = f64::from(quarter) / 4.0;
            let x = left + share * length;
            pen.rule([x, HEAD - 6.0], [x, bottom], if quarter == 0 { FAINT } else { GRID })?;
            pen.text(&format!("{:.0}%", 100.0 * share), [x, HEAD - 15.0], 14, Align::Middle, INK)?;
        }
        for (row, class) in self.rows.iter().enumerate() {
            let y = HEAD + ROW * (row as f64 + 0.5);
            pen.text(&shortened(&class.name), [left - 8.0, y], 15, Align::Right, INK)?;
            if class.support == 0 {
                pen.text("no photos", [left + 8.0, y], 14, Align::Left, FAINT)?;
                continue;
            }
            pen.bar([left, y - 5.0], [class.f1 * length, 10.0], BLUE.mix(0.3))?;
            pen.dot([left + class.precision * length, y], 4, BLUE)?;
            pen.ring([left + class.recall * length, y], 4, VERMILION)?;
            pen.text(&percent(class.f1), [width - 4.0, y], 15, Align::Right, INK)?;
        }
        Ok(())
    }
}

/// What bar, dot and ring are.
fn draw_key<B: DrawingBackend>(pen: &Pen<'_, B>, width: f64) -> DrawResult<B> {
    let y = 18.0;
    pen.bar([12.0, y - 5.0], [24.0, 10.0], BLUE.mix(0.3))?;
    pen.text("F1", [42.0, y], 15, Align::Left, INK)?;
    pen.dot([84.0, y], 4, BLUE)?;
    pen.text("precision", [94.0, y], 15, Align::Left, INK)?;
    pen.ring([176.0, y], 4, VERMILION)?;
    pen.text("recall", [186.0, y], 15, Align::Left, INK)?;
    pen.text("F1", [width - 4.0, HEAD - 15.0], 15, Align::Right, INK)
}
