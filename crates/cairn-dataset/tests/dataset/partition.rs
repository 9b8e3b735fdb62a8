//! A folder of classes is put into parts, as a table or as folders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cairn_dataset::{
    DatasetError, ImageFolder, ListedPhotos, ManifestPaths, PartShares, Partition, PartitionError, Placement,
    ValidSplit, check,
};

use crate::little_folder::LittleFolder;

fn partition(root: &Path) -> Partition {
    Partition::of(root, &PartShares::default(), |_, _| {}).unwrap()
}

fn open(root: &Path) -> ImageFolder {
    ImageFolder::open(root, &ValidSplit::default()).unwrap()
}

/// `count` different photos in each of these classes of `photos`; the files need not be photos.
fn classes(folder: &LittleFolder, counts: &[(&str, usize)]) {
    for (class, count) in counts {
        for i in 0..*count {
            folder.file(&format!("photos/{class}/{i:03}.jpg"), format!("{class} {i}").as_bytes());
        }
    }
}

/// The part of each photo, by its path from the part's folder or its table.
fn parts(data: &ImageFolder) -> BTreeMap<String, &'static str> {
    let parts = [("train", &data.train), ("valid", &data.valid), ("test", &data.test)];
    let photos = parts.into_iter().flat_map(|(part, photos)| photos.iter().map(move |photo| (photo, part)));
    photos.map(|(photo, part)| (photo.relative_path(), part)).collect()
}

/// Writes the table beside `photos`, and gives what opening it gives.
fn table_parts(folder: &LittleFolder) -> BTreeMap<String, &'static str> {
    let table = folder.path("set.csv");
    partition(&folder.path("photos")).write_manifest(&table, true).unwrap();
    parts(&open(&table))
}

#[test]
fn a_table_has_every_photo_once_and_the_shares_hold() {
    let folder = LittleFolder::new();
    classes(&folder, &[("a", 500), ("b", 500), ("c", 3), ("d", 2), ("e", 1)]);
    let partition = partition(&folder.path("photos"));
    assert_eq!(partition.write_manifest(&folder.path("set.csv"), false).unwrap(), ListedPhotos::WithinFolder);
    let data = open(&folder.path("set.csv"));
    assert_eq!(data.train.len() + data.valid.len() + data.test.len(), 1006);
    assert_eq!(parts(&data).len(), 1006);
    // A tenth of each class, and one of the class of three; one more in test of the class of two.
    assert_eq!([data.valid.len(), data.test.len()], [101, 102]);
    let counts: Vec<_> = partition.classes.iter().map(|class| class.photos).collect();
    for three in &counts[..3] {
        assert!(three.train > 0 && three.valid > 0 && three.test > 0, "{counts:?}");
    }
    assert_eq!((counts[3].train, counts[3].valid, counts[3].test), (1, 0, 1));
    assert_eq!((counts[4].train, counts[4].valid, counts[4].test), (1, 0, 0));
    assert_eq!(partition.photos().train, data.train.len());
}

#[test]
fn photos_that_are_renamed_move_none_and_those_that_are_added_few_of_their_class() {
    let folder = LittleFolder::new();
    classes(&folder, &[("a", 200), ("b", 200)]);
    let before = table_parts(&folder);
    classes(&folder, &[("a", 300), ("c", 100)]);
    fs::rename(folder.path("photos/b/000.jpg"), folder.path("photos/b/zzz.jpg")).unwrap();
    let after = table_parts(&folder);
    let mut moved = 0;
    for (photo, part) in &before {
        let now = photo.replace("photos/b/000.jpg", "photos/b/zzz.jpg");
        let stays = after.get(&now) == Some(part);
        assert!(stays || photo.starts_with("photos/a/"), "{photo}");
        moved += usize::from(!stays);
    }
    // Half as many photos more in a class of 200; at random, a third of them would move.
    assert!(moved <= 20, "{moved}");
    assert_eq!(after.len(), 600);
}

