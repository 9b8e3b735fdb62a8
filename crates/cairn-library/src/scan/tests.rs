//! A scan as a whole, without a model.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cairn_photo::Photo;
use tempfile::TempDir;

use super::*;
use crate::state::{FileState, Role, StateError};
use crate::status::Accounts;

/// A library in a temporary folder, and a state beside it.
struct Fixture {
    folder: TempDir,
    state: State,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        Fixture { folder, state }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("photos")
    }

    /// Writes a file that is old enough to have settled.
    fn file(&self, name: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        settle(&path);
    }

    fn photo(&self, name: &str, shade: u8) {
        self.file(name, &jpeg(shade));
    }

    fn scan(&self) -> ScanReport {
        self.scan_with(&ScanOptions::default(), &|| false).0
    }

    fn scan_with(
        &self,
        options: &ScanOptions,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> (ScanReport, Vec<ScanEvent>) {
        let lock = self.state.lock().unwrap();
        let mut events = Vec::new();
        let mut watcher = Watcher { on_event: &mut |event| events.push(event), stop };
        let (_, report) = scan(&self.state, &lock, &self.root(), None, options, &mut watcher).unwrap();
        (report, events)
    }

    fn library(&self) -> LibraryRow {
        self.state.library(None).unwrap()
    }

    fn accounts(&self) -> Accounts {
        Accounts::of(&self.state, self.library().id).unwrap()
    }

    /// The state and the reason of each file by its path.
    fn states(&self) -> BTreeMap<String, (FileState, Option<String>)> {
        let mut found = BTreeMap::new();
        self.state
            .each_file(self.library().id, |file| -> Result<(), StateError> {
                found.insert(file.path.to_string_lossy().into_owned(), (file.state, file.reason));
                Ok(())
            })
            .unwrap();
        found
    }
}

fn settle(path: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
}

fn jpeg(shade: u8) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    Photo::filled(16, 12, [shade, 40, 90]).save(&path).unwrap();
    fs::read(path).unwrap()
}

