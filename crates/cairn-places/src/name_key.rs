//! What counts as the same name.

/// A name as it is looked up: lower case, without accents, apostrophes, underscores, the leading number of a class
/// folder and a leading "the". Equal for all spellings of a name that cairn treats alike.
///
/// ```
/// use cairn_places::NameKey;
///
/// assert_eq!(NameKey::new("16.Eiffel_Tower"), NameKey::new("the Eiffel tower"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameKey(String);

impl NameKey {
    /// The key of a class folder (`12.Eiffel_Tower`) or a name (`the Eiffel Tower`).
    ///
    /// `None` for a name that holds neither letter nor digit, which nothing can be found by.
    pub fn new(name: &str) -> Option<NameKey> {
        let plain = deunicode::deunicode(unnumbered(name)).to_lowercase().replace(['\'', '`'], "");
        let mut words =
            plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
        let article = words.next_if_eq(&"the");
        let key = words.collect::<Vec<_>>().join(" ");
        // A place may be called "The" alone.
        let key = if key.is_empty() { article?.to_owned() } else { key };
        Some(NameKey(key))
    }
}

/// The folder's name without a leading number and dot, as cairn's data sets show it.
fn unnumbered(folder: &str) -> &str {
    match folder.split_once('.') {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => folder,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(name: &str) -> String {
        NameKey::new(name).unwrap().0
    }

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (key_of_all, spellings) in [
            ("eiffel tower", vec!["Eiffel Tower", "16.Eiffel_Tower", "the EIFFEL tower", " Eiffel  Tower "]),
            ("wroclaws dwarves", vec!["04.Wroclaws_Dwarves", "Wrocław's Dwarves", "Wrocław’s dwarves"]),
            (
                "chichen itza",
                vec!["Chichén Itzá", "06.Chichen_Itza", "CHICHEN-ITZA", "Chiche\u{301}n Itza\u{301}"],
            ),
            ("st peters", vec!["St. Peter's", "St_Peters"]),
            ("3", vec!["3", "7.3"]),
            ("the", vec!["The"]),
        ] {
            for spelling in spellings {
                assert_eq!(key(spelling), key_of_all, "{spelling}");
            }
        }
    }

    #[test]
    fn different_names_have_different_keys() {
        for (one, other) in [
            ("Tower Bridge", "Bridge Tower"),
            ("Temple 1", "Temple 2"),
            ("Eiffel Tower", "Eiffel"),
            ("Theatre", "atre"),
            ("9.11 Memorial", "Memorial"),
        ] {
            assert_ne!(key(one), key(other), "{one} and {other}");
        }
    }

    #[test]
    fn nothing_is_found_by_a_name_without_letters_and_digits() {
        for name in ["", " ", "_", "7.", "...", "'"] {
            assert_eq!(NameKey::new(name), None, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_key_is_its_own_key(name in "\\PC{0,40}") {
            // A number and dot, or a "the", may follow the one that was taken away; keys hold no dots.
            if let Some(NameKey(key)) = NameKey::new(&name)
                && !key.starts_with("the ")
            {
                prop_assert_eq!(NameKey::new(&key).map(|again| again.0), Some(key));
            }
        }

        #[test]
        fn a_class_folder_has_the_key_of_the_name_that_it_shows(number in 0..100u32, name in "[A-Za-z ]{1,20}") {
            let folder = format!("{number:02}.{}", name.replace(' ', "_"));
            prop_assert_eq!(NameKey::new(&folder), NameKey::new(&name));
        }
    }
}
