//! A library from a scan to marks in sidecars and photos, and back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cairn_reference::data_folder;

use crate::sandbox::{Finished, Sandbox};

/// A library of some photos of two landmarks, that rested for a day.
fn library(landmarks: &Path) -> Sandbox {
    let sandbox = Sandbox::new();
    for class in ["12.Eiffel_Tower", "31.Taj_Mahal"] {
        let mut photos: Vec<PathBuf> = fs::read_dir(landmarks.join("test").join(class))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        photos.sort();
        for photo in photos.iter().take(5) {
            let name = format!("LIBRARY/{class}/{}", photo.file_name().unwrap().to_str().unwrap());
            sandbox.file(&name, &fs::read(photo).unwrap());
            let yesterday = SystemTime::now() - Duration::from_secs(86_400);
            fs::File::options()
                .write(true)
                .open(sandbox.path(&name))
                .unwrap()
                .set_modified(yesterday)
                .unwrap();
        }
    }
    sandbox
}

fn run(sandbox: &Sandbox, arguments: &str) -> Finished {
    sandbox.cairn(&format!("library {arguments} --state STATE"))
}

fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![sandbox.path("LIBRARY")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    files
}

#[test]
fn real_photos_are_marked_reviewed_and_given_back() {
    let Some(landmarks) = data_folder("landmarks") else { return };
    let sandbox = library(&landmarks);
    let before = files(&sandbox);
    run(&sandbox, "scan LIBRARY").assert_status(0);
    // Of so few photos none is sure enough by itself.
    run(&sandbox, "plan --max-wrong 100% -o first.plan").assert_stdout_has("Eiffel Tower");
    assert_eq!(files(&sandbox), before, "a plan touches nothing");
    run(&sandbox, "status").assert_status(0);
    let diff = sandbox.cairn("library diff first.plan");
    diff.assert_status(0).assert_stdout_has("    + auto/landmark/Eiffel Tower");
    sandbox.cairn("library diff first.plan --summary --field dc:subject").assert_stdout_has("dc:subject");
    sandbox.cairn("library diff first.plan --photo *.none").assert_status(0);
    run(&sandbox, "apply first.plan").assert_status(0);
    let after = files(&sandbox);
    assert!(after.len() > before.len(), "{}", after.len());
    assert!(
        before.iter().all(|(path, bytes)| after.get(path) == Some(bytes)),
        "originals are not opened for writing"
    );
    run(&sandbox, "verify").assert_status(0).assert_stdout_has(" 0 others");

    // A person never wants one landmark, and yes to a photo of the other.
    let answers = sandbox.cairn_fed("library review --terminal --landmark Taj_Mahal --state STATE", b"X\n");
    answers.assert_status(0).assert_stdout_has("answers stored");
    sandbox
        .cairn_fed("library review --terminal --landmark Eiffel_Tower --state STATE", b"n\nu\ny\nq\n")
        .assert_status(0);
    run(&sandbox, "plan --max-wrong 100% -o second.plan").assert_status(0);
    run(&sandbox, "apply second.plan").assert_status(0);
    let texts = |files: &BTreeMap<PathBuf, Vec<u8>>| -> Vec<String> {
        let sidecar = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "xmp");
        files.keys().filter(sidecar).map(|path| String::from_utf8(files[path].clone()).unwrap()).collect()
    };
    let reviewed = texts(&files(&sandbox));
    assert!(reviewed.iter().all(|text| !text.contains("Taj Mahal")), "rejected marks are taken out");
    assert_eq!(reviewed.iter().filter(|text| text.contains("Landmarks/Eiffel Tower")).count(), 1);
    run(&sandbox, "plan --max-wrong 100% -o third.plan").assert_stdout_has("0 photos to mark");

    run(&sandbox, "undo last --dry-run").assert_status(0);
    run(&sandbox, "undo last").assert_status(0);
    run(&sandbox, "undo first.plan").assert_status(0);
    assert_eq!(files(&sandbox), before);
    run(&sandbox, "undo last").assert_status(1).assert_stderr_has("no plan of this name was applied");
}

#[test]
fn marks_go_into_photos_and_into_another_folder_and_are_taken_out_without_the_state() {
    let Some(landmarks) = data_folder("landmarks") else { return };
    let sandbox = library(&landmarks);
    let before = files(&sandbox);
    run(&sandbox, "scan LIBRARY").assert_status(0);
    run(&sandbox, "plan --max-wrong 100% --to sidecar-dir --sidecar-dir ELSEWHERE -o elsewhere.plan")
        .assert_status(0);
    run(&sandbox, "apply elsewhere.plan").assert_status(0);
    assert_eq!(files(&sandbox), before);
    assert!(sandbox.path("ELSEWHERE/12.Eiffel_Tower").is_dir());
    let embed = run(&sandbox, "plan --max-wrong 100% --to embed --write place -o embed.plan");
    embed.assert_stdout_has("Eiffel Tower");
    run(&sandbox, "apply embed.plan").assert_stdout_has(" 0 left alone");
    let after = files(&sandbox);
    assert_eq!(after.len(), before.len());
    assert_ne!(after, before);
    run(&sandbox, "verify --decode").assert_status(0);
    sandbox
        .cairn("library undo --from-marks LIBRARY")
        .assert_status(0)
        .assert_stdout_has("without the marks");
    let marked = |bytes: &Vec<u8>| bytes.windows(12).any(|window| window == b"Eiffel Tower");
    assert!(!files(&sandbox).values().any(marked));
}

#[test]
fn wrong_arguments_are_told_apart() {
    let sandbox = Sandbox::new();
    run(&sandbox, "plan -o x.plan").assert_status(1).assert_stderr_has("no library has been scanned");
    run(&sandbox, "scan photos --no-predict").assert_status(0);
    run(&sandbox, "plan -o x.plan").assert_status(1).assert_stderr_has("no model has looked");
    run(&sandbox, "plan --to sidecar-dir -o x.plan").assert_status(1).assert_stderr_has("--sidecar-dir");
    run(&sandbox, "plan --sidecar-dir D -o x.plan").assert_status(1).assert_stderr_has("--to sidecar-dir");
    sandbox.file("no.plan", b"{}\n");
    run(&sandbox, "apply no.plan").assert_status(1).assert_stderr_has("not a whole plan");
    run(&sandbox, "apply none.plan").assert_status(1).assert_stderr_has("none.plan");
    run(&sandbox, "undo").assert_status(1);
    run(&sandbox, "undo 2020-x").assert_status(1).assert_stderr_has("no plan of this name");
    run(&sandbox, "review").assert_status(1).assert_stderr_has("no model has looked");
    run(&sandbox, "review --import none.jsonl").assert_status(1).assert_stderr_has("none.jsonl");
    assert!(!sandbox.path("x.plan").exists());
}
