//! What an executor labels, and what it refuses.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_cluster::{Job, ShardOutcome, TaskError, Worker};
use cairn_label::{DiskStore, Input, Labeller, Lists, Plan, Settings, Stores};
use cairn_model::rows::ModelIdentity;
use cairn_model::{Int8Calibration, Model, ModelOptions, Precision, TestViews, shipped};
use cairn_synthetic::{Kind, draw};
use tempfile::TempDir;

/// Photos in the list, of which the last is broken.
const PHOTOS: usize = 7;
/// Photos in a shard.
const SHARD: u64 = 2;

/// A list of drawn photos, and the model that labels it.
struct Labelling {
    folder: TempDir,
    model: Model,
    identity: ModelIdentity,
}

impl Labelling {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for seed in 0..PHOTOS - 1 {
            let photo = draw(Kind::Dome, seed as u64, 64);
            photo.save_png(folder.path().join(format!("{seed}.png"))).unwrap();
        }
        fs::write(folder.path().join(format!("{}.png", PHOTOS - 1)), "no photo").unwrap();
        let rows: String = (0..PHOTOS).map(|photo| format!("{photo}.png\n")).collect();
        fs::write(folder.path().join("list.csv"), format!("photo\n{rows}")).unwrap();
        // One view of each photo is quick; the default has six.
        let options = ModelOptions { views: Some(TestViews::One), ..ModelOptions::default() };
        let model = shipped::open().unwrap().with_options(options).unwrap();
        Self { folder, model, identity: ModelIdentity::new("shipped", shipped::BUNDLE) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The plan of `out`, new or begun, and its lists.
    fn plan(&self, out: &str) -> (Plan, Vec<Input>) {
        let store = DiskStore::new(self.path(out));
        let stores = Stores::new(|| false);
        let inputs = Lists::of(&[self.path("list.csv")]).unwrap().open(&stores, &store, &[]).unwrap();
        let settings =
            Settings { shard: SHARD.try_into().unwrap(), ..Settings::of(&self.model, &self.identity, 3) };
        (Plan::of(&store, settings, &inputs).unwrap(), inputs)
    }

    /// What one machine alone makes of the list, in the folder `alone`.
    fn label_alone(&self) {
        let (plan, inputs) = self.plan("alone");
        let alone = DiskStore::new(self.path("alone"));
        let stores = Stores::new(|| false);
        let labeller =
            Labeller { plan: &plan, inputs: &inputs, model: &self.model, out: &alone, stores: &stores };
        labeller.label_all(&mut |_| ControlFlow::Continue(())).unwrap();
    }

    fn job(&self, out: &str) -> Job {
        let (plan, inputs) = self.plan(out);
        Job::new(&plan, &inputs, &self.path(out), None).unwrap()
    }

    /// An executor whose model answers otherwise unless a plan says how.
    fn worker(&self) -> Worker {
        Worker {
            name: "here".to_owned(),
            model: shipped::open().unwrap(),
            identity: self.identity.clone(),
            stop: Arc::new(|| false),
        }
    }

    /// The files of `out`.
    fn files(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.path(out)).unwrap().map(Result::unwrap);
        files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
    }
}

fn label(worker: &Worker, job: &Job, shards: &[usize]) -> Result<Vec<ShardOutcome>, TaskError> {
    let mut outcomes = Vec::new();
    worker.label(job, shards, &mut |outcome| outcomes.push(outcome))?;
    outcomes.sort_by_key(|outcome| outcome.index);
    Ok(outcomes)
}

