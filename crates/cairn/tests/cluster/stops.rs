//! All of it stops when it is asked to, and goes on.

use crate::processes::{Cluster, Folder, SHARDS};

#[test]
fn a_command_that_is_stopped_stops_the_executors_and_goes_on() {
    let folder = Folder::with_whole();
    let cluster = Cluster::start(&folder);
    let command = cluster.begin_to_label();
    command.signal("-INT");
    let ended = command.end();
    // On a busy machine it may have been done when the signal came.
    if !folder.path("out/_SUCCESS").exists() {
        ended.assert_status(130).assert_said(&format!("of {SHARDS} shards done; the same command goes on"));
    }
    let before = folder.files("out");
    folder.run(&cluster.label("out")).assert_status(2);
    folder.assert_untouched("out", &before);
    folder.assert_as_alone("out");
}

#[test]
fn an_executor_that_is_asked_to_stop_hands_its_shards_back() {
    let folder = Folder::with_whole();
    let mut cluster = Cluster::start(&folder);
    let command = cluster.begin_to_label();
    let executor = cluster.executors.remove(0);
    executor.signal("-TERM");
    executor.end().assert_status(0);
    command.end().assert_status(2).assert_said(&format!("{SHARDS} shards"));
    folder.assert_as_alone("out");

    for (process, signal) in [(cluster.executors.remove(0), "-INT"), (cluster.scheduler, "-TERM")] {
        process.signal(signal);
        process.end().assert_status(0);
    }
}

#[test]
fn shards_wait_for_executors_and_executors_for_a_scheduler() {
    let folder = Folder::with_whole();
    let mut cluster = Cluster::without_executors(&folder);
    let mut command = folder.start(&cluster.label("out"));
    command.wait_for("has no executor; shards wait for one");
    let executor = cluster.executor("");
    command.end().assert_status(2);
    folder.assert_as_alone("out");
    cluster.scheduler.wait_for("1 executor");
    drop(executor);

    // Nobody listens where a scheduler was.
    let Cluster { scheduler, address, .. } = cluster;
    scheduler.kill();
    let mut executor = folder.start(&format!("cluster executor --scheduler {address}"));
    executor.wait_for(&format!("waiting for {address}"));
    executor.signal("-TERM");
    executor.end().assert_status(0);
}
