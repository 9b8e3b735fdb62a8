//! What a model's landmarks are called, and which of them a person means.

use cairn_dataset::{Class, ClassId, ClassList};
use cairn_places::{Gazetteer, NameKey, Place};

/// A name that does not say which landmark is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClassNameError {
    /// No landmark of the model has this name.
    #[error("the model knows no landmark `{name}`; it knows {}", listed(known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of all landmarks.
        known: Vec<String>,
    },
    /// Several landmarks have it.
    #[error("`{name}` may be {}; name the class folder", candidates.join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The class folders of those that have the name.
        candidates: Vec<String>,
    },
}

/// Names listed in an error at most.
const LISTED: usize = 60;

fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(LISTED)].join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What a class is called: see [`Model::landmark_name`](crate::Model::landmark_name).
pub(crate) fn landmark_name<'a>(places: &'a Gazetteer, class: &'a Class) -> &'a str {
    places.find(&class.folder).map_or(&class.name, |place| &place.name)
}

/// The class that a person means by `name`: see [`Model::class_named`](crate::Model::class_named).
pub(crate) fn class_named(
    classes: &ClassList,
    places: &Gazetteer,
    name: &str,
) -> Result<ClassId, ClassNameError> {
    if let Some(class) = classes.by_folder(name) {
        return Ok(class);
    }
    let wanted = NameKey::new(name);
    let is_meant = |folder: &str, shown: &str| {
        let place = places.find(folder);
        let of_place = place.map(|place| [place.name.clone(), Place::summary(place), in_words(place)]);
        let names = [folder.to_owned(), shown.to_owned()].into_iter().chain(of_place.into_iter().flatten());
        names.into_iter().any(|known| known == name || wanted.is_some() && NameKey::new(&known) == wanted)
    };
    let found: Vec<ClassId> =
        classes.iter().filter(|(_, class)| is_meant(&class.folder, &class.name)).map(|(id, _)| id).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(ClassNameError::Unknown {
            name: name.to_owned(),
            known: classes.iter().map(|(_, class)| landmark_name(places, class).to_owned()).collect(),
        }),
        several => Err(ClassNameError::Ambiguous {
            name: name.to_owned(),
            candidates: several
                .iter()
                .filter_map(|id| classes.get(*id))
                .map(|class| format!("`{}`", class.folder))
                .collect(),
        }),
    }
}

/// `Eiffel Tower, Paris, France`.
fn in_words(place: &Place) -> String {
    [place.name.as_str(), &place.locality, &place.country].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;
    use crate::untrained::untrained;
    use cairn_dataset::ClassList;
    use cairn_nets::Architecture;
    use cairn_photo::Framing;

    fn model(folders: &[&str]) -> Model {
        let mut model = untrained(Architecture::ThreeConv, 32, Framing::Squash { width: 32, height: 32 });
        model.bundle_mut().info.classes = ClassList::from_folders(folders.iter().copied());
        model
    }

    #[test]
    fn a_landmark_is_known_by_every_name_that_predictions_show() {
        let model = model(&["00.Chichen_Itza", "01.Eiffel_Tower", "02.Old_Mill"]);
        for (name, class) in [
            ("01.Eiffel_Tower", 1),
            ("Eiffel Tower", 1),
            ("eiffel tower", 1),
            ("the Eiffel Tower", 1),
            ("Eiffel_Tower", 1),
            ("Eiffel Tower, Paris, France", 1),
            ("Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)", 1),
            ("Chichén Itzá", 0),
            ("old mill", 2),
        ] {
            assert_eq!(model.class_named(name), Ok(ClassId::new(class)), "{name}");
        }
    }

    #[test]
    fn a_name_of_several_landmarks_is_answered_with_their_folders_and_one_of_none_with_all_names() {
        let model = model(&["00.Tower", "01.Tower", "Tower"]);
        let error = model.class_named("the tower").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`the tower` may be `00.Tower` or `01.Tower` or `Tower`; name the class folder"
        );
        assert_eq!(model.class_named("Tower"), Ok(ClassId::new(2)), "a folder's own name is exact");
        let error = model.class_named("Petra").unwrap_err();
        assert_eq!(error.to_string(), "the model knows no landmark `Petra`; it knows Tower, Tower, Tower");
        for nameless in ["", "...", "7."] {
            assert!(matches!(model.class_named(nameless), Err(ClassNameError::Unknown { .. })), "{nameless}");
        }
    }
}