/// Every path below the root, with its content and time.
fn listing(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let (path, metadata) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file() {
                found.insert(path.clone(), (fs::read(&path).unwrap(), metadata.modified().unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_file_has_one_state_and_nothing_in_the_library_is_touched() {
    let fixture = Fixture::new();
    fixture.photo("2019/IMG_1.jpg", 1);
    fixture.photo("2019/IMG_1.JPEG", 2);
    fixture.file("2019/IMG_1.mov", b"a film");
    fixture.file("2019/IMG_1.xmp", b"<x/>");
    fixture.file("2019/lonely.xmp", b"<x/>");
    fixture.file("2019/IMG_2.jpg.json", b"{}");
    fixture.file("notes.txt", b"text");
    fixture.file("Thumbs.db", b"thumbs");
    fixture.file(".hidden.jpg", b"x");
    fixture.file("@eaDir/a.jpg", b"x");
    fixture.file("skipped/b.jpg", b"x");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        fixture.file(Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg")), &jpeg(3));
        std::os::unix::fs::symlink(fixture.root().join("2019"), fixture.root().join("link")).unwrap();
    }
    let before = listing(&fixture.root());
    let options = ScanOptions { exclude: vec!["skipped".parse().unwrap()], ..ScanOptions::default() };
    let (report, _) = fixture.scan_with(&options, &|| false);
    assert_eq!(listing(&fixture.root()), before);

    let states = fixture.states();
    assert_eq!(report.walked, states.len() as u64);
    assert_eq!(fixture.accounts().adds_up(), Some(true));
    let state = |name: &str| states[name].0;
    assert_eq!(state("2019/IMG_1.jpg"), FileState::Read);
    assert_eq!(state("2019/IMG_1.mov"), FileState::Video);
    assert_eq!(state("2019/IMG_1.xmp"), FileState::Sidecar);
    assert_eq!(states["notes.txt"], (FileState::NotAPhoto, Some("document".to_owned())));
    for (name, reason) in [
        ("Thumbs.db", "file or folder of another program"),
        ("@eaDir", "file or folder of another program"),
        (".hidden.jpg", "hidden"),
        ("skipped", "excluded by skipped"),
    ] {
        assert_eq!(states[name], (FileState::LeftOut, Some(reason.to_owned())), "{name}");
    }
    #[cfg(unix)]
    assert_eq!(states["link"], (FileState::LeftOut, Some("symbolic link".to_owned())));
}

#[test]
fn a_second_scan_reads_nothing_and_a_third_what_has_changed() {
    let fixture = Fixture::new();
    for index in 0..20 {
        fixture.photo(&format!("{}/{index}.jpg", index % 3), index);
    }
    assert_eq!(fixture.scan().read, 20);
    let (again, _) = fixture.scan_with(&ScanOptions::default(), &|| false);
    assert_eq!((again.walked, again.changed, again.gone, again.read), (20, 0, 0, 0));

    fixture.photo("0/0.jpg", 200);
    fs::remove_file(fixture.root().join("1/1.jpg")).unwrap();
    fs::remove_dir_all(fixture.root().join("2")).unwrap();
    fixture.photo("new.jpg", 201);
    let third = fixture.scan();
    assert_eq!((third.changed, third.gone, third.read), (2, 7, 2));
    assert_eq!(fixture.accounts().adds_up(), Some(true));
    assert_eq!(fixture.accounts().files(FileState::Gone), 7);

    let (all, _) = fixture.scan_with(&ScanOptions { rehash: true, ..ScanOptions::default() }, &|| false);
    assert_eq!(all.read, 14, "asked for, every file is read");
}

#[test]
fn a_file_that_changed_just_now_is_read_again_by_the_next_scan() {
    let fixture = Fixture::new();
    fs::write(fixture.root().join("new.jpg"), jpeg(1)).unwrap();
    assert_eq!(fixture.scan().read, 1);
    assert_eq!(fixture.scan().read, 1);
    settle(&fixture.root().join("new.jpg"));
    assert_eq!(fixture.scan().read, 1);
    assert_eq!(fixture.scan().read, 0);
}

#[test]
fn a_picture_is_the_same_after_a_rename_and_retagging() {
    let fixture = Fixture::new();
    fixture.photo("a.jpg", 7);
    fixture.scan();
    let payload = |name: &str| {
        let file = fixture.state.file_at(fixture.library().id, Path::new(name)).unwrap().unwrap();
        (file.payload_hash.unwrap(), file.file_hash.unwrap())
    };
    let before = payload("a.jpg");
    // A comment, as a program writes it behind the start of the picture.
    let mut tagged = jpeg(7);
    tagged.splice(2..2, *b"\xFF\xFE\x00\x07hello");
    fs::remove_file(fixture.root().join("a.jpg")).unwrap();
    fixture.file("2019/b.jpg", &tagged);
    fixture.scan();
    let after = payload("2019/b.jpg");
    assert_eq!(before.0, after.0);
    assert_ne!(before.1, after.1);
}

#[test]
fn a_scan_that_is_stopped_goes_on_where_it_was() {
    let fixture = Fixture::new();
    for index in 0..60 {
        fixture.photo(&format!("{index}.jpg"), index);
    }
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 8;
    let (stopped, _) = fixture.scan_with(&ScanOptions { jobs: 1, ..ScanOptions::default() }, &stop);
    assert!(stopped.interrupted && stopped.read < 60, "{stopped:?}");
    assert_eq!(fixture.accounts().files(FileState::Pending), 60 - stopped.read);
    assert_eq!(fixture.accounts().adds_up(), Some(true));
    let rest = fixture.scan();
    assert_eq!(rest.read, 60 - stopped.read);
    assert_eq!(fixture.accounts().files(FileState::Read), 60);
}

#[test]
fn a_file_that_was_in_work_in_two_crashes_is_quarantined_until_somebody_asks() {
    let fixture = Fixture::new();
    fixture.photo("bad.jpg", 1);
    fixture.photo("good.jpg", 2);
    // The walk without the work: stopped as soon as it is done.
    let walked = std::sync::atomic::AtomicUsize::new(0);
    let stop = || walked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
    fixture.scan_with(&ScanOptions::default(), &stop);
    let id = fixture.state.file_at(fixture.library().id, Path::new("bad.jpg")).unwrap().unwrap().id;
    let crash = || {
        let in_work = fixture.state.folder().join("in-work");
        fs::write(in_work, [0_i64.to_le_bytes(), id.0.to_le_bytes()].concat()).unwrap();
        walked.store(0, std::sync::atomic::Ordering::Relaxed);
        fixture.scan_with(&ScanOptions::default(), &stop).1
    };
    assert!(!crash().contains(&ScanEvent::Quarantined { path: "bad.jpg".into() }));
    assert!(crash().contains(&ScanEvent::Quarantined { path: "bad.jpg".into() }));
    assert_eq!(fixture.scan().read, 1);
    assert_eq!(fixture.states()["bad.jpg"].0, FileState::Quarantined);
    assert_eq!(fixture.scan().read, 0);
    assert_eq!(fixture.accounts().adds_up(), Some(true));
    let options = ScanOptions { retry_quarantined: true, ..ScanOptions::default() };
    assert_eq!(fixture.scan_with(&options, &|| false).0.read, 1);
    assert_eq!(fixture.states()["bad.jpg"], (FileState::Read, None));
}

#[test]
fn the_files_of_one_shot_are_a_group_and_a_sidecars_position_is_read() {
    let fixture = Fixture::new();
    let sidecar = br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
        <rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,51.5N"
        exif:GPSLongitude="2,17.4E"/></rdf:RDF></x:xmpmeta>"#;
    fixture.photo("IMG_1.HEIC", 1);
    fixture.file("IMG_1.MOV", b"a film");
    fixture.file("IMG_1.xmp", sidecar);
    fixture.photo("other.jpg", 2);
    fixture.scan();
    let id = |name: &str| fixture.state.file_at(fixture.library().id, Path::new(name)).unwrap().unwrap().id;
    let group = fixture.state.group_of(id("IMG_1.HEIC")).unwrap();
    let roles: Vec<Role> = group.iter().map(|member| member.role).collect();
    assert_eq!(roles, [Role::Picture, Role::Video, Role::Xmp]);
    assert_eq!(fixture.state.group_of(id("other.jpg")).unwrap().len(), 1);
    let position = fixture.state.reading(id("IMG_1.xmp")).unwrap().unwrap().position.unwrap();
    assert!((position.latitude - 48.8583).abs() < 1e-4 && (position.longitude - 2.29).abs() < 1e-4);
}

#[test]
fn a_folder_that_is_gone_and_comes_back_is_read_again_and_accounted_for() {
    let fixture = Fixture::new();
    fixture.photo("trip/a.jpg", 1);
    fixture.photo("b.jpg", 2);
    fixture.scan();
    let (here, away) = (fixture.root().join("trip"), fixture.folder.path().join("away"));
    fs::rename(&here, &away).unwrap();
    assert_eq!(fixture.scan().gone, 1);
    assert_eq!(fixture.accounts().present(), 1);
    fs::rename(&away, &here).unwrap();
    let back = fixture.scan();
    assert_eq!((back.changed, back.read), (1, 1));
    assert_eq!(fixture.accounts().adds_up(), Some(true));
}
