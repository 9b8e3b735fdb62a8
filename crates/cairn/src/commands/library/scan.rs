//! `cairn library scan`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cairn_library::evidence::{assess, store_context};
use cairn_library::scan::{Exclude, ScanModel, ScanOptions, ScanReport, Watcher, scan};
use cairn_library::state::State;
use cairn_model::ModelOptions;
use cairn_places::Gazetteer;
use clap::{Args, ValueHint};

use super::scan_progress::ScanProgress;
use super::state_options::StateOption;
use crate::exit::Status;
use crate::model_source::ModelOption;
use crate::places::merged_places;
use crate::progress::say;
use crate::signals::stop_on_signals;

/// Read the photos of a library and look for landmarks
///
/// Nothing in the library is written. Each file is read once; files that are known and unchanged are not read again. A scan that
/// is stopped, by Ctrl-C or by a crash, goes on where it was when the same command is given again.
///
/// A library that is mounted over a network may be scanned; the state must be on a local disk.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn library scan ~/Pictures
  cairn library scan                                 all libraries again: new and changed files only
  cairn library scan /mnt/photos --no-predict        times, places and groups alone
  cairn library scan ~/Pictures --exclude '*.png' --exclude 'Screenshots'")]
pub(crate) struct Scan {
    /// Folders, each a library of its own [default: all libraries of the state]
    #[arg(value_name = "ROOT", value_hint = ValueHint::DirPath)]
    roots: Vec<PathBuf>,
    #[command(flatten)]
    state: StateOption,
    #[command(flatten)]
    model: ModelOption,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Threads that read files and look at photos [default: as many as --threads]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Read files and their metadata, and look for no landmarks
    #[arg(long)]
    no_predict: bool,
    /// Leave out files and folders of this name, or of this path from the root (*, ** and ? stand for others)
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Exclude>,
    /// Read all files again, also those that are unchanged by size and time
    #[arg(long)]
    rehash: bool,
    /// Try files again that were being read in two crashes
    #[arg(long)]
    retry_quarantined: bool,
}

impl Scan {
    pub(crate) fn run(self) -> Result<Status> {
        if self.jobs == Some(0) {
            bail!("--jobs 0 does nothing; give one at least");
        }
        let state = State::open(&self.state.folder()?)?;
        let lock = state.lock()?;
        let roots = if self.roots.is_empty() {
            state.libraries()?.into_iter().map(|library| library.root).collect()
        } else {
            self.roots.clone()
        };
        if roots.is_empty() {
            bail!("name the folder of a library; this state holds none yet");
        }
        let places = merged_places(self.places.as_deref())?;
        let gazetteer = places.clone().unwrap_or_else(Gazetteer::builtin);
        let model = if self.no_predict { None } else { Some(self.open_model(places)?) };
        let options = ScanOptions {
            jobs: self.jobs.unwrap_or(0),
            exclude: self.exclude,
            rehash: self.rehash,
            retry_quarantined: self.retry_quarantined,
        };
        let interrupt = stop_on_signals("these photos")?;
        let mut unreadable = 0;
        for root in roots {
            let mut progress = ScanProgress::new();
            let mut watcher =
                Watcher { on_event: &mut |event| progress.tell(event), stop: &|| interrupt.requested() };
            let (library, report) = scan(&state, &lock, &root, model.as_ref(), &options, &mut watcher)?;
            progress.end();
            say(summary(&path_text(&library.root), &report));
            if report.interrupted {
                return Ok(Status::Interrupted);
            }
            store_context(&state, library.id, &assess(&state, library.id, &gazetteer)?.photos)?;
            unreadable += report.unreadable;
        }
        Ok(Status::with_bad_photos(unreadable as usize))
    }

    fn open_model(&self, places: Option<Gazetteer>) -> Result<ScanModel> {
        let (model, identity) = self.model.source.open_identified()?;
        let options = ModelOptions { places, ..ModelOptions::default() };
        let model = model.with_options(options).with_context(|| self.model.source.to_string())?;
        Ok(ScanModel { model, identity })
    }
}

/// What a scan did, in a line.
fn summary(root: &str, report: &ScanReport) -> String {
    let ScanReport { walked, changed, gone, read, unreadable, interrupted } = report;
    let mut line = format!("{root}: {walked} files, {changed} new or changed, {gone} gone, {read} read");
    if *unreadable > 0 {
        line += &format!(", {unreadable} of them unreadable");
    }
    if *interrupted {
        line += "; stopped: the same command goes on";
    }
    line
}
