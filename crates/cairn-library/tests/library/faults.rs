//! The process is killed at every point of every kind of operation; nothing is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_library::plan::{
    self, ApplyOptions, Destination, Observer, Op, OpKind, PlanFile, PlanHeader, PlanRequest, PlanWriter,
    Replacement, Step, UndoOptions, Work,
};
use cairn_library::state::{FileHash, State};
use image::ImageFormat;

use crate::house::{House, Snapshot, patient_lock, picture};

/// Ends the process like a power cut does for a process: at once, with nothing put in order.
struct Killer {
    step: Step,
    left: u32,
}

impl Observer for Killer {
    fn at(&mut self, step: Step, _: &Path) {
        if step == self.step {
            self.left -= 1;
            if self.left == 0 {
                std::process::abort();
            }
        }
    }
}

const WHAT: &str = "CAIRN_TEST_FAULT";

/// The process that is killed: this test's own program, run again.
#[test]
fn a_process_that_may_be_killed() {
    let Ok(what) = std::env::var(WHAT) else { return };
    let parts: Vec<&str> = what.split('\n').collect();
    let [state, plan, direction, step, count, way] = parts.as_slice() else { panic!("{what}") };
    let state = State::open(Path::new(state)).unwrap();
    let lock = patient_lock(&state);
    let plan = PlanFile::open(Path::new(plan)).unwrap();
    let step = Step::ALL[step.parse::<usize>().unwrap()];
    let mut killer = Killer { step, left: count.parse().unwrap() };
    let replacement =
        [Replacement::Best, Replacement::HardLink, Replacement::Rename][way.parse::<usize>().unwrap()];
    if *direction == "apply" {
        let options = ApplyOptions { replacement, ..ApplyOptions::default() };
        plan::apply(&state, &lock, &plan, options, &mut killer, &|| false).unwrap();
    } else {
        let options = UndoOptions { replacement, ..UndoOptions::default() };
        plan::undo(&state, &lock, &plan.header.plan, &options, &mut killer).unwrap();
    }
}

/// Runs it; true if it was killed.
fn run(house: &House, plan: &PlanFile, direction: &str, step: usize, count: u32, way: u32) -> bool {
    let what = [
        house.state.folder().to_str().unwrap(),
        plan.path.to_str().unwrap(),
        direction,
        &step.to_string(),
        &count.to_string(),
        &way.to_string(),
    ];
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "faults::a_process_that_may_be_killed"]).env(WHAT, what.join("\n"));
    let output = command.output().unwrap();
    let killed = output.status.code().is_none();
    assert!(killed || output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    killed
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sidecars,
    Embedded,
    Placed,
}

fn prepared(kind: Kind) -> (House, PlanFile, Snapshot) {
    let house = House::new();
    let request = PlanRequest::default();
    let sidecar =
        b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description/></rdf:RDF>";
    let plan = match kind {
        Kind::Sidecars => {
            house.jpeg("a.jpg", 1);
            house.jpeg("b.jpg", 2);
            house.file("b.xmp", sidecar);
            house.plan(&["a.jpg", "b.jpg"], &request).0
        }
        Kind::Embedded => {
            house.jpeg("a.jpg", 1);
            house.file("b.png", &picture(ImageFormat::Png, 2));
            house.file("c.webp", &picture(ImageFormat::WebP, 3));
            house
                .plan(
                    &["a.jpg", "b.png", "c.webp"],
                    &PlanRequest { destination: Destination::Embed, ..request },
                )
                .0
        }
        Kind::Placed => {
            house.jpeg("a.jpg", 1);
            house.jpeg("b.jpg", 2);
            house.scan();
            placed(&house)
        }
    };
    let before = house.snapshot();
    (house, plan, before)
}

/// A plan of a copy, a move and links, as albums need.
fn placed(house: &House) -> PlanFile {
    let header = PlanHeader::new(&house.root(), "test".to_owned());
    let path = house.beside("placed");
    let mut writer = PlanWriter::create(&path, &header).unwrap();
    let kinds = [
        (OpKind::Copy, "a.jpg"),
        (OpKind::SymbolicLink, "a.jpg"),
        (OpKind::HardLink, "a.jpg"),
        (OpKind::Move, "b.jpg"),
    ];
    for (kind, photo) in kinds {
        let source = house.path(photo);
        let hash = FileHash::of(&fs::read(&source).unwrap());
        let target = house.root().join(format!("Paris/{kind:?}.jpg"));
        writer
            .add(Op { seq: 0, kind, photo: photo.into(), target, work: Work::Place { source, hash } })
            .unwrap();
    }
    writer.finish().unwrap();
    PlanFile::open(&path).unwrap()
}

/// Every file of the start is there, under its name, the name it moves to, or the name it has for a moment.
fn assert_nothing_lost(before: &Snapshot, now: &Snapshot, context: &str) {
    for (path, (bytes, _)) in before {
        let kept = now.get(path).is_some_and(|(found, _)| found == bytes || is_marked(found));
        let elsewhere = now.values().any(|(found, _)| found == bytes);
        assert!(kept || elsewhere, "{context}: {} is lost", path.display());
    }
}

fn is_marked(bytes: &[u8]) -> bool {
    bytes.windows(12).any(|window| window == b"Eiffel Tower")
}

fn temporary(snapshot: &Snapshot) -> Vec<&PathBuf> {
    let is_ours = |path: &&PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(".cairn-");
    snapshot.keys().filter(is_ours).collect()
}

/// `CAIRN_KILLS=500` kills so often.
#[test]
#[cfg(unix)]
fn killed_at_any_step_nothing_is_lost_and_undo_gives_bytes_and_times_back() {
    if std::env::var_os(WHAT).is_some() {
        return;
    }
    let kills = std::env::var("CAIRN_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(60);
    let mut killed = 0;
    let mut round = 0_u32;
    while killed < kills {
        let kind = [Kind::Sidecars, Kind::Embedded, Kind::Placed][(round % 3) as usize];
        let step = (round / 3 % 9) as usize;
        let count = round / 27 % 3 + 1;
        let direction = if (round / 81).is_multiple_of(2) { "apply" } else { "undo" };
        let way = round / 162 % 3;
        round += 1;
        assert!(round < 20 * kills, "the points are not reached");
        let context =
            format!("{kind:?}, {direction}, {:?} for the {count}. time, way {way}", Step::ALL[step]);
        let (house, plan, before) = prepared(kind);
        if direction == "undo" {
            let applied = house.apply(&plan);
            assert_eq!(applied.done, plan.operations, "{context}: {applied:?}");
        }
        if !run(&house, &plan, direction, step, count, way) {
            continue;
        }
        killed += 1;
        assert_nothing_lost(&before, &house.snapshot(), &context);
        let applied = house.apply(&plan);
        assert_eq!((applied.left, applied.kept), (vec![], vec![]), "{context}");
        assert_eq!(applied.done + applied.already, plan.operations, "{context}");
        let undone = house.undo(&plan.header.plan);
        assert_eq!((undone.left, undone.by_items), (vec![], 0), "{context}");
        let now = house.snapshot();
        assert_eq!(temporary(&now), Vec::<&PathBuf>::new(), "{context}");
        assert_eq!(now, before, "{context}");
    }
    println!("killed {killed} times in {round} runs");
}
