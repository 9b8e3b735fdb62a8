//! A bad photo ends nothing and is never passed over in silence.

use serde_json::Value;

use crate::sandbox::{CLASSES, Sandbox, TEST_PHOTOS, TRAIN_PHOTOS};

/// Plants an empty file, a text, and half a photo beside a good one in `mixed`.
fn mixed_folder(sandbox: &Sandbox) {
    let good = sandbox.read("photos/test/03.Dome/0000.jpg");
    sandbox.file("mixed/a-good.jpg", &good);
    sandbox.file("mixed/b-empty.jpg", b"");
    sandbox.file("mixed/c-text.png", b"no photo at all, whatever its name says");
    sandbox.file("mixed/d-half.jpg", &good[..good.len() / 2]);
    sandbox.file("mixed/e-good.jpg", &good);
    sandbox.file("mixed/notes.txt", b"not regarded as a photo");
}

#[test]
fn predict_gives_a_bad_photo_a_row_with_its_error_and_names_the_others() {
    let sandbox = Sandbox::trained();
    mixed_folder(&sandbox);
    let predict = sandbox.cairn("predict mixed nowhere.jpg -m run --format json");
    predict
        .assert_status(2)
        .assert_stderr_has("6 photos: 2 of a landmark, 0 of no landmark I know, 4 unreadable");
    let json = predict.json();
    let rows = json.as_array().unwrap();
    let said = |row: &Value| row["error"].as_str().unwrap_or_default().to_owned();
    let errors: Vec<(&str, String)> = rows.iter().map(|r| (r["photo"].as_str().unwrap(), said(r))).collect();
    for (n, (photo, error)) in [
        ("mixed/a-good.jpg", ""),
        ("mixed/b-empty.jpg", "empty"),
        ("mixed/c-text.png", "not a photo"),
        ("mixed/d-half.jpg", "truncated"),
        ("mixed/e-good.jpg", ""),
        ("nowhere.jpg", "no such file"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(errors[n].0, photo);
        assert!(errors[n].1.contains(error) && errors[n].1.is_empty() == error.is_empty(), "{:?}", errors[n]);
        assert_eq!(rows[n].get("landmarks").is_some(), error.is_empty(), "either landmarks or an error");
    }
    assert_eq!(rows[0]["landmarks"], rows[4]["landmarks"], "a bad photo in between shifts nothing");
    assert_eq!(rows.len(), 6);
}

#[test]
fn bad_photos_have_their_place_in_every_other_format_too() {
    let sandbox = Sandbox::trained();
    mixed_folder(&sandbox);
    for (format, expected) in [
        ("table", "mixed/b-empty.jpg          not read: the file is empty\n"),
        ("jsonl", r#"{"photo":"mixed/b-empty.jpg","error":""#),
        ("csv", "mixed/b-empty.jpg,,,,,"),
    ] {
        let predict = sandbox.cairn(&format!("predict mixed -m run --format {format}"));
        predict.assert_status(2).assert_stdout_has(expected);
    }
}

#[test]
fn nothing_but_bad_photos_is_an_error() {
    let sandbox = Sandbox::trained();
    sandbox.file("bad/a.jpg", b"");
    sandbox.file("bad/b.jpg", b"text");
    let predict = sandbox.cairn("predict bad -m run --format json");
    predict.assert_status(1).assert_stderr_has("none of the 2 photos could be read");
    assert_eq!(predict.json().as_array().unwrap().len(), 2, "each still has its row");
    sandbox
        .cairn("suggest bad/a.jpg -m run")
        .assert_status(1)
        .assert_stderr_has("bad/a.jpg: the file is empty");
}

#[test]
fn training_leaves_a_bad_photo_out_and_names_it_once() {
    let sandbox = Sandbox::new();
    let bad = "photos/train/03.Dome/0005.jpg";
    sandbox.file(bad, b"text");
    let train = sandbox.cairn("train photos --recipe tiny.toml --out run");
    train.assert_status(2).assert_stderr_has(&format!("left out: {bad}: text, not a photo"));
    assert_eq!(train.stderr.matches("left out").count(), 1, "once, not in every epoch: {train}");
    assert_eq!(train.stderr.matches("1 photo could not be read").count(), 1, "{train}");
    let metrics = String::from_utf8(sandbox.read("run/metrics.jsonl")).unwrap();
    for line in metrics.lines() {
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["bad_photos"], 1);
    }
    sandbox.cairn("test run photos").assert_status(0);
}

#[test]
fn testing_leaves_a_bad_photo_out_and_names_it() {
    let sandbox = Sandbox::trained();
    let bad = "photos/test/03.Dome/0002.jpg";
    sandbox.file(bad, b"");
    let test = sandbox.cairn("test run photos --json");
    test.assert_status(2).assert_stderr_has(&format!("left out: {bad}: the file is empty"));
    assert_eq!(test.json()["total"], CLASSES.len() * TEST_PHOTOS - 1);
}

#[test]
fn a_set_of_bad_photos_alone_cannot_be_trained_or_tested_on() {
    let sandbox = Sandbox::trained();
    for class in CLASSES {
        for n in 0..TRAIN_PHOTOS {
            sandbox.file(&format!("photos/train/{class}/{n:04}.jpg"), b"");
        }
        for n in 0..TEST_PHOTOS {
            sandbox.file(&format!("photos/test/{class}/{n:04}.jpg"), b"");
        }
    }
    sandbox.file("imagenet.toml", crate::sandbox::RECIPE.replace("data-set", "imagenet").as_bytes());
    // One stops at measuring the photos, the other at looking for one to validate on.
    sandbox.cairn("train photos --recipe tiny.toml --out a").assert_status(1).assert_stderr_has("error: ");
    let train = sandbox.cairn("train photos --recipe imagenet.toml --out b");
    train.assert_status(1).assert_stderr_has("validation photos could be read");
    sandbox.cairn("test run photos").assert_status(1).assert_stderr_has("not one photo could be read");
}
