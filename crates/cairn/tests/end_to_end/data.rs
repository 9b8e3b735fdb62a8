//! `cairn data`: what is in a data set, and what is wrong with it.

use image::GenericImageView;

use crate::sandbox::{CLASSES, RECIPE, Sandbox, TEST_PHOTOS, TRAIN_PHOTOS};

const PHOTOS: usize = CLASSES.len() * (TRAIN_PHOTOS + TEST_PHOTOS);

/// One fault of each kind.
fn plant_faults(sandbox: &Sandbox) {
    sandbox.copy("photos/train/00.Pyramid/0001.jpg", "photos/train/00.Pyramid/again.jpg");
    sandbox.copy("photos/train/03.Dome/0001.jpg", "photos/test/03.Dome/leaked.jpg");
    sandbox.copy("photos/train/08.Lighthouse/0001.jpg", "photos/train/11.Windmill/mislabelled.jpg");
    sandbox.file("photos/train/11.Windmill/empty.jpg", b"");
    sandbox.file("photos/train/20.Ruin/notes.txt", b"no photo");
    sandbox.copy("photos/test/00.Pyramid/0001.jpg", "photos/test/21.Fort/0001.jpg");
}

#[test]
fn a_drawn_set_has_nothing_wrong_with_it() {
    let sandbox = Sandbox::new();
    let check = sandbox.cairn("data check photos");
    check.assert_status(0).assert_stdout_has(&format!("{PHOTOS} photos")).assert_stdout_has("0 problems");
}

#[test]
fn check_finds_every_fault_that_was_planted() {
    let sandbox = Sandbox::new();
    plant_faults(&sandbox);
    let check = sandbox.cairn("data check photos");
    check.assert_status(2);
    for found in [
        "photos/train/00.Pyramid/0001.jpg = photos/train/00.Pyramid/again.jpg",
        "photos/train/03.Dome/0001.jpg = photos/test/03.Dome/leaked.jpg",
        "photos/train/08.Lighthouse/0001.jpg = photos/train/11.Windmill/mislabelled.jpg",
        "photos/train/11.Windmill/empty.jpg",
        "photos/train/20.Ruin",
        "photos/test/21.Fort",
    ] {
        check.assert_stdout_has(found);
    }
    let json = sandbox.cairn("data check photos --json").assert_status(2).json();
    for (key, expected) in [
        ("in_train_and_test", "photos/test/03.Dome/leaked.jpg"),
        ("duplicates", "photos/train/00.Pyramid/again.jpg"),
        ("in_two_classes", "photos/train/11.Windmill/mislabelled.jpg"),
        ("unreadable", "photos/train/11.Windmill/empty.jpg"),
        ("empty_classes", "photos/train/20.Ruin"),
        ("unknown_classes", "photos/test/21.Fort"),
    ] {
        let found = json[key].to_string();
        assert!(found.contains(expected), "{key} should have {expected}: {found}");
    }
}

#[test]
fn stats_count_the_classes_and_measure_the_photos() {
    let sandbox = Sandbox::new();
    let stats = sandbox.cairn("data stats photos --size 32");
    stats
        .assert_status(0)
        .assert_stdout_has("Lighthouse")
        .assert_stdout_has("jpg (64)")
        .assert_stdout_has("mean");
    let json = sandbox.cairn("data stats photos --size 32 --json").assert_status(0).json();
    let photos = |part: &str| json["photos"][part].as_u64().unwrap() as usize;
    assert_eq!(photos("train") + photos("valid"), CLASSES.len() * TRAIN_PHOTOS);
    assert_eq!(photos("test"), CLASSES.len() * TEST_PHOTOS);
    assert_eq!(json["classes"].as_array().unwrap().len(), CLASSES.len());

    sandbox.file("photos/train/03.Dome/0000.jpg", b"");
    let stats = sandbox.cairn("data stats photos --size 32");
    stats.assert_status(2).assert_stderr_has("left out: photos/train/03.Dome/0000.jpg: the file is empty");
}

#[test]
fn show_draws_a_batch_as_the_network_sees_it() {
    let sandbox = Sandbox::new();
    let show = "data show photos --recipe tiny.toml -n 6 --columns 3";
    let plain = sandbox.cairn(&format!("{show} -o plain.png"));
    plain.assert_status(0).assert_stderr_has("6 photos: plain.png");
    assert_eq!(plain.stdout, "");
    sandbox.cairn(&format!("{show} --augment -o augmented.png")).assert_status(0);
    let size = |name| image::open(sandbox.path(name)).unwrap().dimensions();
    // Three photos of 32 px in a row, and two rows, each with room for a label.
    let (width, height) = size("plain.png");
    assert!(width >= 3 * 32 && height > 2 * 32, "{width} x {height}");
    assert_eq!(size("augmented.png"), (width, height));
    assert!(sandbox.read("plain.png") != sandbox.read("augmented.png"));
}

#[test]
fn a_recipe_of_ones_own_is_shown_as_well_as_one_that_comes_with_cairn() {
    let sandbox = Sandbox::new();
    sandbox.file("large.toml", RECIPE.replace("36", "72").replace("32", "64").as_bytes());
    for recipe in ["large.toml", "quick"] {
        sandbox.cairn(&format!("data show photos --recipe {recipe} -n 2 -o {recipe}.png")).assert_status(0);
    }
}
