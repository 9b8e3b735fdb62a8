//! When and where the library's photos were taken, camera by camera.

use std::collections::HashMap;

use cairn_places::{Latitude, Longitude, Place};

use crate::state::{FileId, LibraryId, Position, PositionSource, ReadingRow, State, StateError};

/// A photo without a place, or one at more than this time after the last, begins a new segment of a trip.
const SEGMENT_GAP_SECONDS: i64 = 6 * 3600;
const SEGMENT_JUMP_KM: f64 = 100.0;

/// Photos that follow each other so fast are one burst.
const BURST_SECONDS: i64 = 10;

/// So many photos of one trip speak for each other: further ones show the same building, and are wrong together.
const WITNESSES: usize = 2;

/// A camera's number in the timeline.
pub(super) type CameraId = u32;

/// A segment of a trip: its camera, and its number among that camera's.
pub(super) type Segment = (CameraId, u32);

/// When a photo was taken by its camera's clock, and its degrees north and east, if it says so.
type Dated = (i64, FileId, Option<(f32, f32)>);

/// A photo in the timeline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) file: FileId,
    /// By the clock that the list is sorted by, in seconds.
    pub(super) time: i64,
    pub(super) latitude: f32,
    pub(super) longitude: f32,
}

/// What is known of one photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shot {
    pub(super) camera: Option<CameraId>,
    /// By the camera's own clock.
    pub(super) taken: Option<i64>,
    pub(super) utc: Option<i64>,
    pub(super) position: Option<Position>,
    /// Which segment of a trip it is in.
    pub(super) segment: Option<Segment>,
}

/// All photos of a library by time.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    shots: HashMap<FileId, Shot>,
    /// Photos with a position, by each camera's own clock.
    by_camera: HashMap<CameraId, Vec<Moment>>,
    /// Photos with a position whose clock says how far it is ahead of UTC, in UTC.
    in_utc: Vec<Moment>,
}

/// The nearest photos in time that have a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Neighbours {
    /// With the seconds that it is earlier (0 or less).
    pub(super) before: Option<(Moment, i64)>,
    /// With the seconds that it is later (0 or more).
    pub(super) after: Option<(Moment, i64)>,
}

impl Neighbours {
    pub(super) fn both(&self) -> impl Iterator<Item = (Moment, i64)> {
        [self.before, self.after].into_iter().flatten()
    }
}

impl Timeline {
    /// Of a library. Only what `wanted` names is kept photo by photo; all others count as neighbours.
    pub(super) fn of(
        state: &State,
        library: LibraryId,
        wanted: impl Fn(FileId) -> bool,
    ) -> Result<Timeline, StateError> {
        let mut timeline = Timeline::default();
        let sidecars = sidecar_readings(state, library)?;
        let mut cameras: HashMap<String, CameraId> = HashMap::new();
        let mut days: HashMap<CameraId, Vec<Dated>> = HashMap::new();
        let mut query = state.connection().prepare_cached(
            "SELECT file.id, group_member.group_id, reading.* FROM folder JOIN file ON file.folder = folder.id \
             JOIN reading ON reading.file = file.id LEFT JOIN group_member ON group_member.file = file.id \
             WHERE folder.library = ? AND file.state IN ('read', 'unreadable') \
             AND group_member.role IN ('picture', 'raw')",
        )?;
        let mut rows = query.query([library.0])?;
        while let Some(row) = rows.next()? {
            let (file, group): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            let own = ReadingRow::of(row)?;
            let sidecar = group.and_then(|group| sidecars.get(&group));
            let next = cameras.len() as CameraId;
            let camera = camera_name(&own).map(|name| *cameras.entry(name).or_insert(next));
            let shot = Shot {
                camera,
                taken: own.taken,
                utc: own.taken_utc().or_else(|| sidecar.and_then(ReadingRow::taken_utc)),
                position: own.position.or_else(|| sidecar.and_then(|reading| reading.position)),
                segment: None,
            };
            timeline.add(FileId(file), shot, wanted(FileId(file)));
            if let (Some(camera), Some(taken)) = (shot.camera, shot.taken) {
                let place = shot.position.map(|place| (place.latitude as f32, place.longitude as f32));
                days.entry(camera).or_default().push((taken, FileId(file), place));
            }
        }
        timeline.by_camera.values_mut().for_each(|moments| moments.sort_by_key(|moment| moment.time));
        timeline.in_utc.sort_by_key(|moment| moment.time);
        timeline.number_segments(days);
        Ok(timeline)
    }

    fn add(&mut self, file: FileId, shot: Shot, keep: bool) {
        if keep {
            self.shots.insert(file, shot);
        }
        let Some(position) = shot.position else { return };
        let moment = |time| Moment {
            file,
            time,
            latitude: position.latitude as f32,
            longitude: position.longitude as f32,
        };
        if let (Some(camera), Some(taken)) = (shot.camera, shot.taken) {
            self.by_camera.entry(camera).or_default().push(moment(taken));
        }
        if let Some(utc) = shot.utc {
            self.in_utc.push(moment(utc));
        }
    }

    fn number_segments(&mut self, days: HashMap<CameraId, Vec<Dated>>) {
        for (camera, mut photos) in days {
            photos.sort_by_key(|(taken, file, _)| (*taken, *file));
            let (mut segment, mut last, mut last_place) = (0, None::<i64>, None::<(f32, f32)>);
            for (taken, file, place) in photos {
                let is_late = last.is_some_and(|last| taken - last > SEGMENT_GAP_SECONDS);
                let is_far = matches!((last_place, place), (Some(from), Some(to)) if distance_km(from, to) > SEGMENT_JUMP_KM);
                if is_late || is_far {
                    segment += 1;
                }
                last = Some(taken);
                last_place = place.or(last_place);
                if let Some(shot) = self.shots.get_mut(&file) {
                    shot.segment = Some((camera, segment));
                }
            }
        }
    }

