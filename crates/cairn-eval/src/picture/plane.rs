//! A plane with two axes, and lines in it.

use super::axis::Axis;
use super::{BLUE, Canvas, DrawResult, FAINT, GRID, INK, VERMILION, font, pixels};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(crate) type Chart<'a, B> = ChartContext<'a, B, Cartesian2d<Axis, Axis>>;

/// The colours of Okabe and Ito's palette that show on white; colour-blind readers tell them apart.
pub(crate) const PALETTE: [RGBColor; 7] = [
    BLUE,
    VERMILION,
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x00, 0x00, 0x00),
];

/// Two axes with a grid between them, and a title over it; lines are drawn into the chart that it becomes.
#[derive(Debug, Clone)]
pub(crate) struct Plane<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: Axis,
    pub(crate) x_name: &'a str,
    pub(crate) y: Axis,
    pub(crate) y_name: &'a str,
    /// Paper right of the grid, in CSS pixels.
    pub(crate) margin_right: u32,
}

impl Plane<'_> {
    pub(crate) fn draw<'c, B: DrawingBackend>(
        self,
        canvas: &'c Canvas<B>,
        scale: u32,
    ) -> Result<Chart<'c, B>, DrawingAreaErrorKind<B::ErrorType>> {
        let style = font(17, scale, INK).pos(Pos::new(HPos::Left, VPos::Top));
        canvas.draw_text(self.title, &style, pixels(16, 14, scale))?;
        let mut chart = ChartBuilder::on(canvas)
            .margin_top(62 * scale)
            .margin_right(self.margin_right * scale)
            .margin_bottom(8 * scale)
            .margin_left(8 * scale)
            .x_label_area_size(44 * scale)
            .y_label_area_size(58 * scale)
            .build_cartesian_2d(self.x, self.y)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(scale))
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT.stroke_width(scale))
            .set_all_tick_mark_size(4 * scale)
            .label_style(font(15, scale, INK))
            .axis_desc_style(font(15, scale, INK))
            .x_desc(self.x_name)
            .y_desc(self.y_name)
            .draw()?;
        Ok(chart)
    }
}

/// A letter's width on average, in parts of its height: readers have other fonts.
const LETTER: f64 = 0.5;

/// A thin upright at `x` over the whole height, and `text` above it. The text stays above the grid, so that it meets neither
/// the names of lines beside it nor the picture's edge.
pub(super) fn draw_upright<B: DrawingBackend>(
    canvas: &Canvas<B>,
    chart: &mut Chart<B>,
    x: f64,
    text: &str,
    scale: u32,
) -> DrawResult<B> {
    const SIZE: u32 = 15;
    let heights = chart.y_range();
    let ends = [(x, heights.start), (x, heights.end)];
    chart.draw_series([PathElement::new(ends, FAINT.stroke_width(scale))])?;
    let at = chart.backend_coord(&(x, heights.end));
    let (columns, _) = chart.plotting_area().get_pixel_range();
    // The chart counts pixels from the whole picture's corner, the canvas from its own.
    let (left, top) = canvas.get_base_pixel();
    let half = (text.chars().count() as f64 * LETTER * f64::from(SIZE * scale) / 2.0) as i32;
    let style = font(SIZE, scale, INK).pos(Pos::new(HPos::Center, VPos::Bottom));
    let middle = middle_within(at.0, half, columns.start, columns.end);
    let place = (middle - left, at.1 - top - 6 * scale as i32);
    canvas.draw_text(text, &style, place)
}

/// The middle nearest to `wanted` of what reaches `half` to both sides and stays between `start` and `end`.
fn middle_within(wanted: i32, half: i32, start: i32, end: i32) -> i32 {
    if end - start < 2 * half { (start + end) / 2 } else { wanted.clamp(start + half, end - half) }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stroke {
    pub(crate) color: RGBColor,
    pub(crate) dashed: bool,
}

impl Stroke {
    pub(crate) fn solid(color: RGBColor) -> Self {
        Self { color, dashed: false }
    }

    /// The `n`-th of many lines: the palette, then the palette in dashes, and so on.
    pub(crate) fn nth(n: usize) -> Self {
        Self { color: PALETTE[n % PALETTE.len()], dashed: n / PALETTE.len() % 2 == 1 }
    }
}

/// The points of one value an epoch: element 0 belongs to epoch 1.
pub(crate) fn by_epoch(values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(index, &value)| ((index + 1) as f64, value)).collect()
}

/// Draws a line through the points, broken where a value is not finite; a point alone between two gaps becomes a dot.
pub(crate) fn draw_line<B: DrawingBackend>(
    chart: &mut Chart<B>,
    points: &[(f64, f64)],
    stroke: Stroke,
    scale: u32,
) -> DrawResult<B> {
    let style = stroke.color.stroke_width(2 * scale);
    for run in points.split(|(_, value)| !value.is_finite()) {
        match run {
            [] => {}
            [alone] => {
                chart.draw_series([Circle::new(*alone, 3 * scale, stroke.color.filled())])?;
            }
            run if stroke.dashed => {
                let dashes = DashedLineSeries::new(run.iter().copied(), 7 * scale, 5 * scale, style);
                chart.draw_series(dashes)?;
            }
            run => {
                chart.draw_series(LineSeries::new(run.iter().copied(), style))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_above_the_grid_stays_between_its_edges() {
        assert_eq!(middle_within(200, 40, 60, 370), 200);
        assert_eq!(
            middle_within(370, 40, 60, 370),
            330,
            "the last epoch's text meets no name beside the grid"
        );
        assert_eq!(middle_within(60, 40, 60, 370), 100);
        assert_eq!(middle_within(60, 40, 60, 100), 80);
    }
}
