//! Keywords in a hierarchy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A keyword and those above it: France, Paris, Eiffel Tower.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeywordPath(Vec<String>);

impl KeywordPath {
    /// Of these parts; blank ones are left out. `None` if there is no other.
    pub fn new(parts: impl IntoIterator<Item = impl Into<String>>) -> Option<KeywordPath> {
        let parts = parts.into_iter().map(Into::into).filter(|part: &String| !part.trim().is_empty());
        Some(KeywordPath(parts.collect())).filter(|path| !path.0.is_empty())
    }

    /// As digiKam's TagsList has it: `France/Paris`. A `|` within a part stands for a `/`, as Immich has it, too.
    pub fn of_tags_list(text: &str) -> Option<KeywordPath> {
        KeywordPath::new(text.split('/').map(|part| part.replace('|', "/")))
    }

    /// As Lightroom's hierarchicalSubject has it: `France|Paris`.
    pub fn of_hierarchical_subject(text: &str) -> Option<KeywordPath> {
        KeywordPath::new(text.split('|'))
    }

    /// The text in digiKam's TagsList.
    pub fn tags_list(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|part| part.replace('/', "|")).collect();
        parts.join("/")
    }

    /// The text in Lightroom's hierarchicalSubject.
    pub fn hierarchical_subject(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|part| part.replace('|', "/")).collect();
        parts.join("|")
    }

    /// From the top.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The last part.
    pub fn leaf(&self) -> &str {
        // A path has a part: `new` sees to it.
        self.0.last().map_or("", String::as_str)
    }

    /// A name as a part of a path: separators of any program's hierarchy become others that look alike.
    pub fn part(name: &str) -> String {
        let spelled = |c: char| match c {
            '/' => '\u{2215}',
            '|' => '\u{2223}',
            ';' => ',',
            c => c,
        };
        // digiKam takes a `.` in IPTC keywords for a separator; cairn writes no IPTC keywords.
        name.chars().map(spelled).collect()
    }
}

impl fmt::Display for KeywordPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hierarchical_subject())
    }
}
