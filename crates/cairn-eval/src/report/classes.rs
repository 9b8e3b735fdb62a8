//! The report's tables: how each class fared, and which were taken for each other.

use crate::classification::ClassReport;
use crate::confusion::ConfusedPair;
use crate::evaluation::{Evaluation, percent};
use maud::{Markup, html};

/// The most pairs that are worth a reader's time; the matrix shows all.
const PAIRS: usize = 12;

/// Every class, best F1 first. Classes without a photo stand last: their figures say nothing.
pub(super) fn class_table(evaluation: &Evaluation) -> Markup {
    let mut classes: Vec<&ClassReport> = evaluation.per_class.iter().collect();
    classes.sort_by(|a, b| (b.support > 0).cmp(&(a.support > 0)).then(b.f1.total_cmp(&a.f1)));
    html! {
        section {
            h2 { "Classes" }
            p.lead { "Best F1 first. Precision: of the photos taken for this landmark, those that show it. "
                "Recall: of the photos that show it, those recognised. F1 is their harmonic mean." }
            div.wide {
                table.classes {
                    thead {
                        tr {
                            th scope="col" { "Landmark" }
                            th scope="col" { "F1" }
                            th.number scope="col" { "Precision" }
                            th.number scope="col" { "Recall" }
                            th.number scope="col" { "Photos" }
                        }
                    }
                    tbody { @for class in classes { (class_row(class)) } }
                }
            }
        }
    }
}

fn class_row(class: &ClassReport) -> Markup {
    html! {
        tr {
            th scope="row" title=(class.class) { (class.name) }
            td.barred {
                span.bar aria-hidden="true" { span style=(format!("width:{:.1}%", 100.0 * class.f1)) {} }
                span.share { (percent(class.f1)) }
            }
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
                    p.lead { "The first " (PAIRS) " of " (pairs.len()) " pairs; the matrix shows them all." }
                }
            }
        }
    }
}

fn pair_row(evaluation: &Evaluation, pair: &ConfusedPair) -> Markup {
    let truth = &evaluation.per_class[pair.truth.index()];
    html! {
        tr {
            td { (truth.name) }
            td { (evaluation.per_class[pair.predicted.index()].name) }
            td.number { (pair.count) " of " (truth.support) }
        }
    }
}
