//! Disks that cannot be written to, or are full: nothing is half-written, and the work goes on once there is room.
//!
//! Each test runs this test's own program again in a namespace of its own, in which it may mount file systems.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use cairn_library::evidence::Basis;
use cairn_library::plan::{
    self, ApplyOptions, Destination, PlanError, PlanFile, PlanRequest, UndoOptions, Unobserved,
};
use cairn_library::scan::{ScanOptions, Watcher, scan};
use cairn_places::Gazetteer;
use cairn_reference::{Need, skip};

use crate::house::House;

const SITUATION: &str = "CAIRN_TEST_SITUATION";

const NAMESPACE: [&str; 3] = ["--user", "--map-root-user", "--mount"];

/// Runs a situation where file systems can be mounted; skips elsewhere.
fn happens(situation: &str) {
    if std::env::var_os(SITUATION).is_some() {
        return;
    }
    let try_it =
        Command::new("unshare").args(NAMESPACE).args(["mount", "-t", "tmpfs", "none", "/tmp"]).output();
    if !try_it.is_ok_and(|tried| tried.status.success()) {
        skip(Need::Mounts, "this system lets no process mount file systems for itself");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(NAMESPACE).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "situations::in_a_namespace", "--nocapture"]).env(SITUATION, situation);
    let output = command.output().unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{situation}: {out}\n{error}");
}

#[test]
fn in_a_namespace() {
    match std::env::var(SITUATION).as_deref() {
        Ok("read-only library") => read_only_library(),
        Ok("full library") => full_library(),
        Ok("full state") => full_state(),
        Ok(other) => panic!("{other}"),
        Err(_) => {}
    }
}

fn mount(arguments: &[&str], at: &Path) {
    let done = Command::new("mount").args(arguments).arg(at).status().unwrap();
    assert!(done.success(), "mount {arguments:?} {}", at.display());
}

#[test]
fn a_read_only_library_is_scanned_and_marked_in_a_folder_elsewhere() {
    happens("read-only library");
}

fn read_only_library() {
    let house = House::new();
    house.jpeg("2019/a.jpg", 1);
    let (root, before) = (house.root(), house.snapshot());
    mount(&["--bind", root.to_str().unwrap()], &root);
    mount(&["-o", "remount,bind,ro"], &root);
    assert!(fs::write(root.join("new"), b"").is_err(), "it is read-only");
    let library = house.scan();
    let marks = house.marks(&library, &["2019/a.jpg"], Basis::Model);
    let make = |request: &PlanRequest, name: &str| {
        let path = house.beside(name);
        plan::make(&house.state, &library, &marks, &Gazetteer::builtin(), request, &path)
            .map(|_| PlanFile::open(&path).unwrap())
    };
    for destination in [Destination::Sidecar, Destination::Embed] {
        let refused = make(&PlanRequest { destination, ..PlanRequest::default() }, "none").unwrap_err();
        assert!(matches!(refused, PlanError::ReadOnly { .. }), "{refused}");
        assert!(!house.beside("none").exists() && !house.beside("none.part").exists());
    }
    let elsewhere = Destination::SidecarDir(house.beside("sidecars"));
    let plan = make(&PlanRequest { destination: elsewhere, ..PlanRequest::default() }, "plan").unwrap();
    assert_eq!(house.apply(&plan).done, 1);
    assert!(house.beside("sidecars/2019/a.jpg.xmp").exists());
    assert_eq!(house.undo(&plan.header.plan).exact, 1);
    assert!(!house.beside("sidecars/2019/a.jpg.xmp").exists());
    assert_eq!(house.snapshot(), before);
}

/// Fills a disk but for so many bytes.
fn fill(filler: &Path, but: u64) {
    let mut file = fs::File::create(filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(but)).unwrap();
}

#[test]
fn on_a_full_disk_some_files_are_marked_the_others_are_named_and_nothing_is_half_written() {
    happens("full library");
}

