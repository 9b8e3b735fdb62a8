//! Whatever is killed, no photo is lost and none is labelled twice.

use std::fs;

use crate::processes::{Cluster, Folder, SHARDS};

#[test]
fn an_executor_that_is_killed_loses_nothing() {
    let folder = Folder::with_whole();
    let mut cluster = Cluster::start(&folder);
    let command = cluster.begin_to_label();
    cluster.executors.remove(0).kill();
    let before = folder.files("out");
    println!("{} files when it was killed", before.len());
    command.end().assert_status(2).assert_said(&format!("{SHARDS} shards"));
    folder.assert_untouched("out", &before);
    folder.assert_as_alone("out");
}

#[test]
fn executors_that_are_all_killed_and_started_again_go_on() {
    let folder = Folder::with_whole();
    let mut cluster = Cluster::start(&folder);
    let command = cluster.begin_to_label();
    for executor in cluster.executors.drain(..) {
        executor.kill();
    }
    let before = folder.files("out");
    println!("{} files when they were killed", before.len());
    cluster.executors = [0, 1].map(|_| cluster.executor("")).into();
    command.end().assert_status(2).assert_said(&format!("{SHARDS} shards"));
    folder.assert_untouched("out", &before);
    folder.assert_as_alone("out");
}

#[test]
fn a_scheduler_that_is_killed_is_named_and_the_same_command_goes_on() {
    let folder = Folder::with_whole();
    let mut cluster = Cluster::start(&folder);
    let command = cluster.begin_to_label();
    let Cluster { scheduler, .. } = cluster;
    scheduler.kill();
    let before = folder.files("out");
    println!("{} files when it was killed", before.len());
    let ended = command.end();
    // It may have been done by then.
    if !folder.path("out/_SUCCESS").exists() {
        ended
            .assert_status(1)
            .assert_said("the scheduler does not answer")
            .assert_said("the same command goes on");
    }
    cluster = Cluster::start(&folder);
    folder.run(&cluster.label("out")).assert_status(2).assert_said(&format!("{SHARDS} shards"));
    folder.assert_untouched("out", &before);
    folder.assert_as_alone("out");
}

#[test]
fn a_command_that_is_killed_is_begun_again_and_joins_its_executors() {
    let folder = Folder::with_whole();
    let cluster = Cluster::start(&folder);
    let command = cluster.begin_to_label();
    command.kill();
    let before = folder.files("out");
    println!("{} files when it was killed", before.len());
    folder.run(&cluster.label("out")).assert_status(2).assert_said(&format!("{SHARDS} shards"));
    folder.assert_untouched("out", &before);
    folder.assert_as_alone("out");
}

#[test]
fn a_shard_that_fails_twice_is_handed_in_again_and_done() {
    let folder = Folder::with_whole();
    let last = folder.files("whole").into_keys().rfind(|name| name.as_encoded_bytes().starts_with(b"part-"));
    // A folder stands where its file should be.
    let in_the_way = folder.path("out").join(last.unwrap());
    fs::create_dir_all(&in_the_way).unwrap();
    let cluster = Cluster::start(&folder);
    let mut command = folder.start(&cluster.label("out"));
    command.wait_for_times(&format!("shard {} failed: ", SHARDS - 1), 2);
    fs::remove_dir(in_the_way).unwrap();
    let ended = command.end();
    ended.assert_said("it is tried again").assert_status(2);
    // On a busy machine it may have been left out by then.
    if !folder.path("out/_SUCCESS").exists() {
        ended.assert_said("the same command tries again");
        folder.run(&cluster.label("out")).assert_status(2);
    }
    folder.assert_as_alone("out");
}

#[test]
fn a_shard_that_always_fails_is_left_out_and_named_and_the_others_are_done() {
    let folder = Folder::new();
    // A tar file whose first member says that it is longer than the file.
    let mut header = [0; 512];
    header[..5].copy_from_slice(b"a.png");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(b"00000010000");
    header[156] = b'0';
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    fs::write(folder.path("cut.tar"), header).unwrap();
    let cluster = Cluster::start(&folder);
    let label = format!("{} cut.tar", cluster.label("out"));
    let labelled = folder.run(&label);
    labelled.assert_status(2).assert_said("it is tried again").assert_said("it is left out");
    labelled.assert_said(&format!("not done: 1 shard ({SHARDS}); the same command tries again"));
    assert_eq!(folder.parts("out"), SHARDS);
    assert!(!folder.path("out/_SUCCESS").exists() && !folder.path("out/_manifest.json").exists());
}
