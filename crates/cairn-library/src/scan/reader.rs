//! One file, read once: hash, picture, metadata and prediction from the same bytes.

use std::fs::{File, Metadata};
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cairn_model::{Landmark, Model, PhotoSource};
use cairn_photo::{PhotoMetadata, each_part_of_coded_picture, xmp_packet};

use super::budget::Budget;
use super::{ordinal, position, takeout};
use crate::state::{
    FileHash, FileId, FileState, PayloadHash, Position, PositionSource, PredictionRow, ReadingRow, Role,
    Stamp,
};

/// Bytes of files that are in memory at once.
pub(super) const BYTES_IN_FLIGHT: u64 = 128 << 20;

/// Files of more bytes than this are not read: no photo that can be decoded is so large.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// A file that changed so shortly before it was read may change again within the same tick of its clock.
const SETTLED_SECONDS: f64 = 3.0;

/// How many landmarks of a picture are kept.
const KEPT: usize = 5;

/// A file that is to be read.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: FileId,
    /// Where it is on disk.
    pub(super) path: PathBuf,
    pub(super) role: Option<Role>,
    pub(super) size: u64,
}

/// What was found in a file.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) id: FileId,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    pub(super) state: FileState,
    pub(super) reason: Option<String>,
    pub(super) content: Option<Content>,
}

/// What is known of a file that could be read.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) stamp: Stamp,
    pub(super) file_hash: FileHash,
    pub(super) payload_hash: Option<PayloadHash>,
    pub(super) reading: ReadingRow,
    pub(super) predictions: Option<Vec<PredictionRow>>,
}

/// The payload hash of a photo's bytes.
pub fn payload_hash(bytes: &[u8]) -> PayloadHash {
    let mut hasher = blake3::Hasher::new();
    each_part_of_coded_picture(bytes, |part| {
        hasher.update(part);
    });
    hasher.finalize().into()
}

/// Reads a file. `is_known` says whether the model has looked at a picture before.
pub(super) fn read(
    task: &Task,
    budget: &Budget,
    model: Option<&Model>,
    is_known: impl Fn(PayloadHash) -> bool,
) -> Outcome {
    let of = |state, reason, bytes, content| Outcome {
        id: task.id,
        path: task.path.clone(),
        bytes,
        state,
        reason,
        content,
    };
    let _held = budget.hold(task.size);
    let (bytes, stamp) = match read_whole(&task.path) {
        Ok(read) => read,
        Err(error) => return of(FileState::Unreadable, Some(error.to_string()), 0, None),
    };
    let length = bytes.len() as u64;
    let file_hash = FileHash::of(&bytes);
    let content = |payload_hash, reading, predictions| {
        Some(Content { stamp, file_hash, payload_hash, reading, predictions })
    };
    if !matches!(task.role, Some(Role::Picture | Role::Raw)) {
        let reading = sidecar_reading(&task.path, &bytes);
        return of(FileState::Sidecar, None, length, content(None, reading, None));
    }
    // A decoder or a network that panics must not end the scan.
    let found = catch_unwind(AssertUnwindSafe(|| {
        let payload = payload_hash(&bytes);
        let reading = reading(&bytes);
        let predictions = match model {
            Some(model) if !is_known(payload) => Some(predict(model, bytes, &task.path)),
            _ => None,
        };
        (payload, reading, predictions)
    }));
    match found {
        Ok((payload, reading, None)) => {
            of(FileState::Read, None, length, content(Some(payload), reading, None))
        }
        Ok((payload, reading, Some(Ok(predictions)))) => {
            of(FileState::Read, None, length, content(Some(payload), reading, Some(predictions)))
        }
        Ok((payload, reading, Some(Err(reason)))) => {
            of(FileState::Unreadable, Some(reason), length, content(Some(payload), reading, None))
        }
        Err(_) => of(FileState::Unreadable, Some("internal error while reading".to_owned()), length, None),
    }
}

/// The likeliest landmarks, or why the photo cannot be read.
fn predict(model: &Model, bytes: Vec<u8>, path: &Path) -> Result<Vec<PredictionRow>, String> {
    let prediction = model.predict(PhotoSource::bytes(bytes, path), KEPT).map_err(|error| error.reason())?;
    let row = |(rank, landmark): (usize, &Landmark)| PredictionRow {
        rank: rank as u32 + 1,
        landmark: landmark.place.as_ref().map_or_else(|| landmark.name.clone(), |place| place.name.clone()),
        wikidata: landmark.place.as_ref().and_then(|place| place.wikidata.as_ref()).map(ToString::to_string),
        probability: f64::from(landmark.probability.value()),
        landmark_score: prediction.landmark_score,
    };
    Ok(prediction.landmarks.iter().enumerate().map(row).collect())
}

/// What a sidecar says of its photo.
fn sidecar_reading(path: &Path, bytes: &[u8]) -> ReadingRow {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return takeout::reading(bytes).unwrap_or_default();
    }
    ReadingRow { position: position::in_xmp(bytes, PositionSource::Sidecar), ..ReadingRow::default() }
}

/// What a photo says about itself.
fn reading(bytes: &[u8]) -> ReadingRow {
    let metadata = PhotoMetadata::from_bytes(bytes);
    let exif = metadata.position.map(|position| Position {
        latitude: position.latitude,
        longitude: position.longitude,
        error_m: metadata.position_error_m,
        source: PositionSource::Exif,
    });
    let position =
        exif.or_else(|| xmp_packet(bytes).and_then(|xmp| position::in_xmp(&xmp, PositionSource::Xmp)));
    ReadingRow {
        taken: metadata.taken.as_ref().map(ordinal::seconds),
        offset_minutes: metadata.taken.and_then(|taken| taken.offset_minutes),
        make: metadata.make,
        model: metadata.model,
        serial: metadata.serial,
        position,
    }
}

/// The file's bytes, and its stamp. A file that changes while it is read, or changed just before, has a stamp that no file
/// has: the next scan reads it again.
fn read_whole(path: &Path) -> std::io::Result<(Vec<u8>, Stamp)> {
    let mut file = File::open(path)?;
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    if before.len() > MAX_FILE_BYTES {
        return Err(std::io::Error::other("larger than 4 GiB"));
    }
    let mut bytes = Vec::with_capacity(before.len() as usize);
    file.by_ref().take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
    let (before, after) = (stamp_of(&before), stamp_of(&file.metadata()?));
    let settled = before == after && before.size as u64 == bytes.len() as u64 && is_settled(before.mtime_ns);
    let stamp = if settled { after } else { Stamp { mtime_ns: i64::MIN, ..after } };
    Ok((bytes, stamp))
}

fn is_settled(mtime_ns: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    // A clock that is behind the file's tells nothing.
    (now - mtime_ns as f64 / 1e9).abs() > SETTLED_SECONDS
}

/// The stamp of a file on disk.
#[cfg(unix)]
pub(super) fn stamp_of(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let nanoseconds = |seconds: i64, nanoseconds: i64| seconds.saturating_mul(1_000_000_000) + nanoseconds;
    Stamp {
        size: metadata.size() as i64,
        mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        // Numbers that are only compared; SQLite's integers have a sign.
        dev: metadata.dev() as i64,
        inode: metadata.ino() as i64,
        nlink: metadata.nlink() as i64,
    }
}

/// The stamp of a file on disk.
#[cfg(not(unix))]
pub(super) fn stamp_of(metadata: &Metadata) -> Stamp {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Stamp {
        size: metadata.len() as i64,
        mtime_ns: modified.map_or(0, |since| since.as_nanos() as i64),
        nlink: 1,
        ..Stamp::default()
    }
}
