//! Folder names by landmark, place and date.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cairn_places::Place;

use crate::clock;

/// A path of folders with fields in braces: `{country}/{city}/{landmark}/{year}-{month}`.
///
/// A folder whose fields are all unknown is left out. Characters that file systems do not allow become `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
}

/// The fields that a template may name.
const FIELDS: [&str; 8] = ["landmark", "country", "country_code", "region", "city", "year", "month", "day"];

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Template, String> {
        let mut has_field = false;
        for folder in text.split('/') {
            if folder == ".." || folder == "." {
                return Err(format!("`{folder}` is no folder of an album"));
            }
            for part in parts(folder) {
                if let Part::Field(field) = part? {
                    if !FIELDS.contains(&field) {
                        return Err(format!("`{{{field}}}` is no field; there are {}", FIELDS.join(", ")));
                    }
                    has_field = true;
                }
            }
        }
        if has_field {
            Ok(Template { text: text.to_owned() })
        } else {
            Err("a template names a field, such as {landmark}".to_owned())
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[derive(Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    Field(&'a str),
}

/// The parts of a folder's name, up to the first that cannot be read.
fn parts(folder: &str) -> impl Iterator<Item = Result<Part<'_>, String>> {
    let mut rest = folder;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some(field) = rest.strip_prefix('{') {
            let Some((name, after)) = field.split_once('}') else {
                rest = "";
                return Some(Err("a brace is not closed".to_owned()));
            };
            rest = after;
            return Some(Ok(Part::Field(name)));
        }
        let end = rest.find('{').unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Ok(Part::Text(text)))
    })
}

impl Template {
    /// The folders of a photo of this landmark, taken at this time by the camera's clock.
    pub fn folder(&self, landmark: &str, place: Option<&Place>, taken: Option<i64>) -> PathBuf {
        let date = taken.map(|taken| clock::date(taken.div_euclid(86_400)));
        let field = |name: &str| -> Option<String> {
            match name {
                "landmark" => Some(landmark.to_owned()),
                "country" => place.map(|place| place.country.clone()),
                "country_code" => place.map(|place| place.country_code.as_str().to_owned()),
                "region" => place.and_then(|place| place.region.clone()),
                "city" => place.and_then(|place| place.city.clone()),
                "year" => date.map(|(year, ..)| format!("{year:04}")),
                "month" => date.map(|(_, month, _)| format!("{month:02}")),
                "day" => date.map(|(.., day)| format!("{day:02}")),
                _ => None,
            }
        };
        self.text.split('/').filter_map(|folder| name(folder, &field)).collect()
    }
}

/// A folder's name; `None` where it has fields and all of them are unknown.
fn name(folder: &str, field: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let (mut text, mut fields, mut known) = (String::new(), 0, 0);
    for part in parts(folder).flatten() {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Field(name) => {
                fields += 1;
                match field(name) {
                    Some(value) => {
                        known += 1;
                        text.push_str(&value);
                    }
                    None => text.push('-'),
                }
            }
        }
    }
    let name = allowed(&text);
    (!name.is_empty() && (fields == 0 || known > 0)).then_some(name)
}

/// The text as a folder's name on every common file system.
fn allowed(text: &str) -> String {
    let replaced: String =
        text.chars().map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '-' } else { c }).collect();
    replaced.trim().trim_end_matches('.').trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use cairn_places::Gazetteer;

    use super::*;

    fn folder(template: &str, landmark: &str, taken: Option<i64>) -> String {
        let gazetteer = Gazetteer::builtin();
        let template: Template = template.parse().unwrap();
        template.folder(landmark, gazetteer.find(landmark), taken).to_string_lossy().replace('\\', "/")
    }

    #[test]
    fn fields_become_folders_and_what_is_unknown_is_left_out() {
        let july = Some(1_563_116_400);
        let template = "{country}/{city}/{landmark}/{year}-{month}";
        assert_eq!(folder(template, "Eiffel Tower", july), "France/Paris/Eiffel Tower/2019-07");
        assert_eq!(folder(template, "Eiffel Tower", None), "France/Paris/Eiffel Tower");
        assert_eq!(folder(template, "Great Wall of China", july), "China/Great Wall of China/2019-07");
        assert_eq!(folder("{country}/{landmark}", "Our mill: 1/2", None), "Our mill- 1-2");
        assert_eq!(folder("Albums/{landmark} ({country_code})", "Petra", None), "Albums/Petra (JO)");
        assert_eq!(folder("{landmark}", "..", None), "");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for text in ["", "albums", "{landmark", "{name}", "../{landmark}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
