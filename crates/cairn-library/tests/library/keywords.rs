//! No keyword of a person disappears from any program.

use cairn_library::keywords::{KeywordField, KeywordPath, Keywords, Union};
use cairn_places::Gazetteer;
use proptest::prelude::*;

use crate::readers::{Files, Shown, darktable, digikam, immich, photoprism};

fn keywords(fields: &[(KeywordField, &[&str])]) -> Keywords {
    let mut keywords = Keywords::default();
    for (field, texts) in fields {
        keywords.add(*field, texts.iter().map(|text| (*text).to_owned()));
    }
    keywords
}

/// The sidecar after cairn wrote a mark into it.
fn marked(embedded: &Keywords, sidecar: &Keywords) -> Keywords {
    let ours = KeywordPath::new(["auto", "landmark", "Eiffel Tower"]).unwrap();
    let copies = Union::of([sidecar, embedded]).items().missing_in(sidecar);
    let mut after = sidecar.clone();
    after.add(KeywordField::TagsList, copies.tags_list.into_iter().chain([ours.tags_list()]));
    after.add(
        KeywordField::HierarchicalSubject,
        copies.hierarchical_subject.into_iter().chain([ours.hierarchical_subject()]),
    );
    after.add(KeywordField::Subject, copies.subject.into_iter().chain([ours.leaf().to_owned()]));
    after
}

#[test]
fn a_new_sidecar_holds_the_keywords_that_it_hides() {
    let embedded =
        keywords(&[(KeywordField::Iim, &["Paris", "Holiday"]), (KeywordField::XpKeywords, &["Anna"])]);
    let after = marked(&embedded, &Keywords::default());
    for field in [KeywordField::TagsList, KeywordField::HierarchicalSubject, KeywordField::Subject] {
        for keyword in ["Paris", "Holiday", "Anna"] {
            assert!(after.get(field).iter().any(|text| text == keyword), "{field:?}: {keyword}");
        }
    }
}

#[test]
fn a_flat_keyword_that_is_part_of_a_path_is_not_repeated_as_a_path() {
    let embedded = keywords(&[
        (KeywordField::HierarchicalSubject, &["France|Paris"]),
        (KeywordField::Subject, &["Paris", "Anna"]),
    ]);
    let items = Union::of([&embedded]).items();
    assert_eq!(items.tags_list, ["France/Paris", "Anna"]);
    assert_eq!(items.hierarchical_subject, ["France|Paris", "Anna"]);
    assert_eq!(items.subject, ["Paris", "Anna"]);
}

#[test]
fn separators_within_a_part_survive_the_way_from_one_field_to_the_other() {
    let path = KeywordPath::of_hierarchical_subject("Events|AC/DC").unwrap();
    assert_eq!(path.tags_list(), "Events/AC|DC");
    assert_eq!(KeywordPath::of_tags_list("Events/AC|DC").unwrap(), path);
    assert_eq!(KeywordPath::of_tags_list("a//b"), KeywordPath::new(["a", "b"]), "a blank part is none");
}

#[test]
fn a_name_with_separators_becomes_one_part() {
    for name in ["A/B", "A|B", "A;B", "A/B|C"] {
        let part = KeywordPath::part(name);
        assert!(!part.contains(['/', '|', ';']), "{part}");
        let path = KeywordPath::new(["auto".to_owned(), part]).unwrap();
        assert_eq!(KeywordPath::of_tags_list(&path.tags_list()), Some(path.clone()));
        assert_eq!(KeywordPath::of_hierarchical_subject(&path.hierarchical_subject()), Some(path));
    }
}

#[test]
fn every_name_of_the_gazetteer_is_one_part_and_fits_other_programs() {
    for place in Gazetteer::builtin().iter() {
        assert_eq!(KeywordPath::part(&place.name), place.name, "no separator");
        assert!(place.name.chars().count() <= 64, "{}: longer than a tag of Nextcloud", place.name);
        assert!(place.name.len() <= 64, "{}: longer than a keyword of IPTC-IIM", place.name);
    }
}

fn any_keywords(fields: &'static [KeywordField]) -> impl Strategy<Value = Keywords> {
    let word =
        prop::sample::select(vec!["Paris", "France", "Anna", "AC/DC", "a.b", "x|y", "Tower", "é", "Kids"]);
    let path = prop::collection::vec(word.clone(), 1..4);
    let texts = prop::collection::vec((prop::sample::select(fields.to_vec()), path, word), 0..6);
    texts.prop_map(|texts| {
        let mut keywords = Keywords::default();
        for (field, path, word) in texts {
            let path = KeywordPath::new(path).unwrap();
            let text = match field {
                KeywordField::TagsList | KeywordField::LastKeywordXmp => path.tags_list(),
                KeywordField::HierarchicalSubject => path.hierarchical_subject(),
                _ => word.to_owned(),
            };
            keywords.add(field, [text]);
        }
        keywords
    })
}

const XMP: &[KeywordField] = &[
    KeywordField::TagsList,
    KeywordField::LastKeywordXmp,
    KeywordField::HierarchicalSubject,
    KeywordField::Subject,
];
const ALL: &[KeywordField] = &[
    KeywordField::TagsList,
    KeywordField::LastKeywordXmp,
    KeywordField::HierarchicalSubject,
    KeywordField::Subject,
    KeywordField::Iim,
    KeywordField::XpKeywords,
];

/// A name that is shown as one, or as parts of a hierarchy, whichever separators a program knows.
fn is_shown(name: &str, after: &Shown) -> bool {
    let plain = |text: &str| text.replace(['/', '|', '.'], "\u{1}");
    let shown: Vec<String> = after.iter().map(|text| plain(text)).collect();
    let parts = plain(name);
    shown.contains(&parts)
        || parts.split('\u{1}').all(|part| shown.iter().any(|text| text.split('\u{1}').any(|p| p == part)))
}

proptest! {
    #[test]
    fn every_keyword_that_a_program_showed_it_still_shows(embedded in any_keywords(ALL), sidecar in any_keywords(XMP)) {
        let after = marked(&embedded, &sidecar);
        let before = Files { embedded: &embedded, sidecar: &sidecar };
        let now = Files { embedded: &embedded, sidecar: &after };
        for (program, read) in [("Immich", immich as fn(&Files<'_>) -> Shown), ("digiKam", digikam), ("darktable", darktable), ("PhotoPrism", photoprism)] {
            let shown = read(&now);
            for name in read(&before) {
                prop_assert!(is_shown(&name, &shown), "{program} no longer shows {name}: {shown:?}");
            }
            prop_assert!(shown.contains("Eiffel Tower"), "{program} shows no mark: {shown:?}");
        }
    }

    #[test]
    fn what_was_written_once_is_not_written_again(embedded in any_keywords(ALL), sidecar in any_keywords(XMP)) {
        let after = marked(&embedded, &sidecar);
        let again = Union::of([&after, &embedded]).items().missing_in(&after);
        prop_assert_eq!(again, Default::default());
    }
}
