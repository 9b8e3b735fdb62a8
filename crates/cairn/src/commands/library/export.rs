//! `cairn library export`

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cairn_library::evidence::{MarkRules, assess};
use cairn_library::export::{Export as Content, ExportFormat, report};
use cairn_places::Gazetteer;
use clap::{Args, ValueEnum};

use super::share::parse_share;
use super::state_options::StateOptions;
use crate::exit::Status;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::places::merged_places;
use crate::progress::say;
use crate::standard_output::StandardOutput;

/// Write what a library shows as a report, a map or a table
///
/// Nothing in the library is written, so that this works on read-only libraries too. html is one page with a map and contact
/// sheets that needs nothing from elsewhere. geojson, kml and gpx are maps of the marked photos. csv, jsonl and parquet have a row
/// for each photo that was considered, marked or not. exiftool is a file of arguments by which exiftool writes the marks.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn library export --format html -o landmarks.html
  cairn library export --format geojson > landmarks.geojson
  cairn library export --format exiftool -o marks.args && exiftool -@ marks.args")]
pub(crate) struct Export {
    #[command(flatten)]
    state: StateOptions,
    /// Format of the output
    #[arg(long, value_enum)]
    format: Format,
    /// Only this landmark
    #[arg(long, value_name = "NAME")]
    landmark: Option<String>,
    /// The largest expected share of wrong marks
    #[arg(long, value_name = "SHARE", default_value = "1/200", value_parser = parse_share)]
    max_wrong: f64,
    /// Only marks that you confirmed
    #[arg(long)]
    confirmed_only: bool,
    /// In a report, photos of each landmark that are shown
    #[arg(long, value_name = "N", default_value_t = 24)]
    thumbnails: usize,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Geojson,
    Kml,
    Gpx,
    Csv,
    Jsonl,
    Parquet,
    Exiftool,
}

impl Export {
    pub(crate) fn run(self) -> Result<Status> {
        let (state, library) = self.state.open()?;
        if self.output.out.as_ref().is_some_and(|out| in_library(out, &library.root)) {
            bail!("an export is not written into the library; name a file elsewhere");
        }
        Outputs::files(self.output.out.clone()).check(self.output.force)?;
        let gazetteer = merged_places(self.places.as_deref())?.unwrap_or_else(Gazetteer::builtin);
        let rules = MarkRules {
            max_wrong: self.max_wrong,
            confirmed_only: self.confirmed_only,
            landmark: self.landmark.clone(),
        };
        let assessment = assess(&state, library.id, &gazetteer)?;
        let content = Content::of(&state, &library, &assessment, &rules, &gazetteer)?;
        let mut bytes = Vec::new();
        self.format(&content, &mut bytes)?;
        match &self.output.out {
            Some(out) => {
                make_folder_of(out)?;
                write_whole(out, &bytes).with_context(|| format!("{}: cannot be written", out.display()))?;
                say(format!("{} photos marked; written to {}", content.marked().count(), out.display()));
            }
            None => StandardOutput::open()?.write_all(&bytes)?,
        }
        Ok(Status::Done)
    }

    fn format(&self, content: &Content<'_>, out: &mut Vec<u8>) -> Result<()> {
        let format = match self.format {
            Format::Html => {
                let options = report::ReportOptions { thumbnails: self.thumbnails };
                return Ok(report::write(content, &options, out)?);
            }
            Format::Geojson => ExportFormat::GeoJson,
            Format::Kml => ExportFormat::Kml,
            Format::Gpx => ExportFormat::Gpx,
            Format::Csv => ExportFormat::Csv,
            Format::Jsonl => ExportFormat::JsonLines,
            #[cfg(feature = "parquet")]
            Format::Parquet => ExportFormat::Parquet,
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => bail!(
                "this cairn was built without Parquet: build it with the feature `parquet`, or take csv"
            ),
            Format::Exiftool => ExportFormat::Exiftool,
        };
        Ok(content.write(format, out)?)
    }
}

fn in_library(out: &std::path::Path, root: &std::path::Path) -> bool {
    let folder =
        out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    folder.canonicalize().is_ok_and(|folder| folder.starts_with(root))
}

fn write_whole(path: &std::path::Path, bytes: &[u8]) -> io::Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
