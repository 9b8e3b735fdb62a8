//! Classes: the landmarks that a network tells apart, named by their folders.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::path_text::nfc;

/// The number of a class: its place in a [`ClassList`], and the index of its output in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassId(u32);

impl ClassId {
    /// The class of the greatest logit, the first of equals as with NumPy's `argmax`; `None` where the logits have no
    /// softmax: a NaN or plus infinity among them, or all of them minus infinity.
    pub fn of_greatest(logits: &[f32]) -> Option<Self> {
        let mut best = 0;
        for (class, logit) in logits.iter().enumerate() {
            if logit.is_nan() {
                return None;
            }
            if *logit > logits[best] {
                best = class;
            }
        }
        logits.get(best).is_some_and(|logit| logit.is_finite()).then(|| Self::new(best))
    }

    /// The class at `index` of its list.
    ///
    /// # Panics
    /// If that is 2^32 or more: no network has so many outputs.
    pub const fn new(index: usize) -> ClassId {
        assert!(index <= u32::MAX as usize, "a class list has fewer than 2^32 classes");
        ClassId(index as u32)
    }

    /// The place in the class list, counted from zero.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One class, by the name of its folder and by the name that people read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Class {
    /// The folder's name as text ([`path_text`](crate::path_text())): `12.Eiffel_Tower`.
    pub folder: String,
    /// The name to show: `Eiffel Tower`.
    pub name: String,
}

impl Class {
    /// The class of a folder, its name put into Unicode's normal form C: a folder on macOS and its copy elsewhere are one
    /// class. The name to show is the folder's name without a leading number and dot, its underscores turned to spaces.
    pub fn from_folder(folder: impl Into<String>) -> Class {
        let folder = nfc(&folder.into()).into_owned();
        let name = display_name(&folder);
        Class { folder, name }
    }
}

fn display_name(folder: &str) -> String {
    let unnumbered = match folder.split_once('.') {
        Some((number, rest)) if is_number(number) => rest,
        _ => folder,
    };
    let name = unnumbered.replace('_', " ").trim().to_owned();
    if name.is_empty() { folder.to_owned() } else { name }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The classes of a data set or a model, in the order of the network's outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClassList(Vec<Class>);

impl ClassList {
    /// The classes of these folders, ordered by folder name (in normal form C), code point by code point, as torchvision's
    /// `ImageFolder` orders them (`10.X` before `9.X`). A folder named twice is one class.
    pub fn from_folders<S: Into<String>>(folders: impl IntoIterator<Item = S>) -> ClassList {
        let mut classes: Vec<Class> = folders.into_iter().map(Class::from_folder).collect();
        classes.sort_by(|a, b| a.folder.cmp(&b.folder));
        classes.dedup();
        ClassList(classes)
    }

    /// How many classes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no class at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The classes with their ids, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ClassId, &Class)> {
        self.0.iter().enumerate().map(|(index, class)| (ClassId::new(index), class))
    }

    /// Adds a class after all others.
    pub fn push(&mut self, class: Class) -> ClassId {
        self.0.push(class);
        ClassId::new(self.0.len() - 1)
    }

    /// Takes a class out; those after it move up by one.
    ///
    /// # Panics
    /// If the list is not long enough to hold it.
    pub fn remove(&mut self, id: ClassId) -> Class {
        self.0.remove(id.index())
    }

    /// The class of this id, if the list is long enough to hold it.
    pub fn get(&self, id: ClassId) -> Option<&Class> {
        self.0.get(id.index())
    }

    /// The class whose folder has exactly this name, in whichever Unicode normal form.
    pub fn by_folder(&self, folder: &str) -> Option<ClassId> {
        let wanted = nfc(folder);
        self.0.iter().position(|class| nfc(&class.folder) == wanted).map(ClassId::new)
    }

    /// The class that a person means by `name`: a folder's name or a name to show, upper and lower case alike.
    /// Where several classes answer to it, a folder's name goes before a name to show, then the first in the list.
    pub fn find(&self, name: &str) -> Option<ClassId> {
        let wanted = nfc(name).to_lowercase();
        let position =
            |of: fn(&Class) -> &str| self.0.iter().position(|class| nfc(of(class)).to_lowercase() == wanted);
        position(|class| &class.folder).or_else(|| position(|class| &class.name)).map(ClassId::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_folder_without_its_number_and_with_spaces() {
        let cases = [
            ("12.Eiffel_Tower", "Eiffel Tower"),
            ("00.Alhambra", "Alhambra"),
            ("Eiffel_Tower", "Eiffel Tower"),
            ("St._Peter", "St. Peter"),
            ("3.14.Pi", "14.Pi"),
            ("7.", "7."),
            ("_", "_"),
        ];
        for (folder, name) in cases {
            assert_eq!(Class::from_folder(folder).name, name, "folder {folder}");
        }
    }

    #[test]
    fn classes_stand_in_the_order_of_torchvision_whatever_order_they_come_in() {
        // sorted(["9.a", "10.b", "b", "B", "é", "z"]) in Python, which ImageFolder.find_classes uses.
        let list = ClassList::from_folders(["z", "é", "9.a", "b", "B", "10.b", "b"]);
        let folders: Vec<_> = list.iter().map(|(_, class)| class.folder.as_str()).collect();
        assert_eq!(folders, ["10.b", "9.a", "B", "b", "z", "é"]);
    }

    #[test]
    fn a_class_is_found_by_folder_or_name_in_any_case() {
        let list = ClassList::from_folders(["00.Alhambra", "01.Eiffel_Tower", "02.Été"]);
        for (asked, index) in [("01.eiffel_tower", 1), ("EIFFEL TOWER", 1), ("alhambra", 0), ("ÉTÉ", 2)] {
            assert_eq!(list.find(asked), Some(ClassId::new(index)), "asked for {asked}");
        }
        assert_eq!(list.find("Eiffel"), None);
        assert_eq!(list.by_folder("01.Eiffel_Tower"), Some(ClassId::new(1)));
        assert_eq!(list.by_folder("01.eiffel_tower"), None);
    }

    #[test]
    fn names_in_either_normal_form_are_one_class() {
        let (composed, decomposed) = ("00.Caf\u{e9}", "00.Cafe\u{301}");
        for folder in [composed, decomposed] {
            let list = ClassList::from_folders([folder]);
            assert_eq!(list.get(ClassId::new(0)).unwrap().folder, composed);
            assert_eq!(list.by_folder(decomposed), Some(ClassId::new(0)));
            assert_eq!(list.find("CAFE\u{301}"), Some(ClassId::new(0)));
        }
        // From a model that was made before, or elsewhere.
        let list = ClassList(vec![Class { folder: decomposed.to_owned(), name: "Cafe\u{301}".to_owned() }]);
        assert_eq!(list.by_folder(composed), Some(ClassId::new(0)));
        assert_eq!(list.find("caf\u{e9}"), Some(ClassId::new(0)));
    }

    #[test]
    fn a_folder_name_goes_before_a_name_to_show() {
        let list = ClassList::from_folders(["00.Tower", "Tower"]);
        assert_eq!(list.find("tower"), Some(ClassId::new(1)));
    }
}
