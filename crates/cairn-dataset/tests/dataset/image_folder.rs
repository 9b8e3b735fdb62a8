//! Indexing: layout, order, split, links, and what is refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cairn_dataset::{
    ClassId, ClassList, DatasetError, Example, ImageFolder, SkipReason, Skipped, ValidSplit,
};
use cairn_photo::FileKind;

use crate::little_folder::LittleFolder;

fn open(folder: &LittleFolder) -> Result<ImageFolder, DatasetError> {
    ImageFolder::open(folder.root(), &ValidSplit::default())
}

fn names(examples: &[Example]) -> Vec<String> {
    examples.iter().map(Example::relative_path).collect()
}

/// Empty files do: an index reads no photo.
fn many_names(folder: &LittleFolder, classes: u32, photos: u32) {
    for class in 0..classes {
        for photo in 0..photos {
            folder.file(&format!("train/{class:02}.C/{photo}.jpg"), b"");
        }
    }
}

#[test]
fn photos_come_in_order_with_their_classes() {
    let folder = LittleFolder::new();
    for name in
        ["train/10.b/z.png", "train/10.b/a.JPG", "train/9.a/x.webp", "valid/9.a/v.png", "test/10.b/t.png"]
    {
        folder.file(name, b"12345");
    }
    let data = open(&folder).unwrap();
    let classes: Vec<_> = data.classes.iter().map(|(_, class)| class.name.as_str()).collect();
    assert_eq!(classes, ["b", "a"]);
    assert_eq!(names(&data.train), ["10.b/a.JPG", "10.b/z.png", "9.a/x.webp"]);
    assert_eq!(names(&data.valid), ["9.a/v.png"]);
    assert_eq!(names(&data.test), ["10.b/t.png"]);
    assert_eq!(data.valid[0].class, ClassId::new(1));
    assert_eq!(data.train[0].path(), folder.path("train/10.b/a.JPG"));
    assert_eq!(data.train[0].bytes(), 5);
}

#[test]
fn a_folder_named_val_is_the_validation_part_too() {
    let folder = LittleFolder::new();
    folder.file("train/a/1.png", b"").file("val/a/2.png", b"");
    let data = open(&folder).unwrap();
    assert_eq!(
        (names(&data.train), names(&data.valid)),
        (vec!["a/1.png".to_owned()], vec!["a/2.png".to_owned()])
    );
}

#[test]
fn photos_in_folders_within_a_class_folder_belong_to_the_class() {
    let folder = LittleFolder::new();
    folder.file("train/a/night/far/1.png", b"").file("train/a/2.png", b"").folder("valid/a");
    let data = open(&folder).unwrap();
    assert_eq!(names(&data.train), ["a/2.png", "a/night/far/1.png"]);
}

#[test]
fn hidden_files_and_files_that_are_no_photos_are_left_out_and_named() {
    let folder = LittleFolder::new();
    folder.file("train/a/1.png", b"");
    let odd = [
        ("train/.DS_Store", SkipReason::Program),
        ("train/README.txt", SkipReason::Kind(FileKind::Document)),
        ("train/a/.cache/2.png", SkipReason::Hidden),
        ("train/a/.hidden.png", SkipReason::Hidden),
        ("train/a/labels.csv", SkipReason::Kind(FileKind::Document)),
        ("train/a/png", SkipReason::Kind(FileKind::Other)),
        ("train/a/IMG_1.MOV", SkipReason::Kind(FileKind::Video)),
        ("valid/stray.png", SkipReason::OutsideClasses),
    ];
    odd.iter().for_each(|(name, _)| {
        folder.file(name, b"");
    });
    let data = open(&folder).unwrap();
    assert_eq!(names(&data.train), ["a/1.png"]);
    let ignored: BTreeSet<_> = data.ignored.into_iter().collect();
    // A hidden folder is one entry: nobody looks into it.
    let expected = odd.map(|(name, reason)| {
        let path = folder.path(if name.contains(".cache") { "train/a/.cache" } else { name });
        Skipped { path, reason }
    });
    assert_eq!(ignored, BTreeSet::from(expected));
}

