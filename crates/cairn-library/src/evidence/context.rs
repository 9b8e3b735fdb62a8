//! What a trip says about a landmark in a photo: veto by physics, support, conflict.

use std::collections::HashMap;

use cairn_places::{Gazetteer, Place};

use super::assessed::Assessed;
use super::candidates::Candidate;
use super::mark::EstimatedPosition;
use super::rightness::Rightness;
use super::timeline::{Moment, Segment, Timeline, distance_km, to_place_km};
use crate::state::{ContextRow, FileId, LibraryId, Position, State, StateError, Verdict};

/// What may be travelled without a photo: places are points, clocks are set by hand.
const SLACK_KM: f64 = 50.0;

/// An airliner's speed.
const FASTEST_KMH: f64 = 900.0;

/// How near in time and place a neighbour supports a landmark.
const SUPPORT_SECONDS: i64 = 2 * 3600;
const SUPPORT_KM: f64 = 50.0;

/// The error of a position that does not say its own.
const POSITION_ERROR_M: f64 = 100.0;

/// Between two neighbours so near in time and place the camera's own position is known.
const BETWEEN_SECONDS: i64 = 600;
const BETWEEN_KM: f64 = 2.0;

/// The context of every candidate, in their order.
pub(super) fn contexts(
    candidates: &[Candidate],
    rightness: Option<Rightness>,
    timeline: &Timeline,
    gazetteer: &Gazetteer,
) -> Vec<ContextRow> {
    let mut same: HashMap<(&str, Option<Segment>), Vec<_>> = HashMap::new();
    let segment = |candidate: &Candidate| timeline.shot(candidate.file).and_then(|shot| shot.segment);
    for candidate in candidates.iter().filter(|candidate| !candidate.rejected) {
        let ratio = rightness.map_or(0.0, |rightness| rightness.log_ratio(candidate.score));
        let of_trip = same.entry((&candidate.landmark, segment(candidate))).or_default();
        of_trip.push((candidate.file, ratio));
    }
    let of = |candidate: &Candidate| {
        let of_trip =
            same.get(&(candidate.landmark.as_str(), segment(candidate))).map_or(&[][..], Vec::as_slice);
        let (agreeing, agreement) = timeline.agreement(candidate.file, of_trip.iter());
        let none = ContextRow {
            file: candidate.file,
            landmark: candidate.landmark.clone(),
            neighbour: None,
            seconds: None,
            distance_km: None,
            speed_kmh: None,
            agreeing,
            agreement,
            verdict: Verdict::Unknown,
        };
        match gazetteer.find(&candidate.landmark) {
            Some(place) => context(none, place, timeline),
            None => none,
        }
    };
    candidates.iter().map(of).collect()
}

fn context(none: ContextRow, place: &Place, timeline: &Timeline) -> ContextRow {
    let own = timeline.shot(none.file).and_then(|shot| shot.position);
    if let Some(own) = own
        && let Some(distance) = to_place_km(place, own.latitude, own.longitude)
    {
        let verdict = if distance > farthest_km(place, &own) { Verdict::Conflict } else { Verdict::InSight };
        return ContextRow { distance_km: Some(distance), verdict, ..none };
    }
    let mut best: Option<ContextRow> = None;
    for (moment, seconds) in timeline.neighbours(none.file).both() {
        let Some(seen) = by_neighbour(&none, place, moment, seconds) else { continue };
        // What is impossible by one neighbour is impossible; what one supports is supported.
        let rank = |verdict| match verdict {
            Verdict::Impossible => 2,
            Verdict::Supported => 1,
            _ => 0,
        };
        if best.as_ref().is_none_or(|best| rank(seen.verdict) > rank(best.verdict)) {
            best = Some(seen);
        }
    }
    best.unwrap_or(none)
}

/// From how far a photo with this position may show the place.
fn farthest_km(place: &Place, own: &Position) -> f64 {
    place.sight_km() + 3.0 * own.error_m.unwrap_or(POSITION_ERROR_M) / 1000.0
}

fn by_neighbour(none: &ContextRow, place: &Place, moment: Moment, seconds: i64) -> Option<ContextRow> {
    let distance = to_place_km(place, f64::from(moment.latitude), f64::from(moment.longitude))?;
    let hours = seconds.abs() as f64 / 3600.0;
    // The photo is taken from where the landmark is seen, on the side of the neighbour.
    let travelled = (distance - place.sight_km()).max(0.0);
    let verdict = if travelled > SLACK_KM + FASTEST_KMH * hours {
        Verdict::Impossible
    } else if seconds.abs() <= SUPPORT_SECONDS && travelled <= SUPPORT_KM {
        Verdict::Supported
    } else {
        Verdict::Possible
    };
    Some(ContextRow {
        neighbour: Some(moment.file),
        seconds: Some(seconds),
        distance_km: Some(distance),
        speed_kmh: (seconds != 0).then(|| travelled / hours),
        verdict,
        ..none.clone()
    })
}

/// Where the camera may have stood: between its neighbours, or else where the landmark is. `None` for a photo that has a
/// position of its own, or that no camera is known of.
pub(super) fn estimated_position(
    file: FileId,
    timeline: &Timeline,
    place: Option<&Place>,
) -> Option<EstimatedPosition> {
    let shot = timeline.shot(file)?;
    if shot.position.is_some() || shot.camera.is_none() {
        return None;
    }
    let neighbours = timeline.neighbours(file);
    if let (Some((before, earlier)), Some((after, later))) = (neighbours.before, neighbours.after) {
        let apart = distance_km((before.latitude, before.longitude), (after.latitude, after.longitude));
        if earlier.abs() <= BETWEEN_SECONDS && later.abs() <= BETWEEN_SECONDS && apart <= BETWEEN_KM {
            let whole = (later - earlier).max(1) as f64;
            let share = -earlier as f64 / whole;
            let between = |from: f32, to: f32| f64::from(from) + share * (f64::from(to) - f64::from(from));
            return Some(EstimatedPosition {
                latitude: between(before.latitude, after.latitude),
                longitude: between(before.longitude, after.longitude),
                error_m: apart * 500.0 + 100.0,
            });
        }
    }
    let place = place?;
    Some(EstimatedPosition {
        latitude: place.latitude.degrees(),
        longitude: place.longitude.degrees(),
        error_m: place.sight_km() * 1000.0,
    })
}

/// Stores the contexts of a library, in place of those that were there.
///
/// # Errors
/// When the database cannot be written.
pub fn store(state: &State, library: LibraryId, assessed: &[Assessed]) -> Result<(), StateError> {
    let connection = state.connection();
    let transaction = connection.unchecked_transaction()?;
    transaction.execute(
        "DELETE FROM context WHERE file IN \
         (SELECT file.id FROM file JOIN folder ON folder.id = file.folder WHERE folder.library = ?)",
        [library.0],
    )?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT OR REPLACE INTO context (file, landmark, neighbour, seconds, distance_km, speed_kmh, agreeing, agreement, \
             verdict) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for ContextRow {
            file,
            landmark,
            neighbour,
            seconds,
            distance_km,
            speed_kmh,
            agreeing,
            agreement,
            verdict,
        } in assessed.iter().map(|assessed| &assessed.context)
        {
            let neighbour = neighbour.map(|neighbour| neighbour.0);
            insert.execute((
                file.0,
                landmark,
                neighbour,
                seconds,
                distance_km,
                speed_kmh,
                agreeing,
                agreement,
                verdict,
            ))?;
        }
    }
    transaction.commit()?;
    Ok(())
}
