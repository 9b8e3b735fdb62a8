//! The figures of each class, and the pairs of classes that are confused.

use super::figure::{figure, responsive};
use crate::classification::{ClassReport, MOST_SHOWN, worth_showing};
use crate::confusion::ConfusedPair;
use crate::error::EvalError;
use crate::evaluation::{Evaluation, percent};
use crate::picture::{Breadth, ClassFigures, ClassSizes, ConfusionPicture};
use cairn_dataset::escape::shown;
use maud::{Markup, html};

/// The most pairs that are worth a reader's time; the matrix shows all.
const PAIRS: usize = 12;

/// Every class, best F1 first, as a picture and as a table.
pub(super) fn class_section(evaluation: &Evaluation) -> Result<Markup, EvalError> {
    Ok(html! {
        section {
            h2 { "Classes" }
            p.lead { "Best F1 first. Precision: of the photos taken for this landmark, those that show it. "
                "Recall: of the photos that show it, those recognised. F1 is their harmonic mean."
                @if evaluation.per_class.len() > MOST_SHOWN {
                    " Of " (evaluation.per_class.len()) " classes the best and the worst are shown; `cairn test --json` has all."
                }
            }
            (responsive(|breadth| ClassFigures::new(&evaluation.per_class, breadth))?)
            details { summary { "The same as a table" } (class_table(evaluation)) }
        }
    })
}

fn class_table(evaluation: &Evaluation) -> Markup {
    html! {
        div.wide {
            table.classes {
                thead {
                    tr {
                        th scope="col" { "Landmark" }
                        th.number scope="col" { "F1" }
                        th.number scope="col" { "Precision" }
                        th.number scope="col" { "Recall" }
                        th.number scope="col" { "Photos" }
                    }
                }
                tbody { @for class in worth_showing(&evaluation.per_class) { (class_row(class)) } }
            }
        }
    }
}

fn class_row(class: &ClassReport) -> Markup {
    html! {
        tr {
            th scope="row" title=(shown(&class.class)) { (shown(&class.name)) }
            td.number { (percent(class.f1)) }
            td.number { (percent(class.precision)) }
            td.number { (percent(class.recall)) }
            td.number { (class.support) }
        }
    }
}

/// The pairs of classes most often confused, with the share of the class's photos that went astray this way.
pub(super) fn confused_pairs(evaluation: &Evaluation) -> Markup {
    let pairs = evaluation.confusion.most_confused();
    html! {
        section {
            h2 { "Most confused" }
            @if pairs.is_empty() {
                p.lead { "No photo was taken for another landmark." }
            } @else {
                div.wide {
                    table.pairs {
                        thead {
                            tr {
                                th scope="col" { "Shows" }
                                th scope="col" { "Taken for" }
                                th.number scope="col" { "Photos" }
                            }
                        }
                        tbody { @for pair in pairs.iter().take(PAIRS) { (pair_row(evaluation, pair)) } }
                    }
                }
                @if pairs.len() > PAIRS {
                    p.lead { "The first " (PAIRS) " of " (pairs.len()) " pairs"
                        @if evaluation.per_class.len() <= MOST_SHOWN { "; the matrix shows them all" } "." }
                }
            }
        }
    }
}

fn pair_row(evaluation: &Evaluation, pair: &ConfusedPair) -> Markup {
    let truth = &evaluation.per_class[pair.truth.index()];
    html! {
        tr {
            td { (shown(&truth.name)) }
            td { (shown(&evaluation.per_class[pair.predicted.index()].name)) }
            td.number { (pair.count) " of " (truth.support) }
        }
    }
}

/// Who was taken for whom, photo by photo.
pub(super) fn confusion_section(evaluation: &Evaluation) -> Result<Markup, EvalError> {
    Ok(html! {
        section {
            h2 { "Confusion matrix" }
            @if let Some(picture) = ConfusionPicture::new(evaluation) {
                p.lead {
                    "Each row is a landmark, and its cells say what its photos were taken for: "
                    span.key.hit { "right" } " on the diagonal, " span.key.miss { "wrong" } " elsewhere. "
                    "The stronger the colour, the larger the share of the row."
                }
                div.wide { (figure(&picture)?) }
            } @else {
                p.lead { "There are too many classes for a matrix that could be read." }
            }
        }
    })
}

/// How many photos there are of each class.
pub(super) fn sizes_section<'a>(sizes: impl Fn(Breadth) -> ClassSizes<'a>) -> Result<Markup, EvalError> {
    Ok(html! { section { h2 { "Class sizes" } (responsive(sizes)?) } })
}
