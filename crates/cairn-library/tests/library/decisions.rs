//! What a person decided holds.

use std::fs;

use cairn_library::Splice;
use cairn_library::decisions::{About, DecisionLine, Decisions};
use cairn_library::embed::embed;
use cairn_library::evidence::Basis;
use cairn_library::plan::{PlanFile, PlanRequest, make};
use cairn_library::state::{Decision, PayloadHash, State};
use cairn_library::xmp::{ArrayKind, Change, Property, Value};
use cairn_places::Gazetteer;

use crate::house::{House, LANDMARK};

fn payload(house: &House, name: &str) -> PayloadHash {
    let library = house.scan();
    house.marks(&library, &[name], Basis::Model).marks[0].payload
}

fn decide(house: &House, name: &str, landmark: Option<&str>, decision: Decision) {
    let about = About::Picture(payload(house, name));
    let library = house.scan();
    let mut decisions = Decisions::open(&house.state, library.id).unwrap();
    let wikidata = landmark.map(|_| "Q243");
    decisions.record(&house.state, DecisionLine::new(about, landmark, wikidata, Some(decision))).unwrap();
}

/// How many operations a plan of a mark for this photo has.
fn planned(house: &House, name: &str) -> u32 {
    house.plan(&[name], &PlanRequest::default()).1.operations
}

/// The photo with another keyword in it.
fn retagged(photo: &[u8]) -> Vec<u8> {
    let items = vec![Value::text("Anna")];
    let change = Change::Append { property: Property::SUBJECT, kind: ArrayKind::Bag, items };
    Splice::apply(photo, &embed(photo, &[change]).unwrap()).unwrap()
}

#[test]
fn a_rejected_landmark_never_returns() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    decide(&house, "a.jpg", Some(LANDMARK), Decision::Reject);
    assert_eq!(planned(&house, "a.jpg"), 0);
    fs::rename(house.path("a.jpg"), house.path("renamed.jpg")).unwrap();
    assert_eq!(planned(&house, "renamed.jpg"), 0, "after a rename");
    fs::create_dir(house.path("moved")).unwrap();
    fs::rename(house.path("renamed.jpg"), house.path("moved/b.jpg")).unwrap();
    assert_eq!(planned(&house, "moved/b.jpg"), 0, "after a move");
    house.file("moved/b.jpg", &retagged(&house.read("moved/b.jpg")));
    assert_eq!(planned(&house, "moved/b.jpg"), 0, "after retagging");
    house.file("copy.jpg", &house.read("moved/b.jpg"));
    assert_eq!(planned(&house, "copy.jpg"), 0, "a copy is the same picture");
}

#[test]
fn a_rejection_outlives_the_database_and_another_name_of_the_landmark() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    decide(&house, "a.jpg", Some(LANDMARK), Decision::Reject);
    for name in ["library.sqlite", "library.sqlite-wal", "library.sqlite-shm"] {
        let _ = fs::remove_file(house.state.folder().join(name));
    }
    let state = State::open(house.state.folder()).unwrap();
    let library = state.add_library(&house.root()).unwrap();
    let decisions = Decisions::open(&state, library.id).unwrap();
    let hash = cairn_library::scan::payload_hash(&house.read("a.jpg"));
    assert!(decisions.forbids(hash, LANDMARK, None));
    assert!(decisions.forbids(hash, "La tour Eiffel", Some("Q243")), "by its item on Wikidata");
    assert!(!decisions.forbids(hash, "Big Ben", Some("Q41225")));
}

#[test]
fn a_rejection_after_the_mark_takes_it_out() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.mark(&["a.jpg"], &PlanRequest::default());
    decide(&house, "a.jpg", Some(LANDMARK), Decision::Reject);
    let (plan, report) = house.plan(&["a.jpg"], &PlanRequest::default());
    assert_eq!((report.operations, report.removals), (1, 1));
    assert_eq!(house.apply(&plan).done, 1);
    assert!(!house.text("a.jpg.xmp").contains("Eiffel"), "{}", house.text("a.jpg.xmp"));
    assert_eq!(planned(&house, "a.jpg"), 0, "once");
}

#[test]
fn a_rejection_that_is_taken_back_brings_the_mark_back() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.mark(&["a.jpg"], &PlanRequest::default());
    let about = About::Picture(payload(&house, "a.jpg"));
    let library = house.scan();
    let mut decisions = Decisions::open(&house.state, library.id).unwrap();
    decisions
        .record(&house.state, DecisionLine::new(about, Some(LANDMARK), None, Some(Decision::Reject)))
        .unwrap();
    let (plan, _) = house.plan(&["a.jpg"], &PlanRequest::default());
    assert_eq!(house.apply(&plan).done, 1);
    decisions.take_back(&house.state, 1).unwrap();
    assert_eq!(planned(&house, "a.jpg"), 1);
}

