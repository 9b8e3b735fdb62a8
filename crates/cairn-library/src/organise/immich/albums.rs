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
    use std::fs;

    use super::super::fake::Fake;
    use super::*;
    use crate::evidence::{Basis, Mark};
    use crate::scan::{ScanOptions, Watcher, scan};
    use crate::state::{PayloadHash, Verdict};

    fn marks(state: &State, library: &LibraryRow, landmarks: &[(&str, &str)]) -> Marks {
        let mark = |(name, landmark): &(&str, &str)| Mark {
            file: state.file_at(library.id, Path::new(name)).unwrap().unwrap().id,
            payload: PayloadHash::from_bytes([1; 32]),
            landmark: (*landmark).to_owned(),
            wikidata: None,
            probability: 0.999,
            model_probability: 0.99,
            verdict: Verdict::Unknown,
            basis: Basis::Model,
            estimated: None,
        };
        Marks { marks: landmarks.iter().map(mark).collect(), ..Marks::default() }
    }

    #[test]
    fn albums_are_added_and_taken_back_and_what_a_person_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("photos");
        fs::create_dir(&root).unwrap();
        for name in ["a.jpg", "b.jpg", "c.jpg", "away.jpg"] {
            fs::write(root.join(name), name).unwrap();
        }
        let state = State::open(&folder.path().join("state")).unwrap();
        let lock = state.lock().unwrap();
        let mut watcher = Watcher { on_event: &mut |_| {}, stop: &|| false };
        let (library, _) = scan(&state, &lock, &root, None, &ScanOptions::default(), &mut watcher).unwrap();
        let marks = marks(
            &state,
            &library,
            &[("a.jpg", "Petra"), ("b.jpg", "Petra"), ("c.jpg", "Atomium"), ("away.jpg", "Petra")],
        );
        // The person has an album of this name already, with one of the photos.
        let fake = Fake::start(&["/mnt/p/a.jpg", "/mnt/p/b.jpg", "/mnt/p/c.jpg"]);
        fake.person_makes("Petra", &["/mnt/p/a.jpg"]);
        let before = fake.albums();
        let maps = [PathMap { from: library.root.clone(), to: "/mnt/p".to_owned() }];
        let server = Immich::new(&fake.url(), "the key");

        let dry = add_albums(&state, &library, &marks, &server, &maps, true).unwrap();
        assert_eq!((dry.albums_made, dry.assets), (1, 3));
        assert_eq!(fake.albums(), before, "a dry run changes nothing");

        let done = add_albums(&state, &library, &marks, &server, &maps, false).unwrap();
        assert_eq!((done.albums_made, done.assets), (1, 2));
        assert_eq!(done.missing, [PathBuf::from("away.jpg")]);
        assert_eq!(
            fake.albums(),
            [
                ("Atomium".to_owned(), vec!["/mnt/p/c.jpg".to_owned()]),
                ("Petra".to_owned(), vec!["/mnt/p/a.jpg".to_owned(), "/mnt/p/b.jpg".to_owned()])
            ]
        );
        let again = add_albums(&state, &library, &marks, &server, &maps, false).unwrap();
        assert_eq!((again.albums_made, again.assets), (0, 0));

        let undone = undo_albums(&state, &server).unwrap();
        assert_eq!((undone.assets, undone.albums_removed), (2, 1));
        assert_eq!(fake.albums(), before);
        assert_eq!(undo_albums(&state, &server).unwrap(), AlbumReport::default());
    }

    #[test]
    fn a_wrong_key_and_a_server_that_is_none_say_what_to_do() {
        let fake = Fake::start(&[]);
        let refused = Immich::new(&fake.url(), "another key").albums().unwrap_err();
        assert!(refused.to_string().contains("does not know this key"), "{refused}");
        let elsewhere = Immich::new(&format!("{}/nothing", fake.url()), "the key").albums().unwrap_err();
        assert!(elsewhere.to_string().contains("no Immich API"), "{elsewhere}");
        assert!("x".parse::<PathMap>().is_err());
        let map: PathMap = "/home/me=/mnt/".parse().unwrap();
        assert_eq!(map.apply(Path::new("/home/me/a/b.jpg")).as_deref(), Some("/mnt/a/b.jpg"));
        assert_eq!(map.apply(Path::new("/home/you/b.jpg")), None);
    }
}
