//! What the three fields must hold.

use super::{KeywordField, KeywordPath, Keywords};

/// All keywords of a photo: of itself and of all its sidecars.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Union {
    /// Those in a hierarchy.
    paths: Vec<KeywordPath>,
    /// Those without, as they are written.
    flat: Vec<String>,
}

/// Texts for each of the three fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// For `digiKam:TagsList`.
    pub tags_list: Vec<String>,
    /// For `lr:hierarchicalSubject`.
    pub hierarchical_subject: Vec<String>,
    /// For `dc:subject`.
    pub subject: Vec<String>,
}

impl Union {
    /// Of the photo's files.
    pub fn of<'a>(files: impl IntoIterator<Item = &'a Keywords>) -> Union {
        let mut union = Union::default();
        for keywords in files {
            for (field, texts) in keywords.fields() {
                for text in texts {
                    match field {
                        KeywordField::TagsList | KeywordField::LastKeywordXmp => {
                            union.add_path(text, KeywordPath::of_tags_list(text));
                        }
                        KeywordField::HierarchicalSubject => {
                            union.add_path(text, KeywordPath::of_hierarchical_subject(text));
                        }
                        KeywordField::Subject | KeywordField::Iim | KeywordField::XpKeywords => {
                            union.add_flat(text);
                        }
                    }
                }
            }
        }
        union
    }

    fn add_path(&mut self, text: &str, path: Option<KeywordPath>) {
        match path {
            Some(path) if self.paths.contains(&path) => {}
            Some(path) => self.paths.push(path),
            // What is no path is kept as it is.
            None => self.add_flat(text),
        }
    }

    fn add_flat(&mut self, text: &str) {
        if !self.flat.iter().any(|known| known == text) {
            self.flat.push(text.to_owned());
        }
    }

    /// Every name in it: flat keywords, and all parts of paths.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().flat_map(KeywordPath::parts).chain(&self.flat).map(String::as_str)
    }

    /// What each of the three fields must hold: all paths and flat keywords. A flat keyword that is part of some path is not
    /// repeated in the fields of paths, nor the last part of a path where it is a flat keyword.
    pub fn items(&self) -> Items {
        let mut items = Items::default();
        let mut paths = self.paths.clone();
        for text in &self.flat {
            let known = paths.iter().any(|path| path.parts().iter().any(|part| same(part, text)));
            paths.extend(KeywordPath::new([text]).filter(|_| !known));
            push(&mut items.subject, text.clone());
        }
        for path in &paths {
            push(&mut items.tags_list, path.tags_list());
            push(&mut items.hierarchical_subject, path.hierarchical_subject());
            if !items.subject.iter().any(|text| same(text, path.leaf())) {
                push(&mut items.subject, path.leaf().to_owned());
            }
        }
        items
    }
}

/// Whether two names differ at most by the separators that the fields of paths cannot hold.
fn same(one: &str, other: &str) -> bool {
    one == other || one.replace('|', "/") == other.replace('|', "/")
}

fn push(texts: &mut Vec<String>, text: String) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}

impl Items {
    /// Those that a file's fields do not hold yet.
    pub fn missing_in(mut self, keywords: &Keywords) -> Items {
        let drop_known =
            |texts: &mut Vec<String>, field| texts.retain(|text| !keywords.get(field).contains(text));
        drop_known(&mut self.tags_list, KeywordField::TagsList);
        drop_known(&mut self.hierarchical_subject, KeywordField::HierarchicalSubject);
        drop_known(&mut self.subject, KeywordField::Subject);
        self
    }
}
