//! A user's own file: what it may hold, what is said when it is wrong, and how it is laid over the built-in places.

use std::error::Error;
use std::fs;

use cairn_places::{Gazetteer, PlacesError};

/// The smallest entry that is a place.
fn entry(name: &str) -> String {
    format!(
        "[[place]]\nname = {name:?}\nkind = \"mill\"\nlatitude = 53\nlongitude = 10.5\nlocality = \"Winsen\"\n\
         country = \"Germany\"\ncountry_code = \"DE\"\n"
    )
}

/// The error's message with those of its sources, as the command line shows it.
fn whole_message(error: &PlacesError) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}\n{cause}");
        source = cause.source();
    }
    message
}

fn refused(text: &str) -> PlacesError {
    Gazetteer::from_toml(text, "own.toml").expect_err("the text must be refused")
}

#[test]
fn the_optional_fields_may_be_left_out() {
    let places = Gazetteer::from_toml(&entry("Grey Mill"), "own.toml").unwrap();
    let mill = places.find("3.grey_mill").unwrap();
    assert_eq!(mill.summary(), "Grey Mill, Winsen, Germany (53.0000 N, 10.5000 E)");
    assert_eq!(mill.with_article(), "Grey Mill");
    assert_eq!((&mill.wikidata, &mill.description), (&None, &None));
    assert!(mill.also.is_empty() && mill.tags.is_empty());
}

#[test]
fn a_class_without_a_place_has_none() {
    let places = Gazetteer::from_toml(&entry("Grey Mill"), "own.toml").unwrap();
    for class in ["Mill", "00.Town_Hall", "", "_"] {
        assert!(places.find(class).is_none(), "{class:?}");
    }
    assert!(Gazetteer::from_toml("", "own.toml").unwrap().is_empty());
}

#[test]
fn a_wrong_value_is_named_with_its_line() {
    let good = entry("Grey Mill");
    for (wrong, line, why) in [
        (good.replace("53", "153"), 4, "from -90 (south) to 90 (north), not 153"),
        (good.replace("10.5", "-190.0"), 5, "from -180 (west) to 180 (east), not -190"),
        (good.replace("\"DE\"", "\"Germany\""), 8, "two capital letters"),
        (good.replace("\"Winsen\"", "\" \""), 6, "must not be blank"),
        (format!("{good}wikidata = \"243\"\n"), 9, "Q and a number"),
        (format!("{good}height = 30\n"), 9, "unknown field `height`"),
        (good.replace("kind = \"mill\"\n", ""), 1, "missing field `kind`"),
        (good.replace("\"mill\"", "mill"), 3, ""),
        (good.replace("[[place]]", "[[places]]"), 1, "unknown field `places`"),
    ] {
        let message = whole_message(&refused(&wrong));
        assert!(message.starts_with("own.toml: not a list of places"), "{message}");
        assert!(message.contains(&format!("line {line}")), "line {line} expected:\n{message}");
        assert!(message.contains(why), "{why:?} expected:\n{message}");
    }
}

#[test]
fn a_name_leads_to_one_place_only() {
    let twice = format!("{}also = [\"12.grey_mill\"]\n{}", entry("Old Mill"), entry("Grey Mill"));
    assert_eq!(
        refused(&twice).to_string(),
        "own.toml: \"Old Mill\" and \"Grey Mill\" both have the name \"Grey Mill\": remove it from one of them"
    );
    let spelled_twice = format!("{}also = [\"GREY_MILL\"]\n", entry("Grey Mill"));
    assert!(Gazetteer::from_toml(&spelled_twice, "own.toml").is_ok(), "a place may repeat its own name");
}

#[test]
fn a_name_has_a_letter_or_a_digit() {
    assert_eq!(
        refused(&format!("{}also = [\"_\"]\n", entry("Grey Mill"))).to_string(),
        "own.toml: \"Grey Mill\" has the name \"_\" without a letter or digit: add one"
    );
}

#[test]
fn a_wikidata_item_belongs_to_one_place_only() {
    let text = format!("{}wikidata = \"Q1\"\n{}wikidata = \"Q1\"\n", entry("Old Mill"), entry("Grey Mill"));
    assert_eq!(
        refused(&text).to_string(),
        "own.toml: \"Old Mill\" and \"Grey Mill\" both have the Wikidata item Q1: correct one of them"
    );
}

#[test]
fn a_file_is_read_and_errors_begin_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml");
    let message = Gazetteer::read(&path).expect_err("no file yet").to_string();
    assert!(message.starts_with(&path.display().to_string()), "{message}");

    fs::write(&path, entry("Grey Mill")).unwrap();
    assert_eq!(Gazetteer::read(&path).unwrap().len(), 1);

    fs::write(&path, "[[place]]\n").unwrap();
    let message = Gazetteer::read(&path).expect_err("no place").to_string();
    assert!(message.starts_with(&path.display().to_string()), "{message}");
}

#[test]
fn an_own_place_replaces_the_one_of_its_name_and_keeps_the_other_names() {
    let mut places = Gazetteer::builtin();
    let before = places.len();
    places.merge(Gazetteer::from_toml(&entry("mount rushmore"), "own.toml").unwrap());
    assert_eq!(places.len(), before);
    for class in ["21.Mount_Rushmore", "11.Mount_Rushmore_National_Memorial"] {
        assert_eq!(places.find(class).unwrap().locality, "Winsen", "{class}");
    }
    assert_eq!(places.find("Eiffel Tower").unwrap().locality, "Paris");
}

#[test]
fn an_own_place_takes_over_every_name_that_it_gives() {
    let mut places = Gazetteer::builtin();
    let before = places.len();
    let own = format!("{}also = [\"Tour Eiffel\"]\n{}", entry("Little Tower"), entry("Grey Mill"));
    places.merge(Gazetteer::from_toml(&own, "own.toml").unwrap());
    assert_eq!(places.len(), before + 2);
    assert_eq!(places.find("Tour Eiffel").unwrap().name, "Little Tower");
    assert_eq!(places.find("Eiffel Tower").unwrap().locality, "Paris");
    assert_eq!(places.find("Grey Mill").unwrap().name, "Grey Mill");
}

#[test]
fn own_places_never_replace_each_other() {
    // The built-in place has both names.
    let own = format!("{}{}", entry("Mount Rushmore"), entry("Mount Rushmore National Memorial"));
    let mut places = Gazetteer::builtin();
    places.merge(Gazetteer::from_toml(&own, "own.toml").unwrap());
    for name in ["Mount Rushmore", "Mount Rushmore National Memorial"] {
        assert_eq!(places.find(name).unwrap().name, name);
    }
}