#[test]
fn never_holds_for_all_landmarks_of_a_photo_and_for_all_photos_of_a_library() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.jpeg("b.jpg", 2);
    decide(&house, "a.jpg", None, Decision::Never);
    assert_eq!(planned(&house, "a.jpg"), 0);
    assert_eq!(planned(&house, "b.jpg"), 1);
    let library = house.scan();
    let mut decisions = Decisions::open(&house.state, library.id).unwrap();
    decisions
        .record(
            &house.state,
            DecisionLine::new(About::Library, Some(LANDMARK), Some("Q243"), Some(Decision::Never)),
        )
        .unwrap();
    assert_eq!(planned(&house, "b.jpg"), 0);
    decide(&house, "b.jpg", Some(LANDMARK), Decision::Confirm);
    assert_eq!(planned(&house, "b.jpg"), 1, "a photo that was confirmed by itself");
}

#[test]
fn the_last_decision_holds_and_can_be_taken_back() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let about = About::Picture(payload(&house, "a.jpg"));
    let library = house.scan();
    let mut decisions = Decisions::open(&house.state, library.id).unwrap();
    let About::Picture(hash) = about else { panic!() };
    let line = |decision| DecisionLine::new(about, Some(LANDMARK), None, Some(decision));
    decisions.record(&house.state, line(Decision::Confirm)).unwrap();
    decisions.record(&house.state, line(Decision::Reject)).unwrap();
    assert_eq!(decisions.decision(hash, LANDMARK, None), Some(Decision::Reject));
    assert!(!decisions.take_back(&house.state, 1).unwrap().is_empty());
    assert_eq!(decisions.decision(hash, LANDMARK, None), Some(Decision::Confirm), "what held before");
    let again = Decisions::open(&house.state, library.id).unwrap();
    assert_eq!(again.decision(hash, LANDMARK, None), Some(Decision::Confirm), "also for the next process");
    assert_eq!(decisions.take_back(&house.state, 5).unwrap().len(), 1);
    assert_eq!(decisions.decision(hash, LANDMARK, None), None);
    let again = Decisions::open(&house.state, library.id).unwrap();
    assert_eq!(again.decision(hash, LANDMARK, None), None, "also for the next process");
    assert_eq!(decisions.take_back(&house.state, 1).unwrap(), [], "nothing is left");
}

#[test]
fn decisions_travel_between_computers() {
    let one = House::new();
    one.jpeg("a.jpg", 1);
    one.jpeg("b.jpg", 2);
    decide(&one, "a.jpg", Some(LANDMARK), Decision::Reject);
    decide(&one, "b.jpg", None, Decision::Never);
    let file = one.beside("exported");
    let library = one.scan();
    assert_eq!(Decisions::open(&one.state, library.id).unwrap().export(&file).unwrap(), 2);
    let other = House::new();
    other.jpeg("other name.jpg", 1);
    let library = other.scan();
    let mut decisions = Decisions::open(&other.state, library.id).unwrap();
    assert_eq!(decisions.import(&other.state, &file).unwrap().added, 2);
    assert_eq!(decisions.import(&other.state, &file).unwrap().known, 2);
    let marks = other.marks(&library, &["other name.jpg"], Basis::Model);
    let path = other.beside("plan");
    let report =
        make(&other.state, &library, &marks, &Gazetteer::builtin(), &PlanRequest::default(), &path).unwrap();
    assert_eq!(report.operations, 0);
    assert_eq!(PlanFile::open(&path).unwrap().operations, 0);
    assert!(decisions.import(&other.state, &other.beside("none")).is_err());
}

#[test]
fn half_a_line_of_a_crash_spoils_no_other() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.jpeg("b.jpg", 2);
    decide(&house, "a.jpg", Some(LANDMARK), Decision::Reject);
    let file = house.state.folder().join("decisions.jsonl");
    let mut text = fs::read_to_string(&file).unwrap();
    text.push_str("{\"picture\":\"12\",\"landmark\":\"Chich\u{e9}");
    // In the middle of a letter.
    fs::write(&file, &text.as_bytes()[..text.len() - 1]).unwrap();
    decide(&house, "b.jpg", Some(LANDMARK), Decision::Reject);
    assert_eq!((planned(&house, "a.jpg"), planned(&house, "b.jpg")), (0, 0));
}
