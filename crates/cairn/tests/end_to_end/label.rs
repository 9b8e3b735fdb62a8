//! `cairn label` as people use it: equal to `cairn predict`, stopped and killed at any moment, two at once on one output.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use cairn_reference::data_folder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// How often a labelling is killed, unless `CAIRN_KILLS` says otherwise.
const KILLS: usize = 6;
/// A labelling that is killed oftener than this has no more luck.
const ATTEMPTS: usize = 4;

/// All files in a folder: content and time of change.
fn files(folder: &Path) -> BTreeMap<OsString, (Vec<u8>, SystemTime)> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let mut files = BTreeMap::new();
    for entry in entries.map(Result::unwrap) {
        // Another process may be writing, whose unfinished files go.
        let (Ok(content), Ok(metadata)) = (fs::read(entry.path()), entry.metadata()) else { continue };
        files.insert(entry.file_name(), (content, metadata.modified().unwrap()));
    }
    files
}

pub(crate) fn contents(folder: &Path) -> BTreeMap<OsString, Vec<u8>> {
    files(folder).into_iter().map(|(name, (content, _))| (name, content)).collect()
}

fn parts(folder: &Path) -> Vec<PathBuf> {
    let is_part = |name: &&OsString| name.to_str().is_some_and(|name| name.starts_with("part-"));
    files(folder).keys().filter(is_part).map(|name| folder.join(name)).collect()
}

