//! Answers as a table for people: a line for each photo, the answer in it.

use cairn_dataset::escape::shown;
use cairn_model::rows::{Camera, Row, RowOutcome};
use cairn_model::{Landmark, Prediction};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::standard_output;
use crate::terminal::wrapped;

/// Columns between two cells.
const GAP: usize = 2;
/// Columns of a probability: `100.0%`.
const PROBABILITY: usize = 6;
/// Columns that a photo's name takes at most where no terminal says how many there are.
const LONGEST_NAME: usize = 60;
/// The fewest columns that a name is cut to.
const SHORTEST_NAME: usize = 8;
/// The fewest columns that text is wrapped to.
const NARROWEST_TEXT: usize = 16;

/// How the table looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RowTable {
    /// Columns that a line may take; `None` where nothing is cut.
    pub width: Option<usize>,
    /// Columns of the photos' names.
    pub name_width: usize,
    /// Whether colour and weight are shown.
    pub colour: bool,
    /// Whether guesses below 1 %, scores, cameras and whole reasons are shown, too.
    pub verbose: bool,
    /// Whether further guesses are shown.
    pub guesses: bool,
}

/// What words are drawn with, as ANSI's escape codes have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Bold,
    Faint,
    Yellow,
    Red,
}

impl Weight {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Yellow => "\x1b[33m",
            Self::Red => "\x1b[31m",
        }
    }
}

impl RowTable {
    /// For photos of these names on standard output: cut to the terminal's width, in its colours, if it is one.
    pub(crate) fn on_stdout<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let is_terminal = standard_output::is_terminal();
        let width = standard_output::columns();
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = is_terminal && !is_set("NO_COLOR") && !is_dumb;
        Self::for_names(names, width, colour)
    }

    /// For photos of these names, on so many columns.
    fn for_names<'a>(names: impl Iterator<Item = &'a str>, width: Option<usize>, colour: bool) -> Self {
        let longest = names.map(|name| shown(name).width()).max().unwrap_or_default();
        let most = width.map_or(LONGEST_NAME, |width| (width * 2 / 5).max(SHORTEST_NAME));
        Self { width, name_width: longest.min(most), colour, verbose: false, guesses: false }
    }

    /// The lines of a row, each with its line end.
    pub(crate) fn lines(&self, row: &Row<'_>) -> String {
        let mut lines = String::new();
        match &row.outcome {
            RowOutcome::Prediction(prediction) => {
                self.answer_lines(&mut lines, row, prediction);
                self.set_line(&mut lines, prediction);
                self.camera_line(&mut lines, row.landmark(), row.camera.as_ref());
                if self.verbose {
                    let said = format!("landmark score {:.4}", prediction.landmark_score);
                    self.line(&mut lines, "", "", &[said], Weight::Faint);
                }
            }
            RowOutcome::Unreadable { error } => {
                let reason = format!("not read: {error}");
                self.line(&mut lines, &row.photo, "", &[reason], Weight::Red);
            }
        }
        lines
    }

    fn answer_lines(&self, lines: &mut String, row: &Row<'_>, prediction: &Prediction) {
        let all = prediction.landmarks.as_slice();
        let shown = if self.verbose { all } else { prediction.worth_saying() };
        let closest = match row.landmark() {
            Some(landmark) => {
                let maybe = prediction.is_doubtful();
                let weight = if maybe { Weight::Yellow } else { Weight::Bold };
                let texts = if maybe { maybe_texts(landmark) } else { texts(landmark) };
                self.line(lines, &row.photo, &landmark.probability.to_string(), &texts, weight);
                shown.get(1..).unwrap_or_default()
            }
            None => {
                let texts = ["no landmark I know", "no landmark"].map(str::to_owned);
                self.line(lines, &row.photo, "–", &texts, Weight::Faint);
                shown
            }
        };
        if self.guesses {
            for landmark in closest {
                let probability = landmark.probability.to_string();
                self.line(lines, "", &probability, &texts(landmark), Weight::Faint);
            }
        }
    }

    /// The set of landmarks, where somebody asked for one.
    fn set_line(&self, lines: &mut String, prediction: &Prediction) {
        let Some(set) = &prediction.set else { return };
        let names: Vec<&str> = set.landmarks.iter().map(|landmark| landmark.name.as_str()).collect();
        let share = format!("{:.1}%", set.coverage * 100.0);
        let texts = match names.as_slice() {
            [only] => vec![format!("only {only}")],
            [first, others @ ..] => {
                vec![format!("one of {}", names.join(", ")), format!("{first} or {} others", others.len())]
            }
            [] => return,
        };
        self.line(lines, "", &share, &texts, Weight::Faint);
    }

    /// What the camera says, where somebody asks for it or it contradicts the answer.
    fn camera_line(&self, lines: &mut String, landmark: Option<&Landmark>, camera: Option<&Camera>) {
        let Some(camera) = camera else { return };
        if self.verbose {
            let shorter = camera.distance().map(|distance| format!("camera {distance} from it"));
            for texts in [
                camera.whereabouts().into_iter().chain(shorter).collect(),
                Vec::from_iter(camera.equipment()),
            ] {
                if !texts.is_empty() {
                    self.line(lines, "", "", &texts, Weight::Faint);
                }
            }
        }
        if let (Some(_), Some(distance), true) = (landmark, camera.distance(), camera.contradicts()) {
            let texts =
                ["but the camera was ", "camera ", ""].map(|before| format!("{before}{distance} away"));
            self.line(lines, "", "", &texts, Weight::Yellow);
        }
    }

    /// A line: the photo, a probability, and of `texts` the first that fits, or as much of the last as does. Verbose, nothing
    /// is cut: a name too long for its column has a line of its own, and the first of the texts goes on below.
    fn line(&self, lines: &mut String, photo: &str, probability: &str, texts: &[String], weight: Weight) {
        let mut name = match self.width {
            Some(_) if !self.verbose => without_beginning(&shown(photo), self.name_width),
            _ => shown(photo).into_owned(),
        };
        if self.width.is_some() && name.width() > self.name_width {
            lines.push_str(&std::mem::take(&mut name));
            lines.push('\n');
        }
        let padding = " ".repeat(self.name_width.saturating_sub(name.width()));
        let used = name.width().max(self.name_width) + GAP + PROBABILITY + GAP;
        let texts: Vec<String> = texts.iter().map(|text| shown(text).into_owned()).collect();
        let text = match self.width {
            None => texts.first().cloned().unwrap_or_default(),
            Some(width) if self.verbose => {
                let text = texts.first().map_or("", String::as_str);
                let below = format!("\n{}", " ".repeat(used));
                wrapped(text, width.saturating_sub(used).max(NARROWEST_TEXT), 0).replace('\n', &below)
            }
            Some(width) => {
                let room = width.saturating_sub(used);
                let fitting = texts.iter().find(|text| text.width() <= room).cloned();
                fitting.unwrap_or_else(|| without_end(texts.last().map_or("", String::as_str), room))
            }
        };
        let (on, off) = match weight {
            _ if !self.colour => ("", ""),
            _ => (weight.code(), "\x1b[0m"),
        };
        let before = PROBABILITY.saturating_sub(probability.width());
        let before = " ".repeat(before);
        lines.push_str(&format!("{name}{padding}  {before}{on}{probability}  {text}{off}\n"));
    }
}