#[test]
fn without_a_validation_folder_near_a_tenth_of_each_data_set_is_held_back() {
    let folder = LittleFolder::new();
    many_names(&folder, 4, 250);
    let data = open(&folder).unwrap();
    assert_eq!(data.train.len() + data.valid.len(), 1000);
    // Five standard deviations of a binomial count are 47.
    assert!((53..=147).contains(&data.valid.len()), "{} held back", data.valid.len());
    let train: BTreeSet<_> = data.train.iter().map(Example::path).collect();
    assert!(data.valid.iter().all(|example| !train.contains(&example.path())));
}

#[test]
fn adding_photos_and_classes_moves_no_photo_to_another_part() {
    let folder = LittleFolder::new();
    many_names(&folder, 3, 60);
    let before = open(&folder).unwrap();
    many_names(&folder, 5, 90);
    let after = open(&folder).unwrap();
    let after_train = names(&after.train);
    let after_valid = names(&after.valid);
    assert!(names(&before.train).iter().all(|name| after_train.contains(name)));
    assert!(names(&before.valid).iter().all(|name| after_valid.contains(name)));
}

#[test]
fn the_split_is_the_same_wherever_the_data_set_lies() {
    let (here, there) = (LittleFolder::new(), LittleFolder::new());
    many_names(&here, 3, 60);
    many_names(&there, 3, 60);
    assert_eq!(names(&open(&here).unwrap().valid), names(&open(&there).unwrap().valid));
}

#[test]
fn every_class_keeps_a_photo_to_learn_from() {
    let folder = LittleFolder::new();
    many_names(&folder, 40, 1);
    many_names(&folder, 1, 200);
    let data = ImageFolder::open(folder.root(), &ValidSplit { fraction: 0.6, seed: 1 }).unwrap();
    for (id, class) in data.classes.iter() {
        assert!(data.train.iter().any(|example| example.class == id), "{} has none", class.folder);
    }
    assert!(data.valid.len() > 90, "the large class is split as asked");
}

#[test]
fn every_class_of_two_photos_has_one_held_back() {
    let folder = LittleFolder::new();
    many_names(&folder, 30, 2);
    folder.file("train/99.One/1.jpg", b"");
    let data = open(&folder).unwrap();
    for (id, class) in data.classes.iter().take(30) {
        for part in [&data.train, &data.valid] {
            assert_eq!(part.iter().filter(|example| example.class == id).count(), 1, "{}", class.folder);
        }
    }
    assert_eq!(
        names(&data.train).last().map(String::as_str),
        Some("99.One/1.jpg"),
        "an only photo is learned from"
    );
}

#[test]
fn small_classes_are_split_as_the_reference_splits_them() {
    // Values made by tests/split_reference.py.
    for (photos, held) in [(&[1, 2, 5][..], &[2][..]), (&[0, 4], &[0]), (&[0], &[]), (&[3], &[])] {
        let folder = LittleFolder::new();
        let name = |photo: &i32| format!("12.Eiffel_Tower/{photo}.jpg");
        for photo in photos {
            folder.file(&format!("train/{}", name(photo)), b"");
        }
        let held: Vec<String> = held.iter().map(name).collect();
        assert_eq!(names(&open(&folder).unwrap().valid), held, "{photos:?}");
        // Nothing is held back where nothing is asked for.
        let none = ImageFolder::open(folder.root(), &ValidSplit { fraction: 0.0, seed: 0 }).unwrap();
        assert_eq!((none.train.len(), none.valid.len()), (photos.len(), 0));
    }
}

