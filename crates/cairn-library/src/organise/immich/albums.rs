//! Albums that are added, and taken back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::client::ASSETS_A_REQUEST;
use super::journal::{Entry, Journal};
use super::{Immich, ImmichError};
use crate::evidence::Marks;
use crate::state::{LibraryRow, State};

/// How a folder of this machine is called on the server: `/home/me/photos` and `/mnt/photos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathMap {
    /// Here.
    pub from: PathBuf,
    /// There.
    pub to: String,
}

impl std::str::FromStr for PathMap {
    type Err = String;

    fn from_str(text: &str) -> Result<PathMap, String> {
        let (from, to) = text.split_once('=').ok_or("FROM=TO, a folder here and its name on the server")?;
        Ok(PathMap { from: from.into(), to: to.trim_end_matches('/').to_owned() })
    }
}

impl PathMap {
    /// The path on the server; `None` for a file that is not in the folder, or whose name is no text.
    fn apply(&self, path: &Path) -> Option<String> {
        let rest = path.strip_prefix(&self.from).ok()?.to_str()?;
        Some(format!("{}/{rest}", self.to))
    }
}

/// What was done to a server's albums, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlbumReport {
    /// Albums that were made.
    pub albums_made: u32,
    /// Memberships that were added, or taken back.
    pub assets: u32,
    /// Albums that were removed again.
    pub albums_removed: u32,
    /// Photos that the server does not have.
    pub missing: Vec<PathBuf>,
}

/// Adds the marked photos to an album for each landmark; an album of that name that is there is used. Nothing is changed in a
/// `dry_run`.
///
/// # Errors
/// When the server refuses or cannot be reached. What was added until then is in the journal.
pub fn add_albums(
    state: &State,
    library: &LibraryRow,
    marks: &Marks,
    server: &Immich,
    maps: &[PathMap],
    dry_run: bool,
) -> Result<AlbumReport, ImmichError> {
    let journal = Journal::of(state.folder());
    let mut report = AlbumReport::default();
    let mut by_landmark: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for mark in &marks.marks {
        let Some(file) = state.file(mark.file)? else { continue };
        let path = library.root.join(&file.path);
        let on_server =
            maps.iter().find_map(|map| map.apply(&path)).or_else(|| path.to_str().map(str::to_owned));
        let asset = match on_server {
            Some(path) => server.asset_at(&path)?,
            None => None,
        };
        match asset {
            Some(asset) => by_landmark.entry(&mark.landmark).or_default().push(asset),
            None => report.missing.push(file.path),
        }
    }
    let there = server.albums()?;
    for (landmark, assets) in by_landmark {
        let known = there.iter().find(|album| album.album_name == landmark).map(|album| album.id.clone());
        if dry_run {
            report.albums_made += u32::from(known.is_none());
            report.assets += assets.len() as u32;
            continue;
        }
        let url = server.url().to_owned();
        let album = match known {
            Some(album) => album,
            None => {
                let made = server.create_album(landmark)?.id;
                report.albums_made += 1;
                let name = landmark.to_owned();
                journal.add(&Entry::Made { server: url.clone(), album: made.clone(), name })?;
                made
            }
        };
        for assets in assets.chunks(ASSETS_A_REQUEST) {
            let assets = server.add_assets(&album, assets)?;
            report.assets += assets.len() as u32;
            if !assets.is_empty() {
                journal.add(&Entry::Added { server: url.clone(), album: album.clone(), assets })?;
            }
        }
    }
    Ok(report)
}

/// Takes back what [`add_albums`] added to this server: memberships, and albums that are empty then.
///
/// # Errors
/// When the server refuses or cannot be reached; the journal keeps what is left to do.
pub fn undo_albums(state: &State, server: &Immich) -> Result<AlbumReport, ImmichError> {
    let journal = Journal::of(state.folder());
    let mut left = journal.entries()?;
    let mut report = AlbumReport::default();
    // The last first: memberships before the album that was made for them.
    while let Some(at) = left.iter().rposition(|entry| entry.server() == server.url()) {
        match &left[at] {
            Entry::Added { album, assets, .. } => {
                // An album that a person removed meanwhile has no members.
                if server.album(album).is_ok() {
                    server.remove_assets(album, assets)?;
                    report.assets += assets.len() as u32;
                }
            }
            Entry::Made { album, .. } => {
                if server.album(album).is_ok_and(|album| album.asset_count == 0) {
                    server.delete_album(album)?;
                    report.albums_removed += 1;
                }
            }
        }
        left.remove(at);
        journal.keep(&left)?;
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_here_becomes_the_path_there() {
        assert!("x".parse::<PathMap>().is_err());
        let map: PathMap = "/home/me=/mnt/".parse().unwrap();
        assert_eq!(map.apply(Path::new("/home/me/a/b.jpg")).as_deref(), Some("/mnt/a/b.jpg"));
        assert_eq!(map.apply(Path::new("/home/you/b.jpg")), None);
    }
}
