//! The report: one HTML page about one test of one model, that needs nothing beside it.

mod classes;
mod exhibits;
mod figure;
mod frame;
mod labels;

pub use exhibits::{Exhibit, surest_hits, worst_mistakes};
pub use labels::{Doubt, DoubtfulPhoto, LabelPage};

use self::figure::responsive;
use crate::curves::Curves;
use crate::error::EvalError;
use crate::evaluation::{Evaluation, nats, percent};
use crate::picture::{
    Breadth, ClassFigures, ClassSize, ClassSizes, ConfusionPicture, Picture, PictureSize, ReliabilityDiagram,
};
use crate::whole_file::write_whole;
use cairn_dataset::escape::{shown, shown_lines};
use maud::{Markup, html};
use std::fs;
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
    pub training: Option<TrainingFacts<'a>>,
    /// The data set's photos to learn from, by class, when they are known.
    pub train_sizes: Option<&'a [usize]>,
    /// The [worst mistakes](worst_mistakes), or none.
    pub mistakes: &'a [Exhibit],
    /// The [surest right answers](surest_hits), or none.
    pub hits: &'a [Exhibit],
}

/// The training of the model that was tested.
#[derive(Debug, Clone, Copy)]
pub struct TrainingFacts<'a> {
    /// Loss and accuracy, epoch by epoch.
    pub curves: &'a Curves,
    /// What it ran on, in words.
    pub machine: &'a str,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Writes the report and returns the page's path.
///
/// A `path` that ends in `.html` is the page. Any other is a folder, which is made if it is not there; it gets the page
/// as `report.html`, and beside it, as SVG and PNG, the pictures `classes`, `confusion`, `reliability`, `sizes` and, of
/// a known training, `loss` and `accuracy`. The page needs none of them, nor anything from a network. Files already
/// there are replaced, each as a whole.
///
/// # Errors
/// [`EvalError::Write`] when a file cannot be written, [`EvalError::Draw`] when a picture cannot be drawn.
pub fn write_report(path: &Path, inputs: &ReportInputs<'_>) -> Result<PathBuf, EvalError> {
    let page_path = page_path(path);
    if page_path != path {
        fs::create_dir_all(path).map_err(|source| EvalError::Write { path: path.to_owned(), source })?;
        write_pictures(path, inputs)?;
    }
    write_whole(&page_path, page(inputs)?.into_string().as_bytes())?;
    Ok(page_path)
}

/// The page of a report that is written to `path`.
fn page_path(path: &Path) -> PathBuf {
    let is_page = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("html"));
    if is_page { path.to_owned() } else { path.join("report.html") }
}

/// All files that [`write_report`] may write for `path`: the page, and in a folder its pictures.
pub fn report_files(path: &Path) -> Vec<PathBuf> {
    let page = page_path(path);
    let mut files = vec![page.clone()];
    if page != path {
        let pictures = ["classes", "confusion", "reliability", "sizes", "loss", "accuracy"];
        files.extend(
            pictures.iter().flat_map(|name| ["svg", "png"].map(|kind| path.join(name).with_extension(kind))),
        );
    }
    files
}

fn write_pictures(folder: &Path, inputs: &ReportInputs<'_>) -> Result<(), EvalError> {
    let evaluation = inputs.evaluation;
    ClassFigures::new(&evaluation.per_class, Breadth::Wide).write(folder, "classes")?;
    if let Some(confusion) = ConfusionPicture::new(evaluation) {
        confusion.write(folder, "confusion")?;
    }
    ReliabilityDiagram { evaluation, breadth: Breadth::Wide }.write(folder, "reliability")?;
    class_sizes(inputs, Breadth::Wide).write(folder, "sizes")?;
    inputs.training.map_or(Ok(()), |training| training.curves.write(folder))
}

fn page(inputs: &ReportInputs<'_>) -> Result<Markup, EvalError> {
    let evaluation = inputs.evaluation;
    let content = html! {
        (header(inputs))
        (figures(evaluation))
        (classes::class_section(evaluation)?)
        (classes::confusion_section(evaluation)?)
        (classes::confused_pairs(evaluation))
        (exhibits::section("Worst mistakes", "Wrong answers", inputs.mistakes, evaluation)?)
        (exhibits::section("Surest of the right", "Right answers", inputs.hits, evaluation)?)
        (calibration(evaluation)?)
        @if let Some(training) = &inputs.training { (training_section(training)?) }
        (classes::sizes_section(|breadth| class_sizes(inputs, breadth))?)
        @if let Some(recipe) = inputs.recipe { (recipe_text(recipe)) }
    };
    let title = format!("{} – {}", evaluation.accuracy_headline(), shown(inputs.model));
    Ok(frame::page(&title, &content))
}

