//! The main job: train, test, predict, suggest.

use serde_json::Value;

use crate::sandbox::{CLASSES, Finished, Sandbox, TEST_PHOTOS};

#[test]
fn training_leaves_a_whole_run_folder_and_says_what_to_do_next() {
    let sandbox = Sandbox::new();
    let train = sandbox.cairn("train photos --recipe tiny.toml --out run");
    train.assert_status(0);
    assert_eq!(train.stdout, "", "progress belongs on standard error");
    for said in [
        "run folder: run",
        "epoch 1/2",
        "first validation loss",
        "saving the model",
        "epoch 2/2",
        "photos/s",
        "waiting",
        "all epochs done",
        "next: cairn test run",
    ] {
        train.assert_stderr_has(said);
    }
    for file in [
        "recipe.toml",
        "run.json",
        "metrics.jsonl",
        "best.safetensors",
        "checkpoint.safetensors",
        "loss.svg",
        "loss.png",
        "accuracy.svg",
        "accuracy.png",
    ] {
        assert!(!sandbox.read(&format!("run/{file}")).is_empty(), "{file}");
    }
    let metrics = String::from_utf8(sandbox.read("run/metrics.jsonl")).unwrap();
    let epochs: Vec<Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(epochs.len(), 2);
    assert_eq!(epochs[1]["epoch"], 2);
    // The data set's own mean and deviation stand in the recipe as figures, so that the run can be repeated.
    let recipe = String::from_utf8(sandbox.read("run/recipe.toml")).unwrap();
    assert!(recipe.contains("mean = [") && !recipe.contains("data-set"), "{recipe}");
}

#[test]
fn what_is_typed_takes_the_place_of_what_the_recipe_says() {
    let sandbox = Sandbox::new();
    sandbox
        .cairn("train photos --recipe tiny.toml --out run --epochs 1 --batch 5 --seed 77")
        .assert_status(0);
    let recipe = String::from_utf8(sandbox.read("run/recipe.toml")).unwrap();
    for line in ["epochs = 1", "batch = 5", "seed = 77"] {
        assert!(recipe.contains(line), "{line} should stand in\n{recipe}");
    }
    // Without --out, the first number that is free.
    sandbox
        .cairn("train photos --recipe tiny.toml --epochs 1")
        .assert_status(0)
        .assert_stderr_has("runs/tiny-1");
    sandbox
        .cairn("train photos --recipe tiny.toml --epochs 1")
        .assert_status(0)
        .assert_stderr_has("runs/tiny-2");
}

#[test]
fn the_number_of_threads_changes_nothing_in_the_model() {
    let sandbox = Sandbox::new();
    let model = |threads: &str| {
        let run = format!("run-{threads}");
        let train = format!("train photos --recipe tiny.toml --out {run}");
        sandbox.cairn_with(&train, &[("CAIRN_THREADS", threads)]).assert_status(0);
        sandbox.read(&format!("{run}/best.safetensors"))
    };
    assert!(model("1") == model("3"), "the models must be equal byte for byte");
}

#[test]
fn testing_prints_the_figures_and_writes_the_report() {
    let sandbox = Sandbox::trained();
    let test = sandbox.cairn("test run photos");
    test.assert_status(0).assert_stdout_has("Lighthouse").assert_stderr_has("report: run/report.html");
    let json = sandbox.cairn("test run photos --json").assert_status(0).json();
    let photos = CLASSES.len() * TEST_PHOTOS;
    let right = json["correct"].as_u64().unwrap() as usize;
    test.assert_stdout_has(&format!("{}% ({right}/{photos})", 100 * right / photos));

    assert_eq!(json["accuracy"].as_f64().unwrap(), right as f64 / photos as f64);
    for key in ["loss", "top3", "macro_f1"] {
        assert!(json[key].as_f64().is_some_and(f64::is_finite), "{key} in {json}");
    }
    let classes = json["per_class"].as_array().unwrap();
    assert_eq!(classes.len(), CLASSES.len());
    for (class, folder) in classes.iter().zip(CLASSES) {
        assert_eq!(class["class"], folder);
        assert_eq!(class["name"], folder[3..]);
        assert_eq!(class["support"], TEST_PHOTOS);
        for key in ["precision", "recall", "f1"] {
            assert!(
                class[key].as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)),
                "{key} in {class}"
            );
        }
    }
    let report = String::from_utf8(sandbox.read("run/report.html")).unwrap();
    assert!(CLASSES.iter().all(|folder| report.contains(&folder[3..])), "every class is in the report");
}

#[test]
fn a_folder_without_test_is_tested_itself_and_its_report_goes_where_it_is_asked_for() {
    let sandbox = Sandbox::trained();
    let model = "run/best.safetensors";
    let by_set = sandbox.cairn(&format!("test {model} photos --json")).assert_status(0).json();
    assert!(!sandbox.path("run/report.html").exists(), "a model file has no folder for a report");
    let by_folder = sandbox.cairn(&format!("test {model} photos/test --json --report page.html"));
    assert_eq!(by_folder.assert_status(0).json()["correct"], by_set["correct"]);
    assert!(sandbox.path("page.html").is_file());
}

/// Photo, class and probability of every landmark named, in order.
type Named = Vec<(String, String, f64)>;

fn named_in_json(rows: &[Value]) -> Named {
    let mut named = Vec::new();
    for row in rows {
        for landmark in row["landmarks"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            named.push((
                text(&row["photo"]),
                text(&landmark["class"]),
                landmark["probability"].as_f64().unwrap(),
            ));
        }
    }
    named
}

