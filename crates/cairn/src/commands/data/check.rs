//! `cairn data check`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::{CheckReport, Copies, ThinPhoto, check};
use clap::Args;

use crate::exit::Status;
use crate::json;
use crate::progress::{advance, bar};

/// Find unreadable photos, empty classes, duplicates, and photos that stand in both train and test
///
/// The exit status is 2 when anything was found.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Data set
    dir: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(self) -> Result<Status> {
        let bar = bar(0, "reading photos");
        let report = check(&self.dir, |done, total| advance(&bar, done, total))?;
        bar.finish_and_clear();
        if self.json {
            json::print(&report)?;
        } else {
            write_report(&mut io::stdout().lock(), &report)?;
        }
        Ok(Status::with_bad_photos(report.problems()))
    }
}

fn write_report(out: &mut impl Write, report: &CheckReport) -> Result<()> {
    let copies = |copies: &Copies| {
        copies.0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" = ")
    };
    let path = |path: &PathBuf| Path::display(path).to_string();
    let thin =
        |photo: &ThinPhoto| format!("{}: {} x {} pixels", photo.path.display(), photo.width, photo.height);
    let findings: [(&str, Vec<String>); 7] = [
        ("in both train and test", report.in_train_and_test.iter().map(copies).collect()),
        ("under two classes", report.in_two_classes.iter().map(copies).collect()),
        ("there more than once", report.duplicates.iter().map(copies).collect()),
        ("not readable", report.unreadable.iter().map(|bad| bad.message()).collect()),
        ("too thin for any network", report.too_thin.iter().map(thin).collect()),
        ("class folders without photos", report.empty_classes.iter().map(path).collect()),
        ("class folders that train lacks", report.unknown_classes.iter().map(path).collect()),
    ];
    for (what, items) in findings.iter().filter(|(_, items)| !items.is_empty()) {
        writeln!(out, "{what}: {}", items.len())?;
        for item in items {
            writeln!(out, "  {item}")?;
        }
    }
    let ignored = report.ignored.len();
    writeln!(
        out,
        "{} photos looked at, {ignored} other files ignored, {} problems",
        report.photos,
        report.problems()
    )?;
    Ok(())
}
