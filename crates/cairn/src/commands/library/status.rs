//! `cairn library status`

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::escape::shown;
use cairn_dataset::path_text;
use cairn_library::evidence::{Assessment, MarkRules, Marks, assess, marks};
use cairn_library::state::{FileState, LibraryRow, State, Verdict};
use cairn_library::status::Accounts;
use cairn_places::Gazetteer;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::share::parse_share;
use super::state_options::StateOptions;
use crate::exit::Status;
use crate::places::merged_places;
use crate::standard_output::StandardOutput;

/// Say what became of each file of a library, and how right cairn is in it
///
/// Every file that the last scan came upon is in exactly one state. The last part tells how many photos would be marked, and of
/// the photos that have a position of their own and that the model is sure of, how many were taken within sight of the landmark:
/// how right the model is on this very library.
#[derive(Debug, Args)]
pub(crate) struct ShowStatus {
    #[command(flatten)]
    state: StateOptions,
    /// List the files in this state instead: pending, read, unreadable, quarantined, video, sidecar, "not a photo",
    /// "left out", gone, conflict or impossible
    #[arg(long, value_name = "STATE", value_parser = parse_listed)]
    list: Option<Listed>,
    /// The largest expected share of wrong marks
    #[arg(long, value_name = "SHARE", default_value = "1/200", value_parser = parse_share)]
    max_wrong: f64,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Format of the output
    #[arg(long, value_enum, default_value = "table")]
    format: StatusFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    Table,
    Json,
}

/// Which files are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    State(FileState),
    Conflicts,
    Impossible,
}

fn parse_listed(text: &str) -> Result<Listed, String> {
    match text {
        "conflict" => Ok(Listed::Conflicts),
        "impossible" => Ok(Listed::Impossible),
        text => FileState::of_word(&text.replace('-', " ")).map(Listed::State).ok_or_else(|| {
            let states: Vec<&str> = FileState::ALL.iter().map(|state| state.word()).collect();
            format!("one of {}, conflict, impossible", states.join(", "))
        }),
    }
}

impl ShowStatus {
    pub(crate) fn run(self) -> Result<Status> {
        let (state, library) = self.state.open()?;
        let gazetteer = merged_places(self.places.as_deref())?.unwrap_or_else(Gazetteer::builtin);
        let mut out = io::BufWriter::new(StandardOutput::open()?);
        if let Some(Listed::State(listed)) = self.list {
            self.list_files(&state, &library, listed, &mut out)?;
        } else {
            let assessment = assess(&state, library.id, &gazetteer)?;
            match self.list {
                Some(listed) => self.list_photos(&state, &assessment, listed, &mut out)?,
                None => {
                    let accounts = Accounts::of(&state, library.id)?;
                    let rules = MarkRules { max_wrong: self.max_wrong, ..MarkRules::default() };
                    let marks = marks(&assessment, &rules, &gazetteer);
                    match self.format {
                        StatusFormat::Table => table(&library, &accounts, &assessment, &marks, &mut out)?,
                        StatusFormat::Json => as_json(&library, &accounts, &assessment, &marks, &mut out)?,
                    }
                }
            }
        }
        out.flush()?;
        Ok(Status::Done)
    }

    fn list_files(
        &self,
        state: &State,
        library: &LibraryRow,
        listed: FileState,
        out: &mut impl Write,
    ) -> Result<()> {
        let mut write = |path: String, reason: Option<String>| -> io::Result<()> {
            match (self.format, reason) {
                (StatusFormat::Json, reason) => {
                    writeln!(out, "{}", json!({ "path": path, "reason": reason }))
                }
                (StatusFormat::Table, Some(reason)) => writeln!(out, "{}\t{}", shown(&path), shown(&reason)),
                (StatusFormat::Table, None) => writeln!(out, "{}", shown(&path)),
            }
        };
        state.each_file_in(library.id, listed, |file| -> Result<()> {
            Ok(write(path_text(&file.path), file.reason)?)
        })
    }

    fn list_photos(
        &self,
        state: &State,
        assessment: &Assessment,
        listed: Listed,
        out: &mut impl Write,
    ) -> Result<()> {
        let photos = assessment.photos.iter().filter(|photo| match listed {
            Listed::Conflicts => photo.is_conflict(),
            _ => photo.context.verdict == Verdict::Impossible,
        });
        for photo in photos {
            let Some(file) = state.file(photo.file)? else { continue };
            let (path, km) = (path_text(&file.path), photo.context.distance_km.unwrap_or_default());
            match self.format {
                StatusFormat::Json => writeln!(
                    out,
                    "{}",
                    json!({
                        "path": path, "landmark": photo.landmark, "probability": photo.model_probability,
                        "distance_km": km, "seconds": photo.context.seconds,
                    })
                )?,
                StatusFormat::Table => {
                    writeln!(out, "{}\t{}\t{km:.0} km away", shown(&path), shown(&photo.landmark))?;
                }
            }
        }
        Ok(())
    }
}

