//! Which marks are sure enough to be written.

use std::collections::HashMap;

use cairn_places::Gazetteer;

use super::assess::Assessment;
use super::assessed::Assessed;
use super::mark::{Basis, Mark, MarkRules, Marks};
use crate::state::Verdict;

/// The largest set of marks whose expected share of wrong ones is at most what the rules allow, for each landmark and so for all
/// together. What a person confirmed is always in it and allows no further mark.
pub fn marks(assessment: &Assessment, rules: &MarkRules, gazetteer: &Gazetteer) -> Marks {
    let wanted = assessment.photos.iter().filter(|photo| rules.wants(gazetteer, &photo.landmark));
    let mut found = Marks::default();
    let mut by_landmark: HashMap<&str, Vec<&Assessed>> = HashMap::new();
    for photo in wanted {
        match () {
            () if photo.confirmed => found.marks.push(mark(photo, Basis::Confirmed)),
            () if photo.rejected => found.rejected += 1,
            () if matches!(photo.context.verdict, Verdict::Impossible | Verdict::Conflict) => {
                found.vetoed += 1;
            }
            () if rules.confirmed_only => found.not_sure += 1,
            () => by_landmark.entry(&photo.landmark).or_default().push(photo),
        }
    }
    for photos in by_landmark.into_values() {
        let considered = photos.len();
        let sure = surest(photos, rules.max_wrong);
        found.not_sure += considered - sure.len();
        found.expected_wrong += sure.iter().map(|photo| 1.0 - photo.probability).sum::<f64>();
        found.marks.extend(sure.into_iter().map(|photo| mark(photo, Basis::Model)));
    }
    found.marks.sort_by_key(|mark| mark.file);
    found
}

/// The longest beginning of the photos, the most probable first, whose mean improbability is at most `max_wrong`.
fn surest(mut photos: Vec<&Assessed>, max_wrong: f64) -> Vec<&Assessed> {
    photos
        .sort_by(|one, other| other.probability.total_cmp(&one.probability).then(one.file.cmp(&other.file)));
    let (mut wrong, mut count) = (0.0, 0);
    for (index, photo) in photos.iter().enumerate() {
        wrong += 1.0 - photo.probability;
        // The mean grows with every photo: the first that is too much ends it.
        if wrong > max_wrong * (index + 1) as f64 {
            break;
        }
        count = index + 1;
    }
    photos.truncate(count);
    photos
}

fn mark(photo: &Assessed, basis: Basis) -> Mark {
    Mark {
        file: photo.file,
        payload: photo.payload,
        landmark: photo.landmark.clone(),
        wikidata: photo.wikidata.clone(),
        probability: photo.probability,
        model_probability: photo.model_probability,
        verdict: photo.context.verdict,
        basis,
        estimated: photo.estimated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{ContextRow, FileId, PayloadHash};

    fn photo(file: i64, landmark: &str, probability: f64) -> Assessed {
        Assessed {
            file: FileId(file),
            payload: PayloadHash::from_bytes([file as u8; 32]),
            landmark: landmark.to_owned(),
            wikidata: None,
            probability,
            model_probability: 0.9,
            is_sure: true,
            context: ContextRow {
                file: FileId(file),
                landmark: landmark.to_owned(),
                neighbour: None,
                seconds: None,
                distance_km: None,
                speed_kmh: None,
                agreeing: 0,
                agreement: 0.0,
                verdict: Verdict::Unknown,
            },
            confirmed: false,
            rejected: false,
            estimated: None,
        }
    }

    fn of(photos: Vec<Assessed>) -> Assessment {
        Assessment {
            photos,
            precision: Default::default(),
            share: 0.02,
            looked_at: 0,
            model: None,
            is_calibrated: true,
        }
    }

    fn files(marks: &Marks) -> Vec<i64> {
        marks.marks.iter().map(|mark| mark.file.0).collect()
    }

    #[test]
    fn the_largest_set_is_marked_whose_expected_share_of_wrong_marks_is_small_enough() {
        let assessment = of(vec![
            photo(1, "A", 0.999),
            photo(2, "A", 0.99),
            photo(3, "A", 0.9),
            photo(4, "B", 0.97),
            photo(5, "C", 0.996),
        ]);
        let gazetteer = Gazetteer::default();
        let marked = |max_wrong| {
            files(&marks(&assessment, &MarkRules { max_wrong, ..MarkRules::default() }, &gazetteer))
        };
        assert_eq!(marked(1.0 / 200.0), [1, 5]);
        assert_eq!(marked(0.006), [1, 2, 5], "two together are sure enough");
        assert_eq!(marked(0.04), [1, 2, 3, 4, 5]);
        let some = marks(&assessment, &MarkRules::default(), &gazetteer);
        assert!((some.expected_wrong - 0.005).abs() < 1e-12 && some.not_sure == 3, "{some:?}");
    }

    #[test]
    fn what_a_person_said_comes_first_and_confirms_no_other_photo() {
        let confirmed = Assessed { confirmed: true, probability: 1.0, ..photo(1, "A", 1.0) };
        let rejected = Assessed { rejected: true, ..photo(2, "A", 0.0) };
        let mut vetoed = photo(3, "A", 0.0);
        vetoed.context.verdict = Verdict::Impossible;
        let assessment = of(vec![confirmed, rejected, vetoed, photo(4, "A", 0.99), photo(5, "B", 0.999)]);
        let gazetteer = Gazetteer::default();
        let found = marks(&assessment, &MarkRules::default(), &gazetteer);
        assert_eq!(files(&found), [1, 5]);
        assert_eq!((found.rejected, found.vetoed, found.not_sure), (1, 1, 1));
        let only = MarkRules { confirmed_only: true, ..MarkRules::default() };
        assert_eq!(files(&marks(&assessment, &only, &gazetteer)), [1]);
        let b = MarkRules { landmark: Some("B".to_owned()), ..MarkRules::default() };
        assert_eq!(files(&marks(&assessment, &b, &gazetteer)), [5]);
    }
}
