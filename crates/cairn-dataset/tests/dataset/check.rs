//! `check` finds what is wrong, and only that.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_dataset::{CheckReport, Copies, ManifestPaths, SkipReason, Skipped, ThinPhoto, check};
use cairn_photo::{FileKind, Photo};

use crate::little_folder::LittleFolder;

fn report(folder: &LittleFolder) -> CheckReport {
    check(folder.root(), ManifestPaths::default(), |_, _| {}).unwrap()
}

fn copies(folder: &LittleFolder, names: &[&str]) -> Copies {
    Copies(names.iter().map(|name| folder.path(name)).collect())
}

#[test]
fn a_sound_data_set_has_no_problems() {
    let folder = LittleFolder::new();
    folder.part("train", 3).part("test", 2).file("train/notes.txt", b"");
    let report = report(&folder);
    assert_eq!((report.photos, report.problems()), (15, 0), "{report:?}");
    let notes = folder.path("train/notes.txt");
    assert_eq!(report.ignored, [Skipped { path: notes, reason: SkipReason::Kind(FileKind::Document) }]);
}

#[test]
fn copies_are_told_apart_by_what_they_spoil() {
    let folder = LittleFolder::new();
    folder.part("train", 2).part("valid", 2).part("test", 2);
    folder.photo("train/00.Arch/leak.png", 1).photo("test/00.Arch/leak.png", 1);
    folder.photo("valid/00.Arch/seen.png", 2).photo("test/00.Arch/seen.png", 2);
    folder.photo("train/01.Big_Dome/twin.png", 3).photo("train/02.Castle/twin.png", 3);
    folder
        .photo("train/02.Castle/x.png", 4)
        .photo("train/02.Castle/y.png", 4)
        .photo("valid/02.Castle/x.png", 4);
    folder.photo("train/02.Castle/both.png", 5).photo("test/00.Arch/both.png", 5);
    let report = report(&folder);
    assert_eq!(
        report.in_train_and_test,
        [
            copies(&folder, &["train/00.Arch/leak.png", "test/00.Arch/leak.png"]),
            copies(&folder, &["train/02.Castle/both.png", "test/00.Arch/both.png"]),
            copies(&folder, &["valid/00.Arch/seen.png", "test/00.Arch/seen.png"]),
        ]
    );
    assert_eq!(
        report.in_two_classes,
        [
            copies(&folder, &["train/01.Big_Dome/twin.png", "train/02.Castle/twin.png"]),
            copies(&folder, &["train/02.Castle/both.png", "test/00.Arch/both.png"]),
        ]
    );
    let twice = copies(&folder, &["train/02.Castle/x.png", "train/02.Castle/y.png", "valid/02.Castle/x.png"]);
    assert_eq!(report.duplicates, [twice]);
    assert_eq!(report.problems(), 6);
}

#[test]
fn unreadable_photos_are_named_with_what_is_wrong() {
    let folder = LittleFolder::new();
    folder.part("train", 1);
    let png = std::fs::read(folder.path("train/00.Arch/000.png")).unwrap();
    folder.file("train/00.Arch/half.png", &png[..png.len() / 2]);
    folder.file("train/01.Big_Dome/empty.jpg", b"").file("train/01.Big_Dome/empty2.jpg", b"");
    folder.file("test/00.Arch/text.jpg", b"this is not a photo");
    let report = report(&folder);
    let named: Vec<PathBuf> = report.unreadable.iter().map(|bad| bad.path().to_path_buf()).collect();
    let expected = [
        "train/00.Arch/half.png",
        "train/01.Big_Dome/empty.jpg",
        "train/01.Big_Dome/empty2.jpg",
        "test/00.Arch/text.jpg",
    ];
    assert_eq!(named, expected.map(|name| folder.path(name)));
    // Two empty files are two unreadable photos, not copies of one.
    assert_eq!(report.problems(), 4);

    let json = serde_json::to_value(&report).unwrap();
    let row = &json["unreadable"][1];
    assert_eq!(row["path"], folder.path(expected[1]).to_str().unwrap());
    assert!(row["error"].as_str().unwrap().contains("empty"), "{row}");
}

#[test]
fn empty_and_unknown_class_folders_are_named() {
    let folder = LittleFolder::new();
    folder.part("train", 1).folder("train/09.Nothing").folder("test/00.Arch");
    folder.photo("test/08.Elsewhere/1.png", 77).file("train/09.Nothing/readme.txt", b"");
    let report = report(&folder);
    assert_eq!(report.empty_classes, [folder.path("train/09.Nothing"), folder.path("test/00.Arch")]);
    assert_eq!(report.unknown_classes, [folder.path("test/08.Elsewhere")]);
    assert_eq!(report.problems(), 3);
}

#[test]
fn photos_outside_of_class_folders_are_a_problem_and_what_programs_leave_is_none() {
    let folder = LittleFolder::new();
    folder.part("train", 1).photo("train/stray.png", 7).photo("train/@eaDir/thumbnail.png", 8);
    folder.file("train/00.Arch/film.mov", b"").file("train/00.Arch/.hidden.png", b"");
    let report = report(&folder);
    assert_eq!(report.outside_classes, [folder.path("train/stray.png")]);
    let reasons: Vec<_> = report.ignored.iter().map(|skipped| skipped.reason).collect();
    assert_eq!(reasons, [SkipReason::Hidden, SkipReason::Kind(FileKind::Video), SkipReason::Program]);
    assert_eq!((report.photos, report.problems()), (3, 1));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["ignored"][1]["reason"], "video");
}

#[test]
fn progress_is_told_for_every_photo() {
    let folder = LittleFolder::new();
    folder.part("train", 4);
    let (calls, last) = (AtomicUsize::new(0), AtomicUsize::new(0));
    check(folder.root(), ManifestPaths::default(), |done, of| {
        assert_eq!(of, 12);
        calls.fetch_add(1, Ordering::Relaxed);
        last.fetch_max(done, Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!((calls.into_inner(), last.into_inner()), (12, 12));
}

#[cfg(target_os = "linux")]
#[test]
fn a_photo_whose_name_is_no_unicode_does_not_spoil_the_report() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = LittleFolder::new();
    folder.part("train", 1);
    let name = OsStr::from_bytes(b"caf\xe9.jpg");
    std::fs::write(folder.path("train/00.Arch").join(name), b"").unwrap();
    let json = serde_json::to_value(report(&folder)).unwrap();
    assert!(json["unreadable"][0]["path"].as_str().unwrap().ends_with(r"caf\xE9.jpg"), "{json}");
}

#[test]
fn photos_too_thin_for_any_network_are_named_with_their_size() {
    let folder = LittleFolder::new();
    folder.part("train", 2);
    folder.photo_of("train/00.Arch/strip.png", &Photo::filled(900, 10, [1, 2, 3]));
    folder.photo_of("train/00.Arch/panorama.png", &Photo::filled(160, 8, [1, 2, 3]));
    let report = report(&folder);
    let strip = ThinPhoto { path: folder.path("train/00.Arch/strip.png"), width: 900, height: 10 };
    assert_eq!(report.too_thin, [strip]);
    assert_eq!(report.problems(), 1);
}
