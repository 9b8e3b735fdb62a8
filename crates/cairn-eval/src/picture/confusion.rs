//! The confusion matrix: a row for what photos show, a column for what they were taken for.

use super::pen::{Align, Pen, shortened, widest};
use super::{BLUE, Canvas, DrawResult, FAINT, GRID, INK, PAPER, Picture, PictureSize, VERMILION};
use crate::classification::MOST_SHOWN;
use crate::evaluation::Evaluation;
use cairn_dataset::ClassId;
use plotters::prelude::*;

/// Room for the names of the axes.
const AXIS: f64 = 22.0;
/// Of cells so large and larger the names of their classes can be read.
const CELL_WITH_NAME: f64 = 10.0;
/// Into cells so large and larger a number of two digits fits that can be read.
const CELL_WITH_COUNT: f64 = 16.0;
/// Least and greatest height of a number in a cell.
const COUNT_SIZES: [f64; 2] = [11.0, 18.0];
/// Height of names and axes, where the cells have room for it.
const NAME_SIZE: f64 = 15.0;

/// Each row's cells say what its photos were taken for: blue on the diagonal, vermilion elsewhere, the stronger the
/// larger the share of the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConfusionPicture<'a> {
    evaluation: &'a Evaluation,
    /// Side of one cell.
    cell: f64,
    /// Left edge of the cells, and their upper edge.
    start: f64,
}

impl<'a> ConfusionPicture<'a> {
    /// `None` where there are too many classes to be drawn.
    pub(crate) fn new(evaluation: &'a Evaluation) -> Option<Self> {
        let classes = evaluation.per_class.len();
        // Few classes get roomy cells with their counts in; many get cells as small as a line of text, or smaller.
        let cell = match classes {
            0..=50 => (760 / classes.max(1)).clamp(20, 52),
            _ => (1000 / classes).max(3),
        } as f64;
        let names = if cell >= CELL_WITH_NAME {
            widest(evaluation.per_class.iter().map(|class| class.name.as_str())) + 10.0
        } else {
            8.0
        };
        (classes <= MOST_SHOWN).then_some(Self { evaluation, cell, start: AXIS + names })
    }

    fn end(&self) -> f64 {
        self.start + self.cell * self.evaluation.per_class.len() as f64
    }

    /// Upper or left edge of a class's cells.
    fn edge(&self, class: usize) -> f64 {
        self.start + self.cell * class as f64
    }

    /// A class's name before its row and above its column, and the lines that lead the eye from them.
    fn draw_names<B: DrawingBackend>(&self, pen: &Pen<'_, B>, class: usize) -> DrawResult<B> {
        let (edge, middle) = (self.edge(class), self.edge(class) + self.cell / 2.0);
        pen.rule([self.start, edge], [self.end(), edge], GRID)?;
        pen.rule([edge, self.start], [edge, self.end()], GRID)?;
        let name = shortened(&self.evaluation.per_class[class].name);
        let size = self.cell.min(NAME_SIZE) as u32;
        pen.text(&name, [self.start - 6.0, middle], size, Align::Right, INK)?;
        pen.text(&name, [middle, self.start - 6.0], size, Align::Upwards, INK)
    }

    /// Height of a number that fits into a cell's width.
    fn count_size(&self, count: usize) -> u32 {
        let digits = count.to_string().len() as f64;
        // A digit is some six tenths as wide as high.
        let [least, greatest] = COUNT_SIZES;
        ((self.cell - 2.0) / (0.6 * digits)).min(0.7 * self.cell).clamp(least, greatest) as u32
    }

    /// One cell; nothing where no photo fell.
    fn draw_cell<B: DrawingBackend>(
        &self,
        pen: &Pen<'_, B>,
        truth: usize,
        predicted: usize,
    ) -> DrawResult<B> {
        let count = self.evaluation.confusion.count(ClassId::new(truth), ClassId::new(predicted));
        if count == 0 {
            return Ok(());
        }
        // The square root lifts small shares, so that a single photo astray can still be seen.
        let strength = (count as f64 / self.evaluation.per_class[truth].support as f64).sqrt();
        let color = if truth == predicted { BLUE } else { VERMILION };
        let (x, y) = (self.edge(predicted), self.edge(truth));
        pen.bar([x + 1.0, y + 1.0], [self.cell - 1.0, self.cell - 1.0], color.mix(strength))?;
        if self.cell < CELL_WITH_COUNT {
            return Ok(());
        }
        let (middle, size) = ([x + self.cell / 2.0, y + self.cell / 2.0], self.count_size(count));
        pen.text(&count.to_string(), middle, size, Align::Middle, if strength > 0.6 { PAPER } else { INK })
    }
}

impl Picture for ConfusionPicture<'_> {
    fn title(&self) -> &str {
        "Confusion matrix"
    }

    fn size(&self) -> PictureSize {
        let side = self.end() as u32 + 8;
        PictureSize { width: side, height: side }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let pen = Pen::new(canvas, scale);
        let classes = self.evaluation.per_class.len();
        let (start, end) = (self.start, self.end());
        pen.text("taken for", [start, 12.0], 15, Align::Left, INK)?;
        pen.text("shows", [12.0, start + 44.0], 15, Align::Upwards, INK)?;
        if self.cell >= CELL_WITH_NAME {
            for class in 0..classes {
                self.draw_names(&pen, class)?;
            }
        }
        for truth in 0..classes {
            for predicted in 0..classes {
                self.draw_cell(&pen, truth, predicted)?;
            }
        }
        let corners = [[start, start], [end, start], [end, end], [start, end], [start, start]];
        pen.line(&corners, FAINT, 1)
    }
}
