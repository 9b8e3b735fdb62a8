//! The report is one page that stands alone and says what the evaluation says.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use cairn_dataset::{ClassId, ClassList};
use cairn_eval::{
    Curves, EvalError, Evaluation, Exhibit, Prediction, ReportInputs, Scores, TrainingFacts, surest_hits,
    worst_mistakes, write_report,
};
use cairn_photo::Photo;
use std::fs;

/// 10 photos of each class; of those of class 0, every third is taken for class 1.
fn evaluation(folders: &[&str]) -> Evaluation {
    let mut scores = Scores::new(folders.len());
    for truth in 0..folders.len() {
        for photo in 0..10 {
            let predicted = if truth == 0 && photo % 3 == 0 { 1 } else { truth };
            let logits: Vec<f32> =
                (0..folders.len()).map(|class| if class == predicted { 3.0 } else { 0.0 }).collect();
            scores.push(ClassId::new(truth), &logits);
        }
    }
    scores.evaluate(&ClassList::from_folders(folders.iter().copied()), 1.0)
}

fn inputs(evaluation: &Evaluation) -> ReportInputs<'_> {
    ReportInputs {
        model: "runs/first/best.safetensors",
        data: "landmarks",
        date: "2026-11-22",
        recipe: None,
        evaluation,
        training: None,
        train_sizes: None,
        mistakes: &[],
        hits: &[],
    }
}

fn training(curves: &Curves) -> TrainingFacts<'_> {
    TrainingFacts { curves, machine: "linux x86_64, 2 cores", seconds: 720.0 }
}

/// A grey photo of a class, taken for another.
fn exhibit(truth: usize, class: usize) -> Exhibit {
    let (truth, class) = (ClassId::new(truth), ClassId::new(class));
    let prediction = Prediction { truth, class, probability: 0.875, loss: 1.0 };
    let photo = Photo::filled(40, 30, [90; 3]);
    Exhibit { heat: Some(photo.clone()), photo, path: "03.Petra/night.jpg".to_owned(), prediction }
}

fn written(inputs: &ReportInputs<'_>) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::read_to_string(write_report(folder.path(), inputs).unwrap()).unwrap()
}

#[test]
fn the_page_says_what_was_tested_and_how_it_did() {
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben", "02.Petra"]);
    let page = written(&inputs(&evaluation));
    for text in ["86% (26/30)", "runs/first/best.safetensors", "landmarks", "2026-11-22", "Alhambra", "Petra"]
    {
        assert!(page.contains(text), "no \"{text}\"");
    }
    assert!(page.contains("<td>Alhambra</td><td>Big Ben</td><td class=\"number\">4 of 10</td>"));
    assert!(!page.contains("<h2>Recipe</h2>") && !page.contains("<h2>Training</h2>"));
}

