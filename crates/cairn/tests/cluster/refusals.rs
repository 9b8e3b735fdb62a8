//! What a cluster does not do, and why.

use std::fs;

use cairn_synthetic::{Kind, draw};

use crate::processes::{Cluster, Folder, SHARDS};

#[test]
fn an_executor_with_another_model_says_so_and_the_right_one_goes_on() {
    let folder = Folder::with_whole();
    fs::create_dir(folder.path("castles")).unwrap();
    for seed in 0..5 {
        draw(Kind::Castle, seed, 160).save_png(folder.path(&format!("castles/{seed}.png"))).unwrap();
    }
    folder.run("learn shipped --name Castle castles --out other.safetensors").assert_status(0);
    let mut cluster = Cluster::without_executors(&folder);
    let mut other = cluster.executor("-m other.safetensors");
    other.wait_for("labels with other (sha256:");
    let refused = folder.run(&cluster.label("out"));
    refused
        .assert_status(1)
        .assert_said("the executor on 127.0.0.1 (process ")
        .assert_said("has the model other (sha256:")
        .assert_said("begun with shipped (sha256:")
        .assert_said("start it with that model (-m)");
    assert_eq!(folder.parts("out"), 0);
    other.kill();
    cluster.executors.push(cluster.executor(""));
    folder.run(&cluster.label("out")).assert_status(2).assert_said(&format!("{SHARDS} shards"));
    folder.assert_as_alone("out");
}

#[test]
fn wrong_arguments_and_ports_that_are_taken_are_named() {
    let folder = Folder::new();
    let cluster = Cluster::without_executors(&folder);
    let port = cluster.address.rsplit_once(':').unwrap().1;
    for (arguments, said) in [
        (format!("cluster scheduler --address 127.0.0.1:{port}"), "cannot be listened on"),
        ("cluster scheduler --address 0.0.0.0:0".to_owned(), "name by --host the one of executors"),
        ("cluster scheduler --lost-after 1".to_owned(), "--lost-after"),
        // An address of documentation, which no machine has.
        ("cluster executor --address 192.0.2.1".to_owned(), "192.0.2.1: cannot be listened on"),
        ("cluster executor --port 65535".to_owned(), "--port"),
        (format!("cluster executor --port {}", port.parse::<u16>().unwrap() - 1), "cannot be listened on"),
        ("cluster executor --scheduler http://here".to_owned(), "is no address of a scheduler"),
        ("cluster executor --scheduler df://127.0.0.1:1 -m nowhere".to_owned(), "nowhere"),
        ("label list.csv -o out --cluster df://127.0.0.1:1".to_owned(), "the scheduler does not answer"),
        ("label list.csv -o out --cluster df://x:y".to_owned(), "is no address of a scheduler"),
    ] {
        folder.run(&arguments).assert_status(1).assert_said(said);
    }
    assert_eq!(folder.parts("out"), 0);
}
