//! Kills at random moments. `CAIRN_KILLS=50` kills so often.

use std::thread::sleep;
use std::time::Duration;

use crate::processes::{Cluster, Folder, SHARDS, wait};

/// Kills without `CAIRN_KILLS`: each victim once.
const KILLS: usize = VICTIMS.len();

/// What is killed at once, and started again. Executors are 0 and 1.
#[derive(Debug)]
struct Victims {
    executors: &'static [usize],
    scheduler: bool,
    command: bool,
}

/// In turn.
const VICTIMS: [Victims; 6] = [
    Victims { executors: &[0], scheduler: false, command: false },
    Victims { executors: &[], scheduler: false, command: true },
    Victims { executors: &[1], scheduler: false, command: false },
    Victims { executors: &[0, 1], scheduler: false, command: false },
    Victims { executors: &[], scheduler: true, command: false },
    Victims { executors: &[0, 1], scheduler: true, command: true },
];

#[test]
fn whatever_is_killed_at_any_moment_no_photo_is_lost_and_nothing_that_is_done_is_touched() {
    let kills = std::env::var("CAIRN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let folder = Folder::with_whole();
    let mut cluster = Cluster::start(&folder);
    let (mut number, mut outputs, mut met) = (0, 0, [0; SHARDS + 1]);
    while number < kills {
        let out = format!("out-{outputs}");
        outputs += 1;
        let label = cluster.label(&out);
        let mut command = folder.start(&label);
        let is_done = || folder.path(&out).join("_SUCCESS").exists();
        while number < kills && !is_done() {
            let before = folder.files(&out);
            // The golden ratio's multiples fall evenly and never twice on one place (a Weyl sequence).
            let spread = (number as f64 * 0.618_033_988_749_895).fract();
            let more = folder.parts(&out) + (spread * 10.0) as usize;
            wait("more shards", || folder.parts(&out) >= more || command.has_ended());
            sleep(Duration::from_micros((spread * 3_700_000.0) as u64 % 300_000));
            if command.has_ended() {
                // When the scheduler was killed.
                command = folder.start(&label);
                continue;
            }
            let victims = &VICTIMS[number % VICTIMS.len()];
            met[folder.parts(&out)] += 1;
            println!("{out}: {victims:?} with {} shards", folder.parts(&out));
            // First all end, then all begin.
            victims.executors.iter().for_each(|&executor| cluster.executors[executor].end_at_once());
            if victims.command {
                command.end_at_once();
            }
            if victims.scheduler {
                cluster.scheduler.end_at_once();
                cluster.scheduler = cluster.another_scheduler();
            }
            for &executor in victims.executors {
                cluster.executors[executor] = cluster.executor("");
            }
            if victims.command {
                command = folder.start(&label);
            }
            folder.assert_untouched(&out, &before);
            number += 1;
        }
        let before = folder.files(&out);
        command.end();
        // The last kill may have been the scheduler's.
        folder.run(&label).assert_status(2).assert_said(&format!("{SHARDS} shards"));
        folder.assert_untouched(&out, &before);
        folder.assert_as_alone(&out);
    }
    println!("{number} kills of labellings of {outputs} outputs, by how many shards were there: {met:?}");
}
