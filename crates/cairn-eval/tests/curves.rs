//! The curves of a run become pictures, whatever the run did.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use cairn_eval::{Curves, EvalError, RateCurve, RunCurves, write_run_curves};
use std::fs;
use std::path::Path;

/// A run of `epochs` epochs that learns for a while and then learns by heart.
fn run(epochs: usize) -> Curves {
    let time = |epoch: usize| epoch as f64 / epochs as f64;
    let train_loss = (0..epochs).map(|epoch| 3.4 * (-3.0 * time(epoch)).exp());
    let valid_loss = (0..epochs).map(|epoch| 3.5 * (-2.5 * time(epoch)).exp() + 1.2 * time(epoch).powi(2));
    let valid_loss: Vec<f64> = valid_loss.collect();
    let best = (0..epochs).min_by(|&a, &b| valid_loss[a].total_cmp(&valid_loss[b]));
    Curves {
        train_loss: train_loss.collect(),
        train_accuracy: (0..epochs).map(|epoch| 0.9 - 0.85 * (-3.0 * time(epoch)).exp()).collect(),
        valid_accuracy: (0..epochs).map(|epoch| 0.6 - 0.55 * (-3.0 * time(epoch)).exp()).collect(),
        best_epoch: best.map(|epoch| epoch + 1),
        valid_loss,
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn loss_and_accuracy_are_written_as_svg_and_png() {
    let folder = tempfile::tempdir().unwrap();
    run(20).write(folder.path()).unwrap();
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["accuracy.png", "accuracy.svg", "loss.png", "loss.svg"]);
    for name in ["loss.png", "accuracy.png"] {
        let picture = image::open(folder.path().join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (920, 640), "{name}");
    }
}

#[test]
fn a_picture_names_its_axes_its_lines_and_the_best_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let curves = run(20);
    curves.write(folder.path()).unwrap();
    let best = format!("best epoch {}", curves.best_epoch.unwrap());
    let loss = read(folder.path(), "loss.svg");
    for text in ["Loss", "epoch", "cross-entropy loss", "training", "validation", &best] {
        assert!(loss.contains(&format!("\n{text}\n")), "no \"{text}\"");
    }
    assert!(read(folder.path(), "accuracy.svg").contains("\n60%\n"));
}

/// Where each text of an SVG picture is: the text, its left end or middle, and its height.
fn texts(svg: &str) -> Vec<(String, f64, f64)> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    let place = |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    texts
        .map(|node| (node.text().unwrap_or_default().trim().to_owned(), place(node, "x"), place(node, "y")))
        .collect()
}

#[test]
fn loss_and_accuracy_side_by_side_are_the_two_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let curves = run(20);
    curves.write(folder.path()).unwrap();
    let both = texts(&curves.to_svg().unwrap());
    let (loss, accuracy) =
        (texts(&read(folder.path(), "loss.svg")), texts(&read(folder.path(), "accuracy.svg")));
    let moved = accuracy.iter().map(|(text, x, y)| (text.clone(), x + 460.0, *y));
    assert_eq!(both, loss.iter().cloned().chain(moved).collect::<Vec<_>>());

    curves.write_to(&folder.path().join("both.svg")).unwrap();
    assert_eq!(read(folder.path(), "both.svg"), curves.to_svg().unwrap());
    curves.write_to(&folder.path().join("both.png")).unwrap();
    let picture = image::open(folder.path().join("both.png")).unwrap();
    assert_eq!((picture.width(), picture.height()), (1840, 640));
    let error = curves.write_to(&folder.path().join("both.gif")).unwrap_err();
    assert!(matches!(error, EvalError::PictureKind { .. }), "{error}");
}

#[test]
fn text_in_png_pictures_needs_no_installed_font() {
    // Where text is expected there is ink: the title's corner is not all paper.
    let folder = tempfile::tempdir().unwrap();
    run(20).write(folder.path()).unwrap();
    let picture = image::open(folder.path().join("loss.png")).unwrap().into_rgb8();
    let corner = image::imageops::crop_imm(&picture, 0, 0, 200, 90).to_image();
    assert!(corner.pixels().any(|pixel| pixel.0.iter().all(|&channel| channel < 0x70)));
}

#[test]
fn runs_of_any_length_and_values_that_are_no_numbers_are_drawn() {
    let gaps = Curves {
        train_loss: vec![f64::NAN, 2.0, f64::INFINITY, 1.0, 0.5],
        valid_loss: vec![f64::NAN; 5],
        train_accuracy: vec![0.0; 5],
        valid_accuracy: vec![0.2],
        best_epoch: Some(9),
    };
    for curves in [Curves::default(), run(1), run(2), run(300), gaps] {
        let folder = tempfile::tempdir().unwrap();
        curves.write(folder.path()).unwrap();
        for name in ["loss.svg", "accuracy.svg"] {
            let svg = read(folder.path(), name);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name} of {curves:?}");
        }
    }
}

#[test]
fn text_can_be_read_on_a_phone() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    run(20).write(folder.path()).unwrap();
    let curves =
        RunCurves { name: "run".to_owned(), valid_loss: vec![2.0, 1.0], valid_accuracy: vec![0.1, 0.4] };
    write_run_curves(&file("runs.svg"), &[curves]).unwrap();
    RateCurve { rates: vec![1e-3, 1e-2, 1e-1], losses: vec![3.0, 2.0, 5.0], suggestion: Some(1e-2) }
        .write(&file("rates.svg"))
        .unwrap();
    // In CSS pixels: the width of a phone's screen, and letters that need no magnifying.
    let (phone, least) = (360.0, 8.0);
    for name in ["loss.svg", "accuracy.svg", "runs.svg", "rates.svg"] {
        let svg = read(folder.path(), name);
        let number = |text: &str| -> f64 { text.split('"').next().unwrap().parse().unwrap() };
        let width = number(svg.split("width=\"").nth(1).unwrap());
        let smallest = svg.split("font-size=\"").skip(1).map(number).fold(f64::INFINITY, f64::min);
        assert!(smallest * phone / width >= least, "{name}: {smallest} px of {width}");
    }
}

#[test]
fn a_gap_breaks_the_line_rather_than_being_bridged() {
    let folder = tempfile::tempdir().unwrap();
    let loss = |train_loss: Vec<f64>| {
        Curves { train_loss, ..Curves::default() }.write(folder.path()).unwrap();
        read(folder.path(), "loss.svg").matches("stroke=\"#0072B2\"").count()
    };
    assert_eq!(loss(vec![3.0, 2.5, 2.0, 1.5, 1.0]), 1);
    assert_eq!(loss(vec![3.0, 2.5, f64::NAN, 1.5, 1.0]), 2);
}

#[test]
fn a_folder_that_is_not_there_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap().path().join("gone");
    let error = run(3).write(&folder).unwrap_err();
    assert!(matches!(&error, EvalError::Write { path, .. } if path.starts_with(&folder)), "{error}");
    assert!(error.to_string().contains("loss.svg"), "{error}");
}