/// A sandbox with a trained model and a list of its 48 training photos, one broken photo and one that is not there.
pub(crate) fn with_list() -> Sandbox {
    let sandbox = Sandbox::trained();
    let mut photos: Vec<PathBuf> = Vec::new();
    for class in crate::sandbox::CLASSES {
        let folder = sandbox.path(&format!("photos/train/{class}"));
        photos.extend(fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    photos.sort();
    sandbox.file("broken.jpg", b"no photo");
    photos.insert(17, sandbox.path("broken.jpg"));
    photos.push(sandbox.path("gone.jpg"));
    let base = sandbox.path("");
    let lines = photos.iter().map(|photo| format!("{}\n", photo.strip_prefix(&base).unwrap().display()));
    sandbox.file("list.csv", format!("path\n{}", lines.collect::<String>()).as_bytes());
    sandbox
}

pub(crate) const LABEL: &str = "label list.csv -m run --shard 6 --threads 1";

#[test]
fn rows_are_those_of_predict_and_statuses_say_what_was_left_out() {
    let sandbox = with_list();
    let labelled = sandbox.cairn(&format!("{LABEL} -o out"));
    labelled
        .assert_status(2)
        .assert_stderr_has("left out: broken.jpg: text, not a photo")
        .assert_stderr_has("left out: gone.jpg: no such file");
    labelled.assert_stderr_has("out: 50 photos").assert_stderr_has("2 could not be read; 9 shards");
    assert_eq!(labelled.stdout, "");
    assert_same_as_predict(&sandbox, "out", "run");
    // The same again changes nothing, and says the same.
    let before = files(&sandbox.path("out"));
    let again = sandbox.cairn(&format!("{LABEL} -o out"));
    again
        .assert_status(2)
        .assert_stderr_has("9 of 9 shards done before")
        .assert_stderr_has("2 could not be read; 9 shards");
    assert!(files(&sandbox.path("out")) == before);
    sandbox.cairn("label photos/train -m run -o good").assert_status(0);
    sandbox
        .cairn("label broken.jpg -m run -o bad")
        .assert_status(1)
        .assert_stderr_has("the photo could not be read");
}

/// The rows in `out` are what `cairn predict` says of the photos that they name.
#[track_caller]
fn assert_same_as_predict(sandbox: &Sandbox, out: &str, model: &str) {
    let mut rows = 0;
    for part in parts(&sandbox.path(out)) {
        let reader = SerializedFileReader::new(File::open(part).unwrap()).unwrap();
        let table: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let names: Vec<&str> = table.iter().map(|row| row.get_string(0).unwrap().as_str()).collect();
        sandbox.file("names.txt", names.join("\n").as_bytes());
        let predicted = sandbox.cairn(&format!("predict --files-from names.txt -m {model} --format jsonl"));
        let predicted: Vec<Value> =
            predicted.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(predicted.len(), names.len());
        for (row, expected) in table.iter().zip(&predicted) {
            let fields: BTreeMap<&str, &Field> =
                row.get_column_iter().map(|(name, field)| (name.as_str(), field)).collect();
            assert_eq!(fields["photo"], &Field::Str(expected["photo"].as_str().unwrap().to_owned()));
            match expected["error"].as_str() {
                Some(error) => assert_eq!(fields["error"], &Field::Str(error.to_owned())),
                None => assert_eq!(fields["error"], &Field::Null),
            }
            if let Some(score) = expected["landmark_score"].as_f64() {
                assert_eq!(fields["landmark_score"], &Field::Double(score), "{expected}");
                let Field::ListInternal(landmarks) = fields["landmarks"] else { panic!("{row}") };
                for (landmark, expected) in
                    landmarks.elements().iter().zip(expected["landmarks"].as_array().unwrap())
                {
                    let Field::Group(landmark) = landmark else { panic!("{row}") };
                    assert_eq!(landmark.get_string(0).unwrap().as_str(), expected["class"].as_str().unwrap());
                    assert_eq!(
                        landmark.get_float(2).unwrap(),
                        expected["probability"].as_f64().unwrap() as f32
                    );
                }
            }
            rows += 1;
        }
    }
    assert!(rows > 0);
}

#[test]
fn real_photos_of_every_format_are_labelled_as_they_are_predicted() {
    let Some(photos) = data_folder("photos") else { return };
    let sandbox = Sandbox::trained();
    let photos = photos.canonicalize().unwrap();
    let labelled = sandbox.cairn(&format!("label {} -m run --shard 10 -o out", photos.display()));
    assert!(labelled.stderr.contains("3 shards"), "{labelled}");
    assert_same_as_predict(&sandbox, "out", "run");
}

fn kill(child: &Child, signal: &str) {
    let status =
        Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits until `count` shards are there; false when the labelling has ended before.
fn wait_for_parts(child: &mut Child, out: &Path, count: usize) -> bool {
    while parts(out).len() < count {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        sleep(Duration::from_millis(1));
    }
    child.try_wait().unwrap().is_none()
}

#[test]
fn a_labelling_killed_at_any_moment_and_begun_again_ends_as_one_that_was_not() {
    let kills: usize = std::env::var("CAIRN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let sandbox = with_list();
    sandbox.cairn(&format!("{LABEL} -o whole")).assert_status(2);
    let whole = contents(&sandbox.path("whole"));
    let mut met = [0; 10];
    for number in 0..kills {
        let out = format!("killed-{number}");
        let path = sandbox.path(&out);
        for attempt in 0..ATTEMPTS {
            let before = files(&path);
            let mut child = sandbox.spawn(&format!("{LABEL} -o {out}"));
            // The golden ratio's multiples fall evenly and never twice on one place (a Weyl sequence).
            let spread = ((number * ATTEMPTS + attempt) as f64 * 0.618_033_988_749_895).fract();
            let more = parts(&path).len() + (spread * 4.0) as usize;
            let under_way = wait_for_parts(&mut child, &path, more.min(9));
            sleep(Duration::from_micros((spread * 37_000.0) as u64 % 10_000));
            if under_way && child.try_wait().unwrap().is_none() {
                kill(&child, "KILL");
                met[parts(&path).len()] += 1;
            }
            child.wait().unwrap();
            let after = files(&path);
            for (name, file) in before.iter().filter(|(name, _)| !name.to_str().unwrap().starts_with('.')) {
                assert!(after.get(name) == Some(file), "{}: {name:?} was touched", path.display());
            }
        }
        sandbox.cairn(&format!("{LABEL} -o {out}")).assert_status(2);
        assert!(contents(&path) == whole, "{out}: {:?}", files(&path).keys());
    }
    println!("kills, by how many shards were there: {met:?}");
}

#[test]
fn a_signal_stops_after_a_photo_and_the_same_command_goes_on() {
    let sandbox = with_list();
    sandbox.cairn(&format!("{LABEL} -o whole")).assert_status(2);
    // On a busy machine it may end before the signal comes: then it begins again.
    for attempt in 0..20 {
        let out = format!("out-{attempt}");
        let path = sandbox.path(&out);
        let mut child = sandbox.spawn(&format!("{LABEL} -o {out}"));
        if !wait_for_parts(&mut child, &path, 2) {
            child.wait().unwrap();
            continue;
        }
        kill(&child, "INT");
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(2) {
            continue;
        }
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("of 9 shards done; the same command goes on"), "{said}");
        assert!(!path.join("_SUCCESS").exists());
        sandbox.cairn(&format!("{LABEL} -o {out}")).assert_status(2);
        assert!(contents(&path) == contents(&sandbox.path("whole")));
        return;
    }
    panic!("no signal came in time");
}

#[test]
fn two_at_once_on_one_output_end_with_one_file_a_shard() {
    let sandbox = with_list();
    sandbox.cairn(&format!("{LABEL} -o whole")).assert_status(2);
    let both = [0, 1].map(|_| sandbox.spawn(&format!("{LABEL} -o out")));
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(contents(&sandbox.path("out")) == contents(&sandbox.path("whole")));
}

#[test]
fn what_cannot_be_labelled_says_why_and_writes_nothing() {
    let sandbox = with_list();
    sandbox.cairn(&format!("{LABEL} -o out")).assert_status(2);
    let before = files(&sandbox.path("out"));
    for (arguments, said) in [
        ("label -o new", "LIST"),
        ("label list.csv", "--out"),
        ("label nowhere.csv -m run -o new", "nowhere.csv: no such file"),
        ("label nowhere -m run -o new", "nowhere: no such file or folder"),
        ("label photos/*.gif -m run -o new", "photos/*.gif: matches nothing"),
        ("label list.csv -m run -k 0 -o new", "invalid value '0'"),
        ("label list.csv -m run --shard 0 -o new", "invalid value '0'"),
        ("label list.csv -m run -o broken.jpg", "broken.jpg: is a file"),
        ("label list.csv -m nowhere -o new", "nowhere"),
        ("label list.csv -m run --sure -o new", "sure"),
        ("label list.csv -m run --shard 7 -o out", "--shard was 6 then, 7 now"),
        ("label photos -m run --shard 6 -o out", "the list was list.csv then, _photos.jsonl now"),
        #[cfg(not(feature = "cluster"))]
        ("label list.csv -m run -o new --cluster df://here", "crates/cairn --features cluster"),
    ] {
        let run = sandbox.cairn(arguments);
        run.assert_status(1).assert_stderr_has(said);
        assert!(!run.stderr.contains("panicked") && run.stdout.is_empty(), "{run}");
        assert!(!sandbox.path("new").exists(), "{run}");
    }
    let after = files(&sandbox.path("out"));
    let differ: Vec<_> =
        after.iter().filter(|(name, file)| before.get(*name) != Some(file)).map(|(name, _)| name).collect();
    assert!(differ.is_empty(), "{differ:?}");
}