#[test]
fn copies_are_in_one_part_within_a_class_and_between_classes() {
    let folder = LittleFolder::new();
    classes(&folder, &[("a", 60), ("b", 60)]);
    for i in 0..60 {
        folder.file(&format!("photos/a/again/{i:03}.jpg"), format!("a {i}").as_bytes());
        folder.file(&format!("photos/c/{i:03}.jpg"), format!("b {i}").as_bytes());
    }
    let found = partition(&folder.path("photos"));
    assert_eq!((found.copies, found.in_two_classes), (60, 120));
    let parts = table_parts(&folder);
    for i in 0..60 {
        let part = |name: &str| parts[&format!("photos/{name}/{i:03}.jpg")];
        assert_eq!(part("a"), part("a/again"));
        assert_eq!(part("b"), part("c"));
    }
    let report = check(&folder.path("set.csv"), ManifestPaths::default(), |_, _| {}).unwrap();
    assert!(report.in_train_and_test.is_empty());
}

#[test]
fn the_seed_alone_decides_and_is_the_same_everywhere() {
    let (here, there) = (LittleFolder::new(), LittleFolder::new());
    classes(&here, &[("a", 100)]);
    classes(&there, &[("a", 100)]);
    assert_eq!(table_parts(&here), table_parts(&there));
    let other = PartShares { seed: 1, ..PartShares::default() };
    let other = Partition::of(&there.path("photos"), &other, |_, _| {}).unwrap();
    other.write_manifest(&there.path("set.csv"), true).unwrap();
    assert_ne!(table_parts(&here), parts(&open(&there.path("set.csv"))));
}

#[test]
fn folders_of_links_and_copies_hold_what_the_table_lists() {
    let folder = LittleFolder::new();
    classes(&folder, &[("a", 40), ("b", 3)]);
    folder.file("photos/a/deep/er/1.jpg", b"deep").file("photos/a/film.mp4", b"film");
    let listed: BTreeMap<String, &str> = table_parts(&folder)
        .into_iter()
        .map(|(path, part)| (path.trim_start_matches("photos/").to_owned(), part))
        .collect();
    let mut placements = vec![("copied", Placement::Copy)];
    if cfg!(unix) {
        placements.extend([("linked", Placement::SymbolicLink), ("hard", Placement::HardLink)]);
    }
    for (out, placement) in placements {
        let out = folder.path(out);
        partition(&folder.path("photos")).write_folders(&out, placement, |_, _| {}).unwrap();
        let data = open(&out);
        assert_eq!(parts(&data), listed, "{placement:?}");
        assert!(data.ignored.is_empty());
        for photo in data.train.iter().chain(&data.valid).chain(&data.test) {
            let original = folder.path("photos").join(photo.relative_path());
            assert_eq!(fs::read(photo.path()).unwrap(), fs::read(original).unwrap());
            assert_eq!(photo.path().is_symlink(), placement == Placement::SymbolicLink);
        }
    }
    let left = fs::read_dir(folder.root()).unwrap().map(|entry| entry.unwrap().file_name());
    let hidden = left.filter(|name| name.as_encoded_bytes().starts_with(b".")).count();
    assert_eq!(hidden, 0, "nothing unfinished is left");
}

#[test]
fn nothing_is_overwritten_and_no_class_is_made_of_the_parts() {
    let folder = LittleFolder::new();
    classes(&folder, &[("a", 9)]);
    let partition = partition(&folder.path("photos"));
    folder.file("set.csv", b"mine").file("full/1.txt", b"mine").folder("empty");
    let table = |name: &str| partition.write_manifest(&folder.path(name), false);
    let folders = |name: &str| partition.write_folders(&folder.path(name), Placement::Copy, |_, _| {});
    assert!(matches!(table("set.csv"), Err(PartitionError::Exists { .. })));
    assert!(matches!(table("set.txt"), Err(PartitionError::Extension { .. })));
    assert!(matches!(table("set"), Err(PartitionError::Extension { .. })));
    assert!(matches!(folders("full"), Err(PartitionError::Exists { .. })));
    assert!(matches!(folders("photos/parts"), Err(PartitionError::Inside { .. })));
    assert_eq!(fs::read(folder.path("set.csv")).unwrap(), b"mine");
    folders("empty").unwrap();
    partition.write_manifest(&folder.path("photos/set.csv"), false).unwrap();
    assert_eq!(open(&folder.path("photos/set.csv")).classes.len(), 1, "a table may lie among the photos");
}

