//! Evidence as a whole, on states that are made row by row.

use std::path::Path;

use cairn_places::Gazetteer;
use tempfile::TempDir;

use super::*;
use crate::scan::{LibrarySettings, set_model};
use crate::state::{
    Decision, FileId, LibraryRow, ModelId, ModelRow, PayloadHash, Position, PositionSource, PredictionRow,
    ReadingRow, State, Verdict,
};

const THRESHOLD: f64 = 0.0;
const SURE: f64 = 1.0;
/// A score that is surely a landmark, and one that is one perhaps.
const HIGH: f64 = 3.2;
const MIDDLE: f64 = 1.8;

/// A photo of the fixture.
#[derive(Clone, Copy)]
struct Shot {
    landmark: &'static str,
    score: f64,
    probability: f64,
    /// Hours since the trip began, by the camera's clock.
    hours: f64,
    offset: Option<i16>,
    camera: &'static str,
    position: Option<(f64, f64)>,
}

const SHOT: Shot = Shot {
    landmark: "Eiffel Tower",
    score: HIGH,
    probability: 0.99,
    hours: 0.0,
    offset: None,
    camera: "A",
    position: None,
};

const PARIS: Option<(f64, f64)> = Some((48.86, 2.30));
const LAS_VEGAS: Option<(f64, f64)> = Some((36.11, -115.17));

struct Fixture {
    _folder: TempDir,
    state: State,
    library: LibraryRow,
    model: ModelId,
}

impl Fixture {
    fn new(shots: &[Shot]) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("photos")).unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        let library = state.add_library(&folder.path().join("photos")).unwrap();
        let model = ModelRow {
            hash: "sha256:1".to_owned(),
            views: "one".to_owned(),
            name: "made".to_owned(),
            score: None,
            threshold: Some(THRESHOLD),
            sure: Some(SURE),
        };
        let model = state.add_model(&model).unwrap();
        set_model(&state, library.id, model).unwrap();
        assert_eq!(LibrarySettings::of(&state, library.id).unwrap().model, Some(model.0));
        let fixture = Fixture { _folder: folder, state, library, model };
        fixture
            .state
            .connection()
            .execute(
                "INSERT INTO folder (id, library, path, seen_scan) VALUES (1, ?, x'', 1)",
                [library_id(&fixture)],
            )
            .unwrap();
        for (index, shot) in shots.iter().enumerate() {
            fixture.add(index as i64 + 1, shot);
        }
        fixture
    }

    fn add(&self, id: i64, shot: &Shot) {
        let payload = payload(id);
        let connection = self.state.connection();
        connection
            .execute(
                "INSERT INTO file (id, folder, name, kind, size, mtime_ns, ctime_ns, dev, inode, nlink, payload_hash, state) \
                 VALUES (?, 1, ?, 'photo', 1, 1, 1, 1, 1, 1, ?, 'read')",
                (id, format!("{id}.jpg").into_bytes(), payload),
            )
            .unwrap();
        connection
            .execute("INSERT INTO group_member (file, group_id, role) VALUES (?1, ?1, 'picture')", [id])
            .unwrap();
        let reading = ReadingRow {
            taken: Some(1_563_100_000 + (shot.hours * 3600.0) as i64),
            offset_minutes: shot.offset,
            make: Some("Maker".to_owned()),
            model: Some("Model".to_owned()),
            serial: Some(shot.camera.to_owned()),
            position: shot.position.map(|(latitude, longitude)| Position {
                latitude,
                longitude,
                error_m: None,
                source: PositionSource::Exif,
            }),
        };
        self.state.put_reading(FileId(id), &reading).unwrap();
        let prediction = PredictionRow {
            rank: 1,
            landmark: shot.landmark.to_owned(),
            wikidata: None,
            probability: shot.probability,
            landmark_score: shot.score,
        };
        self.state.put_predictions(payload, self.model, &[prediction]).unwrap();
    }

    fn decide(&self, id: Option<i64>, landmark: Option<&str>, decision: Decision) {
        let library = id.is_none().then_some(self.library.id.0);
        self.state
            .connection()
            .execute(
                "INSERT INTO decision (payload_hash, library, landmark, decision, decided) VALUES (?, ?, ?, ?, 1)",
                (id.map(payload), library, landmark, decision),
            )
            .unwrap();
    }

    fn assess(&self) -> Assessment {
        assess(&self.state, self.library.id, &Gazetteer::builtin()).unwrap()
    }

    fn verdict(&self, id: i64) -> Verdict {
        self.photo(id).context.verdict
    }

    fn photo(&self, id: i64) -> Assessed {
        self.assess().photos.into_iter().find(|photo| photo.file == FileId(id)).unwrap()
    }
}

