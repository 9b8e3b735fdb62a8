//! Lists, photos and outputs in stores.

mod azure;
mod process;
mod s3;
mod server;
mod web;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use cairn_label::store::Put;
use cairn_label::{Event, Lists, Outcome, Plan, Store, Stores};

use crate::photos::{Folder, PHOTOS};

/// Puts the photos of the folder, and its list, into a store.
fn upload(folder: &Folder, store: &dyn Store) {
    for name in &PHOTOS[..8] {
        let bytes = std::fs::read(folder.path("photos").join(name)).unwrap();
        store.put_new(&format!("photos/{name}"), &bytes).unwrap();
    }
    store.put_new("list.csv", &std::fs::read(folder.list()).unwrap()).unwrap();
}

/// Labels a list at an address; `tell` may stop it.
fn label(
    folder: &Folder,
    stores: &Stores,
    list: &str,
    out: &str,
    shard: u64,
    tell: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Outcome {
    let out = stores.store(out).unwrap();
    let begun = Plan::read(&*out).unwrap().map(|plan| plan.inputs).unwrap_or_default();
    let inputs = Lists::of(&[PathBuf::from(list)]).unwrap().open(stores, &*out, &begun).unwrap();
    let plan = Plan::of(&*out, folder.settings(shard), &inputs).unwrap();
    let labeller =
        cairn_label::Labeller { plan: &plan, inputs: &inputs, model: &folder.model, out: &*out, stores };
    labeller.label_all(tell).unwrap()
}

/// The same, and goes on whatever happens.
fn label_whole(folder: &Folder, stores: &Stores, list: &str, out: &str, shard: u64) -> Outcome {
    label(folder, stores, list, out, shard, &mut |_| ControlFlow::Continue(()))
}

/// All files in a store.
fn contents(store: &dyn Store) -> BTreeMap<String, Vec<u8>> {
    let names = store.list().unwrap().into_keys();
    names
        .map(|name| {
            let bytes = cairn_label::store::read_whole(store, &name).unwrap().unwrap();
            (name, bytes)
        })
        .collect()
}

/// The contents of the parts in a store, in order: their names follow from where the list is, too.
fn parts(store: &dyn Store) -> Vec<Vec<u8>> {
    contents(store)
        .into_iter()
        .filter(|(name, _)| name.starts_with("part-"))
        .map(|(_, bytes)| bytes)
        .collect()
}

/// What holds for every store that is written to: one file for each name, the same rows as from disk, a labelling that is
/// stopped goes on, and what is below a prefix is listed once.
fn assert_a_store_to_write_to(stores: &Stores, place: &str) {
    let folder = Folder::new();
    let store = stores.store(format!("{place}/set")).unwrap();
    upload(&folder, &*store);
    assert_eq!(store.put_new("once", b"first").unwrap(), Put::Written);
    assert_eq!(store.put_new("once", b"second").unwrap(), Put::Exists);
    assert_eq!(contents(&*store)["once"], b"first");
    assert!(store.open("nothing").unwrap().is_none());
    assert_eq!(store.list().unwrap().into_keys().collect::<Vec<_>>(), ["list.csv", "once"]);

    folder.label(&[folder.list()], "disk", 2);
    let disk = cairn_label::DiskStore::new(folder.path("disk"));
    let (list, out) = (format!("{place}/set/list.csv"), format!("{place}/out"));
    let mut photos = 0;
    let stopped = label(&folder, stores, &list, &out, 2, &mut |event| {
        photos += usize::from(matches!(event, Event::Photo { .. }));
        if photos == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let written = stores.store(&out).unwrap();
    assert!(stopped.stopped && parts(&*written).len() == 2);
    let before = contents(&*written);
    assert!(!before.contains_key("_SUCCESS"));
    let outcome = label_whole(&folder, stores, &list, &out, 2);
    assert_eq!((outcome.done, outcome.counts.photos, outcome.counts.bad), (5, 9, 2));
    let after = contents(&*written);
    assert!(before.iter().all(|(name, bytes)| after[name] == *bytes), "what is done stays");
    assert!(parts(&*written) == parts(&disk), "the same bytes as from disk");
    assert!(after.contains_key("_SUCCESS"));
    assert_eq!(label_whole(&folder, stores, &list, &out, 2), outcome, "the same again");
    assert!(contents(&*written) == after);

    // All photos below a prefix, into a folder.
    let to = folder.path("below");
    let label_below =
        || label_whole(&folder, stores, &format!("{place}/set/photos"), to.to_str().unwrap(), 3);
    let outcome = label_below();
    assert_eq!((outcome.counts.photos, outcome.counts.bad), (8, 1));
    let names: Vec<_> =
        folder.rows("below").iter().map(|row| row["photo"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        PHOTOS[..8].iter().map(|name| format!("{place}/set/photos/{name}")).collect::<Vec<_>>()
    );
    store.put_new("photos/a/later.jpg", b"no photo").unwrap();
    assert_eq!(label_below(), outcome, "it is listed once, and the list is read from the output");
    assert_eq!(folder.rows("below").len(), 8);
}
