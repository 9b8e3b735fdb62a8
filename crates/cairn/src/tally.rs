//! What a run over many photos came to, in a few lines on standard error.

use cairn_model::rows::{Row, RowOutcome, grouped};
use std::collections::BTreeMap;
use std::io;

use cairn_dataset::escape::shown;
use cairn_dataset::{Skipped, skipped_summary};
use unicode_width::UnicodeWidthStr;

use crate::progress::say;

/// Landmarks that are listed; the others are counted.
const LISTED: usize = 10;

/// What a run over many photos came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    photos: usize,
    unreadable: usize,
    surely: usize,
    /// Whether the model says of a photo that it shows no landmark, and when it is sure.
    judges: bool,
    knows_sure: bool,
    /// By name and country.
    landmarks: BTreeMap<(String, String), usize>,
    countries: BTreeMap<String, usize>,
}

impl Tally {
    pub(crate) fn count(&mut self, row: &Row<'_>) {
        self.photos += 1;
        match &row.outcome {
            RowOutcome::Prediction(prediction) => {
                self.judges |= prediction.is_landmark.is_some();
                self.knows_sure |= prediction.sure.is_some();
                self.surely += usize::from(row.landmark().is_some() && prediction.sure == Some(true));
            }
            RowOutcome::Unreadable { .. } => self.unreadable += 1,
        }
        if let Some(landmark) = row.landmark() {
            let place = landmark.place.as_ref();
            let country = place.map_or("", |place| &place.country).to_owned();
            let name = landmark.name.clone();
            if !country.is_empty() {
                *self.countries.entry(country.clone()).or_default() += 1;
            }
            *self.landmarks.entry((name, country)).or_default() += 1;
        }
    }

    /// How many photos were looked at.
    pub(crate) fn photos(&self) -> usize {
        self.photos
    }

    /// How many of them could not be read.
    pub(crate) fn unreadable(&self) -> usize {
        self.unreadable
    }

    /// Says the [summary](Tally::lines) on standard error, wrapped where that is a terminal.
    pub(crate) fn say(&self, skipped: &[Skipped]) {
        let columns =
            terminal_size::terminal_size_of(io::stderr()).map(|(columns, _)| usize::from(columns.0));
        for line in self.lines(skipped) {
            match columns {
                Some(columns) => wrapped(&shown(&line), columns).iter().for_each(say),
                None => say(line),
            }
        }
    }

    /// The summary: of all photos, by landmark, by country, and what was left aside.
    pub(crate) fn lines(&self, skipped: &[Skipped]) -> Vec<String> {
        let named: usize = self.landmarks.values().sum();
        let mut parts = vec![match self.knows_sure && self.surely < named {
            true => format!("{} of a landmark ({} surely)", grouped(named), grouped(self.surely)),
            false => format!("{} of a landmark", grouped(named)),
        }];
        if self.judges {
            parts.push(format!("{} of no landmark I know", grouped(self.photos - named - self.unreadable)));
        }
        if self.unreadable > 0 {
            parts.push(format!("{} unreadable", grouped(self.unreadable)));
        }
        let mut lines = vec![format!("{}: {}", counted(self.photos, "photo", "photos"), parts.join(", "))];
        let ranked = ranked(&self.landmarks);
        let widest = ranked.first().map_or(0, |(_, count)| grouped(*count).len());
        // One more takes no more room than its count.
        let listed = if ranked.len() == LISTED + 1 { ranked.len() } else { LISTED };
        for ((name, country), count) in ranked.iter().take(listed) {
            let country = if country.is_empty() { String::new() } else { format!(", {country}") };
            lines.push(format!("  {:>widest$}  {name}{country}", grouped(*count)));
        }
        if let Some(others) = ranked.get(listed..).filter(|others| !others.is_empty()) {
            let photos: usize = others.iter().map(|(_, count)| count).sum();
            lines.push(format!(
                "  {:>widest$}  of {} other landmarks",
                grouped(photos),
                grouped(others.len())
            ));
        }
        if self.countries.len() > 1 {
            let countries = self::ranked(&self.countries).into_iter();
            let countries = countries.map(|(country, count)| format!("{country} {}", grouped(count)));
            lines.push(format!("by country: {}", countries.collect::<Vec<_>>().join(", ")));
        }
        lines.extend(skipped_summary(skipped));
        lines
    }
}

