//! A library of drawn photos that a model was sure of, and its review on a free port.

// Each test binary uses its part of this.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use cairn_library::review::Review;
use cairn_library::scan::{ScanOptions, Watcher, payload_hash, scan};
use cairn_library::state::State;
use cairn_places::Gazetteer;
use cairn_serve::{Desk, ReviewServer};
use tempfile::TempDir;

/// A library with its review. The server ends with it.
pub(crate) struct ReviewedLibrary {
    folder: TempDir,
    url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl ReviewedLibrary {
    /// `tower-0.jpg` and so on of the Eiffel Tower, `arena-0.jpg` and so on of Colosseum.
    pub(crate) fn start(towers: usize, arenas: usize) -> Self {
        let names: Vec<(String, &str)> = (0..towers)
            .map(|index| (format!("tower-{index}.jpg"), "Eiffel Tower"))
            .chain((0..arenas).map(|index| (format!("arena-{index}.jpg"), "Colosseum")))
            .collect();
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        for (seed, (name, _)) in names.iter().enumerate() {
            write_photo(&folder.path().join("photos").join(name), seed as u64, 1);
        }
        Self::of(folder, &names)
    }

    /// One photo of the Eiffel Tower, wider than high, whose EXIF data says that it is to be turned.
    pub(crate) fn start_turned() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        write_photo(&folder.path().join("photos/tower-0.jpg"), 1, 6);
        Self::of(folder, &[("tower-0.jpg".to_owned(), "Eiffel Tower")])
    }

    /// Copies of these photos, each with its landmark.
    pub(crate) fn start_with(photos: &[(PathBuf, &'static str)]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        let copy = |(index, (photo, landmark)): (usize, &(PathBuf, &'static str))| {
            let name = format!("IMG_{:04}.jpg", 1200 + index);
            let path = folder.path().join("photos").join(&name);
            fs::copy(photo, &path).unwrap();
            settle(&path);
            (name, *landmark)
        };
        let names: Vec<(String, &str)> = photos.iter().enumerate().map(copy).collect();
        Self::of(folder, &names)
    }

    /// Of photos in `photos` of the folder, each with its landmark.
    fn of(folder: TempDir, names: &[(String, &str)]) -> Self {
        let (root, state_folder) = (folder.path().join("photos"), folder.path().join("state"));
        {
            let state = State::open(&state_folder).unwrap();
            let lock = state.lock().unwrap();
            let mut watcher = Watcher { on_event: &mut |_| {}, stop: &|| false };
            scan(&state, &lock, &root, None, &ScanOptions::default(), &mut watcher).unwrap();
        }
        predict(&state_folder, &root, names);
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || {
            let state = State::open_existing(&state_folder).unwrap();
            let library = state.library(None).unwrap();
            let gazetteer = Gazetteer::builtin();
            let review = Review::open(&state, &library, &gazetteer, None).unwrap();
            let server = ReviewServer::bind(0).unwrap();
            tell.send(server.url()).unwrap();
            let mut desk = Desk::new(review, &library.root, &gazetteer);
            server.run_until(&mut desk, async { drop(stopped.await) }).unwrap();
        });
        Self { folder, url: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// The address of a page, relative to the first one.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The server's address without the secret.
    pub(crate) fn origin(&self) -> String {
        self.url.split('/').take(3).collect::<Vec<_>>().join("/")
    }

    /// The path of a photo.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("photos").join(name)
    }

    /// The decisions that are stored, in their order: the landmark and the decision's word.
    pub(crate) fn stored(&self) -> Vec<(Option<String>, Option<String>)> {
        let text = fs::read_to_string(self.folder.path().join("state/decisions.jsonl")).unwrap_or_default();
        let word = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        text.lines().map(line).map(|line| (word(&line["landmark"]), word(&line["decision"]))).collect()
    }
}

impl Drop for ReviewedLibrary {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A drawn photo of 96 x 64 pixels with an orientation in its EXIF data.
fn write_photo(path: &Path, seed: u64, orientation: u8) {
    let kinds = cairn_synthetic::Kind::ALL;
    let drawn = cairn_synthetic::draw(kinds[seed as usize % kinds.len()], seed, 96).center_cropped(96, 64);
    let mut jpeg = drawn.encode(cairn_photo::PictureKind::Jpeg).unwrap();
    let mut exif = b"\xFF\xE1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif[3] = (exif.len() - 2) as u8;
    jpeg.splice(2..2, exif);
    fs::write(path, jpeg).unwrap();
    settle(path);
}

/// A scan a moment later takes the file for settled.
fn settle(path: &Path) {
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    fs::File::options().write(true).open(path).unwrap().set_modified(yesterday).unwrap();
}

/// Writes what a model would have said into the database; the photos that come first are the surest.
fn predict(state: &Path, root: &Path, names: &[(String, &str)]) {
    let database = rusqlite::Connection::open(state.join("library.sqlite")).unwrap();
    database
        .execute_batch(
            "INSERT INTO model (id, hash, views, name, threshold, sure) VALUES (1, 'sha256:1', 'one', 'made', 0, 1); \
             UPDATE library SET settings = '{\"model\": 1}';",
        )
        .unwrap();
    for (index, (name, landmark)) in names.iter().enumerate() {
        let payload = payload_hash(&fs::read(root.join(name)).unwrap());
        let score = 4.0 - index as f64 / 1000.0;
        database
            .execute(
                "INSERT INTO prediction (payload_hash, model, rank, landmark, wikidata, probability, landmark_score) \
                 VALUES (?, 1, 1, ?, NULL, 0.99, ?)",
                (payload, *landmark, score),
            )
            .unwrap();
    }
}