fn table(
    library: &LibraryRow,
    accounts: &Accounts,
    assessment: &Assessment,
    marks: &Marks,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{} ({})", shown(&path_text(&library.root)), library.file_system)?;
    match (accounts.scan, accounts.adds_up()) {
        (None, _) => writeln!(out, "never scanned")?,
        (Some(scan), Some(true)) => {
            writeln!(out, "{} files walked, all accounted for", scan.walked.unwrap_or_default())?;
        }
        (Some(scan), Some(false)) => writeln!(
            out,
            "{} files walked, {} accounted for: scan again",
            scan.walked.unwrap_or_default(),
            accounts.present()
        )?,
        (Some(_), None) => writeln!(out, "the last walk was stopped: scan again for the rest")?,
    }
    writeln!(out)?;
    for state in FileState::ALL {
        let files = accounts.files(*state);
        if files == 0 && *state != FileState::Read {
            continue;
        }
        let reasons: Vec<String> = accounts
            .counts
            .iter()
            .filter(|count| count.state == *state)
            .filter_map(|count| count.reason.as_ref().map(|reason| format!("{reason} {}", count.files)))
            .collect();
        let more = reasons.len().saturating_sub(SHOWN_REASONS);
        let mut reasons = reasons[..reasons.len() - more].join(", ");
        if more > 0 {
            reasons += &format!(" and {more} more reasons");
        }
        let line = format!("{:12} {files:>9}  {}", state.word(), shown(&reasons));
        writeln!(out, "{}", line.trim_end())?;
    }
    if assessment.looked_at > 0 {
        writeln!(out)?;
        landmarks(assessment, marks, out)?;
    }
    Ok(())
}

/// Reasons that a table names for each state.
const SHOWN_REASONS: usize = 6;

fn landmarks(assessment: &Assessment, marks: &Marks, out: &mut impl Write) -> io::Result<()> {
    let model = assessment.model.as_ref().map_or("?", |model| &model.name);
    writeln!(out, "{:>9}  photos that the model `{}` looked at", assessment.looked_at, shown(model))?;
    if !assessment.is_calibrated {
        return writeln!(
            out,
            "The model has no two thresholds for landmarks, so that only what you confirm is marked; `cairn calibrate` \
             finds them."
        );
    }
    writeln!(out, "{:>9}  show a landmark, as estimated from all scores", percent(assessment.share))?;
    writeln!(
        out,
        "{:>9}  would be marked, {:.1} of them wrong, as expected",
        marks.marks.len(),
        marks.expected_wrong
    )?;
    writeln!(out, "{:>9}  are named and not sure enough", marks.not_sure)?;
    writeln!(
        out,
        "{:>9}  are not possible by the photos before and after or by their own position",
        marks.vetoed
    )?;
    if marks.rejected > 0 {
        writeln!(out, "{:>9}  were rejected by you", marks.rejected)?;
    }
    let conflicts = assessment.photos.iter().filter(|photo| photo.is_conflict()).count();
    if conflicts > 0 {
        writeln!(out, "{conflicts:>9}  of these have a position far from what they show (--list conflict)")?;
    }
    let precision = &assessment.precision;
    let Some((low, high)) = precision.interval else {
        return writeln!(
            out,
            "No photo that the model is sure of has a position, to tell how right it is here."
        );
    };
    writeln!(
        out,
        "Of {} photos with a position that the model is sure of, {} were taken within sight of the landmark \
         (95 % interval {} to {}):",
        precision.photos,
        precision.in_sight,
        percent(low),
        percent(high)
    )?;
    for landmark in &precision.landmarks {
        writeln!(
            out,
            "{:>9}  {}",
            format!("{}/{}", landmark.in_sight, landmark.photos),
            shown(&landmark.landmark)
        )?;
    }
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn as_json(
    library: &LibraryRow,
    accounts: &Accounts,
    assessment: &Assessment,
    marks: &Marks,
    out: &mut impl Write,
) -> io::Result<()> {
    let conflicts = assessment.photos.iter().filter(|photo| photo.is_conflict()).count();
    let value = json!({
        "library": path_text(&library.root),
        "file_system": library.file_system,
        "scan": accounts.scan,
        "files": accounts.present(),
        "adds_up": accounts.adds_up(),
        "states": accounts.counts,
        "landmarks": {
            "model": assessment.model.as_ref().map(|model| &model.name),
            "calibrated": assessment.is_calibrated,
            "looked_at": assessment.looked_at,
            "share": assessment.share,
            "marks": marks.marks.len(),
            "expected_wrong": marks.expected_wrong,
            "not_sure": marks.not_sure,
            "not_possible": marks.vetoed,
            "rejected": marks.rejected,
            "conflicts": conflicts,
            "own_positions": assessment.precision,
        },
    });
    writeln!(out, "{value:#}")
}
