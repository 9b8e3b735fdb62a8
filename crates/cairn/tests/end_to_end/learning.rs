//! Knowing what is no landmark, and learning new ones: calibrate, learn, forget, similar.

use cairn_synthetic::{Kind, draw};
use serde_json::Value;

use crate::sandbox::{CLASSES, Sandbox, TEST_PHOTOS};

/// A trained and calibrated model in `known.safetensors`; photos of castles, which it was not trained on, in `castles`.
fn calibrated() -> Sandbox {
    let sandbox = Sandbox::trained();
    std::fs::create_dir(sandbox.path("castles")).unwrap();
    for seed in 0..8 {
        draw(Kind::Castle, seed, 48).save_png(sandbox.path(&format!("castles/{seed}.png"))).unwrap();
    }
    let calibrate =
        sandbox.cairn("calibrate run --data photos --distractors castles --out known.safetensors");
    calibrate.assert_status(0).assert_stderr_has("model: known.safetensors");
    for said in ["temperature", "AUROC", "confidence", "energy", "entropy", "similarity", "chosen"] {
        calibrate.assert_stdout_has(said);
    }
    sandbox
}

/// Of each photo in the rows of `predict --format json`, whether it shows a landmark.
fn is_landmark(rows: &Value) -> Vec<bool> {
    rows.as_array().unwrap().iter().map(|row| row["is_landmark"].as_bool().unwrap()).collect()
}

#[test]
fn every_prediction_says_whether_the_photo_shows_a_landmark_and_the_threshold_can_be_moved() {
    let sandbox = calibrated();
    let predict = |threshold: &str| {
        let run = sandbox
            .cairn(&format!("predict photos/train castles -m known.safetensors --format json {threshold}"));
        run.assert_status(0).json()
    };
    let rows = predict("");
    let score = |row: &Value| row["landmark_score"].as_f64().unwrap();
    let scores: Vec<f64> = rows.as_array().unwrap().iter().map(score).collect();
    let [lowest, highest] =
        [scores.iter().copied().fold(f64::INFINITY, f64::min), scores.iter().copied().fold(0.0, f64::max)];
    assert!(is_landmark(&predict(&format!("--threshold {lowest}"))).iter().all(|&is| is));
    assert!(!is_landmark(&predict(&format!("--threshold={}", highest + 1e-9))).iter().any(|&is| is));
    let middle = (lowest + highest) / 2.0;
    let expected: Vec<bool> = scores.iter().map(|&score| score >= middle).collect();
    assert_eq!(is_landmark(&predict(&format!("--threshold {middle}"))), expected);

    // In words, and in the other formats.
    let photo = "castles/0.png -m known.safetensors --threshold 1e9";
    let unknown = "I don't think this shows a landmark that I know. The closest: the ";
    sandbox.cairn(&format!("suggest {photo}")).assert_status(0).assert_stdout_has(unknown);
    sandbox.cairn(&format!("predict {photo}")).assert_stdout_has("no landmark I know");
    let csv = sandbox.cairn(&format!("predict {photo} --format csv"));
    csv.assert_stdout_has("probability,is_landmark,landmark_score,").assert_stdout_has(",false,");
}

#[test]
fn a_model_calibrated_at_another_size_looks_at_photos_of_that_size_if_its_network_does() {
    let sandbox = Sandbox::trained();
    let size = sandbox.cairn("calibrate run --data photos --side 48 --out larger.safetensors");
    size.assert_status(1).assert_stderr_has("three-conv takes photos of 32 px only");
}

#[test]
fn a_model_calibrated_with_several_views_looks_at_them_unless_told_otherwise() {
    let sandbox = Sandbox::trained();
    let calibrate = sandbox.cairn("calibrate run --data photos --tta flip --out both.safetensors");
    calibrate.assert_status(0);
    let predict = |tta: &str| {
        sandbox
            .cairn(&format!("predict photos/test -m both.safetensors --format csv {tta}"))
            .assert_status(0)
            .stdout
            .clone()
    };
    assert_eq!(predict(""), predict("--tta flip"));
    assert_ne!(predict(""), predict("--tta none"));
    let test = |tta: &str| {
        sandbox.cairn(&format!("test both.safetensors photos --json {tta}")).assert_status(0).json()
    };
    assert_eq!(test(""), test("--tta flip"));
    assert_ne!(test("")["loss"], test("--tta none")["loss"]);

    // However many views there are, a photo is as like as can be to itself.
    let photo = "photos/test/03.Dome/0002.jpg";
    let ranked = sandbox.cairn(&format!("similar {photo} {photo} -m both.safetensors --format json"));
    let likeness = ranked.assert_status(0).json()[0]["likeness"].as_f64().unwrap();
    assert!((likeness - 1.0).abs() < 1e-6, "{likeness}");
}