#[test]
fn photos_of_other_classes_move_no_photo_of_a_small_class() {
    let folder = LittleFolder::new();
    many_names(&folder, 20, 3);
    let before: Vec<String> = names(&open(&folder).unwrap().valid);
    for i in 0..50 {
        folder.file(&format!("train/50.New/{i}.jpg"), b"").file(&format!("train/00.C/new/{i}.jpg"), b"");
    }
    let after = open(&folder).unwrap();
    let after = names(&after.valid);
    assert!(before.iter().filter(|name| !name.starts_with("00.C/")).all(|name| after.contains(name)));
}

#[test]
fn class_folders_that_train_lacks_are_refused_by_name() {
    let folder = LittleFolder::new();
    folder.file("train/a/1.png", b"").file("train/b/1.png", b"");
    folder.file("test/b/2.png", b"").file("test/z/3.png", b"").folder("test/y");
    let error = open(&folder).unwrap_err();
    assert!(
        matches!(&error, DatasetError::UnknownClasses { unknown, .. } if unknown == &["y", "z"]),
        "{error}"
    );
    assert!(error.to_string().contains("y, z"), "{error}");
}

#[test]
fn a_class_may_be_missing_from_test() {
    let folder = LittleFolder::new();
    folder.file("train/a/1.png", b"").file("train/b/1.png", b"").file("test/b/2.png", b"");
    assert_eq!(names(&open(&folder).unwrap().test), ["b/2.png"]);
}

#[test]
fn folders_that_are_no_data_set_are_refused_with_advice() {
    let missing = open(&LittleFolder::new());
    assert!(matches!(missing, Err(DatasetError::NoTrain { .. })), "{missing:?}");

    let folder = LittleFolder::new();
    folder.file("a/1.jpg", b"").file("b/2.jpg", b"").file("c/text.txt", b"").file("@eaDir/3.jpg", b"");
    let classes = open(&folder).unwrap_err();
    assert!(matches!(classes, DatasetError::NoParts { classes: 2, .. }), "{classes:?}");
    assert!(classes.to_string().contains("cairn data split"), "{classes}");

    let folder = LittleFolder::new();
    folder.file("train/a/1.png", b"").file("valid/a/1.png", b"");
    let no_test = ImageFolder::open_test(folder.root(), &ClassList::from_folders(["a"])).unwrap_err();
    assert!(matches!(no_test, DatasetError::NoTest { .. }), "{no_test}");

    let folder = LittleFolder::new();
    assert!(matches!(open(folder.folder("train")), Err(DatasetError::NoClasses { .. })));
    assert!(matches!(open(folder.folder("train/a")), Err(DatasetError::NoPhotos { .. })));
    folder.file("train/a/1.png", b"").folder("val").folder("valid");
    assert!(matches!(open(&folder), Err(DatasetError::TwoValidationFolders { .. })));

    let nowhere = ImageFolder::open(Path::new("/nowhere/at/all"), &ValidSplit::default());
    assert!(matches!(nowhere, Err(DatasetError::Read { .. })), "{nowhere:?}");
    let all_held_back = ImageFolder::open(folder.root(), &ValidSplit { fraction: 1.0, seed: 0 });
    assert!(matches!(all_held_back, Err(DatasetError::Fraction { .. })), "{all_held_back:?}");
}

#[test]
fn a_test_folder_is_matched_to_the_classes_of_the_model() {
    let folder = LittleFolder::new();
    folder.file("test/b/1.png", b"").file("test/a/2.png", b"").file("test/notes.txt", b"");
    // The order of a model that was trained elsewhere.
    let classes: ClassList = serde_json::from_str(
        r#"[{"folder":"c","name":"C"},{"folder":"b","name":"B"},{"folder":"a","name":"A"}]"#,
    )
    .unwrap();
    for root in [folder.root(), &folder.path("test")] {
        let test = ImageFolder::open_test(root, &classes).unwrap();
        assert_eq!(names(&test.examples), ["b/1.png", "a/2.png"]);
        assert_eq!(test.examples[0].class, ClassId::new(1));
        assert_eq!(test.root, folder.path("test"));
        let notes = folder.path("test/notes.txt");
        assert_eq!(test.ignored, [Skipped { path: notes, reason: SkipReason::Kind(FileKind::Document) }]);
    }
    let known = ClassList::from_folders(["a"]);
    let error = ImageFolder::open_test(folder.root(), &known).unwrap_err();
    assert!(error.to_string().contains("the model does not have: b"), "{error}");
}

