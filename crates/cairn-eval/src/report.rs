//! The report.
use crate::curves::Curves;
use crate::error::EvalError;
use crate::evaluation::Evaluation;
use crate::whole_file::write_whole;
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

/// Writes the report as one HTML file and returns its path: `path` itself, or `report.html` in it when `path` is a
/// folder. The file needs nothing beside it and nothing from a network. One already there is replaced as a whole.
///
/// # Errors
/// [`EvalError::Write`] when the file cannot be written, [`EvalError::Draw`] when the curves cannot be drawn.
pub fn write_report(path: &Path, inputs: &ReportInputs<'_>) -> Result<PathBuf, EvalError> {
    let path = if path.is_dir() { path.join("report.html") } else { path.to_owned() };
    write_whole(&path, page(inputs)?.as_bytes())?;
    Ok(path)
}
fn page(_: &ReportInputs<'_>) -> Result<String, EvalError> {
    Ok(String::new())
}
