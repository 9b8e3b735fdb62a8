//! Names from outside change no structure: of the page, of its pictures, or of a table.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use std::fs;

use cairn_dataset::escape::is_hidden;
use cairn_dataset::{ClassId, ClassList};
use cairn_eval::{
    Evaluation, Exhibit, Prediction, ReportInputs, RunCurves, Scores, write_report, write_run_curves,
};
use cairn_photo::Photo;
use proptest::prelude::*;

const HOSTILE: [&str; 6] = [
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "a\nforged  1.000  1.000  1.000  9",
    "</text></svg><script>alert(1)</script>",
    "\u{202e}gpj.exe \u{0}\u{ffff}\u{9b}31m",
    "\" onload=\"alert(1)\" x='&amp;",
    "]]><!-- -->{{x}}",
];

/// A test of two classes of these names, some photos of the first taken for the second.
fn evaluation(names: [&str; 2]) -> Evaluation {
    let mut scores = Scores::new(2);
    for logits in [[1.0, 0.0], [0.0, 1.0], [0.5, 0.0]] {
        scores.push(ClassId::new(0), &logits);
    }
    scores.push(ClassId::new(1), &[0.0, 1.0]);
    let folders = [format!("00.{}", names[0]), format!("01.{}", names[1])];
    scores.evaluate(&ClassList::from_folders(folders), 1.0)
}

/// The report's page, and its pictures as SVG.
fn report(names: [&str; 2]) -> (String, Vec<String>) {
    let evaluation = evaluation(names);
    let prediction =
        Prediction { truth: ClassId::new(0), class: ClassId::new(1), probability: 0.5, loss: 1.0 };
    let photo = Photo::filled(8, 8, [90; 3]);
    let exhibit = Exhibit { heat: None, photo, path: names[1].to_owned(), prediction };
    let inputs = ReportInputs {
        model: names[0],
        data: names[1],
        date: names[0],
        recipe: Some(names[1]),
        evaluation: &evaluation,
        training: None,
        train_sizes: None,
        mistakes: &[exhibit],
        hits: &[],
    };
    let folder = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(write_report(folder.path(), &inputs).unwrap()).unwrap();
    let runs = names.map(|name| RunCurves {
        name: name.to_owned(),
        valid_loss: vec![2.0, 1.0],
        valid_accuracy: vec![0.1, 0.5],
    });
    write_run_curves(&folder.path().join("curves.svg"), &runs).unwrap();
    let mut pictures: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
    pictures.retain(|path| path.extension().is_some_and(|extension| extension == "svg"));
    pictures.sort();
    (page, pictures.iter().map(|path| fs::read_to_string(path).unwrap()).collect())
}

/// The names of all tags, in order.
fn tags(text: &str) -> Vec<&str> {
    let ends = |character: char| character.is_whitespace() || character == '>';
    text.split('<').skip(1).map(|tag| tag.split(ends).next().unwrap_or_default()).collect()
}

fn check(names: [&str; 2]) -> Result<(), TestCaseError> {
    let (page, pictures) = report(names);
    let (plain_page, plain_pictures) = report(["Petra", "Alhambra"]);
    prop_assert_eq!(tags(&page), tags(&plain_page));
    prop_assert!(!page.contains(|c| c != '\n' && is_hidden(c)));
    prop_assert_eq!(pictures.len(), plain_pictures.len());
    for (picture, plain) in pictures.iter().zip(&plain_pictures) {
        let document = roxmltree::Document::parse(picture);
        prop_assert!(document.is_ok(), "{:?}: {picture}", document.err());
        // Runs of one name share a line of the legend.
        if names[0] != names[1] {
            prop_assert_eq!(tags(picture), tags(plain));
        }
    }
    let table = evaluation(names).to_string();
    prop_assert_eq!(table.lines().count(), evaluation(["Petra", "Alhambra"]).to_string().lines().count());
    prop_assert!(!table.contains(|c| c != '\n' && is_hidden(c)), "{table:?}");
    Ok(())
}

#[test]
fn hostile_names_are_shown_and_not_obeyed() {
    for name in HOSTILE {
        check([name, "Alhambra"]).unwrap();
        check(["Petra", name]).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_the_names_pages_pictures_and_tables_keep_their_structure(a in any::<String>(), b in any::<String>()) {
        check([&a, &b])?;
    }
}
