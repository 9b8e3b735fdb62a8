//! Explaining an answer, and the pictures of a report.

use std::fs;

use crate::sandbox::{CLASSES, Sandbox, TEST_PHOTOS};

const PHOTO: &str = "photos/test/03.Dome/0000.jpg";

#[test]
fn an_explanation_shows_the_photo_and_its_three_likeliest_landmarks() {
    let sandbox = Sandbox::trained();
    let explain = sandbox.cairn(&format!("explain {PHOTO} -m run"));
    explain.assert_status(0).assert_stderr_has("gradcam at ").assert_stderr_has("0000-explained.png");
    let predicted = sandbox.cairn(&format!("predict {PHOTO} -m run")).stdout;
    let landmarks: Vec<&str> = predicted.lines().skip(1).map(str::trim).collect();
    assert_eq!(explain.stdout.lines().map(str::trim).collect::<Vec<_>>(), landmarks);
    let picture = image::open(sandbox.path("0000-explained.png")).unwrap();
    // Four squares of at least 400 px, and the names below them.
    assert!(picture.width() > 4 * 400 && picture.height() > 400, "{picture:?}");
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
