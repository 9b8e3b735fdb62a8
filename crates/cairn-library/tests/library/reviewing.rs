//! A review: what is decided at once is taken back at once, and copies of a picture are one.

use cairn_library::decisions::{About, DecisionLine, Decisions};
use cairn_library::evidence::Basis;
use cairn_library::review::Review;
use cairn_library::state::Decision;
use cairn_places::Gazetteer;

use crate::house::{House, LANDMARK};

/// Two copies of a picture and another one, all confirmed.
fn confirmed() -> House {
    let house = House::new();
    for (name, seed) in [("a.jpg", 1), ("b.jpg", 1), ("c.jpg", 2)] {
        house.jpeg(name, seed);
    }
    let library = house.scan();
    let mut decisions = Decisions::open(&house.state, library.id).unwrap();
    for mark in house.marks(&library, &["a.jpg", "c.jpg"], Basis::Model).marks {
        let about = About::Picture(mark.payload);
        let line =
            DecisionLine::new(about, Some(LANDMARK), mark.wikidata.as_deref(), Some(Decision::Confirm));
        decisions.record(&house.state, line).unwrap();
    }
    house
}

fn decided(review: &Review<'_>) -> Vec<Option<Decision>> {
    review.groups()[0].photos.iter().map(|photo| photo.decision).collect()
}

#[test]
fn copies_of_a_picture_are_decided_about_together_and_what_held_before_comes_back() {
    let (house, gazetteer) = (confirmed(), Gazetteer::builtin());
    let library = house.scan();
    let mut review = Review::open(&house.state, &library, &gazetteer, None).unwrap();
    let (yes, no, never) = (Some(Decision::Confirm), Some(Decision::Reject), Some(Decision::Never));
    assert_eq!(decided(&review), [yes, yes, yes]);
    review.decide(0, &[0], Decision::Reject).unwrap();
    assert_eq!(decided(&review), [no, no, yes], "the copy, too");
    review.decide(0, &[0, 1, 2], Decision::Never).unwrap();
    assert_eq!(decided(&review), [never, never, never]);
    review.decide(0, &[1], Decision::Confirm).unwrap();
    assert_eq!(decided(&review), [yes, yes, never], "a later word about such a photo holds");
    let again = Review::open(&house.state, &library, &gazetteer, None).unwrap();
    assert_eq!(decided(&again), [yes, yes], "what no model sees is asked about where a person confirmed it");

    let mut back = || {
        let step = review.take_back().unwrap();
        (step.map(|step| step.photos), decided(&review))
    };
    assert_eq!(back(), (Some(vec![1]), vec![never, never, never]));
    assert_eq!(back(), (Some(vec![0, 1, 2]), vec![no, no, yes]));
    assert_eq!(back(), (Some(vec![0]), vec![yes, yes, yes]));
    assert_eq!(back(), (None, vec![yes, yes, yes]));
}