#[test]
fn classes_stand_best_first_and_those_without_photos_last() {
    let classes = ClassList::from_folders(["0.Middling", "1.Worst", "2.Absent", "3.Best"]);
    let mut scores = Scores::new(4);
    for (truth, logits) in [(3, [0.0, 0.0, 0.0, 1.0]), (0, [1.0, 0.0, 0.0, 0.0]), (1, [1.0, 0.0, 0.0, 0.0])] {
        scores.push(ClassId::new(truth), &logits);
    }
    let page = written(&inputs(&scores.evaluate(&classes, 1.0)));
    let (_, table) = page.split_once("<tbody>").unwrap(); // after the picture, in the same order
    let places: Vec<usize> = ["Best", "Middling", "Worst", "Absent"]
        .iter()
        .map(|name| table.find(&format!(">{name}</th>")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_page_needs_nothing_from_anywhere_else() {
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben"]);
    let curves = Curves { train_loss: vec![2.0, 1.0], valid_loss: vec![2.1, 1.5], ..Curves::default() };
    let page = written(&ReportInputs {
        training: Some(training(&curves)),
        recipe: Some("epochs = 2"),
        mistakes: &[exhibit(0, 1)],
        hits: &[exhibit(1, 1)],
        ..inputs(&evaluation)
    });
    let without_namespace = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    let without_pictures = without_namespace.replace("src=\"data:image/jpeg;base64,", "");
    assert_eq!(without_namespace.matches("src=").count(), 4, "two photos, each with its heat");
    for loader in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link"] {
        assert!(!without_pictures.contains(loader), "the page has {loader}");
    }
    assert!(page.contains("cross-entropy loss") && page.contains("epochs = 2"));
}

#[test]
fn the_page_gives_the_curves_its_own_colours() {
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben"]);
    let loss = || vec![2.0, 1.0, 1.5];
    let curves = Curves { train_loss: loss(), valid_loss: loss(), best_epoch: Some(2), ..Curves::default() };
    let page = written(&ReportInputs { training: Some(training(&curves)), ..inputs(&evaluation) });
    let (style, body) = page.split_once("</style>").unwrap();
    let colours = |attribute: &'static str| {
        body.match_indices(attribute).map(move |(at, _)| &body[at..at + attribute.len() + 7 + 1])
    };
    let drawn: Vec<&str> =
        colours("fill=\"#").chain(colours("stroke=\"#")).map(|text| &text[..text.len() - 1]).collect();
    assert!(drawn.len() > 10);
    for colour in drawn {
        assert!(style.contains(colour), "the style does not know {colour}, which stays the same in the dark");
    }
}

#[test]
fn what_comes_from_outside_is_shown_and_not_obeyed() {
    let evil = "<script>alert(1)</script>";
    let evaluation = evaluation(&["00.Alhambra", "01.<b onload=\"x\">&amp;"]);
    let page = written(&ReportInputs {
        model: evil,
        data: evil,
        date: evil,
        recipe: Some(evil),
        ..inputs(&evaluation)
    });
    assert!(!page.contains("<script") && !page.contains("<b onload"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&lt;b onload=&quot;x&quot;&gt;&amp;amp;"));
}

#[test]
fn a_broken_network_a_test_without_photos_and_a_single_class_have_a_report_too() {
    let mut broken = Scores::new(2);
    broken.push(ClassId::new(0), &[f32::NAN, 0.0]);
    let classes = ClassList::from_folders(["00.Alhambra", "01.Big_Ben"]);
    let page = written(&inputs(&broken.evaluate(&classes, 1.0)));
    assert!(page.contains("For 1 of 1 photos the network's output was not a number"));
    for (scores, folders) in
        [(Scores::new(2), vec!["00.Alhambra", "01.Big_Ben"]), (Scores::new(1), vec!["00.A"])]
    {
        let page = written(&inputs(&scores.evaluate(&ClassList::from_folders(folders), 1.0)));
        assert!(page.contains("no photos") && !page.contains("NaN"));
    }
}

#[test]
fn mistakes_and_hits_are_named_with_what_was_said_of_them() {
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben"]);
    let page =
        written(&ReportInputs { mistakes: &[exhibit(0, 1)], hits: &[exhibit(1, 1)], ..inputs(&evaluation) });
    assert_eq!(page.matches("<strong>Big Ben</strong> 87.5%").count(), 2);
    assert_eq!(page.matches("shows Alhambra").count(), 1);
    assert_eq!(page.matches(">03.Petra/night.jpg</p>").count(), 2);
}

#[test]
fn the_surest_answers_stand_first_wrong_and_right_apart() {
    let answer = |class: usize, probability: f64| {
        Some(Prediction { truth: ClassId::new(0), class: ClassId::new(class), probability, loss: 1.0 })
    };
    let predictions = [answer(1, 0.5), answer(0, 0.7), None, answer(2, 0.9), answer(0, 0.8), answer(1, 0.6)];
    assert_eq!(worst_mistakes(&predictions, 2), [3, 5]);
    assert_eq!(surest_hits(&predictions, 9), [4, 1]);
}

#[test]
fn classes_without_photos_and_more_classes_than_a_matrix_can_hold_have_pictures_too() {
    for classes in [1, 2, 60, 301] {
        let folders: Vec<String> =
            (0..classes).map(|class| format!("{class:03}.A_rather_long_name_of_a_landmark")).collect();
        let mut scores = Scores::new(classes);
        scores.push(ClassId::new(0), &vec![0.0; classes]);
        let evaluation = scores.evaluate(&ClassList::from_folders(&folders), 1.0);
        let folder = tempfile::tempdir().unwrap();
        let page = fs::read_to_string(write_report(folder.path(), &inputs(&evaluation)).unwrap()).unwrap();
        assert_eq!(page.contains("too many classes for a matrix"), classes > 300);
        assert_eq!(folder.path().join("confusion.png").exists(), classes <= 300);
        let picture = image::open(folder.path().join("classes.png")).unwrap();
        assert_eq!(picture.width(), 2 * 940);
    }
}

#[test]
fn a_folder_gets_a_report_html_and_a_file_name_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben"]);
    let path = write_report(folder.path(), &inputs(&evaluation)).unwrap();
    assert_eq!(path, folder.path().join("report.html"));
    let named = folder.path().join("other.html");
    assert_eq!(write_report(&named, &inputs(&evaluation)).unwrap(), named);
    let mut files: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let pictures = ["classes", "confusion", "reliability", "sizes"]
        .map(|name| [".png", ".svg"].map(|e| format!("{name}{e}")));
    let mut expected: Vec<String> = pictures.into_iter().flatten().collect();
    expected.extend(["other.html".to_owned(), "report.html".to_owned()]);
    expected.sort();
    assert_eq!(files, expected);
}

#[test]
fn a_folder_that_is_not_there_is_named_in_the_error() {
    let gone = tempfile::tempdir().unwrap().path().join("gone").join("report.html");
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben"]);
    let error = write_report(&gone, &inputs(&evaluation)).unwrap_err();
    assert!(matches!(&error, EvalError::Write { path, .. } if *path == gone), "{error}");
}

#[cfg(unix)]
#[test]
fn the_report_may_be_read_by_others_as_any_new_file_may() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let evaluation = evaluation(&["00.Alhambra", "01.Big_Ben"]);
    let report = write_report(folder.path(), &inputs(&evaluation)).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(report), mode(plain));
}