fn full_library() {
    for (destination, kind) in [(Destination::Sidecar, "sidecars"), (Destination::Embed, "embedded")] {
        let house = House::prepared(|folder| {
            mount(&["-t", "tmpfs", "-o", "size=400k", "none"], &folder.join("photos"));
        });
        let names: Vec<String> = (0..12).map(|index| format!("{index:02}.jpg")).collect();
        for (seed, name) in names.iter().enumerate() {
            house.jpeg(name, seed as u8);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let before = house.snapshot();
        let (plan, _) = house.plan(&names, &PlanRequest { destination, ..PlanRequest::default() });
        assert_eq!(plan.operations, 12, "{kind}");
        let filler = house.path("filler");
        // Room for a few sidecars, or for one photo at a time.
        fill(&filler, if kind == "sidecars" { 16 << 10 } else { 0 });
        let applied = house.apply(&plan);
        assert!(!applied.left.is_empty(), "{kind}: {applied:?}");
        assert_eq!(applied.done as usize + applied.left.len(), 12, "{kind}: {applied:?}");
        let mut now = house.snapshot();
        now.remove(&filler);
        assert!(
            now.keys().all(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')),
            "{kind}"
        );
        for (path, (bytes, _)) in &now {
            let is_before = before.get(path).is_some_and(|(old, _)| old == bytes);
            let is_marked = bytes.windows(12).any(|window| window == b"Eiffel Tower");
            assert!(is_before || is_marked, "{kind}: {} is neither as before nor marked", path.display());
        }

        fs::remove_file(&filler).unwrap();
        let again = house.apply(&plan);
        assert_eq!((again.done + again.already, again.left), (12, vec![]), "{kind}");
        fill(&filler, 0);
        let options = UndoOptions::default();
        let undone = house.undo_with(&plan.header.plan, &options);
        assert_eq!(undone.exact as usize + undone.left.len(), 12, "{kind}: {undone:?}");
        fs::remove_file(&filler).unwrap();
        house.undo(&plan.header.plan);
        assert_eq!(house.snapshot(), before, "{kind}");
    }
}

#[test]
fn where_the_states_disk_is_full_nothing_is_touched_and_the_same_commands_go_on_later() {
    happens("full state");
}

fn full_state() {
    let house = House::prepared(|folder| {
        fs::create_dir(folder.join("state")).unwrap();
        mount(&["-t", "tmpfs", "-o", "size=2m", "none"], &folder.join("state"));
    });
    let filler = house.state.folder().join("filler");
    for index in 0..40_u8 {
        house.jpeg(&format!("{index:02}.jpg"), index);
    }
    let before = house.snapshot();
    let try_scan = || {
        let mut watcher = Watcher { on_event: &mut |_| {}, stop: &|| false };
        scan(&house.state, &house.lock(), &house.root(), None, &ScanOptions::default(), &mut watcher)
    };
    fill(&filler, 0);
    assert!(try_scan().is_err(), "a scan that cannot be stored says so");
    fs::remove_file(&filler).unwrap();
    assert_eq!(try_scan().unwrap().1.read, 40);

    let (plan, _) = house.plan(&["00.jpg", "01.jpg"], &PlanRequest::default());
    fill(&filler, 0);
    let apply = || {
        plan::apply(&house.state, &house.lock(), &plan, ApplyOptions::default(), &mut Unobserved, &|| false)
    };
    assert!(apply().is_err(), "nothing is written that the journal cannot hold");
    assert_eq!(house.snapshot(), before);
    fs::remove_file(&filler).unwrap();
    assert_eq!(apply().unwrap().done, 2);
    fill(&filler, 0);
    let undo = || {
        plan::undo(&house.state, &house.lock(), &plan.header.plan, &UndoOptions::default(), &mut Unobserved)
    };
    // A line of the journal may still find room in its last page; the database finds none.
    assert!(undo().is_err(), "an undo that cannot be stored as a whole says so");
    fs::remove_file(&filler).unwrap();
    undo().unwrap();
    assert_eq!(house.snapshot(), before);
}
