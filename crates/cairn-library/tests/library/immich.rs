//! Albums on an Immich server, against a small server that answers as Immich does.

use std::fs;
use std::path::{Path, PathBuf};

use cairn_library::evidence::{Basis, Mark, Marks};
use cairn_library::organise::immich::{AlbumReport, Immich, PathMap, add_albums, undo_albums};
use cairn_library::scan::{ScanOptions, Watcher, scan};
use cairn_library::state::{LibraryRow, PayloadHash, State, Verdict};

use crate::fake_immich::Fake;
use crate::house::patient_lock;

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
    let lock = patient_lock(&state);
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
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("photos")).unwrap();
    let state = State::open(&folder.path().join("state")).unwrap();
    let library = state.add_library(&folder.path().join("photos")).unwrap();
    let ask = |url: &str, key: &str| {
        add_albums(&state, &library, &Marks::default(), &Immich::new(url, key), &[], true).unwrap_err()
    };
    let refused = ask(&fake.url(), "another key");
    assert!(refused.to_string().contains("does not know this key"), "{refused}");
    let elsewhere = ask(&format!("{}/nothing", fake.url()), "the key");
    assert!(elsewhere.to_string().contains("no Immich API"), "{elsewhere}");
}
