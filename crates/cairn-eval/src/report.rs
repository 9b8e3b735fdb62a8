//! The report: one HTML page about one test of one model, that needs nothing beside it.

mod classes;
mod matrix;

use crate::chart::LineChart;
use crate::curves::Curves;
use crate::error::EvalError;
use crate::evaluation::{Evaluation, nats, percent};
use crate::picture::{Picture, PictureSize};
use crate::whole_file::write_whole;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::path::{Path, PathBuf};

/// What goes into the report: the evaluation, and what it is an evaluation of.
#[derive(Debug, Clone, Copy)]
pub struct ReportInputs<'a> {
    /// The model's name, as the reader knows it: a file or a run folder.
    pub model: &'a str,
    /// The data set's folder.
    pub data: &'a str,
    /// The day of the test, such as `2026-11-22`; the report prints it as it is.
    pub date: &'a str,
    /// The recipe that the model was trained by, as TOML text, when it is known.
    pub recipe: Option<&'a str>,
    /// How the model did.
    pub evaluation: &'a Evaluation,
    /// How its training went, when that is known.
    pub curves: Option<&'a Curves>,
}

/// Writes the report as one HTML file and returns its path: `path` itself, or `report.html` in it when `path`
/// is a folder. The file needs nothing beside it and nothing from a network. One already there is replaced as
/// a whole.
///
/// # Errors
/// [`EvalError::Write`] when the file cannot be written, [`EvalError::Draw`] when the curves cannot be drawn.
pub fn write_report(path: &Path, inputs: &ReportInputs<'_>) -> Result<PathBuf, EvalError> {
    let path = if path.is_dir() { path.join("report.html") } else { path.to_owned() };
    write_whole(&path, page(inputs)?.into_string().as_bytes())?;
    Ok(path)
}

const STYLE: &str = include_str!("report/style.css");

/// Lets the page load nothing at all; only the style within it counts.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

fn page(inputs: &ReportInputs<'_>) -> Result<Markup, EvalError> {
    let evaluation = inputs.evaluation;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                title { (evaluation.accuracy_headline()) " – " (inputs.model) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (header(inputs))
                    (figures(evaluation))
                    @if let Some(curves) = inputs.curves { (training(curves)?) }
                    (classes::class_table(evaluation))
                    (matrix::confusion_matrix(evaluation))
                    (classes::confused_pairs(evaluation))
                    @if let Some(recipe) = inputs.recipe { (recipe_text(recipe)) }
                    footer { "Written by cairn " (env!("CARGO_PKG_VERSION")) "." }
                }
            }
        }
    })
}

fn header(inputs: &ReportInputs<'_>) -> Markup {
    let evaluation = inputs.evaluation;
    html! {
        header {
            p.kind { "Landmark classifier, test report" }
            h1 { (inputs.model) }
            dl.facts {
                div { dt { "Tested on" } dd { (inputs.data) } }
                div { dt { "Photos" } dd { (evaluation.total) } }
                div { dt { "Classes" } dd { (evaluation.per_class.len()) } }
                div { dt { "Date" } dd { (inputs.date) } }
            }
        }
    }
}

/// The headline figures, each with what it means for readers who do not live with them.
fn figures(evaluation: &Evaluation) -> Markup {
    let headline = evaluation.accuracy_headline();
    let (share, counts) = headline.split_once(" (").unwrap_or((&headline, ""));
    let unscored = evaluation.confusion.unscored();
    html! {
        section.figures aria-label="Headline figures" {
            div.figure.main {
                h2 { "Accuracy" }
                p.value { (share) @if !counts.is_empty() { span.counts { " (" (counts) } } }
                p.meaning { "photos whose likeliest class is the right one" }
            }
            (figure("Top-3", &percent(evaluation.top3), "right class among the three likeliest"))
            (figure("Macro F1", &percent(evaluation.macro_f1), "mean F1, every class weighing the same"))
            (figure("Loss", &nats(evaluation.loss), "mean cross-entropy, in nats"))
            (figure("ECE", &percent(evaluation.ece), "gap between confidence and accuracy"))
        }
        @if unscored > 0 {
            p.warning {
                "For " (unscored) " of " (evaluation.total) " photos the network's output was not a number. "
                "They count as wrong, and there is no mean loss."
            }
        }
    }
}

fn figure(name: &str, value: &str, meaning: &str) -> Markup {
    html! {
        div.figure { h2 { (name) } p.value { (value) } p.meaning { (meaning) } }
    }
}

/// Small enough that the text stays readable when a phone shrinks the picture to its width.
const CURVE_SIZE: PictureSize = PictureSize { width: 440, height: 320 };

fn training(curves: &Curves) -> Result<Markup, EvalError> {
    let drawn = |chart: LineChart<'_>, measure: &str| -> Result<Markup, EvalError> {
        let svg = chart.svg(CURVE_SIZE)?;
        let label = format!("{measure} of training and validation against epoch");
        Ok(html! { figure.curve role="img" aria-label=(label) { (PreEscaped(svg)) } })
    };
    Ok(html! {
        section {
            h2 { "Training" }
            div.curves { (drawn(curves.loss_chart(), "Loss")?) (drawn(curves.accuracy_chart(), "Accuracy")?) }
        }
    })
}

fn recipe_text(recipe: &str) -> Markup {
    html! {
        section {
            h2 { "Recipe" }
            details { summary { "The settings that the model was trained with" } pre { code { (recipe) } } }
        }
    }
}