fn header(inputs: &ReportInputs<'_>) -> Markup {
    let evaluation = inputs.evaluation;
    html! {
        header {
            p.kind { "Landmark classifier, test report" }
            h1 { (shown(inputs.model)) }
            dl.facts {
                div { dt { "Tested on" } dd { (shown(inputs.data)) } }
                div { dt { "Photos" } dd { (evaluation.total) } }
                div { dt { "Classes" } dd { (evaluation.per_class.len()) } }
                div { dt { "Date" } dd { (shown(inputs.date)) } }
                @if let Some(training) = &inputs.training {
                    div { dt { "Trained in" } dd { (duration(training.seconds)) } }
                    div { dt { "Trained on" } dd { (shown(training.machine)) } }
                }
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
            (headline_figure("Top-3", &percent(evaluation.top3), "right class among the three likeliest"))
            (headline_figure("Macro F1", &percent(evaluation.macro_f1), "mean F1, every class weighing the same"))
            (headline_figure("Loss", &nats(evaluation.loss), "mean cross-entropy, in nats"))
            (headline_figure("ECE", &percent(evaluation.ece), "gap between confidence and accuracy"))
        }
        @if unscored > 0 {
            p.warning {
                "For " (unscored) " of " (evaluation.total) " photos the network's output was not a number. "
                "They count as wrong, and there is no mean loss."
            }
        }
    }
}

fn headline_figure(name: &str, value: &str, meaning: &str) -> Markup {
    html! {
        div.figure { h2 { (name) } p.value { (value) } p.meaning { (meaning) } }
    }
}

fn calibration(evaluation: &Evaluation) -> Result<Markup, EvalError> {
    Ok(html! {
        section {
            h2 { "Reliability" }
            p.lead {
                "On the diagonal, answers are right as often as their probability says; below it they are too sure of "
                "themselves. The larger a mark, the more photos."
                @if evaluation.temperature != 1.0 {
                    " Logits are divided by a temperature of " (format!("{:.3}", evaluation.temperature))
                    ", fitted to the validation photos; without it the loss is " (nats(evaluation.loss_uncalibrated)) "."
                }
            }
            (responsive(|breadth| ReliabilityDiagram { evaluation, breadth })?)
        }
    })
}

/// Two stand side by side in a wide window, and below each other in a narrow one.
fn curve_size(breadth: Breadth) -> PictureSize {
    match breadth {
        Breadth::Wide => PictureSize { width: 470, height: 340 },
        Breadth::Narrow => PictureSize { width: breadth.pixels(), height: 300 },
    }
}

fn training_section(training: &TrainingFacts<'_>) -> Result<Markup, EvalError> {
    let curves = training.curves;
    Ok(html! {
        section {
            h2 { "Training" }
            div.curves {
                div { (responsive(|breadth| curves.loss_chart(curve_size(breadth)))?) }
                div { (responsive(|breadth| curves.accuracy_chart(curve_size(breadth)))?) }
            }
        }
    })
}

fn class_sizes<'a>(inputs: &ReportInputs<'a>, breadth: Breadth) -> ClassSizes<'a> {
    let classes = inputs.evaluation.per_class.iter().enumerate();
    let size = |(class, report): (usize, &'a crate::classification::ClassReport)| ClassSize {
        name: &report.name,
        test: report.support,
        train: inputs.train_sizes.and_then(|sizes| sizes.get(class).copied()),
    };
    ClassSizes::new(classes.map(size).collect(), breadth)
}

fn recipe_text(recipe: &str) -> Markup {
    html! {
        section {
            h2 { "Recipe" }
            details { summary { "The settings that the model was trained with" } pre { code { (shown_lines(recipe)) } } }
        }
    }
}

/// A time as people say it: `58 s`, `12 min`, `3 h 05 min`.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 if seconds < 0.95 => "under 1 s".to_owned(),
        0 if seconds < 9.95 => format!("{seconds:.1} s"),
        0 => format!("{seconds:.0} s"),
        1..=59 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_duration_reads_as_people_say_it() {
        assert_eq!(duration(0.0), "under 1 s");
        assert_eq!(duration(0.4), "under 1 s");
        assert_eq!(duration(3.44), "3.4 s");
        assert_eq!(duration(12.4), "12 s");
        assert_eq!(duration(59.0), "1 min");
        assert_eq!(duration(3540.0), "59 min");
        assert_eq!(duration(3599.0), "1 h 00 min");
        assert_eq!(duration(11_100.0), "3 h 05 min");
    }
}
