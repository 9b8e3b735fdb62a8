//! `cairn library organise`

use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_dataset::path_text;
use cairn_library::evidence::{MarkRules, assess, marks};
use cairn_library::organise::{NotPlaced, OrganiseMode, Template, organise};
use cairn_library::plan::PlanTarget;
use cairn_places::Gazetteer;
use clap::{Args, ValueEnum, ValueHint};

use super::share::parse_share;
use super::state_options::StateOptions;
use crate::exit::Status;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::places::merged_places;
use crate::progress::say;

/// Make albums by landmark: links, copies, moves, or albums on an Immich server
///
/// Writes a plan, which `cairn library apply` carries out and `cairn library undo` takes back. Albums are outside of the library.
/// Copies and moves take all files of a shot along: raw file, film, sidecars. A file is moved within one file system alone, and
/// nothing is ever deleted or written over: a photo whose name is taken there stays where it is.
///
/// immich adds the photos to albums of an Immich server at once, without a plan; --dry-run says what it would do, and --undo takes
/// back what was added. The server's photos are found by their paths there. The key is in the variable IMMICH_API_KEY or in a file,
/// and is kept nowhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn library organise links ~/Albums -o albums.plan && cairn library apply albums.plan
  cairn library organise copy /mnt/stick --template '{country}/{landmark}' -o stick.plan
  cairn library organise immich http://nas:2283 --path-map /home/me/photos=/mnt/photos")]
pub(crate) struct Organise {
    /// How photos come into albums
    #[arg(value_name = "links|copy|move|immich", value_enum)]
    mode: Mode,
    /// Folder of the albums, which must exist; the address of an Immich server
    #[arg(value_name = "DEST|URL", value_hint = ValueHint::DirPath)]
    destination: PathBuf,
    #[command(flatten)]
    state: StateOptions,
    /// Folders of each photo, of {landmark}, {country}, {country_code}, {region}, {city}, {year}, {month}, {day}
    #[arg(long, value_name = "T", default_value = "{country}/{landmark}/{year}-{month}")]
    template: Template,
    /// Kind of links
    #[arg(long, value_enum, default_value = "symbolic")]
    link: Link,
    /// Only this landmark
    #[arg(long, value_name = "NAME")]
    landmark: Option<String>,
    /// The largest expected share of wrong marks
    #[arg(long, value_name = "SHARE", default_value = "1/200", value_parser = parse_share)]
    max_wrong: f64,
    /// Only marks that you confirmed
    #[arg(long)]
    confirmed_only: bool,
    #[command(flatten)]
    server: super::immich::ServerOptions,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Links,
    Copy,
    Move,
    Immich,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Link {
    Symbolic,
    Hard,
}

impl Organise {
    pub(crate) fn run(self) -> Result<Status> {
        let out = match self.mode {
            Mode::Immich => None,
            _ => Some(self.output.named()?),
        };
        Outputs::files(out.clone()).check(self.output.force)?;
        let (state, library) = self.state.open()?;
        if self.mode == Mode::Immich && self.server.undo {
            return self.server.take_back(&state, &self.destination);
        }
        let gazetteer = merged_places(self.places.as_deref())?.unwrap_or_else(Gazetteer::builtin);
        let rules = MarkRules {
            max_wrong: self.max_wrong,
            confirmed_only: self.confirmed_only,
            landmark: self.landmark,
        };
        let mode = match (self.mode, self.link) {
            (Mode::Links, Link::Symbolic) => OrganiseMode::SymbolicLinks,
            (Mode::Links, Link::Hard) => OrganiseMode::HardLinks,
            (Mode::Copy, _) => OrganiseMode::Copies,
            (Mode::Move | Mode::Immich, _) => OrganiseMode::Moves,
        };
        let marks = marks(&assess(&state, library.id, &gazetteer)?, &rules, &gazetteer);
        if marks.marks.is_empty() {
            bail!(
                "no photo is sure enough to be in an album; see `cairn library status`, or raise --max-wrong"
            );
        }
        let Some(out) = out else {
            return self.server.add(&state, &library, &marks, &self.destination);
        };
        make_folder_of(&out)?;
        let target = PlanTarget { path: &out, replaces: self.output.force.replace };
        let report =
            organise(&state, &library, &marks, &gazetteer, mode, &self.destination, &self.template, target)?;
        for (path, reason) in report.skipped.iter().filter(|(_, reason)| *reason != NotPlaced::There) {
            say(format!("{}: left where it is: {reason}", path_text(path)));
        }
        let there = report.skipped.iter().filter(|(_, reason)| *reason == NotPlaced::There).count();
        say(format!(
            "{} files into {} albums ({there} are there already); carry it out: cairn library apply {}",
            report.operations,
            report.albums.len(),
            out.display()
        ));
        Ok(Status::with_bad_photos(report.skipped.len() - there))
    }
}
