//! What Google Takeout puts beside each photo: a JSON file with the photo's name, cut short where that is long.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use serde::Deserialize;

use super::member::Member;
use crate::state::{Position, PositionSource, ReadingRow};

/// Characters before `.json` at most.
const MAX_TITLE: usize = 46;

/// What follows the photo's name since 2024, as far as there is room.
const SUFFIX: &str = ".supplemental-metadata";

/// The names by which the photos and videos of a folder may be called, with their numbers.
pub(super) struct Titles<'a> {
    /// By name with its suffix and number in front: the index of the file.
    by_title: BTreeMap<(u32, String), usize>,
    files: &'a [Member<'a>],
}

impl<'a> Titles<'a> {
    pub(super) fn of(files: &'a [Member<'a>]) -> Titles<'a> {
        let mut by_title = BTreeMap::new();
        // A folder without JSON needs none.
        if files.iter().any(|file| file.name.to_string_lossy().to_lowercase().ends_with(".json")) {
            for (index, file) in files.iter().enumerate() {
                let is_shot = file.kind.is_photo() || file.kind == cairn_photo::FileKind::Video;
                if is_shot && let Some(name) = file.name.to_str() {
                    let (name, number) = photo_number(name);
                    by_title.insert((number, name + SUFFIX), index);
                }
            }
        }
        Titles { by_title, files }
    }

    /// The photos that this JSON file may belong to: those of the whole name, else those of which it begins the name.
    pub(super) fn owners(&self, json: &OsStr) -> Vec<usize> {
        let Some(title) = json.to_str().and_then(|name| name.get(..name.len().checked_sub(5)?)) else {
            return Vec::new();
        };
        let (title, number) = json_number(title);
        let beginning: Vec<(&str, usize)> = self
            .by_title
            .range((number, title.to_owned())..)
            .take_while(|((of, name), _)| *of == number && name.starts_with(title))
            .map(|((_, name), index)| (name.as_str(), *index))
            .collect();
        let is_name = |name: &str| name.strip_suffix(SUFFIX) == Some(title) || name == title;
        if let Some((_, only)) = beginning.iter().find(|(name, _)| is_name(name)) {
            return vec![*only];
        }
        let name_length = |index: usize| self.files[index].name.len();
        // Takeout cuts a title only where it is too long; the number, if there is one, comes on top.
        let is_cut = title.chars().count() + 4 >= MAX_TITLE;
        beginning
            .into_iter()
            .filter(|(_, index)| is_cut || title.len() > name_length(*index))
            .map(|(_, index)| index)
            .collect()
    }
}

/// `IMG(1).jpg` is the second `IMG.jpg`.
fn photo_number(name: &str) -> (String, u32) {
    let split = name.rsplit_once('.').and_then(|(stem, extension)| {
        let (stem, number) = numbered(stem)?;
        Some((format!("{stem}.{extension}"), number))
    });
    split.unwrap_or_else(|| (name.to_owned(), 0))
}

/// `IMG.jpg(1)` and `IMG.jpg.supplemental-metadata(1)` are of the second `IMG.jpg`.
fn json_number(title: &str) -> (&str, u32) {
    numbered(title).unwrap_or((title, 0))
}

fn numbered(text: &str) -> Option<(&str, u32)> {
    let (before, number) = text.strip_suffix(')')?.rsplit_once('(')?;
    Some((before, number.parse().ok()?))
}

/// The file, as far as it is of interest.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Takeout {
    photo_taken_time: Option<Time>,
    geo_data: Option<Point>,
    geo_data_exif: Option<Point>,
}

#[derive(Deserialize)]
struct Time {
    timestamp: String,
}

#[derive(Deserialize)]
struct Point {
    latitude: f64,
    longitude: f64,
}

/// What a Takeout file says of its photo. Zeros for a position mean that there is none. The position that the file's own EXIF
/// had comes before the one that a person or Google set.
pub(super) fn reading(bytes: &[u8]) -> Option<ReadingRow> {
    let takeout: Takeout = serde_json::from_slice(bytes).ok()?;
    let set = |point: &Point| (point.latitude, point.longitude) != (0.0, 0.0);
    let on_earth = |point: &Point| point.latitude.abs() <= 90.0 && point.longitude.abs() <= 180.0;
    let points = [takeout.geo_data_exif, takeout.geo_data];
    let position = points.into_iter().flatten().find(|point| set(point) && on_earth(point));
    let taken = takeout.photo_taken_time.and_then(|time| time.timestamp.parse().ok());
    Some(ReadingRow {
        taken,
        offset_minutes: taken.map(|_| 0),
        position: position.map(|point| Position {
            latitude: point.latitude,
            longitude: point.longitude,
            error_m: None,
            source: PositionSource::Takeout,
        }),
        ..ReadingRow::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_no_position_and_exifs_comes_first() {
        let text = |exif: &str, set: &str| {
            format!(
                r#"{{"title": "a.jpg", "photoTakenTime": {{"timestamp": "1563116400", "formatted": "x"}},
                "geoData": {set}, "geoDataExif": {exif}}}"#
            )
        };
        let none = r#"{"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}"#;
        let paris = r#"{"latitude": 48.85, "longitude": 2.29, "altitude": 0.0}"#;
        let rome = r#"{"latitude": 41.89, "longitude": 12.49, "altitude": 0.0}"#;
        let latitude = |exif: &str, set: &str| {
            reading(text(exif, set).as_bytes()).unwrap().position.map(|position| position.latitude)
        };
        assert_eq!(latitude(none, none), None);
        assert_eq!(latitude(none, paris), Some(48.85));
        assert_eq!(latitude(rome, paris), Some(41.89));
        assert_eq!(reading(text(none, none).as_bytes()).unwrap().taken_utc(), Some(1_563_116_400));
        assert!(reading(b"{").is_none());
    }
}