#[test]
fn a_calibrated_model_accepts_nineteen_of_twenty_validation_photos() {
    let sandbox = calibrated();
    // The photos held back are those that the report of calibration rests on; a fresh split finds them again.
    let data = cairn_dataset::ImageFolder::open(&sandbox.path("photos"), &Default::default()).unwrap();
    let photos: Vec<String> = data.valid.iter().map(|example| example.path().display().to_string()).collect();
    let run = sandbox.cairn(&format!("predict {} -m known.safetensors --format json", photos.join(" ")));
    let accepted = is_landmark(&run.assert_status(0).json()).iter().filter(|&&is| is).count();
    assert!(accepted as f64 >= 0.95 * photos.len() as f64, "{accepted} of {}", photos.len());
}

#[test]
fn a_landmark_is_learned_from_photos_named_and_forgotten_again() {
    let sandbox = calibrated();
    let predict = |model: &str| {
        let run = sandbox.cairn(&format!("predict photos/test castles -m {model} -k 9 --format json"));
        let mut rows = run.assert_status(0).json();
        // The files have names of their own; their digests say which are the same model.
        for row in rows.as_array_mut().unwrap() {
            row["model"].as_object_mut().unwrap().remove("name");
        }
        rows
    };
    let before = predict("known.safetensors");
    sandbox
        .cairn("learn known.safetensors --name Old_Castle castles/0.png castles/1.png castles/2.png -o more.safetensors")
        .assert_status(0)
        .assert_stderr_has("learned \"Old_Castle\" from 3 photos: more.safetensors");
    let after = predict("more.safetensors");
    for row in after.as_array().unwrap() {
        let landmarks = row["landmarks"].as_array().unwrap();
        assert_eq!(landmarks.len(), CLASSES.len() + 1);
        assert!(landmarks.iter().any(|landmark| landmark["name"] == "Old Castle"), "{row}");
    }
    assert_eq!(predict("known.safetensors"), before, "-o leaves the old model as it is");

    // What was learned can be tested like what was trained.
    for i in 3..8 {
        sandbox.copy(&format!("castles/{i}.png"), &format!("photos/test/Old_Castle/{i}.png"));
    }
    let test = sandbox.cairn("test more.safetensors photos --json").assert_status(0).json();
    assert_eq!(test["per_class"].as_array().unwrap().len(), CLASSES.len() + 1);
    assert_eq!(test["per_class"][CLASSES.len()]["support"], 5);
    std::fs::remove_dir_all(sandbox.path("photos/test/Old_Castle")).unwrap();

    sandbox
        .cairn("forget more.safetensors --name Old_Castle --in-place")
        .assert_status(0)
        .assert_stderr_has("forgot \"Old Castle\": more.safetensors");
    assert_eq!(predict("more.safetensors"), before);
}

#[test]
fn a_run_folder_learns_in_place_and_a_bad_photo_is_named() {
    let sandbox = calibrated();
    sandbox.file("castles/9.png", b"not a photo");
    sandbox.cairn("calibrate run --data photos --in-place").assert_status(0);
    sandbox
        .cairn("learn run --name Castle castles --in-place")
        .assert_status(2)
        .assert_stderr_has("left out: castles/9.png")
        .assert_stderr_has("from 8 photos: run/best.safetensors");
    let predict = sandbox.cairn("predict castles/0.png -m run -k 5 --format csv");
    predict.assert_status(0).assert_stdout_has(",Castle,Castle,");
}

#[test]
fn similar_ranks_a_folder_with_the_photo_itself_first() {
    let sandbox = calibrated();
    let photo = "photos/test/03.Dome/0001.jpg";
    let rows =
        sandbox.cairn(&format!("similar {photo} photos/test -m run --format json")).assert_status(0).json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), CLASSES.len() * TEST_PHOTOS);
    let likeness = |row: &Value| row["likeness"].as_f64().unwrap();
    assert_eq!(rows[0]["photo"], photo);
    assert!((likeness(&rows[0]) - 1.0).abs() < 1e-3, "{}", rows[0]);
    assert!(rows.is_sorted_by(|a, b| likeness(a) >= likeness(b)));

    sandbox.file("photos/test/03.Dome/bad.jpg", b"not a photo");
    let table = sandbox.cairn(&format!("similar {photo} photos/test/03.Dome -m run -k 2"));
    table.assert_status(2).assert_stderr_has("left out: photos/test/03.Dome/bad.jpg");
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[1].starts_with(photo) && lines[1].ends_with(" 1.000"), "{table}");
    let csv = sandbox.cairn(&format!("similar {photo} castles -m run --format csv -k 1"));
    csv.assert_status(0).assert_stdout_has("photo,likeness\ncastles/");
}

