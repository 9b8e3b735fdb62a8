//! The confusion matrix as a picture: a row for what photos show, a column for what they were taken for.

use crate::evaluation::{Evaluation, percent};
use cairn_dataset::ClassId;
use maud::{Markup, html};

/// Where things stand in the picture, in its own pixels.
struct Layout {
    classes: usize,
    /// Side of one cell.
    cell: usize,
    /// Room for the class names, left of the cells and above them.
    names: usize,
}

/// Names longer than this are cut in the picture; its tooltips have them in full.
const LONGEST_NAME: usize = 26;
/// Width of a letter of the names on average, measured generously.
const LETTER: f64 = 6.7;
/// Room for the names of the axes themselves.
const AXIS: usize = 22;
/// From this cell size on, a number of three digits fits in, half as high as the cell.
const CELL_WITH_COUNT: usize = 18;

impl Layout {
    fn of(evaluation: &Evaluation) -> Layout {
        let classes = evaluation.per_class.len();
        let letters = evaluation.per_class.iter().map(|class| class.name.chars().count()).max().unwrap_or(0);
        let names = (letters.min(LONGEST_NAME) as f64 * LETTER) as usize + 10;
        // Few classes get roomy cells with their counts in; many get cells as small as a line of text.
        Layout { classes, cell: (640 / classes.max(1)).clamp(15, 44), names }
    }

    /// Left edge of the cells, and their upper edge.
    fn start(&self) -> usize {
        AXIS + self.names
    }

    fn side(&self) -> usize {
        self.start() + self.classes * self.cell + 1
    }

    /// Upper or left edge of a class's cells.
    fn edge(&self, class: usize) -> usize {
        self.start() + class * self.cell
    }

    fn middle(&self, class: usize) -> usize {
        self.edge(class) + self.cell / 2
    }
}

pub(super) fn confusion_matrix(evaluation: &Evaluation) -> Markup {
    let layout = Layout::of(evaluation);
    let (side, field) = (layout.side(), layout.classes * layout.cell);
    html! {
        section {
            h2 { "Confusion matrix" }
            p.lead {
                "Each row is a landmark, and its cells say what its photos were taken for: "
                span.key.hit { "right" } " on the diagonal, " span.key.miss { "wrong" } " elsewhere. "
                "The stronger the colour, the larger the share of the row; point at a cell for its numbers."
            }
            div.wide {
                svg.matrix width=(side) height=(side) viewBox={ "0 0 " (side) " " (side) } role="img"
                    aria-label="Confusion matrix" {
                    text.axis x=(layout.start()) y="12" { "taken for" }
                    text.axis.upright transform={ "translate(12 " (layout.start()) ") rotate(-90)" } { "shows" }
                    rect.field x=(layout.start()) y=(layout.start()) width=(field) height=(field) {}
                    @for class in 0..layout.classes { (names(evaluation, &layout, class)) }
                    @for truth in 0..layout.classes {
                        @for predicted in 0..layout.classes { (cell(evaluation, &layout, truth, predicted)) }
                    }
                }
            }
        }
    }
}

/// A class's name before its row and above its column, and the lines that lead the eye from them.
fn names(evaluation: &Evaluation, layout: &Layout, class: usize) -> Markup {
    let name = &evaluation.per_class[class].name;
    let (start, end) = (layout.start(), layout.side() - 1);
    let edge = layout.edge(class);
    html! {
        path.rule d={ "M" (start) " " (edge) "H" (end) "M" (edge) " " (start) "V" (end) } {}
        text.row x=(start - 6) y=(layout.middle(class)) { (shortened(name)) title { (name) } }
        text.column transform={ "translate(" (layout.middle(class)) " " (start - 6) ") rotate(-90)" } {
            (shortened(name)) title { (name) }
        }
    }
}

/// One cell with its tooltip; nothing where no photo fell.
fn cell(evaluation: &Evaluation, layout: &Layout, truth: usize, predicted: usize) -> Markup {
    let row = &evaluation.per_class[truth];
    let count = evaluation.confusion.count(ClassId::new(truth), ClassId::new(predicted));
    if count == 0 {
        return html! {};
    }
    let share = count as f64 / row.support as f64;
    let kind = if truth == predicted { "hit" } else { "miss" };
    // The square root lifts small shares, so that a single photo astray can still be seen.
    let opacity = share.sqrt();
    let tooltip = if truth == predicted {
        format!("{}: {count} of {} right ({})", row.name, row.support, percent(share))
    } else {
        let taken_for = &evaluation.per_class[predicted].name;
        format!("{} taken for {taken_for}: {count} of {} ({})", row.name, row.support, percent(share))
    };
    let (x, y) = (layout.edge(predicted), layout.edge(truth));
    html! {
        g class=(kind) {
            title { (tooltip) }
            rect x=(x + 1) y=(y + 1) width=(layout.cell - 1) height=(layout.cell - 1)
                fill-opacity=(format!("{opacity:.2}")) {}
            @if layout.cell >= CELL_WITH_COUNT {
                text.count.strong[opacity > 0.6] x=(layout.middle(predicted)) y=(layout.middle(truth))
                    font-size=(layout.cell.min(24) / 2) { (count) }
            }
        }
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{}…", kept.trim_end())
}
