//! Drawing in CSS pixels, whatever the backend's are.

use super::{Canvas, DrawResult, font};
use cairn_dataset::escape::shown;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Longer names are cut, so that there is room for what they name.
const LONGEST_NAME: usize = 26;
/// Width of a letter of a name on average, measured generously: readers have other fonts.
const LETTER: f64 = 7.2;

/// A class's name, cut where it is too long for a picture, without characters that XML does not allow.
pub(super) fn shortened(name: &str) -> String {
    let name = shown(name);
    if name.chars().count() <= LONGEST_NAME {
        return name.into_owned();
    }
    let kept: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{}…", kept.trim_end())
}

/// The width that the longest of these names takes, shortened, at 15 px.
pub(super) fn widest<'a>(names: impl Iterator<Item = &'a str>) -> f64 {
    let letters = names.map(|name| shown(name).chars().count().min(LONGEST_NAME)).max().unwrap_or(0);
    letters as f64 * LETTER
}

/// Draws on a canvas in CSS pixels from its left upper corner.
pub(super) struct Pen<'a, B: DrawingBackend> {
    canvas: &'a Canvas<B>,
    scale: u32,
}

/// The alignment of a text to its point.
#[derive(Clone, Copy)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
    /// From the point upwards, read from below.
    Upwards,
}

impl<'a, B: DrawingBackend> Pen<'a, B> {
    pub(super) fn new(canvas: &'a Canvas<B>, scale: u32) -> Self {
        Self { canvas, scale }
    }

    /// A filled rectangle.
    pub(super) fn bar(&self, [x, y]: [f64; 2], [width, height]: [f64; 2], color: RGBAColor) -> DrawResult<B> {
        let corners = [self.at(x, y), self.at(x + width, y + height)];
        self.canvas.draw(&Rectangle::new(corners, color.filled()))
    }

    /// A thin straight line.
    pub(super) fn rule(&self, from: [f64; 2], to: [f64; 2], color: RGBColor) -> DrawResult<B> {
        self.line(&[from, to], color, 1)
    }

    /// A line through all points.
    pub(super) fn line(&self, points: &[[f64; 2]], color: RGBColor, width: u32) -> DrawResult<B> {
        let points: Vec<(i32, i32)> = points.iter().map(|&[x, y]| self.at(x, y)).collect();
        self.canvas.draw(&PathElement::new(points, color.stroke_width(width * self.scale)))
    }

    /// A filled dot.
    pub(super) fn dot(&self, [x, y]: [f64; 2], radius: u32, color: RGBColor) -> DrawResult<B> {
        self.canvas.draw(&Circle::new(self.at(x, y), radius * self.scale, color.filled()))
    }

    /// A circle.
    pub(super) fn ring(&self, [x, y]: [f64; 2], radius: u32, color: RGBColor) -> DrawResult<B> {
        let line = color.stroke_width(2 * self.scale);
        self.canvas.draw(&Circle::new(self.at(x, y), radius * self.scale, line))
    }

    /// Text of `size`, its middle line at the point's height.
    pub(super) fn text(
        &self,
        text: &str,
        [x, y]: [f64; 2],
        size: u32,
        align: Align,
        color: RGBColor,
    ) -> DrawResult<B> {
        let style = font(size, self.scale, color);
        let style = match align {
            Align::Left => style.pos(Pos::new(HPos::Left, VPos::Center)),
            Align::Middle => style.pos(Pos::new(HPos::Center, VPos::Center)),
            Align::Right => style.pos(Pos::new(HPos::Right, VPos::Center)),
            Align::Upwards => {
                style.transform(FontTransform::Rotate270).pos(Pos::new(HPos::Left, VPos::Center))
            }
        };
        self.canvas.draw_text(text, &style, self.at(x, y))
    }

    fn at(&self, x: f64, y: f64) -> (i32, i32) {
        let pixel = |position: f64| (position * f64::from(self.scale)).round() as i32;
        (pixel(x), pixel(y))
    }
}