    /// What is known of a photo.
    pub(super) fn shot(&self, file: FileId) -> Option<&Shot> {
        self.shots.get(&file)
    }

    /// The nearest photos in time, by the same camera, or by another one if both say how their clock stands to UTC.
    pub(super) fn neighbours(&self, file: FileId) -> Neighbours {
        let Some(shot) = self.shots.get(&file) else { return Neighbours::default() };
        let own = match (shot.camera.and_then(|camera| self.by_camera.get(&camera)), shot.taken) {
            (Some(moments), Some(taken)) => around(moments, file, taken),
            _ => Neighbours::default(),
        };
        let others = shot.utc.map_or(Neighbours::default(), |utc| around(&self.in_utc, file, utc));
        let nearest = |one: Option<(Moment, i64)>, other: Option<(Moment, i64)>| {
            one.into_iter().chain(other).min_by_key(|(_, seconds)| seconds.abs())
        };
        Neighbours { before: nearest(own.before, others.before), after: nearest(own.after, others.after) }
    }

    /// Photos of the same segment of a trip that are taken for the same landmark, and the sum of the log likelihood ratios of the
    /// two surest. A burst counts as its surest photo, one of this photo's own burst not at all.
    pub(super) fn agreement<'a>(
        &self,
        file: FileId,
        same: impl Iterator<Item = &'a (FileId, f64)>,
    ) -> (u32, f64) {
        let Some(Shot { segment: Some(segment), taken: Some(taken), .. }) = self.shots.get(&file) else {
            return (0, 0.0);
        };
        let mut others: Vec<(i64, f64)> = same
            .filter(|(other, _)| *other != file)
            .filter_map(|(other, ratio)| Some((self.shots.get(other)?, *ratio)))
            .filter(|(other, _)| other.segment == Some(*segment))
            .filter_map(|(other, ratio)| Some((other.taken?, ratio)))
            .filter(|(time, _)| (time - taken).abs() > BURST_SECONDS)
            .collect();
        others.sort_unstable_by_key(|(time, _)| *time);
        let is_burst = |one: &(i64, f64), next: &(i64, f64)| next.0 - one.0 <= BURST_SECONDS;
        let surest = |burst: &[(i64, f64)]| burst.iter().map(|(_, ratio)| ratio.max(0.0)).fold(0.0, f64::max);
        let mut bursts: Vec<f64> = others.chunk_by(is_burst).map(surest).collect();
        bursts.sort_unstable_by(|one, other| other.total_cmp(one));
        (bursts.len() as u32, bursts.iter().take(WITNESSES).sum())
    }
}

/// The nearest before and after `time`, other than `file`.
fn around(moments: &[Moment], file: FileId, time: i64) -> Neighbours {
    let at = moments.partition_point(|moment| moment.time <= time);
    let with = |moment: &Moment| (*moment, moment.time - time);
    Neighbours {
        before: moments[..at].iter().rev().find(|moment| moment.file != file).map(with),
        after: moments[at..].iter().find(|moment| moment.file != file).map(with),
    }
}

/// The serial number, else maker and model.
fn camera_name(reading: &ReadingRow) -> Option<String> {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let name = format!("{}\n{}\n{}", text(&reading.make), text(&reading.model), text(&reading.serial));
    (name.len() > 2).then_some(name)
}

/// What the sidecars of each group say: a position of XMP before one of Takeout.
fn sidecar_readings(state: &State, library: LibraryId) -> Result<HashMap<i64, ReadingRow>, StateError> {
    let mut query = state.connection().prepare_cached(
        "SELECT group_member.group_id, reading.* FROM folder JOIN file ON file.folder = folder.id \
         JOIN reading ON reading.file = file.id JOIN group_member ON group_member.file = file.id \
         WHERE folder.library = ? AND file.state = 'sidecar' AND group_member.role IN ('xmp', 'takeout') \
         AND (latitude IS NOT NULL OR taken IS NOT NULL)",
    )?;
    let mut found: HashMap<i64, ReadingRow> = HashMap::new();
    let mut rows = query.query([library.0])?;
    while let Some(row) = rows.next()? {
        let reading = ReadingRow::of(row)?;
        let entry = found.entry(row.get(0)?).or_default();
        if entry.taken.is_none() {
            (entry.taken, entry.offset_minutes) = (reading.taken, reading.offset_minutes);
        }
        let is_xmp = reading.position.is_some_and(|position| position.source == PositionSource::Sidecar);
        if entry.position.is_none() || is_xmp {
            entry.position = reading.position.or(entry.position);
        }
    }
    Ok(found)
}

/// From a place to a point, in kilometres.
pub(super) fn to_place_km(place: &Place, latitude: f64, longitude: f64) -> Option<f64> {
    Some(place.distance_km(Latitude::try_from(latitude).ok()?, Longitude::try_from(longitude).ok()?))
}

/// Between two points, in kilometres; the haversine formula, as in `cairn-places`.
pub(super) fn distance_km(from: (f32, f32), to: (f32, f32)) -> f64 {
    let [(a, b), (c, d)] =
        [from, to].map(|(north, east)| (f64::from(north).to_radians(), f64::from(east).to_radians()));
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let haversine = half(c - a) + a.cos() * c.cos() * half(d - b);
    2.0 * 6371.0088 * haversine.clamp(0.0, 1.0).sqrt().asin()
}
