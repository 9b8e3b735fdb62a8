//! A library of a few photos, scanned without a model, and marks for them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cairn_library::evidence::{Basis, EstimatedPosition, Mark, Marks};
use cairn_library::plan::{
    self, ApplyOptions, ApplyReport, MakeReport, Observer, Op, PlanFile, PlanRequest, UndoOptions,
    UndoReport, Unobserved,
};
use cairn_library::scan::{ScanOptions, Watcher, scan};
use cairn_library::state::{LibraryRow, State, StateError, StateLock, Verdict};
use cairn_places::Gazetteer;
use image::{ImageFormat, Rgb, RgbImage};
use tempfile::TempDir;

/// What a file is: its bytes and its time of change.
pub(crate) type Snapshot = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

pub(crate) struct House {
    folder: TempDir,
    pub(crate) state: State,
    plans: std::cell::Cell<u32>,
}

pub(crate) const LANDMARK: &str = "Eiffel Tower";

/// A picture in a format; another seed is another picture.
pub(crate) fn picture(format: ImageFormat, seed: u8) -> Vec<u8> {
    let draw = |x: u32, y: u32| Rgb([seed.wrapping_mul(37), (x * 5) as u8, (y * 7) as u8]);
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_fn(24, 16, draw).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The lock of a state. Processes that other tests start hold it, too, for the moment between fork and exec.
pub(crate) fn patient_lock(state: &State) -> StateLock {
    for _ in 0..12_000 {
        match state.lock() {
            Ok(lock) => return lock,
            Err(StateError::Locked { .. }) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the state stays locked")
}

impl House {
    pub(crate) fn new() -> House {
        House::prepared(|_| {})
    }

    /// A library whose folder `photos`, or `state` beside it, is something else first: another file system.
    pub(crate) fn prepared(prepare: impl FnOnce(&Path)) -> House {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("photos")).unwrap();
        prepare(folder.path());
        let state = State::open(&folder.path().join("state")).unwrap();
        House { folder, state, plans: std::cell::Cell::new(0) }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("photos").canonicalize().unwrap()
    }

    /// The lock of the state.
    pub(crate) fn lock(&self) -> StateLock {
        patient_lock(&self.state)
    }

    /// A path beside the library.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a file that has rested for a day.
    pub(crate) fn file(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        let yesterday = SystemTime::now() - Duration::from_secs(86_400);
        fs::File::options().write(true).open(&path).unwrap().set_modified(yesterday).unwrap();
        path
    }

    pub(crate) fn jpeg(&self, name: &str, seed: u8) -> PathBuf {
        self.file(name, &picture(ImageFormat::Jpeg, seed))
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub(crate) fn scan(&self) -> LibraryRow {
        let lock = self.lock();
        let mut watcher = Watcher { on_event: &mut |_| {}, stop: &|| false };
        scan(&self.state, &lock, &self.root(), None, &ScanOptions::default(), &mut watcher).unwrap().0
    }

    /// Marks of the Eiffel Tower for these photos.
    pub(crate) fn marks(&self, library: &LibraryRow, names: &[&str], basis: Basis) -> Marks {
        let mark = |name: &&str| {
            let file = self
                .state
                .file_at(library.id, Path::new(name))
                .unwrap()
                .unwrap_or_else(|| panic!("{name} was not scanned"));
            Mark {
                file: file.id,
                payload: file
                    .payload_hash
                    .unwrap_or_else(|| panic!("{name}: {:?} {:?}", file.state, file.reason)),
                landmark: LANDMARK.to_owned(),
                wikidata: Some("Q243".to_owned()),
                probability: 0.998,
                model_probability: 0.99,
                verdict: Verdict::Unknown,
                basis,
                estimated: Some(EstimatedPosition {
                    latitude: 48.85837,
                    longitude: 2.294481,
                    error_m: 5000.0,
                }),
            }
        };
        Marks { marks: names.iter().map(mark).collect(), ..Marks::default() }
    }

    /// Scans, and plans marks for these photos.
    pub(crate) fn plan(&self, names: &[&str], request: &PlanRequest) -> (PlanFile, MakeReport) {
        self.plan_on(names, Basis::Model, request)
    }

    pub(crate) fn plan_on(
        &self,
        names: &[&str],
        basis: Basis,
        request: &PlanRequest,
    ) -> (PlanFile, MakeReport) {
        let library = self.scan();
        let marks = self.marks(&library, names, basis);
        let path = self.beside(&format!("plan-{}", self.plans.replace(self.plans.get() + 1)));
        let report =
            plan::make(&self.state, &library, &marks, &Gazetteer::builtin(), request, &path).unwrap();
        (PlanFile::open(&path).unwrap(), report)
    }

    pub(crate) fn apply(&self, plan: &PlanFile) -> ApplyReport {
        self.apply_watched(plan, &mut Unobserved)
    }

    pub(crate) fn apply_watched(&self, plan: &PlanFile, observer: &mut dyn Observer) -> ApplyReport {
        let lock = self.lock();
        plan::apply(&self.state, &lock, plan, ApplyOptions::default(), observer, &|| false).unwrap()
    }

    pub(crate) fn undo(&self, plan: &str) -> UndoReport {
        self.undo_with(plan, &UndoOptions::default())
    }

    pub(crate) fn undo_with(&self, plan: &str, options: &UndoOptions<'_>) -> UndoReport {
        let lock = self.lock();
        plan::undo(&self.state, &lock, plan, options, &mut Unobserved).unwrap()
    }

    /// Marks these photos; all of them must be marked.
    pub(crate) fn mark(&self, names: &[&str], request: &PlanRequest) -> PlanFile {
        let (plan, report) = self.plan(names, request);
        assert_eq!(report.skipped, []);
        let applied = self.apply(&plan);
        assert_eq!((applied.done, applied.left), (plan.operations, vec![]));
        plan
    }

    /// Why this one photo is not marked.
    pub(crate) fn refusal(&self, name: &str, request: &PlanRequest) -> String {
        let (plan, report) = self.plan(&[name], request);
        assert_eq!(plan.operations, 0, "it should not be planned");
        let [(path, reason)] = report.skipped.as_slice() else { panic!("{report:?}") };
        assert_eq!(path, Path::new(name));
        reason.to_string()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::new();
        collect(&self.root(), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut Snapshot) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.insert(
                path.clone(),
                (fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap()),
            );
        }
    }
}

pub(crate) fn ops(plan: &PlanFile) -> Vec<Op> {
    plan.ops().unwrap().map(Result::unwrap).collect()
}