/// What is said of a landmark, the longest first.
fn texts(landmark: &Landmark) -> Vec<String> {
    match &landmark.place {
        Some(place) => vec![
            format!("{}, {}, {}", landmark.name, place.locality, place.country),
            format!("{}, {}", landmark.name, place.country),
            landmark.name.clone(),
        ],
        None => vec![landmark.name.clone()],
    }
}

/// The same of a landmark that the model is not sure of. The mark comes first, so that it is never what is cut off.
fn maybe_texts(landmark: &Landmark) -> Vec<String> {
    let texts = texts(landmark);
    let shortest = texts.last().map(|name| format!("? {name}"));
    texts.iter().map(|text| format!("maybe {text}")).chain(shortest).collect()
}

/// The text in at most so many columns, its end left out for a `…` where it is longer.
fn without_end(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = columns.saturating_sub(1);
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.width().unwrap_or_default()) else { break };
        left = rest;
        kept.push(character);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// The same with its beginning left out: the end of a path tells more.
fn without_beginning(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let mut start = text.len();
    for (at, character) in text.char_indices().rev() {
        let Some(rest) = left.checked_sub(character.width().unwrap_or_default()) else { break };
        left = rest;
        start = at;
    }
    // What combines with a character that is left out goes with it.
    let kept = text[start..].trim_start_matches(|character: char| character.width() == Some(0));
    if columns > 0 { format!("…{kept}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::{landmark, model, row};

    #[test]
    fn a_set_is_written_below_the_answer() {
        let model = model();
        let lines = |names: &[&str]| {
            let landmarks = names.iter().map(|name| landmark(name, 0.4)).collect();
            let prediction = Prediction {
                landmarks: vec![landmark("Petra", 0.4)],
                set: Some(cairn_model::LandmarkSet { coverage: 0.951, landmarks }),
                ..Prediction::default()
            };
            RowTable::default().lines(&row("a.jpg", RowOutcome::Prediction(&prediction), &model))
        };
        assert!(lines(&["Petra"]).ends_with("   95.1%  only Petra\n"), "{}", lines(&["Petra"]));
        let two = lines(&["Petra", "Old Mill"]);
        assert!(two.ends_with("   95.1%  one of Petra, Old Mill\n"), "{two}");
    }

    /// A table of these photos: sure, not sure, none, unreadable, and one whose camera was elsewhere.
    fn table(width: Option<usize>, change: impl Fn(RowTable) -> RowTable) -> String {
        let names =
            ["photos/a.jpg", "photos/写真/東京の塔.jpg", "Île-de-France/été/Café.jpg", "x.jpg", "Bild.jpg"];
        let table = change(RowTable::for_names(names.into_iter(), width, false));
        let prediction = |is_landmark, sure, first: (&str, f64)| Prediction {
            is_landmark: Some(is_landmark),
            sure: Some(sure),
            landmark_score: 0.1234,
            landmarks: vec![landmark(first.0, first.1), landmark("Petra", 0.02), landmark("Old Mill", 0.004)],
            ..Prediction::default()
        };
        let sure = prediction(true, true, ("Eiffel Tower", 0.9951));
        let maybe = prediction(true, false, ("Chichen Itza", 0.612));
        let none = prediction(false, false, ("Old Mill", 0.3));
        let camera = Camera {
            latitude: Some(36.0),
            longitude: Some(-112.0),
            taken: Some("2019-07-14T15:04:05".to_owned()),
            make: None,
            model: Some("iPhone 12".to_owned()),
            distance_km: Some(8432.4),
        };
        let model = model();
        let error = "truncated JPEG (the file ends before the picture does): copy or download it again";
        let outcomes = [
            (RowOutcome::Prediction(&sure), None),
            (RowOutcome::Prediction(&maybe), None),
            (RowOutcome::Prediction(&none), None),
            (RowOutcome::Unreadable { error: error.to_owned() }, None),
            (RowOutcome::Prediction(&sure), Some(camera)),
        ];
        let rows = names.iter().zip(outcomes);
        rows.map(|(name, (outcome, camera))| table.lines(&Row { camera, ..row(name, outcome, &model) }))
            .collect()
    }

    #[test]
    fn a_table_has_one_line_for_each_photo_and_the_answer_in_it() {
        insta::assert_snapshot!("file", table(None, |table| table));
        insta::assert_snapshot!("80_columns", table(Some(80), |table| table));
        insta::assert_snapshot!("40_columns", table(Some(40), |table| table));
    }

    #[test]
    fn further_guesses_and_everything_else_are_shown_where_somebody_asks() {
        insta::assert_snapshot!("guesses", table(Some(80), |table| RowTable { guesses: true, ..table }));
        let verbose = |table| RowTable { guesses: true, verbose: true, ..table };
        insta::assert_snapshot!("verbose", table(Some(80), verbose));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_answers_are_one_under_the_other() {
        for width in [20, 33, 40, 60, 80, 200] {
            let table = table(Some(width), |table| table);
            for line in table.lines() {
                assert!(
                    line.width() <= width.max(SHORTEST_NAME + GAP + PROBABILITY + GAP),
                    "{width}: {line}"
                );
            }
        }
        let table = table(Some(80), |table| table);
        let begins = |line: &str, text: &str| line.find(text).map(|at| line[..at].width());
        let columns: Vec<usize> = ["Eiffel", "maybe", "no landmark", "not read"]
            .iter()
            .map(|text| table.lines().find_map(|line| begins(line, text)).unwrap())
            .collect();
        assert!(columns.iter().all(|column| *column == columns[0]), "{columns:?}\n{table}");
    }

    #[test]
    fn verbose_cuts_nothing_on_any_terminal_that_has_room_for_a_word() {
        let verbose = |width| {
            let table = table(Some(width), |table| RowTable { guesses: true, verbose: true, ..table });
            table.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        for width in [50, 60, 80] {
            let said = verbose(width);
            assert!(!said.contains('…'), "{width}: {said}");
            for whole in [
                "Île-de-France/été/Café.jpg",
                "maybe Chichén Itzá, Yucatán, Mexico",
                "truncated JPEG (the file ends before the picture does): copy or download it again",
                "taken 2019-07-14T15:04:05 by iPhone 12",
            ] {
                assert!(said.contains(whole), "{width}: no {whole} in {said}");
            }
        }
        let table = table(Some(60), |table| RowTable { guesses: true, verbose: true, ..table });
        assert!(table.lines().all(|line| line.width() <= 60), "{table}");
    }

    #[test]
    fn colour_is_put_around_words_and_changes_nothing_else() {
        let plain = table(Some(80), |table| table);
        let coloured = table(Some(80), |table| RowTable { colour: true, ..table });
        assert!(coloured.contains("\u{1b}[1m 99.5%") || coloured.contains("\u{1b}[1m99.5%"), "{coloured}");
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            stripped.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        assert_eq!(stripped + rest, plain);
    }

    #[test]
    fn text_is_cut_between_characters_of_any_width() {
        for columns in 0..12 {
            for text in ["東京タワー", "e\u{301}te\u{301}", "abcdefghijkl", "a東b京c"] {
                assert!(without_end(text, columns).width() <= columns, "{text} {columns}");
                assert!(without_beginning(text, columns).width() <= columns, "{text} {columns}");
            }
        }
        assert_eq!(without_end("東京タワー", 5), "東京…");
        assert_eq!(without_beginning("photos/東京.jpg", 8), "…京.jpg");
        assert_eq!(without_beginning("abe\u{301}x", 2), "…x");
        assert_eq!(without_end("e\u{301}t\u{e9}abc", 3), "e\u{301}t…");
        assert_eq!(without_end("as it is", 8), "as it is");
    }
}