#[cfg(feature = "label")]
#[test]
fn similar_ranks_kept_embeddings_as_it_ranks_the_photos() {
    let sandbox = calibrated();
    let photo = "photos/test/03.Dome/0001.jpg";
    let ranked = |among: &str| {
        sandbox.cairn(&format!("similar {photo} {among} -m run -k 3 --format json")).assert_status(0).json()
    };
    sandbox.cairn("label photos/test -m run -o labels --embed").assert_status(0);
    let (kept, looked_at) = (ranked("labels"), ranked("photos/test"));
    for (kept, looked_at) in kept.as_array().unwrap().iter().zip(looked_at.as_array().unwrap()) {
        assert_eq!(kept["photo"], looked_at["photo"]);
        let likeness = |row: &Value| row["likeness"].as_f64().unwrap();
        assert!((likeness(kept) - likeness(looked_at)).abs() < 1e-6, "{kept} {looked_at}");
    }
    // Few need no index.
    assert!(!sandbox.path("labels/_embeddings.index").exists());
    let both = ranked("labels castles");
    assert_eq!(both[0], ranked("labels")[0]);
    sandbox
        .cairn(&format!("similar {photo} labels -m known.safetensors"))
        .assert_status(1)
        .assert_stderr_has("was labelled by the model run");
    sandbox.file("rows.jsonl", b"{}\n");
    sandbox.cairn(&format!("similar {photo} rows.jsonl -m run")).assert_status(1).assert_stderr_has("line 1");
}

#[test]
fn distractors_are_measured_beside_the_test_photos() {
    let sandbox = calibrated();
    let test = sandbox.cairn("test known.safetensors photos --distractors castles --json");
    let json = test.assert_status(0).json();
    for key in ["auroc", "fpr95", "gap"] {
        assert!(json[key].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)), "{key} in {json}");
    }
    assert!(json["accuracy"].is_number());
    let without = sandbox.cairn("test known.safetensors photos --json").assert_status(0).json();
    assert!(without.get("auroc").is_none());
    assert_eq!(without["accuracy"], json["accuracy"]);
    let table = sandbox.cairn("test known.safetensors photos --distractors castles");
    table.assert_status(0).assert_stdout_has("AUROC").assert_stdout_has("GAP");

    sandbox.file("castles/9.png", b"not a photo");
    sandbox
        .cairn("test known.safetensors photos --distractors castles")
        .assert_status(2)
        .assert_stderr_has("castles/9.png");
}

#[test]
fn what_cannot_be_done_says_why() {
    let sandbox = calibrated();
    sandbox.copy("photos/test/03.Dome/0000.jpg", "other/train/Volcano/0.jpg");
    sandbox.copy("photos/test/03.Dome/0001.jpg", "other/train/Volcano/1.jpg");
    for (arguments, reason) in [
        ("learn run --name Castle castles -o x.safetensors", "run `cairn calibrate` first"),
        ("learn known.safetensors --name Castle castles", "--in-place"),
        ("learn known.safetensors --name Castle castles --in-place -o x.safetensors", "cannot be used with"),
        ("learn known.safetensors --name Castle nowhere.png -o x.safetensors", "not one photo could be read"),
        ("learn known.safetensors --name Dome castles -o x.safetensors", "was trained on \"Dome\""),
        ("forget known.safetensors --name Castle --in-place", "\"Castle\" is not a learned landmark"),
        ("forget known.safetensors --name Dome --in-place", "was trained on \"Dome\""),
        ("calibrate run --data other --in-place", "its classes differ from the model"),
        ("calibrate run --data nowhere --in-place", "nowhere"),
        ("calibrate run --data photos", "--in-place"),
        (
            "calibrate run --data photos --distractors nowhere --in-place",
            "no photo without a landmark could be read",
        ),
        ("similar castles/0.png -m run", "PHOTO|DIR"),
        ("similar nowhere.png castles -m run", "nowhere.png"),
        ("similar castles/0.png nowhere -m run", "the photo could not be read"),
        ("similar castles/0.png castles -m run -k 0", "-k 0"),
        ("predict castles -m run --threshold high", "invalid value 'high'"),
    ] {
        let run = sandbox.cairn(arguments);
        run.assert_status(1).assert_stderr_has(reason);
        assert_eq!(run.stdout, "", "{run}");
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
    assert!(!sandbox.path("x.safetensors").exists());
}
