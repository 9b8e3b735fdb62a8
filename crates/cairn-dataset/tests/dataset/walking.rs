//! What is left out of a walk: files of other kinds, what programs leave, and links that lead astray.

use cairn_dataset::{ImageFolder, ManifestPaths, PhotoListing, SkipReason, ValidSplit, check};

use crate::little_folder::LittleFolder;

const LEFT_BY_PROGRAMS: [&str; 11] = [
    "@eaDir",
    "__MACOSX",
    "#recycle",
    "#snapshot",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    ".thumbnails",
    ".ipynb_checkpoints",
    ".Trash-1000",
    ".picasaoriginals",
];

#[test]
fn folders_that_programs_leave_are_no_classes_and_hold_no_photos() {
    let folder = LittleFolder::new();
    folder.part("train", 2).part("test", 1);
    for name in LEFT_BY_PROGRAMS {
        folder.photo(&format!("train/{name}/thumbnail.png"), 1);
        folder.photo(&format!("train/00.Arch/{name}/deep/thumbnail.png"), 2);
        folder.photo(&format!("test/01.Big_Dome/{name}/thumbnail.png"), 3);
    }
    folder.file("train/00.Arch/Thumbs.db", b"").file("train/desktop.ini", b"");
    let data = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap();
    assert_eq!((data.classes.len(), data.train.len() + data.valid.len(), data.test.len()), (3, 6, 3));
    let programs = data.ignored.iter().filter(|skipped| skipped.reason == SkipReason::Program).count();
    assert_eq!(programs, 3 * LEFT_BY_PROGRAMS.len() + 2, "each is named, and once: {:?}", data.ignored);

    let report = check(folder.root(), ManifestPaths::default(), |_, _| {}).unwrap();
    assert_eq!((report.problems(), report.ignored.len()), (0, programs), "{report:?}");
    let photos = PhotoListing::of([folder.root()]);
    assert_eq!(photos.photos.len(), 9, "{:?}", photos.photos);
}

#[test]
fn files_of_other_kinds_are_counted_by_kind() {
    let folder = LittleFolder::new();
    folder.photo("a/1.png", 1);
    for i in 0..12 {
        folder.file(&format!("a/{i}.mov"), b"");
    }
    for name in ["a/1.png.json", "a/1.xmp", "b/notes.txt", "b/music.mp3", "b/all.zip", "b/x.bin"] {
        folder.file(name, b"");
    }
    let listing = PhotoListing::of([folder.root()]);
    assert_eq!(listing.photos, [folder.path("a/1.png")]);
    assert_eq!(
        listing.summary().unwrap(),
        "skipped 12 videos, 2 sidecars, 1 document, 1 archive, 1 sound file, 1 other file"
    );
    // What is named itself is opened, and says itself what it is.
    let named = PhotoListing::of([folder.path("a/3.mov"), folder.path("b/nothing")]);
    assert_eq!((named.photos.len(), named.summary()), (2, None));
}

