//! Real folders: other files, what programs leave, links and odd names, in every verb that walks one.

use crate::sandbox::{CLASSES, Sandbox, TEST_PHOTOS, TRAIN_PHOTOS};

const SUMMARY: &str = "skipped 2 videos, 1 sidecar, 1 file or folder of another program";

/// Files and folders that are no photos, in `folder`.
fn clutter(sandbox: &Sandbox, folder: &str) {
    sandbox.file(&format!("{folder}/film.mov"), b"x");
    sandbox.file(&format!("{folder}/film.MP4"), b"x");
    sandbox.file(&format!("{folder}/film.jpg.json"), b"{}");
    sandbox.copy("photos/test/03.Dome/0000.jpg", &format!("{folder}/@eaDir/thumbnail.jpg"));
}

#[test]
fn predict_counts_what_is_no_photo_in_one_line_and_gives_it_no_row() {
    let sandbox = Sandbox::trained();
    sandbox.copy("photos/test/03.Dome/0000.jpg", "album/a.jpg");
    clutter(&sandbox, "album");
    let predict = sandbox.cairn("predict album -m run --format json");
    predict.assert_status(0).assert_stderr_has(SUMMARY);
    assert_eq!(predict.json().as_array().unwrap().len(), 1, "{predict}");
    assert_eq!(predict.stderr.matches("skipped").count(), 1, "{predict}");
    // What is named itself has its row.
    let named = sandbox.cairn("predict album album/film.mov -m run --format json");
    assert_eq!(named.assert_status(2).json()[1]["photo"], "album/film.mov");
}

#[test]
fn data_sets_count_what_is_no_photo_in_one_line() {
    let sandbox = Sandbox::trained();
    clutter(&sandbox, "photos/train/03.Dome");
    let train = sandbox.cairn("train photos --recipe tiny.toml --epochs 1 --out again");
    train.assert_status(0).assert_stderr_has(SUMMARY);
    sandbox.cairn("data check photos").assert_status(0).assert_stdout_has(SUMMARY);
    sandbox.cairn("data stats photos --size 32").assert_status(0).assert_stderr_has(SUMMARY);
    let test = sandbox.cairn("test run photos/train");
    test.assert_status(0).assert_stderr_has(SUMMARY);
    let photos = CLASSES.len() * TRAIN_PHOTOS;
    test.assert_stdout_has(&format!("/{photos})"));
}

#[test]
fn a_class_without_training_photos_is_refused_in_training_and_named_by_check() {
    let sandbox = Sandbox::trained();
    std::fs::create_dir(sandbox.path("photos/train/20.Ruin")).unwrap();
    std::fs::create_dir(sandbox.path("photos/train/21.Fort")).unwrap();
    sandbox.copy("photos/test/03.Dome/0000.jpg", "photos/test/21.Fort/1.jpg");
    let refused = sandbox.cairn("train photos --recipe tiny.toml --out again");
    refused.assert_status(1).assert_stderr_has("classes without training photos: 20.Ruin, 21.Fort");
    assert!(!sandbox.path("again").exists());
    sandbox.cairn("lr-find photos --recipe tiny.toml").assert_status(1).assert_stderr_has("20.Ruin");
    let check = sandbox.cairn("data check photos");
    check.assert_status(2).assert_stdout_has("class folders without photos: 2\n  photos/train/20.Ruin\n");
}

#[test]
fn a_table_without_photos_is_no_data_set() {
    let sandbox = Sandbox::new();
    sandbox.file("set.csv", b"path,label,split\n");
    for verb in ["data check", "data stats", "train"] {
        let run = sandbox.cairn(&format!("{verb} set.csv"));
        run.assert_status(1).assert_stderr_has("set.csv: not a list of photos: it lists no photos");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_astray_are_named_by_check_and_let_no_test_photo_into_training() {
    use std::os::unix::fs::symlink;

    let sandbox = Sandbox::trained();
    symlink("..", sandbox.path("photos/train/20.All")).unwrap();
    symlink("../../test/03.Dome", sandbox.path("photos/train/03.Dome/more")).unwrap();
    let check = sandbox.cairn("data check photos");
    check.assert_status(2).assert_stdout_has("links left out: 2");
    check.assert_stdout_has("photos/train/20.All: link to a folder above it");
    check.assert_stdout_has("photos/train/03.Dome/more: link to another class or part of the data set");
    check.assert_stdout_has(&format!("{} photos looked at", CLASSES.len() * (TRAIN_PHOTOS + TEST_PHOTOS)));
    let train = sandbox.cairn("train photos --recipe tiny.toml --epochs 1 --out again");
    train.assert_status(0).assert_stderr_has("skipped 2 links").assert_stderr_has("photos/train/20.All");
    assert_eq!(train.stderr.matches("training photos").count(), 1);

    symlink("photos", sandbox.path("photos/test/loop")).unwrap();
    symlink("..", sandbox.path("photos/test/up")).unwrap();
    let predict = sandbox.cairn("predict photos/test -m run --format json");
    predict.assert_status(0).assert_stderr_has("photos/test/up: link to a folder above it");
    assert_eq!(predict.json().as_array().unwrap().len(), CLASSES.len() * TEST_PHOTOS);
}

#[test]
fn a_model_names_classes_in_whichever_normal_form_its_folders_are() {
    let (composed, decomposed) = ("04.Caf\u{e9}", "04.Cafe\u{301}");
    let sandbox = Sandbox::new();
    for n in 0..4 {
        sandbox
            .copy(&format!("photos/train/03.Dome/000{n}.jpg"), &format!("photos/train/{composed}/{n}.jpg"));
    }
    sandbox.copy("photos/test/03.Dome/0000.jpg", &format!("photos/test/{decomposed}/0.jpg"));
    sandbox.cairn("train photos --recipe tiny.toml --epochs 1 --out run").assert_status(0);
    let test = sandbox.cairn("test run photos --json").assert_status(0).json();
    assert_eq!(test["total"], CLASSES.len() * TEST_PHOTOS + 1);
}