fn library_id(fixture: &Fixture) -> i64 {
    fixture.library.id.0
}

fn payload(id: i64) -> PayloadHash {
    PayloadHash::from_bytes([id as u8; 32])
}

/// A photo of nothing, with a position: a neighbour.
fn neighbour(hours: f64, position: Option<(f64, f64)>) -> Shot {
    Shot { score: -5.0, probability: 0.2, hours, position, ..SHOT }
}

#[test]
fn what_nothing_that_travels_could_have_reached_is_impossible_and_never_marked() {
    // Las Vegas is 8,700 km from Paris: ten hours of flight.
    let near = Fixture::new(&[SHOT, neighbour(2.0, LAS_VEGAS)]);
    assert_eq!(near.verdict(1), Verdict::Impossible);
    assert_eq!(near.photo(1).probability, 0.0);
    let marks =
        marks(&near.assess(), &MarkRules { max_wrong: 1.0, ..MarkRules::default() }, &Gazetteer::builtin());
    assert_eq!((marks.marks.len(), marks.vetoed), (0, 1));
    let far = Fixture::new(&[SHOT, neighbour(11.0, LAS_VEGAS)]);
    assert_eq!(far.verdict(1), Verdict::Possible);
    // One neighbour supports, the other forbids: a clock is wrong, or a position.
    let both = Fixture::new(&[SHOT, neighbour(-1.0, PARIS), neighbour(1.0, LAS_VEGAS)]);
    assert_eq!(both.verdict(1), Verdict::Impossible);
}

#[test]
fn a_neighbour_in_time_and_place_supports_a_landmark() {
    let alone = Fixture::new(&[Shot { score: MIDDLE, ..SHOT }]);
    let supported = Fixture::new(&[Shot { score: MIDDLE, ..SHOT }, neighbour(1.5, PARIS)]);
    assert_eq!(supported.verdict(1), Verdict::Supported);
    assert_eq!(alone.verdict(1), Verdict::Unknown);
    assert!(supported.photo(1).probability > alone.photo(1).probability);
    assert_eq!(Fixture::new(&[SHOT, neighbour(3.0, PARIS)]).verdict(1), Verdict::Possible);
}

#[test]
fn another_camera_counts_only_if_both_clocks_say_how_they_stand_to_utc() {
    let phone = |offset| Shot { camera: "phone", offset, ..neighbour(1.0, LAS_VEGAS) };
    let camera = |offset| Shot { offset, ..SHOT };
    assert_eq!(Fixture::new(&[camera(None), phone(Some(0))]).verdict(1), Verdict::Unknown);
    assert_eq!(Fixture::new(&[camera(Some(120)), phone(None)]).verdict(1), Verdict::Unknown);
    assert_eq!(Fixture::new(&[camera(Some(120)), phone(Some(120))]).verdict(1), Verdict::Impossible);
}

#[test]
fn the_photos_own_position_decides_and_a_contradiction_is_told() {
    let fixture = Fixture::new(&[
        Shot { position: PARIS, ..SHOT },
        Shot { position: LAS_VEGAS, ..SHOT },
        Shot { position: LAS_VEGAS, probability: 0.7, ..SHOT },
    ]);
    assert_eq!(fixture.verdict(1), Verdict::InSight);
    assert_eq!(fixture.verdict(2), Verdict::Conflict);
    assert!(
        fixture.photo(2).is_conflict() && !fixture.photo(3).is_conflict() && !fixture.photo(1).is_conflict()
    );
    let precision = fixture.assess().precision;
    assert_eq!((precision.photos, precision.in_sight), (3, 1));
    assert_eq!(precision.landmarks[0].landmark, "Eiffel Tower");
}

