//! The sheet that a scene is painted on: a thin layer over tiny-skia in this module's own colours and places.

use super::colour::Rgb;
use super::space::Pixel;
use tiny_skia::{
    Color, FillRule, LineCap, Paint, Path, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Stroke, Transform,
};

/// An opaque picture being painted.
#[derive(Clone)]
pub(super) struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// A black canvas; sides of zero become one.
    pub(super) fn new(width: u32, height: u32) -> Canvas {
        let mut pixmap = Pixmap::new(width.max(1), height.max(1))
            // tiny-skia refuses only empty sizes and ones whose byte count overflows.
            .expect("a canvas is not empty, and photos are drawn at sizes that fit in memory");
        pixmap.fill(Color::BLACK);
        Canvas { pixmap }
    }

    pub(super) fn width(&self) -> u32 {
        self.pixmap.width()
    }

    pub(super) fn height(&self) -> u32 {
        self.pixmap.height()
    }

    pub(super) fn pixmap(&self) -> &Pixmap {
        &self.pixmap
    }

    /// The colour at a place, or at the nearest place on the canvas.
    pub(super) fn colour_at(&self, x: i32, y: i32) -> Rgb {
        let column = x.clamp(0, self.width() as i32 - 1) as usize;
        let row = y.clamp(0, self.height() as i32 - 1) as usize;
        colour_of(self.pixmap.pixels()[row * self.width() as usize + column])
    }

    /// Repaints the rows `from..to` pixel by pixel: `rule` gets the pixel's centre and the colour there.
    pub(super) fn repaint(&mut self, from: f32, to: f32, mut rule: impl FnMut(Pixel, Rgb) -> Rgb) {
        let width = self.width() as usize;
        let rows = self.height() as f32;
        let (first, end) = (from.clamp(0.0, rows) as usize, to.clamp(0.0, rows).ceil() as usize);
        let pixels = self.pixmap.pixels_mut();
        for row in first..end.max(first) {
            for (column, pixel) in pixels[row * width..(row + 1) * width].iter_mut().enumerate() {
                let centre = Pixel { x: column as f32 + 0.5, y: row as f32 + 0.5 };
                *pixel = opaque(rule(centre, colour_of(*pixel)));
            }
        }
    }

    /// Fills a polygon.
    pub(super) fn fill(&mut self, outline: &[Pixel], colour: Rgb) {
        self.fill_path(polygon(outline), colour, 1.0);
    }

    /// Fills a polygon and runs along its edge in the same colour, so that no seam shows where two faces meet.
    pub(super) fn fill_sealed(&mut self, outline: &[Pixel], colour: Rgb) {
        if let Some(path) = polygon(outline) {
            let paint = paint_of(colour, 1.0);
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
            let stroke = Stroke { width: 0.8, ..Stroke::default() };
            self.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }

    /// Lays a colour over a polygon, `opacity` of it.
    pub(super) fn tint(&mut self, outline: &[Pixel], colour: Rgb, opacity: f32) {
        self.fill_path(polygon(outline), colour, opacity);
    }

    /// Lays a colour over the union of polygons that all run the same way round.
    pub(super) fn tint_union(&mut self, outlines: &[Vec<Pixel>], colour: Rgb, opacity: f32) {
        let mut builder = PathBuilder::new();
        for outline in outlines {
            trace(&mut builder, outline);
        }
        self.fill_path(builder.finish(), colour, opacity);
    }

    /// Fills an upright ellipse.
    pub(super) fn ellipse(&mut self, centre: Pixel, across: f32, up: f32, colour: Rgb) {
        let path = Rect::from_ltrb(centre.x - across, centre.y - up, centre.x + across, centre.y + up)
            .and_then(PathBuilder::from_oval);
        self.fill_path(path, colour, 1.0);
    }

    /// Draws a straight line with round ends.
    pub(super) fn line(&mut self, from: Pixel, to: Pixel, width: f32, colour: Rgb) {
        let mut builder = PathBuilder::new();
        builder.move_to(from.x, from.y);
        builder.line_to(to.x, to.y);
        if let Some(path) = builder.finish() {
            // A line thinner than a pixel is drawn a pixel wide and fainter.
            let stroke = Stroke { width: width.max(1.0), line_cap: LineCap::Round, ..Stroke::default() };
            let paint = paint_of(colour, width.clamp(0.3, 1.0));
            self.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
        }
    }

    fn fill_path(&mut self, path: Option<Path>, colour: Rgb, opacity: f32) {
        // No path: the outline is empty or beyond what can be drawn, and there is nothing to see.
        if let Some(path) = path {
            let paint = paint_of(colour, opacity);
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
    }
}

fn polygon(outline: &[Pixel]) -> Option<Path> {
    let mut builder = PathBuilder::new();
    trace(&mut builder, outline);
    builder.finish()
}

fn trace(builder: &mut PathBuilder, outline: &[Pixel]) {
    if let [first, rest @ ..] = outline {
        builder.move_to(first.x, first.y);
        for corner in rest {
            builder.line_to(corner.x, corner.y);
        }
        builder.close();
    }
}

fn paint_of(colour: Rgb, opacity: f32) -> Paint<'static> {
    let [red, green, blue] = colour.to_bytes();
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (opacity.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

fn colour_of(pixel: PremultipliedColorU8) -> Rgb {
    Rgb([pixel.red(), pixel.green(), pixel.blue()].map(|level| f32::from(level) / 255.0))
}

fn opaque(colour: Rgb) -> PremultipliedColorU8 {
    let [red, green, blue] = colour.to_bytes();
    tiny_skia::ColorU8::from_rgba(red, green, blue, 255).premultiply()
}
