//! `cairn data split`: from one folder of classes to a trained and tested model.

use std::fs;

use crate::sandbox::{CLASSES, RECIPE, Sandbox, TRAIN_PHOTOS};

/// A sandbox whose `all` is a folder of classes without parts.
fn unsplit() -> Sandbox {
    let sandbox = Sandbox::new();
    fs::rename(sandbox.path("photos/train"), sandbox.path("all")).unwrap();
    fs::remove_dir_all(sandbox.path("photos")).unwrap();
    sandbox
}

#[test]
fn a_folder_of_classes_is_split_into_a_table_that_trains_and_tests() {
    let sandbox = unsplit();
    // Who has no parts yet is told how to make them.
    let advice = sandbox.cairn("train all --recipe tiny.toml --out run");
    advice.assert_status(1).assert_stderr_has("`cairn data split all -o all/parts.csv`");

    let split = sandbox.cairn("data split all -o all.csv");
    split.assert_status(0).assert_stderr_has("wrote all.csv; train with `cairn train all.csv`");
    for line in CLASSES.iter().map(|class| format!("{class} ")) {
        split.assert_stdout_has(&line);
    }
    split.assert_stdout_has("class").assert_stdout_has("all");
    let table = String::from_utf8(sandbox.read("all.csv")).unwrap();
    assert_eq!(table.lines().next(), Some("path,label,split"));
    assert_eq!(table.lines().count(), 1 + CLASSES.len() * TRAIN_PHOTOS);

    sandbox.cairn("data check all.csv").assert_status(0);
    sandbox.cairn("data stats all.csv --size 32").assert_status(0);
    sandbox.cairn("train all.csv --recipe tiny.toml --out run --epochs 1").assert_status(0);
    let tested = sandbox.cairn("test run all.csv --json").assert_status(0).json();
    let test_rows = table.lines().filter(|line| line.ends_with(",test")).count();
    assert_eq!(tested["total"], test_rows);

    // Again gives the same table, but never over one that is there.
    sandbox.cairn("data split all -o all.csv").assert_status(1).assert_stderr_has("is there already");
    sandbox.cairn("data split all -o all.csv --force").assert_status(0);
    assert_eq!(String::from_utf8(sandbox.read("all.csv")).unwrap(), table);
}

#[test]
fn folders_of_links_and_copies_are_data_sets() {
    let sandbox = unsplit();
    let rows = |format: &str| sandbox.cairn(format).assert_status(0).json();
    let counts = rows("data split all -o copied --copy --format json");
    let mut ways = vec!["copied"];
    if cfg!(unix) {
        assert_eq!(rows("data split all -o linked --link --format json"), counts);
        assert_eq!(rows("data split all -o hard --link=hard --format json"), counts);
        ways.extend(["linked", "hard"]);
    }
    for way in ways {
        let stats = rows(&format!("data stats {way} --size 32 --json"));
        let all = counts.as_array().unwrap().last().unwrap();
        for part in ["train", "valid", "test"] {
            assert_eq!(stats["photos"][part], all[part], "{way}");
        }
        sandbox.cairn(&format!("data check {way}")).assert_status(0);
    }
}

#[test]
fn fractions_and_seeds_are_the_users() {
    let sandbox = unsplit();
    let counts = |arguments: &str| {
        let split = sandbox.cairn(&format!("data split all -o x.csv --force --format json {arguments}"));
        split.assert_status(0).json().as_array().unwrap().last().unwrap().clone()
    };
    assert_eq!(counts("--valid 0 --test 0")["train"], CLASSES.len() * TRAIN_PHOTOS);
    assert!(counts("--valid 0.3 --test 0.5")["test"].as_u64() > counts("")["test"].as_u64());
    let table = |seed: u32| {
        counts(&format!("--seed {seed}"));
        sandbox.read("x.csv")
    };
    assert_ne!(table(1), table(2));
    assert_eq!(table(1), table(1));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let sandbox = unsplit();
    fs::create_dir_all(sandbox.path("set/train/a")).unwrap();
    fs::create_dir_all(sandbox.path("hollow/a")).unwrap();
    for (arguments, reason) in [
        ("all -o x", "ends in .csv or .tsv"),
        ("all -o x.csv --valid 0.6 --test 0.5", "together less than 1"),
        ("all -o x.csv --valid -0.1", "unexpected argument"),
        ("all -o x --link --copy", "cannot be used with"),
        ("all -o x --copy --force", "cannot be used with"),
        ("all -o x --link=soft", "invalid value 'soft'"),
        ("all -o all/x --copy", "is within all"),
        ("set -o x.csv", "has parts already"),
        ("hollow -o x.csv", "no photos"),
        ("nowhere -o x.csv", "nowhere"),
        ("tiny.toml -o x.csv", "tiny.toml"),
        ("all", "--out"),
    ] {
        let split = sandbox.cairn(&format!("data split {arguments}"));
        split.assert_status(1).assert_stderr_has(reason);
        assert_eq!(split.stdout, "");
    }
    assert!(!sandbox.path("x.csv").exists() && !sandbox.path("x").exists());
}

#[test]
fn what_is_left_out_is_said_and_bad_photos_are_named() {
    let sandbox = unsplit();
    sandbox.file("all/00.Pyramid/empty.jpg", b"");
    sandbox.file("all/00.Pyramid/film.mov", b"x");
    sandbox.file("all/@eaDir/thumbnail.jpg", b"x");
    sandbox.file("all/20.Few/1.jpg", b"one");
    sandbox.copy("all/03.Dome/0001.jpg", "all/03.Dome/copy.jpg");
    sandbox.copy("all/08.Lighthouse/0001.jpg", "all/11.Windmill/wrong.jpg");
    let split = sandbox.cairn("data split all -o out/all.csv");
    split.assert_status(2);
    for said in [
        "skipped 1 video, 1 file or folder of another program",
        "left out: all/00.Pyramid/empty.jpg",
        "too few photos for every part: 20.Few",
        "copies of another photo of their class, in its part: 1",
        "photos in two classes, so that a label is wrong: 2",
        "train with `cairn train out/all.csv --allow-outside`",
    ] {
        split.assert_stderr_has(said);
    }
    // The table is not above the photos: it is read where that is asked for.
    sandbox.cairn("data check out/all.csv").assert_status(1).assert_stderr_has("--allow-outside");
    sandbox.file("imagenet.toml", RECIPE.replace("data-set", "imagenet").as_bytes());
    let train = "train out/all.csv --allow-outside --recipe imagenet.toml --epochs 1 --out run";
    sandbox.cairn(train).assert_status(2);
    sandbox.cairn("train --resume run").assert_status(1).assert_stderr_has("--allow-outside");
    sandbox.cairn("train --resume run --allow-outside").assert_status(0);
    sandbox.cairn("test run out/all.csv").assert_status(1).assert_stderr_has("--allow-outside");
    sandbox.cairn("test run out/all.csv --allow-outside").assert_status(0);
}