/// The line in pieces of at most so many columns, broken between words; all but the first begin with two spaces.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let words = line.trim_start();
    let mut lines = vec![" ".repeat(line.len() - words.len())];
    for word in words.split_inclusive(' ') {
        let last = lines.last().map_or(0, |line| line.width());
        if last > "  ".len() && last + word.trim_end().width() > columns {
            lines.push("  ".to_owned());
        }
        if let Some(last) = lines.last_mut() {
            last.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The most frequent first; equals by name.
fn ranked<K: Clone + Ord>(counts: &BTreeMap<K, usize>) -> Vec<(K, usize)> {
    let mut ranked: Vec<(K, usize)> = counts.iter().map(|(key, &count)| (key.clone(), count)).collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked
}

/// `1 photo`, `1,153 photos`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::{landmark, model, row};
    use cairn_dataset::SkipReason;
    use cairn_model::Prediction;
    use cairn_photo::FileKind;

    #[test]
    fn the_summary_counts_landmarks_countries_and_what_is_none() {
        let model = model();
        let mut tally = Tally::default();
        let mut count = |name: &str, is_landmark, sure, times| {
            for _ in 0..times {
                let prediction = Prediction {
                    is_landmark,
                    sure,
                    landmark_score: 0.1,
                    landmarks: vec![landmark(name, 0.9)],
                    ..Prediction::default()
                };
                tally.count(&row("a.jpg", RowOutcome::Prediction(&prediction), &model));
            }
        };
        count("Petra", Some(true), Some(false), 2);
        count("Eiffel Tower", Some(true), Some(true), 1200);
        count("Notre Dame", Some(true), Some(true), 1);
        count("Our mill", Some(true), Some(true), 1);
        count("Petra", Some(false), Some(false), 30);
        let error = "no".to_owned();
        tally.count(&row("b.jpg", RowOutcome::Unreadable { error }, &model));
        let skipped: Vec<Skipped> = (0..2)
            .map(|n| Skipped { path: format!("{n}.mp4").into(), reason: SkipReason::Kind(FileKind::Video) })
            .collect();
        insta::assert_snapshot!(tally.lines(&skipped).join("\n"));
        assert_eq!((tally.photos(), tally.unreadable()), (1235, 1));
    }

    #[test]
    fn many_landmarks_are_counted_together_and_a_model_that_does_not_judge_says_nothing_of_others() {
        let model = model();
        let mut tally = Tally::default();
        for n in 0..13 {
            let prediction = Prediction {
                landmarks: vec![landmark(&format!("Mill {n:02}"), 0.9)],
                ..Prediction::default()
            };
            tally.count(&row("a.jpg", RowOutcome::Prediction(&prediction), &model));
        }
        let lines = tally.lines(&[]);
        assert_eq!(lines[0], "13 photos: 13 of a landmark");
        assert_eq!(lines.last().unwrap(), "  3  of 3 other landmarks");
        assert_eq!(lines.len(), 1 + LISTED + 1);
        let mut tally = Tally::default();
        for n in 0..=LISTED {
            let landmarks = vec![landmark(&format!("Mill {n:02}"), 0.9)];
            let prediction = Prediction { landmarks, ..Prediction::default() };
            tally.count(&row("a.jpg", RowOutcome::Prediction(&prediction), &model));
        }
        assert_eq!(tally.lines(&[]).last().unwrap(), "  1  Mill 10", "one is named instead of counted");
    }

    #[test]
    fn large_numbers_are_grouped() {
        let texts = [0, 12, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "photo", "photos"), counted(0, "photo", "photos")], ["1 photo", "0 photos"]);
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let line = "by country: 日本 4, New Zealand 2, France 1";
        assert_eq!(wrapped(line, 80), [line]);
        assert_eq!(wrapped(line, 20), ["by country: 日本 4,", "  New Zealand 2,", "  France 1"]);
        assert_eq!(wrapped("  12  New Zealand", 9), ["  12  New", "  Zealand"]);
    }
}
