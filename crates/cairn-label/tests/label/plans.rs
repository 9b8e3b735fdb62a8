//! What is begun goes on, and nothing else is taken for it.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use cairn_label::{DiskStore, Event, Lists, Plan, Settings};
use cairn_model::{Precision, TestViews};

use crate::photos::{Folder, parts};

fn refusal(folder: &Folder, lists: &[PathBuf], settings: Settings) -> String {
    let out = DiskStore::new(folder.path("out"));
    let inputs = match Lists::of(lists).unwrap().open(&folder.stores, &out, &[]) {
        Ok(inputs) => inputs,
        Err(error) => return error.to_string(),
    };
    Plan::of(&out, settings, &inputs).unwrap_err().to_string()
}

#[test]
fn another_model_other_options_and_other_lists_are_refused_with_what_differs() {
    let folder = Folder::new();
    let lists = [folder.list()];
    folder.label(&lists, "out", 4);
    let settings = folder.settings(4);
    let other = |change: &dyn Fn(&mut Settings)| {
        let mut settings = settings.clone();
        change(&mut settings);
        refusal(&folder, &lists, settings)
    };
    // What a model in 8 bits computes in where it is asked for floats, or floats of another precision.
    let in_others = |s: &mut Settings| match (s.int8, s.precision) {
        (true, _) => s.int8 = false,
        (false, Precision::F32) => s.precision = Precision::Bf16,
        (false, Precision::Bf16) => s.precision = Precision::F32,
    };
    for (error, said) in [
        (other(&|s| s.digest = "sha256:0".to_owned()), "the model was shipped (sha256:"),
        (other(&|s| s.k = 2), "-k was 3 then, 2 now"),
        (other(&|s| s.views = TestViews::Flip), "--tta was"),
        (other(&in_others), "--precision was"),
        (other(&|s| s.threshold = Some(0.25)), "0.25 now"),
        (other(&|s| s.places = Some("x".to_owned())), "--places were those built in then, x now"),
        (other(&|s| s.embed = true), "--embed was false then, true now"),
        (other(&|s| s.shard = 5.try_into().unwrap()), "--shard was 4 then, 5 now"),
    ] {
        assert!(error.contains(said) && error.contains("name another output"), "{error}");
    }
    // A model of another name and the same content is the same.
    folder.label_with(
        &lists,
        &DiskStore::new(folder.path("out")),
        Settings { model: "copy".to_owned(), ..settings.clone() },
    );

    let error = refusal(&folder, &[folder.write("other.csv", "photo\na.jpg\n")], settings.clone());
    assert!(error.contains("the list was list.csv then, other.csv now"), "{error}");
    let error =
        refusal(&folder, &[folder.list(), folder.write("other.csv", "photo\na.jpg\n")], settings.clone());
    assert!(error.contains("with 1 lists then, 2 now"), "{error}");
    folder.write("list.csv", "photo\na.jpg\n");
    let error = refusal(&folder, &lists, settings);
    assert!(error.contains("the list list.csv has changed"), "{error}");
}

#[test]
fn photos_that_were_added_since_are_another_list() {
    let folder = Folder::new();
    folder.label(&[folder.path("photos")], "out", 4);
    fs::copy(folder.path("photos/a/0000.jpg"), folder.path("photos/a/new.jpg")).unwrap();
    let error = refusal(&folder, &[folder.path("photos")], folder.settings(4));
    assert!(error.contains("the photos were others"), "{error}");
}

#[test]
fn an_output_of_another_program_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.path("out")).unwrap();
    folder.write("out/part-0.parquet", "");
    let error = refusal(&folder, &[folder.list()], folder.settings(4));
    assert!(error.contains("part-0.parquet of another program"), "{error}");
    folder.write("out/_plan.json", "{}");
    let error = refusal(&folder, &[folder.list()], folder.settings(4));
    assert!(error.contains("_plan.json cannot be read"), "{error}");
}

#[test]
fn a_labelling_that_is_stopped_after_any_photo_goes_on_and_leaves_what_is_done_untouched() {
    let folder = Folder::new();
    let lists = [folder.list()];
    folder.label(&lists, "whole", 2);
    for stop_after in [1, 2, 5, 8] {
        let name = format!("out-{stop_after}");
        let out = DiskStore::new(folder.path(&name));
        let inputs = folder.inputs(&lists, &out);
        let plan = Plan::of(&out, folder.settings(2), &inputs).unwrap();
        let labeller = folder.labeller(&plan, &inputs, &out);
        let mut photos = 0;
        let outcome = labeller.label_all(&mut |event| {
            photos += usize::from(matches!(event, Event::Photo { .. }));
            if photos == stop_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let outcome = outcome.unwrap();
        assert!(outcome.stopped && !folder.path(&name).join("_SUCCESS").exists());
        let before = parts(&folder.path(&name));
        assert_eq!(before.len(), (stop_after - 1) / 2, "a shard is done with its last photo's row");
        let changed = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
        let times: Vec<_> = before.iter().map(changed).collect();
        let outcome = folder.label(&lists, &name, 2);
        assert_eq!((outcome.done, outcome.counts.photos), (5, 9));
        assert_eq!(before.iter().map(changed).collect::<Vec<_>>(), times);
        let all = |out: &str| {
            fs::read_dir(folder.path(out))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .map(|path| (path.file_name().unwrap().to_owned(), fs::read(path).unwrap()))
                .collect::<std::collections::BTreeMap<_, _>>()
        };
        assert!(all(&name) == all("whole"), "plan, parts, manifest and _SUCCESS");
    }
}

#[test]
fn the_same_again_changes_nothing_and_counts_the_same() {
    let folder = Folder::new();
    let first = folder.label(&[folder.list()], "out", 4);
    let names = || {
        fs::read_dir(folder.path("out"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap()))
            .collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = names();
    assert_eq!(folder.label(&[folder.list()], "out", 4), first);
    assert_eq!(names(), before);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path("out/_manifest.json")).unwrap()).unwrap();
    assert_eq!(
        (manifest["photos"].as_u64(), manifest["bad"].as_u64(), manifest["shards"].as_u64()),
        (Some(9), Some(2), Some(3))
    );
}
