//! The TensorBoard event file of a run, beside `metrics.jsonl`.
//!
//! The file is a chain of TFRecords (<https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>),
//! each of them an `Event`
//! (<https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto>): the version of the
//! format first, then one event an epoch with all its scalars, the epoch as its step.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use cairn_model::protobuf::Message;

use crate::run::history::{EpochRecord, History};

/// The file's name in a run folder: TensorBoard takes every file for one of events whose name contains `tfevents`.
pub(crate) const EVENTS: &str = "events.out.tfevents.cairn";

/// Updates the event file at `path` to exactly these epochs.
///
/// Events that are already in the file stay, with their times. Events that do not match the history are cut off: an epoch
/// that a resumed run has trained again, or an incomplete event. So the file only grows for a TensorBoard that watches it,
/// and no epoch is in it twice.
pub(crate) fn write_events(path: &Path, history: &History) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut stored = Vec::new();
    file.read_to_end(&mut stored)?;

    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
    let events = [Event::Version].into_iter().chain(history.epochs().iter().map(Event::Epoch));
    let (mut kept, mut missing) = (0, Vec::new());
    for event in events {
        let stored = &stored[kept..];
        let as_stored = stored_time(stored).map(|time| event.record(time));
        match as_stored.filter(|record| missing.is_empty() && stored.starts_with(record)) {
            Some(record) => kept += record.len(),
            None => missing.extend(event.record(now)),
        }
    }
    file.set_len(kept as u64)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&missing)
}

#[derive(Debug, Clone, Copy)]
enum Event<'a> {
    Version,
    Epoch(&'a EpochRecord),
}

impl Event<'_> {
    /// The event as in the file; `time` is in seconds since 1970.
    fn record(self, time: f64) -> Vec<u8> {
        let event = Message::default().double(1, time);
        let event = match self {
            Self::Version => event.text(3, "brain.Event:2"),
            Self::Epoch(epoch) => event.int(2, epoch.epoch as i64).message(5, &summary(epoch)),
        };
        framed(&event.into_bytes())
    }
}

/// The scalars of an epoch.
fn summary(epoch: &EpochRecord) -> Message {
    let scalars = [
        ("loss/train", epoch.train_loss),
        ("loss/validation", epoch.valid_loss),
        ("accuracy/train", epoch.train_accuracy),
        ("accuracy/validation", epoch.valid_accuracy),
        ("macro_f1/validation", epoch.valid_macro_f1),
        ("learning_rate", epoch.learning_rate),
        ("speed/photos_per_second", epoch.photos_per_second),
        ("speed/data_wait", epoch.data_wait),
    ];
    Message::default().each(scalars, |summary, (tag, value)| {
        summary.message(1, &Message::default().text(1, tag).float(2, value as f32))
    })
}

/// Bytes of a record before its data: the length and its checksum.
const HEADER: usize = 12;

/// Data as a TFRecord: its length, the length's checksum, the data, the data's checksum; all little-endian.
fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked_crc(&length), data, &masked_crc(data)].concat()
}

/// CRC-32C, rotated and shifted so that data which hold checksums of their own get one that differs from them.
fn masked_crc(data: &[u8]) -> [u8; 4] {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The time of the first event in `stored`, which is the first field of every event that is written here.
fn stored_time(stored: &[u8]) -> Option<f64> {
    let time = stored.get(HEADER + 1..HEADER + 9)?;
    Some(f64::from_le_bytes(time.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn epoch(epoch: usize) -> EpochRecord {
        EpochRecord {
            epoch,
            learning_rate: 1e-3,
            train_loss: 3.0 / epoch as f64,
            train_accuracy: 0.25,
            valid_loss: 3.5 / epoch as f64,
            valid_accuracy: 0.125,
            valid_macro_f1: 0.1,
            best: true,
            train_seconds: 2.0,
            photos_per_second: 50.0,
            data_wait: 0.5,
            bad_photos: 0,
        }
    }

    fn epochs(count: usize) -> History {
        History::from((1..=count).map(epoch).collect::<Vec<_>>())
    }

    /// The file after these histories were written one after the other.
    fn written(histories: &[History]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EVENTS);
        for history in histories {
            write_events(&path, history).unwrap();
        }
        fs::read(path).unwrap()
    }

    /// The steps of the records in `file`; 0 for the version. Lengths and checksums must be right.
    fn steps(mut file: &[u8]) -> Vec<usize> {
        let mut steps = Vec::new();
        while !file.is_empty() {
            let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
            let data = &file[HEADER..HEADER + length];
            assert_eq!(framed(data), file[..HEADER + length + 4]);
            steps.push(if data[9] == 0x10 { data[10].into() } else { 0 });
            file = &file[HEADER + length + 4..];
        }
        steps
    }

    #[test]
    fn checksums_are_castagnolis_and_masked() {
        // RFC 3720, B.4: the checksum of 32 zeros is 0x8a9136aa.
        let crc = 0x8a91_36aa_u32;
        let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_crc(&[0; 32]), masked.to_le_bytes());
    }

    #[test]
    fn the_first_record_is_the_one_that_tensorboard_writes() {
        // tensorboard 2.21: RecordWriter(f).write(Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString())
        let expected = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c";
        let bytes: String = Event::Version.record(1.5).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn each_epoch_is_there_once_however_often_the_file_is_written() {
        assert_eq!(steps(&written(&[epochs(1), epochs(2), epochs(2), epochs(3)])), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_written_already_stays_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EVENTS);
        write_events(&path, &epochs(2)).unwrap();
        let before = fs::read(&path).unwrap();
        write_events(&path, &epochs(3)).unwrap();
        assert!(fs::read(&path).unwrap().starts_with(&before));
    }

    #[test]
    fn an_epoch_trained_anew_takes_the_place_of_the_one_before() {
        let mut again = epochs(2);
        again.push(EpochRecord { valid_loss: 9.0, ..epoch(3) });
        let file = written(&[epochs(5), again]);
        assert_eq!(steps(&file), [0, 1, 2, 3]);
        let loss = 9.0_f32.to_le_bytes();
        assert!(file.windows(4).any(|bytes| bytes == loss), "the new loss is in the file");
    }

    #[test]
    fn an_event_cut_short_and_a_file_of_something_else_are_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(EVENTS);
        write_events(&path, &epochs(3)).unwrap();
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 7]).unwrap();
        write_events(&path, &epochs(3)).unwrap();
        assert_eq!(steps(&fs::read(&path).unwrap()), [0, 1, 2, 3]);
        fs::write(&path, b"not a chain of records at all, but long enough").unwrap();
        write_events(&path, &epochs(1)).unwrap();
        assert_eq!(steps(&fs::read(&path).unwrap()), [0, 1]);
    }
}