/// What it refuses to do, and why.
#[track_caller]
fn refusal(worker: &Worker, job: &Job) -> String {
    match label(worker, job, &[0]).unwrap_err() {
        TaskError::Refused(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn shards_are_those_of_one_machine_byte_by_byte_and_a_second_time_they_are_there() {
    let labelling = Labelling::new();
    labelling.label_alone();

    let job = labelling.job("out");
    // It travels as text.
    let job: Job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
    let worker = labelling.worker();
    let outcomes = [label(&worker, &job, &[2, 3]).unwrap(), label(&worker, &job, &[0, 1]).unwrap()].concat();
    let rows: Vec<_> =
        outcomes.iter().map(|outcome| (outcome.index, outcome.done.clone().unwrap())).collect();
    assert_eq!(rows.iter().map(|(_, report)| report.counts.photos).collect::<Vec<_>>(), [2, 1, 2, 2]);
    assert!(rows.iter().all(|(_, report)| report.written));
    let bad: Vec<_> = outcomes.iter().filter(|outcome| !outcome.bad.is_empty()).collect();
    assert_eq!((bad.len(), bad[0].index, bad[0].bad[0].0.as_str()), (1, 3, "6.png"));

    let mut files = labelling.files("out");
    let again = label(&worker, &job, &[0, 1, 2, 3]).unwrap();
    assert!(again.iter().all(|outcome| !outcome.done.as_ref().unwrap().written));
    assert!(labelling.files("out") == files, "what is done stays");
    let (plan, _) = labelling.plan("out");
    let store = DiskStore::new(labelling.path("out"));
    assert!(plan.missing(&store).unwrap().is_empty());
    let counts = plan.sum(&store, &vec![None; plan.shards.len()]).unwrap();
    assert_eq!((counts.photos, counts.bad), (PHOTOS as u64, 1));
    plan.finish(&store, counts).unwrap();
    files = labelling.files("out");
    assert!(files == labelling.files("alone"), "plan, parts, manifest and _SUCCESS");
}

#[test]
fn a_model_in_8_bits_computes_in_8_bits_on_executors_too_unless_the_labelling_is_in_floats() {
    let mut labelling = Labelling::new();
    let mut calibration = Int8Calibration::new(&labelling.model);
    let photos: Vec<_> = (0..4).map(|seed| draw(Kind::Dome, seed, 64)).collect();
    calibration.observe(&labelling.model, &photos).unwrap();
    let int8 = labelling.model.to_int8(&calibration, []).unwrap();
    let floats = int8.clone().with_precision(Precision::F32);
    let settings = [&int8, &floats].map(|model| Settings::of(model, &labelling.identity, 3));
    let difference = settings[0].difference(&settings[1]);
    assert_eq!(difference.as_deref(), Some("--precision was int8 then, f32 now"));

    let mut parts = Vec::new();
    for (model, out) in [(int8.clone(), "in-8-bits"), (floats, "in-floats")] {
        labelling.model = model;
        labelling.label_alone();
        let worker = Worker { model: int8.clone(), ..labelling.worker() };
        label(&worker, &labelling.job(out), &[0, 1, 2, 3]).unwrap();
        let [done, mut alone] = [out, "alone"].map(|out| labelling.files(out));
        alone.retain(|name, _| !["_manifest.json", "_SUCCESS"].contains(&name.as_str()));
        assert!(done == alone, "{out}");
        parts.push(done);
        fs::remove_dir_all(labelling.path("alone")).unwrap();
    }
    assert!(parts[0].keys().ne(parts[1].keys()), "their parts have other names");
}

#[test]
fn what_the_output_was_not_begun_with_is_refused_in_words() {
    let labelling = Labelling::new();
    let job = labelling.job("out");
    let mut other = labelling.worker();
    other.identity = ModelIdentity::new("other", b"another file");
    let reason = refusal(&other, &job);
    assert!(
        reason.contains("here: has the model other (sha256:")
            && reason.contains("begun with shipped (sha256:")
    );
    assert!(reason.contains("start it with that model (-m)"), "{reason}");

    // A job of another place, as of a folder that is not shared.
    let elsewhere = Labelling::new();
    let job_there = elsewhere.job("out");
    fs::remove_dir_all(elsewhere.path("out")).unwrap();
    let reason = refusal(&labelling.worker(), &job_there);
    assert!(reason.contains("does not see the labelling that was begun in"), "{reason}");

    // A disk with photos that is not there: their rows would say for good that they are not.
    fs::rename(labelling.path("0.png"), labelling.path("away.png")).unwrap();
    let reason = refusal(&labelling.worker(), &job);
    assert!(
        reason.contains("does not see the photo ") && reason.contains("0.png; photos must be at"),
        "{reason}"
    );
    fs::rename(labelling.path("away.png"), labelling.path("0.png")).unwrap();

    // The same plan, and a list that has changed since.
    fs::write(labelling.path("list.csv"), "photo\n0.png\n").unwrap();
    let reason = refusal(&labelling.worker(), &job);
    assert!(reason.contains("list.csv: is another file here than the one that was planned"), "{reason}");
    fs::remove_file(labelling.path("list.csv")).unwrap();
    let reason = refusal(&labelling.worker(), &job);
    assert!(reason.contains("list.csv: no such file"), "{reason}");
}

#[test]
fn a_shard_that_fails_is_an_outcome_and_the_others_are_done() {
    let labelling = Labelling::new();
    let job = labelling.job("out");
    // A folder stands where the file should be.
    let (plan, _) = labelling.plan("out");
    fs::create_dir(labelling.path("out").join(plan.part_name(1))).unwrap();
    let outcomes = label(&labelling.worker(), &job, &[0, 1, 2]).unwrap();
    let is_done: Vec<bool> = outcomes.iter().map(|outcome| outcome.done.is_ok()).collect();
    assert_eq!(is_done, [true, false, true]);
    let reason = outcomes[1].done.clone().unwrap_err();
    assert!(reason.contains("part-000001-"), "{reason}");
}

#[test]
fn a_worker_that_is_told_to_stop_stops_after_a_photo_and_leaves_whole_shards() {
    let labelling = Labelling::new();
    let job = labelling.job("out");
    let asked = Arc::new(AtomicUsize::new(0));
    let stop = Arc::clone(&asked);
    let worker =
        Worker { stop: Arc::new(move || stop.fetch_add(1, Ordering::Relaxed) >= 3), ..labelling.worker() };
    assert_eq!(label(&worker, &job, &[0, 1, 2, 3]).unwrap_err(), TaskError::Stopped);
    assert!(asked.load(Ordering::Relaxed) >= 4);
    assert!(!labelling.path("out").join("_SUCCESS").exists());
    // Whoever goes on does the rest.
    let outcomes = label(&labelling.worker(), &job, &[0, 1, 2, 3]).unwrap();
    assert_eq!(outcomes.len(), 4);
    assert!(outcomes.iter().all(|outcome| outcome.done.is_ok()));
}

#[test]
fn paths_of_the_command_are_absolute_where_they_travel() {
    let labelling = Labelling::new();
    let text = serde_json::to_string(&labelling.job("out")).unwrap();
    let job: serde_json::Value = serde_json::from_str(&text).unwrap();
    for path in [&job["out"], &job["lists"][0]["file"], &job["lists"][0]["base"]] {
        assert!(Path::new(path.as_str().unwrap()).is_absolute(), "{job}");
    }
}
