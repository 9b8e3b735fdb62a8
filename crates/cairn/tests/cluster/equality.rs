//! A cluster writes what one process alone writes.

use crate::processes::{Cluster, Folder, PHOTOS, SHARDS};

#[test]
fn files_are_those_of_one_process_and_bad_photos_are_rows() {
    let folder = Folder::with_whole();
    let cluster = Cluster::start(&folder);
    let labelled = folder.run(&cluster.label("out"));
    labelled
        .assert_status(2)
        .assert_said("left out: photos/broken.png: text, not a photo")
        .assert_said("left out: photos/gone.png: no such file")
        .assert_said(&format!("out: {} photos", PHOTOS + 2))
        .assert_said(&format!("2 could not be read; {SHARDS} shards"));
    folder.assert_as_alone("out");
    // The same again changes nothing, and says the same.
    let before = folder.files("out");
    folder
        .run(&cluster.label("out"))
        .assert_status(2)
        .assert_said(&format!("2 could not be read; {SHARDS} shards"));
    assert!(folder.files("out") == before);
    // As does one process on an output of a cluster.
    let alone = cluster.label("out").replace(&format!("--cluster {}", cluster.address), "");
    folder.run(&alone).assert_status(2).assert_said(&format!("{SHARDS} of {SHARDS} shards done before"));
    assert!(folder.files("out") == before);
}

#[test]
fn photos_and_folders_are_labelled_from_where_the_command_runs() {
    let folder = Folder::new();
    let cluster = Cluster::start(&folder);
    let label = "label photos --tta none --shard 16";
    folder.run(&format!("{label} -o whole")).assert_status(2);
    folder.run(&format!("{label} -o out --cluster {}", cluster.address)).assert_status(2);
    folder.assert_as_alone("out");
}

#[test]
fn two_commands_on_one_output_end_with_one_file_a_shard() {
    let folder = Folder::with_whole();
    let cluster = Cluster::start(&folder);
    let both = [0, 1].map(|_| folder.start(&cluster.label("out")));
    for command in both {
        command.end().assert_status(2).assert_said(&format!("{SHARDS} shards"));
    }
    folder.assert_as_alone("out");
}
