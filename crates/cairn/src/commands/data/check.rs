//! `cairn data check`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_dataset::{CheckReport, Copies, Skipped, ThinPhoto, check, path_text, skipped_summary};
use cairn_photo::FileKind;
use clap::Args;
use serde::Serialize;

use super::label_doubts::{Doubts, LabelFindings};
use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::json;
use crate::model_source::ModelSource;
use crate::output::{OutputOption, Outputs};
use crate::progress::{advance, bar, say};
use crate::standard_output::StandardOutput;

/// Find unreadable photos, empty classes, duplicates, photos that stand in both train and test, and likely wrong labels
///
/// With --labels-by, also lists training photos whose label is likely wrong and photos that are like no others, and writes a
/// page that shows them (-o). Such photos are no problem by themselves; somebody should look at them.
///
/// The exit status is 2 when any other thing was found. Files that are no photos and what other programs left are counted, and are
/// no problem.
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| out.requires("labels_by").help("HTML page of doubtful photos to write")))]
pub(crate) struct Check {
    /// Data set
    dir: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Also check labels, by the features of this model. It must not have learned from these labels, but for its last layer:
    /// a run of `--recipe probe`, say
    #[arg(long, value_name = "MODEL")]
    labels_by: Option<ModelSource>,
    /// Also write the training photos whose label is in doubt to FILE, one a line, for a recipe's `photos.leave_out`
    #[arg(long, value_name = "FILE", requires = "labels_by")]
    doubtful: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<Status> {
        let page = self.output.out.as_deref();
        Outputs::files(page.map(Path::to_owned).into_iter().chain(self.doubtful.clone()))
            .reading([self.dir.as_path()])
            .check(self.output.force)?;
        let mut out = StandardOutput::open()?;
        let bar = bar(0, "reading photos");
        let report =
            check(&self.dir, self.data_set.manifest_paths(), |done, total| advance(&bar, done, total))?;
        bar.finish_and_clear();
        let doubts =
            self.labels_by.as_ref().map(|model| Doubts::of(&self.dir, &self.data_set, model)).transpose()?;
        if let (Some(doubts), Some(page)) = (&doubts, page) {
            doubts.write_page(page)?;
            say(format!("page: {}", path_text(page)));
        }
        if let (Some(doubts), Some(list)) = (&doubts, &self.doubtful) {
            doubts.write_list(list)?;
            say(format!("list: {}", path_text(list)));
        }
        if self.json {
            json::write_pretty(
                &mut out,
                &Findings { report: &report, labels: doubts.as_ref().map(Doubts::findings) },
            )?;
        } else {
            write_report(&mut out, &report)?;
            if let Some(doubts) = &doubts {
                doubts.write_lines(&mut out)?;
            }
        }
        Ok(Status::with_bad_photos(report.problems()))
    }
}

/// What was found, as JSON.
#[derive(Serialize)]
struct Findings<'a> {
    #[serde(flatten)]
    report: &'a CheckReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<LabelFindings>,
}

fn write_report(out: &mut impl Write, report: &CheckReport) -> Result<()> {
    let copies = |copies: &Copies| copies.0.iter().map(path_text).collect::<Vec<_>>().join(" = ");
    let link = |Skipped { path, reason }: &Skipped| format!("{}: {reason}", path_text(path));
    let thin = |ThinPhoto { path, width, height }: &ThinPhoto| {
        format!("{}: {width} x {height} pixels", path_text(path))
    };
    let findings: [(&str, Vec<String>); 10] = [
        ("in both train and test", report.in_train_and_test.iter().map(copies).collect()),
        ("under two classes", report.in_two_classes.iter().map(copies).collect()),
        ("there more than once", report.duplicates.iter().map(copies).collect()),
        ("not readable", report.unreadable.iter().map(|bad| bad.message()).collect()),
        ("too thin for any network", report.too_thin.iter().map(thin).collect()),
        ("class folders without photos", report.empty_classes.iter().map(path_text).collect()),
        ("class folders that train lacks", report.unknown_classes.iter().map(path_text).collect()),
        (
            "class folders with one name in two Unicode normal forms",
            report.alike_classes.iter().map(copies).collect(),
        ),
        ("links left out", report.links.iter().map(link).collect()),
        ("photos outside of the class folders", report.outside_classes.iter().map(path_text).collect()),
    ];
    for (what, items) in findings.iter().filter(|(_, items)| !items.is_empty()) {
        writeln!(out, "{what}: {}", items.len())?;
        for item in items {
            writeln!(out, "  {}", shown(item))?;
        }
    }
    if let Some(summary) = skipped_summary(&report.ignored) {
        writeln!(out, "{summary}")?;
    }
    let photos = FileKind::Photo.noun(report.photos);
    let problems = if report.problems() == 1 { "problem" } else { "problems" };
    writeln!(out, "{} {photos} looked at, {} {problems}", report.photos, report.problems())?;
    Ok(())
}