#[test]
fn the_fingerprint_tells_other_files_but_not_another_place_or_split() {
    let (here, there) = (LittleFolder::new(), LittleFolder::new());
    for folder in [&here, &there] {
        many_names(folder, 2, 20);
        folder.file("test/00.C/1.jpg", b"123");
    }
    let of = |folder: &LittleFolder, seed| {
        ImageFolder::open(folder.root(), &ValidSplit { fraction: 0.3, seed }).unwrap().fingerprint()
    };
    let first = of(&here, 0);
    assert!(first.len() == 16 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
    assert_eq!(first, of(&there, 0));
    assert_eq!(first, of(&here, 1));
    there.file("test/00.C/1.jpg", b"1234");
    assert_ne!(first, of(&there, 0), "a file of another size");
    there.file("test/00.C/1.jpg", b"123").file("test/00.C/2.jpg", b"");
    assert_ne!(first, of(&there, 0), "another file");
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn linked_photos_and_folders_count_as_if_they_stood_there() {
        let (folder, elsewhere) = (LittleFolder::new(), LittleFolder::new());
        elsewhere.photo("photos/1.png", 1).photo("2.png", 2);
        folder.folder("train/b").folder("valid/a");
        symlink(elsewhere.path("photos"), folder.path("train/a")).unwrap();
        symlink(elsewhere.path("2.png"), folder.path("train/b/two.png")).unwrap();
        let data = open(&folder).unwrap();
        assert_eq!(names(&data.train), ["a/1.png", "b/two.png"]);
        assert_eq!(data.train[1].bytes(), fs::metadata(elsewhere.path("2.png")).unwrap().len());
    }

    #[test]
    fn a_cycle_of_links_ends() {
        let folder = LittleFolder::new();
        folder.file("train/a/1.png", b"").folder("train/a/deep").folder("valid");
        symlink(folder.path("train/a"), folder.path("train/a/deep/again")).unwrap();
        let data = open(&folder).unwrap();
        assert_eq!(names(&data.train), ["a/1.png"]);
        let again = folder.path("train/a/deep/again");
        assert_eq!(data.ignored, [Skipped { path: again, reason: SkipReason::LinkUp }]);
    }

    #[test]
    fn a_photo_behind_a_dead_link_is_kept_to_be_reported_by_who_reads_it() {
        let folder = LittleFolder::new();
        folder.file("train/a/1.png", b"").folder("valid");
        symlink("gone.png", folder.path("train/a/2.png")).unwrap();
        symlink("gone.txt", folder.path("train/a/3.txt")).unwrap();
        let data = open(&folder).unwrap();
        assert_eq!(names(&data.train), ["a/1.png", "a/2.png"]);
        let dead = folder.path("train/a/3.txt");
        assert_eq!(data.ignored, [Skipped { path: dead, reason: SkipReason::Kind(FileKind::Document) }]);
    }

    #[test]
    fn a_pipe_that_is_named_like_a_photo_is_left_out() {
        let folder = LittleFolder::new();
        folder.file("train/a/1.png", b"").folder("valid");
        let pipe = folder.path("train/a/2.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if !made.is_ok_and(|status| status.success()) {
            println!("skipped: no mkfifo here");
            return;
        }
        let data = open(&folder).unwrap();
        assert_eq!(names(&data.train), ["a/1.png"]);
        assert_eq!(data.ignored, [Skipped { path: pipe, reason: SkipReason::NotAFile }]);
    }
}
