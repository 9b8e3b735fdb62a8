//! Another program rewrites a file at each moment of the work on it; its bytes survive.

use std::fs;
use std::path::Path;

use cairn_library::plan::{self, ApplyOptions, Observer, PlanRequest, Replacement, Step, UndoOptions};
use cairn_library::xmp::NEW_PACKET;

use crate::house::House;

/// What the other program writes.
fn theirs() -> Vec<u8> {
    NEW_PACKET.replace("</rdf:RDF>", "<rdf:Description rdf:about=''/></rdf:RDF>").into_bytes()
}

/// How another program writes.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Into the file.
    InPlace,
    /// A new file, renamed.
    Renamed,
    /// Through a file that it opened before.
    Opened,
}

struct Intruder {
    step: Step,
    manner: Manner,
    opened: Option<fs::File>,
    came: bool,
}

impl Observer for Intruder {
    fn at(&mut self, step: Step, target: &Path) {
        if step == Step::Hashed {
            self.opened = fs::File::options().write(true).open(target).ok();
        }
        if step != self.step || self.came {
            return;
        }
        self.came = true;
        match self.manner {
            Manner::InPlace => fs::write(target, theirs()).unwrap(),
            Manner::Renamed => {
                let other = target.with_extension("other");
                fs::write(&other, theirs()).unwrap();
                fs::rename(other, target).unwrap();
            }
            Manner::Opened => {
                use std::io::Write;
                let file = self.opened.as_mut().unwrap();
                file.set_len(0).unwrap();
                file.write_all(&theirs()).unwrap();
            }
        }
    }
}

fn survives(step: Step, manner: Manner, replacement: Replacement, undo: bool) {
    let context = format!("{step:?}, {manner:?}, {replacement:?}, undo {undo}");
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("a.jpg.xmp", NEW_PACKET.as_bytes());
    let (plan, _) = house.plan(&["a.jpg"], &PlanRequest::default());
    let mut intruder = Intruder { step, manner, opened: None, came: false };
    if undo {
        assert_eq!(house.apply(&plan).done, 1);
        let lock = house.lock();
        let options = UndoOptions { replacement, ..UndoOptions::default() };
        plan::undo(&house.state, &lock, &plan.header.plan, &options, &mut intruder).unwrap();
    } else {
        let lock = house.lock();
        let options = ApplyOptions { replacement, ..ApplyOptions::default() };
        plan::apply(&house.state, &lock, &plan, options, &mut intruder, &|| false).unwrap();
    }
    assert!(intruder.came, "{context}");
    assert_eq!(
        String::from_utf8(house.read("a.jpg.xmp")).unwrap(),
        String::from_utf8(theirs()).unwrap(),
        "{context}"
    );
    let names: Vec<_> = house.snapshot().into_keys().collect();
    assert_eq!(names.len(), 2, "{context}: {names:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_another_program_writes_at_any_moment_survives() {
    for step in [
        Step::Hashed,
        Step::Journaled,
        Step::Begun,
        Step::Written,
        Step::Exchanged,
        Step::Checked,
        Step::Synced,
        Step::Done,
    ] {
        for manner in [Manner::InPlace, Manner::Renamed, Manner::Opened] {
            for undo in [false, true] {
                survives(step, manner, Replacement::Best, undo);
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn without_exchange_what_is_written_before_the_last_look_survives() {
    for replacement in [Replacement::HardLink, Replacement::Rename] {
        for step in [Step::Hashed, Step::Journaled, Step::Begun, Step::Written] {
            for manner in [Manner::InPlace, Manner::Renamed] {
                survives(step, manner, replacement, false);
            }
        }
    }
}

#[test]
fn a_sidecar_that_another_program_creates_meanwhile_survives() {
    struct Creator;
    impl Observer for Creator {
        fn at(&mut self, step: Step, target: &Path) {
            if step == Step::Written {
                fs::write(target, theirs()).unwrap();
            }
        }
    }
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let (plan, _) = house.plan(&["a.jpg"], &PlanRequest::default());
    assert_eq!(house.apply_watched(&plan, &mut Creator).done, 0);
    assert_eq!(house.read("a.jpg.xmp"), theirs());
    assert_eq!(house.snapshot().len(), 2);
}
