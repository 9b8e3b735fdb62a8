//! Stores that fail, and stores that do not keep their word.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;

use cairn_label::store::{Put, StoredFile};
use cairn_label::{DiskStore, Event, LabelError, Plan, Store, StoreError};

use crate::photos::Folder;

/// A store in which putting some files fails some times first.
#[derive(Debug)]
struct Failing {
    store: DiskStore,
    /// What the names of those files begin with, and how often each fails yet.
    left: Mutex<BTreeMap<String, usize>>,
    /// What was opened.
    opened: Mutex<Vec<String>>,
}

impl Failing {
    fn new(folder: &Folder, begins: &str, times: usize) -> Self {
        Self {
            store: DiskStore::new(folder.path("out")),
            left: Mutex::new(BTreeMap::from([(begins.to_owned(), times)])),
            opened: Mutex::default(),
        }
    }
}

impl Store for Failing {
    fn name(&self) -> String {
        self.store.name()
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let mut left = self.left.lock().unwrap();
        match left.iter_mut().find(|(begins, left)| name.starts_with(begins.as_str()) && **left > 0) {
            Some((_, left)) => {
                *left -= 1;
                Err(StoreError {
                    place: name.to_owned(),
                    what: "written",
                    source: io::ErrorKind::ConnectionReset.into(),
                })
            }
            None => self.store.put_new(name, bytes),
        }
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn StoredFile>>, StoreError> {
        self.opened.lock().unwrap().push(name.to_owned());
        self.store.open(name)
    }

    fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.store.list()
    }
}

/// Labels into it; the failures that were told, as shard and whether it is tried again.
fn label(folder: &Folder, out: &dyn Store) -> (cairn_label::Outcome, Vec<(usize, bool)>) {
    let inputs = folder.inputs(&[folder.list()], out);
    let plan = Plan::of(out, folder.settings(3), &inputs).unwrap();
    let labeller = folder.labeller(&plan, &inputs, out);
    let mut failures = Vec::new();
    let outcome = labeller.label_all(&mut |event| {
        if let Event::Failed { index, again, .. } = event {
            failures.push((index, again));
        }
        ControlFlow::Continue(())
    });
    (outcome.unwrap(), failures)
}

#[test]
fn a_store_that_fails_twice_is_tried_again_and_the_result_is_the_same() {
    let folder = Folder::new();
    folder.label(&[folder.list()], "whole", 3);
    let (outcome, failures) = label(&folder, &Failing::new(&folder, "part-000001", 2));
    assert_eq!(failures, [(1, true), (1, true)]);
    assert_eq!((outcome.done, outcome.failed.len(), outcome.counts.photos), (3, 0, 9));
    assert_eq!(folder.rows("out"), folder.rows("whole"));
    assert!(folder.path("out/_SUCCESS").exists());
}

#[test]
fn an_output_is_listed_and_not_asked_for_each_shard() {
    let folder = Folder::new();
    let out = Failing::new(&folder, "no part", 0);
    let (outcome, _) = label(&folder, &out);
    assert_eq!(outcome.done, 3);
    let opened = out.opened.lock().unwrap();
    assert!(opened.iter().all(|name| name == "_plan.json"), "{opened:?}");
}

#[test]
fn a_shard_that_always_fails_is_left_out_and_named_and_the_others_are_done() {
    let folder = Folder::new();
    let (outcome, failures) = label(&folder, &Failing::new(&folder, "part-000001", usize::MAX));
    assert_eq!(failures, [(1, true), (1, true), (1, true), (1, false)]);
    assert_eq!((outcome.done, outcome.failed.as_slice(), outcome.counts.photos), (2, &[1][..], 6));
    assert!(!folder.path("out/_SUCCESS").exists() && !folder.path("out/_manifest.json").exists());
    // The same again on a store that works does what is left.
    let outcome = folder.label(&[folder.list()], "out", 3);
    assert_eq!((outcome.done, outcome.counts.photos), (3, 9));
    assert!(folder.path("out/_SUCCESS").exists());
}

/// A store that replaces files although it is told not to, as some that look like S3 do.
#[derive(Debug)]
struct Overwriting(DiskStore);

impl Store for Overwriting {
    fn name(&self) -> String {
        self.0.name()
    }

    fn put_new(&self, name: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        drop(std::fs::remove_file(self.0.folder().join(name)));
        self.0.put_new(name, bytes)
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn StoredFile>>, StoreError> {
        self.0.open(name)
    }

    fn list(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.0.list()
    }
}

#[test]
fn a_store_that_replaces_files_is_refused_before_any_photo_is_read() {
    let folder = Folder::new();
    let out = Overwriting(DiskStore::new(folder.path("out")));
    let inputs = folder.inputs(&[folder.list()], &out);
    // The second time its plan is there.
    for _ in 0..2 {
        let error = Plan::of(&out, folder.settings(3), &inputs).unwrap_err();
        assert!(matches!(error, LabelError::Overwrites { .. }), "{error}");
    }
}

#[test]
fn a_part_that_is_no_file_of_cairn_is_named_and_not_counted() {
    let folder = Folder::new();
    folder.label(&[folder.list()], "out", 3);
    let part = &crate::photos::parts(&folder.path("out"))[1];
    std::fs::write(part, "cut").unwrap();
    let out = DiskStore::new(folder.path("out"));
    let inputs = folder.inputs(&[folder.list()], &out);
    let plan = Plan::of(&out, folder.settings(3), &inputs).unwrap();
    let labeller = folder.labeller(&plan, &inputs, &out);
    let error = labeller.label_all(&mut |_| ControlFlow::Continue(())).unwrap_err().to_string();
    assert!(error.contains("part-000001-"), "{error}");
}
