//! `cairn data check`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_dataset::{CheckReport, Copies, Skipped, ThinPhoto, check, path_text, skipped_summary};
use cairn_photo::FileKind;
use clap::Args;

use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::json;
use crate::progress::{advance, bar};
use crate::standard_output::StandardOutput;

/// Find unreadable photos, empty classes, duplicates, and photos that stand in both train and test
///
/// The exit status is 2 when anything was found. Files that are no photos and what other programs left are counted, and are
/// no problem.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Data set
    dir: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<Status> {
        let mut out = StandardOutput::open()?;
        let bar = bar(0, "reading photos");
        let report =
            check(&self.dir, self.data_set.manifest_paths(), |done, total| advance(&bar, done, total))?;
        bar.finish_and_clear();
        if self.json {
            json::write_pretty(&mut out, &report)?;
        } else {
            write_report(&mut out, &report)?;
        }
        Ok(Status::with_bad_photos(report.problems()))
    }
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
