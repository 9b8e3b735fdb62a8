//! The options of `cairn library organise immich`, and what it says.

use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_library::evidence::Marks;
use cairn_library::state::{LibraryRow, State};
use clap::{Args, ValueHint};

use crate::exit::Status;

/// How an Immich server is spoken to.
#[derive(Debug, Args)]
#[cfg_attr(not(feature = "immich"), expect(dead_code, reason = "a program without it says so"))]
#[command(next_help_heading = "Immich")]
pub(crate) struct ServerOptions {
    /// A folder of this machine and its name on the server
    #[arg(long, value_name = "FROM=TO")]
    path_map: Vec<String>,
    /// A file that holds the server's API key [default: the variable IMMICH_API_KEY]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key_file: Option<PathBuf>,
    /// Say what would be added, and add nothing
    #[arg(long)]
    dry_run: bool,
    /// Take back what was added to this server's albums
    #[arg(long, conflicts_with = "dry_run")]
    pub undo: bool,
}

#[cfg(feature = "immich")]
impl ServerOptions {
    /// Adds the marked photos to albums.
    pub(crate) fn add(
        &self,
        state: &State,
        library: &LibraryRow,
        marks: &Marks,
        url: &Path,
    ) -> Result<Status> {
        use cairn_library::organise::immich::add_albums;

        let _lock = if self.dry_run { None } else { Some(state.lock()?) };
        let maps: Result<Vec<_>, String> = self.path_map.iter().map(|map| map.parse()).collect();
        let maps = maps.map_err(|reason| anyhow::anyhow!("--path-map: {reason}"))?;
        let report = add_albums(state, library, marks, &self.server(url)?, &maps, self.dry_run)?;
        for path in &report.missing {
            crate::progress::say(format!(
                "{}: the server has no such file (--path-map says how paths are called there)",
                cairn_dataset::path_text(path)
            ));
        }
        crate::progress::say(format!(
            "{}{} photos added to albums, {} albums made",
            if self.dry_run { "nothing done; it would be: " } else { "" },
            report.assets,
            report.albums_made
        ));
        Ok(Status::with_bad_photos(report.missing.len()))
    }

    /// Takes back what was added.
    pub(crate) fn take_back(&self, state: &State, url: &Path) -> Result<Status> {
        let _lock = state.lock()?;
        let report = cairn_library::organise::immich::undo_albums(state, &self.server(url)?)?;
        crate::progress::say(format!(
            "{} photos taken out of albums, {} albums removed",
            report.assets, report.albums_removed
        ));
        Ok(Status::Done)
    }

    fn server(&self, url: &Path) -> Result<cairn_library::organise::immich::Immich> {
        use anyhow::Context;

        let key = match &self.key_file {
            Some(file) => std::fs::read_to_string(file).with_context(|| file.display().to_string())?,
            None => std::env::var("IMMICH_API_KEY").context(
                "no key: put the server's API key into the variable IMMICH_API_KEY, or name a --key-file",
            )?,
        };
        let url = url.to_str().filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        let url = url.context("name the server's address, such as http://nas:2283")?;
        Ok(cairn_library::organise::immich::Immich::new(url, &key))
    }
}

#[cfg(not(feature = "immich"))]
impl ServerOptions {
    /// A program without it says how to go on.
    pub(crate) fn add(&self, _: &State, _: &LibraryRow, _: &Marks, _: &Path) -> Result<Status> {
        anyhow::bail!("this cairn was built without Immich: build it with the feature `immich`")
    }

    /// As [`ServerOptions::add`].
    pub(crate) fn take_back(&self, _: &State, _: &Path) -> Result<Status> {
        anyhow::bail!("this cairn was built without Immich: build it with the feature `immich`")
    }
}
