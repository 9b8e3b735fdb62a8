//! Drawn photos, one that is broken and one that is not there; and what becomes of them.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use cairn_label::{DiskStore, Input, Labeller, Lists, Outcome, Plan, Settings, Store, Stores};
use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, ModelOptions, TestViews, shipped};
use cairn_synthetic::{DrawnSet, Kind};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The photos' names, in path order; of the last two, one is broken and one is not there.
pub(crate) const PHOTOS: [&str; 9] = [
    "a/0000.jpg",
    "a/0001.jpg",
    "a/0002.jpg",
    "b/0000.jpg",
    "b/0001.jpg",
    "b/0002.jpg",
    "b/0003.jpg",
    "broken.jpg",
    "gone.jpg",
];

pub(crate) struct Folder {
    folder: TempDir,
    pub model: Model,
    pub stores: Stores,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kinds = vec![Kind::Pyramid, Kind::Dome];
        let set = DrawnSet { seed: 3, train_per_kind: 4, test_per_kind: 1, side: 64, kinds };
        set.write(&folder.path().join("drawn"), |_, _| {}).unwrap();
        let photos = folder.path().join("photos");
        for (place, name) in PHOTOS[..7].iter().enumerate() {
            let class = if place < 4 { "00.Pyramid" } else { "03.Dome" };
            let to = photos.join(name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(folder.path().join(format!("drawn/train/{class}/{:04}.jpg", place % 4)), to).unwrap();
        }
        fs::write(photos.join("broken.jpg"), b"\xff\xd8\xff\xe0 no photo").unwrap();
        // One view of each photo is quick; the default has six.
        let options = ModelOptions { views: Some(TestViews::One), ..ModelOptions::default() };
        let model = shipped::open().unwrap().with_options(options).unwrap();
        Self { folder, model, stores: Stores::new(|| false) }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        fs::write(&path, content).unwrap();
        path
    }

    /// A list of all photos. It is written once: a list that was written again is another.
    pub(crate) fn list(&self) -> PathBuf {
        if self.path("list.csv").exists() {
            return self.path("list.csv");
        }
        let rows: String = PHOTOS.iter().map(|name| format!("photos/{name}\n")).collect();
        self.write("list.csv", format!("photo\n{rows}"))
    }

    pub(crate) fn settings(&self, shard: u64) -> Settings {
        let identity = ModelIdentity::new("shipped", shipped::BUNDLE);
        Settings { shard: shard.try_into().unwrap(), ..Settings::of(&self.model, &identity, 3) }
    }

    /// Labels lists into the folder `out`, which is new or goes on.
    pub(crate) fn label(&self, lists: &[PathBuf], out: &str, shard: u64) -> Outcome {
        self.label_with(lists, &DiskStore::new(self.path(out)), self.settings(shard))
    }

    pub(crate) fn label_with(&self, lists: &[PathBuf], out: &dyn Store, settings: Settings) -> Outcome {
        let inputs = self.inputs(lists, out);
        let plan = Plan::of(out, settings, &inputs).unwrap();
        self.labeller(&plan, &inputs, out).label_all(&mut |_| ControlFlow::Continue(())).unwrap()
    }

    /// The lists, opened as those of the plan in `out`, if one is there.
    pub(crate) fn inputs(&self, lists: &[PathBuf], out: &dyn Store) -> Vec<Input> {
        let begun = Plan::read(out).unwrap().map(|plan| plan.inputs).unwrap_or_default();
        Lists::of(lists).unwrap().open(&self.stores, out, &begun).unwrap()
    }

    pub(crate) fn labeller<'a>(
        &'a self,
        plan: &'a Plan,
        inputs: &'a [Input],
        out: &'a dyn Store,
    ) -> Labeller<'a> {
        Labeller { plan, inputs, model: &self.model, out, stores: &self.stores }
    }

    /// The rows in the folder `out`, in order of its parts.
    pub(crate) fn rows(&self, out: &str) -> Vec<Value> {
        parts(&self.path(out)).iter().flat_map(|part| rows_of(part)).collect()
    }
}

/// The parts in a folder, in order.
pub(crate) fn parts(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_part = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("part-");
    let mut parts: Vec<PathBuf> = files.filter(is_part).collect();
    parts.sort();
    parts
}

/// The rows of a Parquet file.
pub(crate) fn rows_of(path: &Path) -> Vec<Value> {
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    reader.get_row_iter(None).unwrap().map(|row| object(&row.unwrap())).collect()
}

fn object(row: &Row) -> Value {
    Value::Object(
        row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect::<Map<_, _>>(),
    )
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => json!(value),
        Field::Str(value) => json!(value),
        Field::Float(value) => json!(value),
        Field::Double(value) => json!(value),
        Field::Int(value) => json!(value),
        Field::UInt(value) => json!(value),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        other => panic!("{other:?}"),
    }
}
