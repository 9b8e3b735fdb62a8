//! `cairn library plan`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_dataset::escape::shown;
use cairn_library::decisions::Decisions;
use cairn_library::evidence::{MarkRules, assess, marks};
use cairn_library::plan::{Destination, Level, MakeReport, PlanRequest, PlanTarget, Roots, make};
use cairn_library::sidecar::SidecarStyle;
use cairn_places::Gazetteer;
use clap::{Args, ValueEnum, ValueHint};

use super::share::parse_share;
use super::state_options::StateOptions;
use crate::exit::Status;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::places::merged_places;
use crate::progress::say;
use crate::standard_output::StandardOutput;

/// Decide what is written into which photo's metadata, and write that to a plan file
///
/// Nothing in the library is written. `cairn library diff PLAN` shows what would change, `cairn library apply PLAN` does it, and
/// `cairn library undo PLAN` takes it back.
///
/// A mark is a keyword below `auto|landmark` (below `Landmarks` once you confirmed it), and the place that the picture shows. It
/// says nothing about where the camera stood.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn library plan -o marks.plan                              sidecars beside the photos
  cairn library plan --to embed -o marks.plan                   into JPEG, PNG and WebP files that have no sidecar
  cairn library plan --to sidecar-dir --sidecar-dir ~/sidecars -o marks.plan   for a library that is read-only
  cairn library plan --write place --confirmed-only -o marks.plan")]
pub(crate) struct MakePlan {
    #[command(flatten)]
    state: StateOptions,
    /// How much to write
    #[arg(long, value_enum, default_value = "shown")]
    write: WriteLevel,
    /// Where to write it
    #[arg(long, value_enum, default_value = "sidecar")]
    to: To,
    /// Folder of the sidecars of `--to sidecar-dir`; it mirrors the library's folders
    #[arg(long, value_name = "DIR", required_if_eq("to", "sidecar-dir"), value_hint = ValueHint::DirPath)]
    sidecar_dir: Option<PathBuf>,
    /// Name of new sidecars: photo.jpg.xmp (ext), photo.xmp (stem), or as the folder's others are named
    #[arg(long, value_enum, default_value = "auto")]
    sidecar_name: SidecarName,
    /// The largest expected share of wrong marks
    #[arg(long, value_name = "SHARE", default_value = "1/200", value_parser = parse_share)]
    max_wrong: f64,
    /// Mark only what you confirmed in `cairn library review`
    #[arg(long)]
    confirmed_only: bool,
    /// Mark only this landmark
    #[arg(long, value_name = "NAME")]
    landmark: Option<String>,
    /// Top of the keywords of marks that nobody reviewed
    #[arg(long, value_name = "KEYWORD", default_value_t = Roots::default().auto)]
    auto_root: String,
    /// Top of the keywords of confirmed marks
    #[arg(long, value_name = "KEYWORD", default_value_t = Roots::default().confirmed)]
    confirmed_root: String,
    /// Keep the time of change of photos that are written into
    #[arg(long)]
    keep_mtime: bool,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WriteLevel {
    /// Keywords and the place that the picture shows
    Shown,
    /// And city, state and country, where all are empty
    Place,
    /// And an estimated position, where there is none (sidecars only)
    EstimatedGps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// The sidecar that the photo has, or a new one beside it
    Sidecar,
    /// Sidecars in another folder
    SidecarDir,
    /// The photo itself: JPEG, PNG and WebP
    Embed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SidecarName {
    Auto,
    Ext,
    Stem,
}

impl MakePlan {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.output.named()?;
        Outputs::files([out.clone()]).check(self.output.force)?;
        let (state, library) = self.state.open()?;
        let gazetteer = merged_places(self.places.as_deref())?.unwrap_or_else(Gazetteer::builtin);
        let request = PlanRequest {
            level: match self.write {
                WriteLevel::Shown => Level::Shown,
                WriteLevel::Place => Level::Place,
                WriteLevel::EstimatedGps => Level::EstimatedGps,
            },
            destination: match (self.to, &self.sidecar_dir) {
                (To::SidecarDir, Some(folder)) => Destination::SidecarDir(std::path::absolute(folder)?),
                (_, Some(_)) => bail!("--sidecar-dir goes with `--to sidecar-dir`"),
                (To::Embed, None) => Destination::Embed,
                // clap sees to it that --to sidecar-dir names a folder.
                (To::Sidecar | To::SidecarDir, None) => Destination::Sidecar,
            },
            style: match self.sidecar_name {
                SidecarName::Auto => None,
                SidecarName::Ext => Some(SidecarStyle::Extended),
                SidecarName::Stem => Some(SidecarStyle::Stem),
            },
            roots: Roots { auto: self.auto_root, confirmed: self.confirmed_root },
            keep_mtime: self.keep_mtime,
            model: String::new(),
        };
        // First the decisions: rows that the database lost come back from their file.
        Decisions::open(&state, library.id)?;
        let assessment = assess(&state, library.id, &gazetteer)?;
        if assessment.model.is_none() && assessment.photos.is_empty() {
            bail!("no model has looked at this library; run `cairn library scan` without --no-predict first");
        }
        let rules = MarkRules {
            max_wrong: self.max_wrong,
            confirmed_only: self.confirmed_only,
            landmark: self.landmark,
        };
        let found = marks(&assessment, &rules, &gazetteer);
        let model = assessment.model.as_ref().map(|model| model.hash.clone()).unwrap_or_default();
        let request = PlanRequest { model, ..request };
        make_folder_of(&out)?;
        let target = PlanTarget { path: &out, replaces: self.output.force.replace };
        let report = make(&state, &library, &found, &gazetteer, &request, target)?;
        for (path, reason) in &report.skipped {
            say(format!("left out: {}: {reason}", shown(&path.to_string_lossy())));
        }
        let mut data = StandardOutput::open()?;
        writeln!(data, "{}", shown(&out.to_string_lossy()))?;
        writeln!(data, "{}", summary(&report))?;
        for (landmark, count) in &report.landmarks {
            writeln!(data, "{count:>7}  {}", shown(landmark))?;
        }
        for name in &report.long_names {
            say(format!("warning: {}: longer than IPTC keywords and Nextcloud's tags can be", shown(name)));
        }
        Ok(Status::with_bad_photos(report.skipped.len()))
    }
}

fn summary(report: &MakeReport) -> String {
    let marks: u32 = report.landmarks.values().sum();
    format!(
        "{marks} photos to mark (expected wrong: {:.1}), {} marks to take out, {} marked already, {} left out",
        report.expected_wrong,
        report.removals,
        report.unchanged,
        report.skipped.len()
    )
}