#[test]
fn a_class_without_a_photo_to_learn_from_is_known() {
    let folder = LittleFolder::new();
    folder.part("train", 2).folder("train/03.Empty").folder("train/04.Tested");
    folder.file("train/03.Empty/film.mp4", b"").file("test/04.Tested/1.png", b"");
    let data = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap();
    let names: Vec<_> = data.untrainable_classes().iter().map(|class| class.folder.as_str()).collect();
    assert_eq!(names, ["03.Empty", "04.Tested"]);
    // Only a part of the photos is validated on: a class keeps one to learn from.
    folder.photo("train/03.Empty/1.png", 1).photo("train/04.Tested/1.png", 2);
    let data = ImageFolder::open(folder.root(), &ValidSplit { fraction: 0.99, seed: 0 }).unwrap();
    assert!(data.untrainable_classes().is_empty());
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use cairn_dataset::{DatasetError, Example};

    use super::*;

    /// Three classes of two photos to learn from, and one photo each to validate and to test on.
    fn set() -> LittleFolder {
        let folder = LittleFolder::new();
        folder.part("train", 2).part("valid", 1).part("test", 1);
        folder
    }

    fn link(folder: &LittleFolder, target: &str, link: &str) {
        symlink(target, folder.path(link)).unwrap();
    }

    fn open(folder: &LittleFolder) -> ImageFolder {
        ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap()
    }

    fn leaks(data: &ImageFolder) -> usize {
        let files = |examples: &[Example]| -> Vec<_> {
            examples.iter().map(|example| example.path().canonicalize().unwrap()).collect()
        };
        let (train, valid, test) = (files(&data.train), files(&data.valid), files(&data.test));
        let of = |files: &[std::path::PathBuf], others: &[std::path::PathBuf]| {
            files.iter().filter(|file| others.contains(file)).count()
        };
        of(&train, &test) + of(&train, &valid) + of(&valid, &test)
    }

    #[track_caller]
    fn assert_left_out(folder: &LittleFolder, expected: &[(&str, SkipReason)]) {
        let data = open(folder);
        let ignored: Vec<_> = data.ignored.iter().map(|skipped| (&skipped.path, skipped.reason)).collect();
        let expected: Vec<_> = expected.iter().map(|(path, reason)| (folder.path(path), *reason)).collect();
        assert_eq!(ignored, expected.iter().map(|(path, reason)| (path, *reason)).collect::<Vec<_>>());
        assert_eq!(leaks(&data), 0);
        let report = check(folder.root(), ManifestPaths::default(), |_, _| {}).unwrap();
        assert_eq!(report.links, data.ignored, "`check` names them");
        assert!(report.in_train_and_test.is_empty(), "{report:?}");
    }

    #[test]
    fn a_link_upwards_is_left_out_and_named() {
        let folder = set();
        link(&folder, "..", "train/03.All");
        link(&folder, "../..", "train/00.Arch/all");
        link(&folder, "..", "train/00.Arch/part");
        link(&folder, "/", "train/01.Big_Dome/root");
        let up = SkipReason::LinkUp;
        assert_left_out(
            &folder,
            &[
                ("train/00.Arch/all", up),
                ("train/00.Arch/part", up),
                ("train/01.Big_Dome/root", up),
                ("train/03.All", up),
            ],
        );
        assert_eq!(open(&folder).classes.len(), 3);
    }

    #[test]
    fn a_link_to_another_part_or_class_is_left_out_and_named() {
        let folder = set();
        link(&folder, "../test", "train/03.Test");
        link(&folder, "../test/00.Arch", "train/04.Test_Class");
        link(&folder, "00.Arch", "train/05.Same_Part");
        link(&folder, "../../test/00.Arch/000.png", "train/00.Arch/tested.png");
        link(&folder, "../01.Big_Dome", "train/00.Arch/other_class");
        link(&folder, "../01.Big_Dome/000.png", "train/00.Arch/other.png");
        link(&folder, "../../train/00.Arch", "test/00.Arch/trained");
        let across = SkipReason::LinkAcross;
        assert_left_out(
            &folder,
            &[
                ("train/00.Arch/other.png", across),
                ("train/00.Arch/other_class", across),
                ("train/00.Arch/tested.png", across),
                ("train/03.Test", across),
                ("train/04.Test_Class", across),
                ("train/05.Same_Part", across),
                ("test/00.Arch/trained", across),
            ],
        );
    }

    #[test]
    fn a_photo_that_two_parts_link_to_stays_in_test() {
        let (folder, pool) = (set(), LittleFolder::new());
        pool.photo("arch/1.png", 71).photo("arch/2.png", 72).photo("more/3.png", 73);
        for part in ["train", "valid", "test"] {
            symlink(pool.path("arch/1.png"), folder.path(&format!("{part}/00.Arch/pool.png"))).unwrap();
        }
        symlink(pool.root(), folder.path("train/01.Big_Dome/pool")).unwrap();
        let same = SkipReason::SameFile;
        assert_left_out(
            &folder,
            &[
                ("train/00.Arch/pool.png", same),
                ("train/01.Big_Dome/pool/arch/1.png", same),
                ("valid/00.Arch/pool.png", same),
            ],
        );
        assert_eq!(open(&folder).train.len(), 6 + 2, "photos that no other part has are kept");
    }

    #[test]
    fn links_to_folders_outside_of_the_set_and_within_a_class_are_followed() {
        let (folder, pool) = (set(), LittleFolder::new());
        pool.photo("dome/1.png", 81).photo("dome/deep/2.png", 82);
        folder.folder("train/00.Arch/best");
        link(&folder, "../000.png", "train/00.Arch/best/first.png");
        symlink(pool.path("dome"), folder.path("train/03.Dome")).unwrap();
        // A cycle through the outside, and a way back into the set.
        symlink(pool.root(), pool.path("dome/deep/again")).unwrap();
        symlink(folder.root(), pool.path("dome/set")).unwrap();
        assert_left_out(
            &folder,
            &[
                ("train/03.Dome/deep/again", SkipReason::LinkUp),
                ("train/03.Dome/set", SkipReason::LinkAcross),
            ],
        );
        assert_eq!(open(&folder).train.len(), 6 + 1 + 2);
    }

    #[test]
    fn a_part_that_is_another_part_by_a_link_is_refused() {
        for (target, part) in
            [("test", "train"), ("train", "valid"), (".", "train"), ("train/00.Arch", "test")]
        {
            let folder = LittleFolder::new();
            for other in ["train", "test"].into_iter().filter(|other| *other != part) {
                folder.part(other, 1);
            }
            link(&folder, target, part);
            let error = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap_err();
            assert!(matches!(error, DatasetError::PartInPart { .. }), "{part} -> {target}: {error}");
        }
    }

    #[test]
    fn a_part_may_be_a_link_to_elsewhere() {
        let (folder, elsewhere) = (LittleFolder::new(), LittleFolder::new());
        elsewhere.part("train", 2);
        folder.part("test", 1);
        symlink(elsewhere.path("train"), folder.path("train")).unwrap();
        let data = open(&folder);
        assert_eq!((data.train.len() + data.valid.len(), data.test.len()), (6, 3));
        assert!(data.ignored.is_empty(), "{:?}", data.ignored);
    }

    #[test]
    fn photos_to_name_are_walked_by_the_same_rule() {
        let folder = LittleFolder::new();
        folder.photo("photos/trip/1.png", 1).photo("elsewhere/2.png", 2).photo("elsewhere/x/3.png", 3);
        link(&folder, "..", "photos/up");
        link(&folder, "../photos/trip/..", "photos/same");
        link(&folder, "../elsewhere", "photos/linked");
        let listing = PhotoListing::of([folder.path("photos")]);
        let names: Vec<&Path> =
            listing.photos.iter().map(|path| path.strip_prefix(folder.root()).unwrap()).collect();
        assert_eq!(
            names,
            ["photos/linked/2.png", "photos/linked/x/3.png", "photos/trip/1.png"].map(Path::new)
        );
        assert_eq!(listing.summary().unwrap(), "skipped 2 links");
    }
}
