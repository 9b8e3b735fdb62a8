//! How many photos each class has.

use super::pen::{Align, Pen, shortened, widest};
use super::{BLUE, Breadth, Canvas, DrawResult, FAINT, INK, Picture, PictureSize, VERMILION};
use crate::classification::MOST_SHOWN;
use plotters::prelude::*;

const ROW: f64 = 30.0;
/// From a row's middle to the middle of each of its two bars: their numbers are one above the other.
const APART: f64 = 6.5;
/// Room above the rows, for what the bars mean.
const HEAD: f64 = 36.0;
/// Room right of the longest bar, for its number.
const FIGURES: f64 = 44.0;

/// The photos of a class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClassSize<'a> {
    pub(crate) name: &'a str,
    /// Photos that the model was tested on.
    pub(crate) test: usize,
    /// Photos to learn from, where they are known.
    pub(crate) train: Option<usize>,
}

/// A row a class, the largest first, of very many the largest: photos to learn from above photos tested.
#[derive(Debug, Clone)]
pub(crate) struct ClassSizes<'a> {
    rows: Vec<ClassSize<'a>>,
    breadth: Breadth,
}

impl<'a> ClassSizes<'a> {
    pub(crate) fn new(mut rows: Vec<ClassSize<'a>>, breadth: Breadth) -> Self {
        rows.sort_by_key(|class| std::cmp::Reverse((class.train, class.test)));
        rows.truncate(MOST_SHOWN);
        Self { rows, breadth }
    }

    fn largest(&self) -> usize {
        self.rows.iter().map(|class| class.test.max(class.train.unwrap_or(0))).max().unwrap_or(0)
    }
}

impl Picture for ClassSizes<'_> {
    fn title(&self) -> &str {
        "Photos of each class"
    }

    fn size(&self) -> PictureSize {
        let height = HEAD + ROW * self.rows.len() as f64 + 8.0;
        PictureSize { width: self.breadth.pixels(), height: height as u32 }
    }

    fn draw<B: DrawingBackend>(&self, canvas: &Canvas<B>, scale: u32) -> DrawResult<B> {
        let pen = Pen::new(canvas, scale);
        let left = 14.0 + widest(self.rows.iter().map(|class| class.name));
        let length = f64::from(self.breadth.pixels()) - FIGURES - left;
        let unit = length / self.largest().max(1) as f64;
        let with_train = self.rows.iter().any(|class| class.train.is_some());
        draw_key(&pen, with_train)?;
        for (row, class) in self.rows.iter().enumerate() {
            let y = HEAD + ROW * (row as f64 + 0.5);
            pen.text(&shortened(class.name), [left - 8.0, y], 15, Align::Right, INK)?;
            let bars = match class.train {
                Some(train) => vec![(train, BLUE, y - APART), (class.test, VERMILION, y + APART)],
                None => vec![(class.test, VERMILION, y)],
            };
            for (photos, color, middle) in bars {
                let width = photos as f64 * unit;
                pen.bar([left, middle - 3.0], [width, 6.0], color.mix(0.75))?;
                pen.text(&photos.to_string(), [left + width + 5.0, middle], 13, Align::Left, INK)?;
            }
        }
        pen.rule([left, HEAD], [left, HEAD + ROW * self.rows.len() as f64], FAINT)
    }
}

fn draw_key<B: DrawingBackend>(pen: &Pen<'_, B>, with_train: bool) -> DrawResult<B> {
    let y = 16.0;
    pen.bar([12.0, y - 3.0], [24.0, 6.0], VERMILION.mix(0.75))?;
    pen.text("tested", [42.0, y], 15, Align::Left, INK)?;
    if with_train {
        pen.bar([104.0, y - 3.0], [24.0, 6.0], BLUE.mix(0.75))?;
        pen.text("to learn from", [134.0, y], 15, Align::Left, INK)?;
    }
    Ok(())
}