#[test]
fn photos_of_one_trip_that_agree_are_surer_and_a_burst_counts_once() {
    let of = |hours: &[f64]| {
        let shots: Vec<Shot> =
            hours.iter().map(|hours| Shot { score: MIDDLE, hours: *hours, ..SHOT }).collect();
        Fixture::new(&shots).photo(1)
    };
    let (alone, trip, burst, years) =
        (of(&[0.0]), of(&[0.0, 0.5, 1.0]), of(&[0.0, 0.5, 0.501, 0.502]), of(&[0.0, 9000.0, 18_000.0]));
    assert_eq!(
        [alone, trip.clone(), burst.clone(), years.clone()].map(|photo| photo.context.agreeing),
        [0, 2, 1, 0]
    );
    assert!(trip.context.agreement > burst.context.agreement && burst.context.agreement > 0.0);
    assert_eq!(years.context.agreement, 0.0);
}

#[test]
fn thirty_photos_of_a_trip_that_agree_say_no_more_than_three() {
    let of = |count: usize| {
        let shot = |index| Shot { score: MIDDLE, hours: index as f64 / 10.0, ..SHOT };
        let photo = Fixture::new(&(0..count).map(shot).collect::<Vec<Shot>>()).photo(1);
        (photo.context.agreeing, photo.context.agreement)
    };
    let (three, thirty) = (of(3), of(30));
    assert_eq!((three.0, thirty.0), (2, 29));
    assert_eq!(three.1, thirty.1);
}

#[test]
fn what_a_person_said_holds_whatever_the_model_says() {
    let fixture = Fixture::new(&[SHOT, SHOT, SHOT, Shot { score: -9.0, probability: 0.1, ..SHOT }, SHOT]);
    fixture.decide(Some(1), Some("Eiffel Tower"), Decision::Reject);
    fixture.decide(Some(2), None, Decision::Never);
    fixture.decide(Some(3), Some("Eiffel Tower"), Decision::Confirm);
    fixture.decide(Some(4), Some("Tour Eiffel"), Decision::Confirm);
    let rules = MarkRules { max_wrong: 1.0, ..MarkRules::default() };
    let marked = || -> Vec<(i64, Basis)> {
        let marks = marks(&fixture.assess(), &rules, &Gazetteer::builtin());
        marks.marks.iter().map(|mark| (mark.file.0, mark.basis)).collect()
    };
    assert_eq!(marked(), [(3, Basis::Confirmed), (4, Basis::Confirmed), (5, Basis::Model)]);
    // Never this landmark in this library: what was confirmed stays.
    fixture.decide(None, Some("Eiffel Tower"), Decision::Never);
    assert_eq!(marked(), [(3, Basis::Confirmed), (4, Basis::Confirmed)]);
}

#[test]
fn between_two_neighbours_the_cameras_position_is_known_and_else_it_is_the_landmarks() {
    let minutes = |minutes: f64| minutes / 60.0;
    let between = Fixture::new(&[
        SHOT,
        neighbour(minutes(-2.0), Some((48.85, 2.29))),
        neighbour(minutes(6.0), Some((48.86, 2.29))),
    ]);
    let estimated = between.photo(1).estimated.unwrap();
    assert!((estimated.latitude - 48.8525).abs() < 1e-4 && estimated.error_m < 700.0, "{estimated:?}");
    let alone = Fixture::new(&[SHOT]).photo(1).estimated.unwrap();
    assert_eq!((alone.latitude, alone.error_m), (48.8584, 12_000.0));
    assert_eq!(Fixture::new(&[Shot { position: PARIS, ..SHOT }]).photo(1).estimated, None);
}

#[test]
fn the_context_is_stored_for_the_review() {
    let fixture = Fixture::new(&[SHOT, neighbour(2.0, LAS_VEGAS)]);
    for _ in 0..2 {
        store_context(&fixture.state, fixture.library.id, &fixture.assess().photos).unwrap();
    }
    let stored: (i64, String) = fixture
        .state
        .connection()
        .query_row("SELECT file, verdict FROM context", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(stored, (1, "impossible".to_owned()));
    assert!(Path::new(&fixture.library.root).is_dir());
}
