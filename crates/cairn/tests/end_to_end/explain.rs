//! Explaining an answer, and the pictures of a report.

use std::fs;

use crate::sandbox::{CLASSES, Sandbox, TEST_PHOTOS};

const PHOTO: &str = "photos/test/03.Dome/0000.jpg";

#[test]
fn an_explanation_shows_the_photo_and_its_three_likeliest_landmarks() {
    let sandbox = Sandbox::trained();
    let explain = sandbox.cairn(&format!("explain {PHOTO} -m run"));
    explain.assert_status(0).assert_stderr_has("gradcam at ").assert_stderr_has("0000-explained.png");
    assert_eq!(probabilities(&explain.stdout), predicted(&sandbox, "run"));
    let picture = image::open(sandbox.path("0000-explained.png")).unwrap();
    // Four squares of at least 400 px, and the names below them.
    assert!(picture.width() > 4 * 400 && picture.height() > 400, "{picture:?}");
}

#[test]
fn a_photo_on_standard_input_is_explained_as_its_file_is() {
    let sandbox = Sandbox::trained();
    let by_name = sandbox.cairn(&format!("explain {PHOTO} -m run -o a.png"));
    let fed = sandbox.cairn_fed("explain - -m run", &sandbox.read(PHOTO));
    fed.assert_status(0).assert_stderr_has("stdin-explained.png");
    assert_eq!(fed.stdout, by_name.assert_status(0).stdout);
    assert!(sandbox.path("stdin-explained.png").is_file());
}

/// The first percentage and the name in each line.
fn probabilities(lines: &str) -> Vec<(String, String)> {
    let parts = lines.lines().map(|line| line.trim().split_once("  ").unwrap());
    parts.map(|(probability, name)| (probability.to_owned(), name.to_owned())).collect()
}

/// The same of what `predict` says, of 1 % and more.
fn predicted(sandbox: &Sandbox, model: &str) -> Vec<(String, String)> {
    let rows =
        sandbox.cairn(&format!("predict {PHOTO} -m {model} -k 3 --format json")).assert_status(0).json();
    let landmarks = rows[0]["landmarks"].as_array().unwrap().iter();
    let likely = landmarks.map(|landmark| {
        (landmark["probability"].as_f64().unwrap(), landmark["name"].as_str().unwrap().to_owned())
    });
    let likely = likely.filter(|(probability, _)| *probability >= 0.01);
    likely.map(|(probability, name)| (format!("{:.1}%", 100.0 * probability), name)).collect()
}

#[test]
fn the_probabilities_are_those_of_predict_whatever_the_models_views() {
    let sandbox = Sandbox::trained();
    for views in ["flip", "three-crop", "six-crop", "ten-crop"] {
        let model = format!("{views}.safetensors");
        sandbox.cairn(&format!("calibrate run --data photos --tta {views} -o {model}")).assert_status(0);
        let explain = sandbox.cairn(&format!("explain {PHOTO} -m {model} -o {views}.png --raw {views}.npy"));
        assert_eq!(probabilities(&explain.assert_status(0).stdout), predicted(&sandbox, &model), "{views}");
        // What the views show of the photo, whose shorter side becomes 36 px: the middle 32, or all of it.
        let side = if views == "ten-crop" {
            36
        } else if views == "flip" {
            32
        } else {
            36
        };
        let high = if views == "ten-crop" { 36 } else { 32 };
        let raw = sandbox.read(&format!("{views}.npy"));
        let shape = format!("'shape': ({high}, {side})");
        assert!(String::from_utf8_lossy(&raw[..128]).contains(&shape), "{views}: no {shape}");
    }
}

#[test]
fn a_landmark_is_named_as_predict_prints_it_and_one_of_no_probability_has_no_panel() {
    let sandbox = Sandbox::trained();
    for name in ["windmill", "11.Windmill", "WINDMILL", "11.windmill"] {
        let explain = sandbox.cairn(&format!("explain {PHOTO} -m run --class {name} -o {name}.png"));
        explain.assert_status(0).assert_stdout_has("Windmill");
    }
    // The one panel that is left when nothing else is likely: the photo's and the likeliest landmark's.
    let width = |file: &str| image::open(sandbox.path(file)).unwrap().width();
    let explain = sandbox.cairn(&format!("explain {PHOTO} -m run -o all.png"));
    let panels = explain.assert_status(0).stdout.lines().count() as u32 + 1;
    assert_eq!(width("all.png"), 8 + panels * 408);
}

#[test]
fn one_landmark_is_explained_by_name_and_its_map_written_as_numbers() {
    let sandbox = Sandbox::trained();
    let arguments = "-m run --class windmill --method hirescam -o heat.png --raw heat.npy";
    let explain = sandbox.cairn(&format!("explain {PHOTO} {arguments}"));
    explain.assert_status(0).assert_stdout_has("Windmill").assert_stderr_has("hirescam at ");
    assert_eq!(explain.stdout.lines().count(), 1);
    let picture = image::open(sandbox.path("heat.png")).unwrap();
    assert!((800..1200).contains(&picture.width()), "photo and heat: {picture:?}");
    let raw = sandbox.read("heat.npy");
    assert!(raw.starts_with(b"\x93NUMPY\x01\x00"));
    // The network's input is 32 px wide and high.
    assert!(String::from_utf8_lossy(&raw[..128]).contains("'shape': (32, 32)"));
    assert_eq!(raw.len(), 128 + 32 * 32 * 4);
}

#[test]
fn what_cannot_be_explained_is_answered_with_what_can() {
    let sandbox = Sandbox::trained();
    for (arguments, answer) in [
        (
            "--class Petra",
            "the model knows no landmark `Petra`; it knows Pyramid, Dome, Lighthouse, Windmill",
        ),
        ("--layer conv9", "the network has no layer `conv9`; it has conv1"),
        ("--method lime", "no method is called `lime`; there are gradcam, gradcam++, hirescam"),
    ] {
        let explain = sandbox.cairn(&format!("explain {PHOTO} -m run {arguments}"));
        explain.assert_status(1).assert_stderr_has(answer);
    }
    sandbox.cairn("explain gone.jpg -m run").assert_status(1).assert_stderr_has("gone.jpg");
    assert!(!sandbox.path("0000-explained.png").exists());
}

#[test]
fn a_report_in_a_folder_has_its_pictures_beside_it() {
    let sandbox = Sandbox::trained();
    let test = sandbox.cairn("test run photos --json --report out/of/this");
    test.assert_status(0).assert_stderr_has("report: out/of/this/report.html");
    for picture in ["classes", "confusion", "reliability", "sizes", "loss", "accuracy"] {
        for format in ["svg", "png"] {
            assert!(sandbox.path(&format!("out/of/this/{picture}.{format}")).is_file(), "{picture}.{format}");
        }
    }
    let page = fs::read_to_string(sandbox.path("out/of/this/report.html")).unwrap();
    for text in ["Reliability", "Class sizes", "Trained on", "Recipe"] {
        assert!(page.contains(text), "{text}");
    }
    // Of mistakes and of right answers at most twelve are shown, each with its heat map.
    let right = test.json()["correct"].as_u64().unwrap() as usize;
    let wrong = CLASSES.len() * TEST_PHOTOS - right;
    assert_eq!(page.matches("data:image/jpeg;base64,").count(), 2 * (right.min(12) + wrong.min(12)));
    assert!(!sandbox.path("run/report.html").exists());
}