#[test]
fn every_format_of_predict_names_the_same_landmarks() {
    let sandbox = Sandbox::trained();
    let predict = |format: &str| -> Finished {
        let finished = sandbox.cairn(&format!("predict photos/test -m run -k 2 --format {format}"));
        finished.assert_status(0);
        finished.assert_stderr_has("16 photos: ");
        finished
    };
    let json = predict("json").json();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), CLASSES.len() * TEST_PHOTOS);
    assert_eq!(rows[0]["photo"], "photos/test/00.Pyramid/0000.jpg");
    let named = named_in_json(rows);
    assert_eq!(named.len(), 2 * rows.len());

    let lines: Vec<Value> =
        predict("jsonl").stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(named_in_json(&lines), named);

    let csv = predict("csv").stdout;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(
        reader.headers().unwrap(),
        [
            "photo",
            "rank",
            "class",
            "name",
            "probability",
            "is_landmark",
            "landmark_score",
            "locality",
            "country",
            "country_code",
            "latitude",
            "longitude",
            "wikidata",
            "error",
            "sure",
            "taken",
            "camera",
            "camera_latitude",
            "camera_longitude",
            "distance_km",
            "bytes",
            "modified",
            "model"
        ]
        .as_slice()
    );
    let in_csv: Named = reader
        .records()
        .map(|record| record.unwrap())
        .map(|record| (record[0].to_owned(), record[2].to_owned(), record[4].parse().unwrap()))
        .collect();
    for (a, b) in in_csv.iter().zip(&named) {
        assert_eq!((&a.0, &a.1), (&b.0, &b.1));
        assert!((a.2 - b.2).abs() < 1e-6, "{a:?} {b:?}");
    }
    assert_eq!(in_csv.len(), named.len());

    // A line for each photo, and its further guesses below it.
    let table = predict("table").stdout;
    let lines: Vec<&str> = table.lines().filter(|line| line.starts_with("photos/")).collect();
    assert_eq!(lines.len(), rows.len(), "{table}");
    for (line, row) in lines.iter().zip(rows) {
        assert!(line.starts_with(row["photo"].as_str().unwrap()), "{table}");
        let first = &row["landmarks"][0];
        let expected = match row["is_landmark"].as_bool().unwrap() {
            true => format!("{:.1}%", first["probability"].as_f64().unwrap() * 100.0),
            false => "no landmark I know".to_owned(),
        };
        assert!(line.contains(&expected), "{line} should have {expected}");
    }
}

#[test]
fn predict_names_as_many_landmarks_as_asked_for_and_there_are() {
    let sandbox = Sandbox::trained();
    let named = |k: &str| {
        let run = sandbox.cairn_with(
            &format!("predict photos/test/03.Dome/0000.jpg --format json {k}"),
            &[("CAIRN_MODEL", "run")],
        );
        run.assert_status(0).json()[0]["landmarks"].as_array().unwrap().len()
    };
    assert_eq!([named(""), named("-k 1"), named("-k 1000")], [3, 1, CLASSES.len()]);
}

#[test]
fn several_views_of_a_photo_mean_the_same_in_testing_and_in_prediction() {
    let sandbox = Sandbox::trained();
    let loss_of_predictions = |tta: &str| {
        let all = CLASSES.len();
        let rows = sandbox.cairn(&format!("predict photos/test -m run -k {all} --format json --tta {tta}"));
        let rows = rows.assert_status(0).json();
        // The photo's folder is its class.
        let named = named_in_json(rows.as_array().unwrap());
        let true_ones = named.iter().filter(|(photo, class, _)| photo.contains(class.as_str()));
        let losses: Vec<f64> = true_ones.map(|(.., probability)| -probability.ln()).collect();
        assert_eq!(losses.len(), CLASSES.len() * TEST_PHOTOS);
        losses.iter().sum::<f64>() / losses.len() as f64
    };
    let mut seen = Vec::new();
    for tta in ["none", "flip", "three-crop", "six-crop", "five-crop", "ten-crop"] {
        let test = sandbox.cairn(&format!("test run photos --json --tta {tta}")).assert_status(0).json();
        let (tested, predicted) = (test["loss"].as_f64().unwrap(), loss_of_predictions(tta));
        assert!((tested - predicted).abs() < 1e-3, "{tta}: {tested} in testing, {predicted} in prediction");
        assert!(!seen.contains(&tested.to_bits()), "{tta} must show other views");
        seen.push(tested.to_bits());
    }
}

#[test]
fn suggest_asks_about_the_three_likeliest_landmarks() {
    let sandbox = Sandbox::trained();
    let photo = "photos/test/11.Windmill/0001.jpg";
    let suggest = sandbox.cairn(&format!("suggest {photo} -m run --threshold 0"));
    suggest.assert_status(0);
    let json = sandbox.cairn(&format!("predict {photo} -m run --format json")).json();
    let names: Vec<&str> =
        json[0]["landmarks"].as_array().unwrap().iter().map(|l| l["name"].as_str().unwrap()).collect();
    let [first, second, third] = names[..] else { panic!("{names:?}") };
    suggest
        .assert_stdout_has(&format!("Is this a picture of the {first}, the {second} or the {third}?\n"))
        .assert_stdout_has(&format!("%  {third}\n"));
}