#[test]
fn a_table_elsewhere_needs_leave_to_read_the_photos() {
    let (folder, elsewhere) = (LittleFolder::new(), LittleFolder::new());
    classes(&folder, &[("a", 9)]);
    let table = elsewhere.path("set.tsv");
    let photos = partition(&folder.path("photos")).write_manifest(&table, false).unwrap();
    assert_eq!(photos, ListedPhotos::Outside);
    let refused = ImageFolder::open(&table, &ValidSplit::default()).unwrap_err().to_string();
    assert!(refused.contains("line 2") && refused.contains("--allow-outside"), "{refused}");
    let data = ImageFolder::open_with(&table, &ValidSplit::default(), ManifestPaths::Anywhere).unwrap();
    assert!(data.train.iter().all(|photo| photo.path().is_file()));
    assert_eq!(data.train.len() + data.valid.len() + data.test.len(), 9);
}

#[test]
fn photos_that_cannot_be_read_are_named_and_in_no_part() {
    let folder = LittleFolder::new();
    classes(&folder, &[("a", 5)]);
    folder.file("photos/a/empty.jpg", b"").file("photos/a/empty2.jpg", b"");
    let partition = partition(&folder.path("photos"));
    let named: BTreeSet<_> = partition.unreadable.iter().map(|bad| bad.path().to_path_buf()).collect();
    assert_eq!(named, ["empty.jpg", "empty2.jpg"].map(|name| folder.path("photos/a").join(name)).into());
    partition.write_manifest(&folder.path("set.csv"), false).unwrap();
    assert_eq!(parts(&open(&folder.path("set.csv"))).len(), 5);
}

#[test]
fn what_is_no_folder_of_classes_is_refused() {
    let folder = LittleFolder::new();
    folder.part("train", 1).folder("empty/a").file("flat/1.png", b"x");
    let of = |root: &str| Partition::of(&folder.path(root), &PartShares::default(), |_, _| {}).unwrap_err();
    assert!(matches!(of(""), DatasetError::HasParts { part: "train", .. }));
    assert!(matches!(of("empty"), DatasetError::NoPhotos { .. }));
    assert!(matches!(of("flat"), DatasetError::NoClasses { .. }));
    assert!(matches!(of("nowhere"), DatasetError::Read { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_go_through_a_table_and_back() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = LittleFolder::new();
    for name in [b"caf\xe8".as_slice(), b"caf\xe9", br"caf\xE9"] {
        let class = folder.path("photos").join(OsStr::from_bytes(name));
        fs::create_dir_all(&class).unwrap();
        for photo in [b"\xff.jpg".as_slice(), br"\xFF.jpg", br"a\b.jpg"] {
            fs::write(class.join(OsStr::from_bytes(photo)), [name, photo].concat()).unwrap();
        }
    }
    partition(&folder.path("photos")).write_manifest(&folder.path("set.csv"), false).unwrap();
    let data = open(&folder.path("set.csv"));
    let files: BTreeSet<_> =
        data.train.iter().chain(&data.valid).chain(&data.test).map(|photo| photo.path()).collect();
    assert_eq!(files.len(), 9);
    assert!(files.iter().all(|path| path.is_file()), "{files:?}");
    assert_eq!(data.classes.len(), 3);

    let line = folder.path("photos/two\nlines");
    fs::create_dir_all(&line).unwrap();
    fs::write(line.join("1.jpg"), "x").unwrap();
    let error =
        partition(&folder.path("photos")).write_manifest(&folder.path("other.csv"), false).unwrap_err();
    assert!(matches!(error, PartitionError::Unlistable { .. }), "{error}");
}
