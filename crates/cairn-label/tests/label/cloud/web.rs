//! Web servers: every form of a list, servers that fail, and signed URLs.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use cairn_label::{DiskStore, Event, Lists, Outcome, Stores};

use super::server::{Answer, Server};
use super::{contents, label, label_whole, parts};
use crate::formats::{table, tar};
use crate::photos::{Folder, PHOTOS};

/// A folder of photos, and a server that has them and this list of them.
fn served(folder: &Folder, list: &[u8]) -> Server {
    let mut files = photos(folder);
    files.push(("/list.csv".to_owned(), list.to_vec()));
    Server::of(files, true)
}

fn photos(folder: &Folder) -> Vec<(String, Vec<u8>)> {
    let read = |name: &&str| (format!("/photos/{name}"), fs::read(folder.path("photos").join(name)).unwrap());
    PHOTOS[..8].iter().map(read).collect()
}

fn list(folder: &Folder) -> Vec<u8> {
    fs::read(folder.list()).unwrap()
}

fn stores() -> Stores {
    Stores::with_variables(|| false, [])
}

/// Labels `list.csv` of the server into `out`; which shards failed, and whether each was tried again.
fn label_told(folder: &Folder, server: &Server, shard: u64) -> (Outcome, Vec<(usize, bool)>) {
    let mut failures = Vec::new();
    let out = folder.path("out");
    let outcome =
        label(folder, &stores(), &server.address("/list.csv"), out.to_str().unwrap(), shard, &mut |event| {
            if let Event::Failed { index, again, .. } = event {
                failures.push((index, again));
            }
            ControlFlow::Continue(())
        });
    (outcome, failures)
}

#[test]
fn a_list_at_an_address_gives_the_same_bytes_as_on_disk_in_every_form() {
    let folder = Folder::new();
    let names: Vec<Option<Vec<u8>>> =
        PHOTOS.iter().map(|name| Some(format!("photos/{name}").into_bytes())).collect();
    let bytes: Vec<Option<Vec<u8>>> =
        photos(&folder).into_iter().map(|(_, bytes)| Some(bytes)).chain([None]).collect();
    folder.list();
    let lines: String = PHOTOS.iter().map(|name| format!("{{\"path\": \"photos/{name}\"}}\n")).collect();
    folder.write("lines.jsonl", lines);
    table(
        &folder.path("names.parquet"),
        "message m { optional binary photo (UTF8); }",
        std::slice::from_ref(&names),
        4,
    );
    let schema = "message m { optional binary photo (UTF8); optional binary bytes; }";
    table(&folder.path("bytes.parquet"), schema, &[names, bytes], 3);
    let members: Vec<(&str, Vec<u8>)> =
        photos(&folder).into_iter().zip(PHOTOS).map(|((_, bytes), name)| (name, bytes)).collect();
    tar(&folder.path("photos.tar"), &members);
    for (name, shards) in [
        ("list.csv", &[1, 2, 4096][..]),
        ("lines.jsonl", &[4]),
        ("names.parquet", &[2, 4096]),
        ("bytes.parquet", &[2, 4096]),
        ("photos.tar", &[4096]),
    ] {
        for ranges in [true, false] {
            let file = (format!("/{name}"), fs::read(folder.path(name)).unwrap());
            let server = Server::of(photos(&folder).into_iter().chain([file]), ranges);
            for &shard in shards {
                let [disk, far] = ["disk", "far"].map(|out| format!("{name}-{shard}-{ranges}-{out}"));
                folder.label(&[folder.path(name)], &disk, shard);
                let address = server.address(&format!("/{name}"));
                label_whole(&folder, &stores(), &address, folder.path(&far).to_str().unwrap(), shard);
                let [disk, far] = [disk, far].map(|out| parts(&DiskStore::new(folder.path(&out))));
                assert!(!disk.is_empty() && disk == far, "{name} in shards of {shard}, ranges: {ranges}");
            }
        }
    }
}

#[test]
fn of_a_long_list_a_shard_reads_its_own_range() {
    let folder = Folder::new();
    // A header, one photo's row, and what is no part of the first shard.
    let mut long = b"photo,note\nphotos/a/0000.jpg,x\n".to_vec();
    let row = format!("photos/a/0001.jpg,{}\n", "x".repeat(1 << 20));
    (0..3).for_each(|_| long.extend_from_slice(row.as_bytes()));
    let server = served(&folder, &long);
    let stores = stores();
    let out = DiskStore::new(folder.path("out"));
    let inputs = Lists::of(&[PathBuf::from(server.address("/list.csv"))]).unwrap().open(&stores, &out, &[]);
    let inputs = inputs.unwrap();
    let plan = cairn_label::Plan::of(&out, folder.settings(1), &inputs).unwrap();
    let planned = server.asked().len();
    let labeller = cairn_label::Labeller {
        plan: &plan,
        inputs: &inputs,
        model: &folder.model,
        out: &out,
        stores: &stores,
    };
    labeller.label_shard(3, &mut |_| ControlFlow::Continue(())).unwrap();
    let asked = server.asked().split_off(planned);
    let ranges: Vec<&str> = asked
        .iter()
        .filter_map(|asked| asked.strip_prefix("GET /list.csv "))
        .inspect(|range| assert!(range.contains('-'), "{asked:?}"))
        .collect();
    let first = ranges.first().and_then(|range| range.split('-').next()?.parse::<u64>().ok());
    // What is read begins at a multiple of 256 KiB.
    assert!(first >= Some(2 << 20), "nothing of the rows before: {asked:?}");
}

#[test]
fn a_server_that_fails_twice_and_then_serves_fails_nothing() {
    let folder = Folder::new();
    let server = served(&folder, &list(&folder));
    let unavailable = Answer::Status(503, Vec::new());
    server.answers("/photos/a/0001", [unavailable.clone(), unavailable, Answer::Served]);
    server.answers("/photos/a/0002", [Answer::Cut, Answer::Served]);
    let (outcome, failures) = label_told(&folder, &server, 3);
    assert_eq!((outcome.counts.photos, outcome.counts.bad, failures.len()), (9, 2, 0));
    folder.label(&[folder.list()], "disk", 3);
    assert!(parts(&DiskStore::new(folder.path("out"))) == parts(&DiskStore::new(folder.path("disk"))));
}

#[test]
fn a_server_that_fails_for_longer_fails_its_shard_which_is_tried_again_at_the_end() {
    let folder = Folder::new();
    let server = served(&folder, &list(&folder));
    // Five requests are one try of the shard.
    let mut answers = vec![Answer::Status(500, Vec::new()); 7];
    answers.push(Answer::Served);
    server.answers("/photos/a/0001", answers);
    let (outcome, failures) = label_told(&folder, &server, 3);
    assert_eq!(failures, [(0, true)]);
    assert_eq!((outcome.counts.photos, outcome.counts.bad), (9, 2));
    assert!(folder.path("out/_SUCCESS").exists());
}

#[test]
fn a_photo_whose_server_always_fails_leaves_its_shard_out_and_no_other() {
    let folder = Folder::new();
    let server = served(&folder, &list(&folder));
    server.answers("/photos/b/0000", [Answer::Status(504, b"?sig=very-secret".to_vec())]);
    let (outcome, failures) = label_told(&folder, &server, 3);
    assert_eq!(failures, [(1, true), (1, true), (1, true), (1, false)]);
    assert_eq!((outcome.done, outcome.failed.as_slice(), outcome.counts.photos), (2, &[1][..], 6));
    assert!(!folder.path("out/_SUCCESS").exists());
    let asked = server.asked().iter().filter(|asked| asked.contains("/photos/b/0000")).count();
    assert_eq!(asked, 20, "four tries of the shard, of five requests each");
}

#[test]
fn what_is_wrong_with_a_photo_is_its_row() {
    let folder = Folder::new();
    let server = served(
        &folder,
        b"photo\nphotos/gone.jpg\nphotos/closed.jpg\nphotos/removed.jpg\nphotos/a/0000.jpg\n",
    );
    server.answers("/photos/closed", [Answer::Status(403, Vec::new())]);
    server.answers("/photos/removed", [Answer::Status(410, Vec::new())]);
    let (outcome, failures) = label_told(&folder, &server, 9);
    assert_eq!((outcome.counts.photos, outcome.counts.bad, failures.len()), (4, 3, 0));
    let errors: Vec<String> =
        folder.rows("out").iter().map(|row| row["error"].as_str().unwrap_or_default().to_owned()).collect();
    let said = ["no such file", "cannot be read: permission denied", "cannot be read: the store answers 410"];
    assert_eq!(errors[..3], said);
    assert_eq!(errors[3], "");
}

#[test]
fn what_lets_in_those_who_know_it_is_sent_and_never_written_or_said() {
    let folder = Folder::new();
    let server = served(&folder, b"");
    let signed = |path: &str| format!("{}?X-Amz-Signature=very-secret&x=1", server.address(path));
    server.answers("/photos/b", [Answer::Status(503, b"very-secret".to_vec())]);
    let names = [
        signed("/photos/a/0000.jpg"),
        signed("/photos/gone.jpg"),
        "https://me:very-secret@example.org/a.jpg".to_owned(),
        format!("{}?id=5", server.address("/photos/a/0001.jpg")),
        signed("/photos/b/0000.jpg"),
    ];
    let content = format!("photo\n{}\n", names.join("\n"));
    let server_list = Server::new([("/signed.csv", content.into_bytes())]);
    let address = format!("{}?sig=very-secret", server_list.address("/signed.csv"));
    let out = folder.path("out");
    let mut said = String::new();
    label(&folder, &stores(), &address, out.to_str().unwrap(), 4, &mut |event| {
        if let Event::Failed { error, .. } = &event {
            said.push_str(&format!("{error}: {:?}", std::error::Error::source(error)));
        }
        said.push_str(&format!("{event:?}"));
        ControlFlow::Continue(())
    });
    assert!(said.contains("the store answers 503"), "{said}");
    assert!(!said.contains("very-secret"), "{said}");
    let written = contents(&DiskStore::new(&out));
    assert!(written.contains_key("_plan.json") && written.len() == 2, "{:?}", written.keys());
    for (name, bytes) in written {
        assert!(!bytes.windows(11).any(|window| window == b"very-secret"), "{name}");
    }
    let rows = folder.rows("out");
    let photo = |row: usize| rows[row]["photo"].as_str().unwrap().to_owned();
    assert_eq!(photo(0), server.address("/photos/a/0000.jpg"));
    assert_eq!(photo(3), format!("{}?id=5", server.address("/photos/a/0001.jpg")));
    assert!(rows[0]["error"].is_null() && rows[3]["error"].is_null(), "{rows:?}");
    assert!(
        server
            .asked()
            .iter()
            .any(|asked| asked.contains("/photos/a/0000.jpg?X-Amz-Signature=very-secret&x=1"))
    );
    let refused = Lists::of(&[PathBuf::from(signed("/photos/a/0000.jpg"))]).unwrap_err().to_string();
    assert!(refused.contains("must come in a list") && !refused.contains("very-secret"), "{refused}");
}

#[test]
fn the_photos_of_the_next_shard_are_read_while_one_is_waited_for() {
    let folder = Folder::new();
    let server = served(&folder, &list(&folder));
    // The last photo of the first shard comes when the first of the second is asked for.
    server.answers("/photos/a/0002", [Answer::WaitFor("/photos/b/0000.jpg".to_owned())]);
    let (outcome, failures) = label_told(&folder, &server, 3);
    assert_eq!((outcome.counts.photos, failures.len()), (9, 0));
}

#[test]
fn whoever_waits_for_a_server_can_be_stopped_and_the_same_again_goes_on() {
    let folder = Folder::new();
    let server = served(&folder, &list(&folder));
    // It never comes.
    server.answers("/photos/b/0001", [Answer::WaitFor("/never".to_owned())]);
    let address = server.address("/list.csv");
    let out = folder.path("out");
    let stopping = Stores::with_variables(server.watch("/photos/b/0001.jpg"), []);
    let outcome = label_whole(&folder, &stopping, &address, out.to_str().unwrap(), 3);
    assert!(outcome.stopped && outcome.failed.is_empty(), "{outcome:?}");
    assert!(server.was_asked("/photos/b/0001.jpg") && !out.join("_SUCCESS").exists());
    server.answers("/photos/b/0001", [Answer::Served]);
    let outcome = label_whole(&folder, &stores(), &address, out.to_str().unwrap(), 3);
    assert_eq!((outcome.done, outcome.counts.photos), (3, 9));
}

#[test]
fn web_servers_are_read_and_neither_listed_nor_written() {
    let refused = |place: &str| stores().store(place).unwrap_err();
    let error = refused("https://example.org/out");
    assert!(format!("{}", error.source).contains("are read, not written"), "{error}");
    let error = refused("s3://key:very-secret@bucket/out");
    assert!(!format!("{error:?} {}", error.source).contains("very-secret"), "{error:?}");
    let error = Lists::of(&[PathBuf::from("https://example.org/photos/")]).unwrap_err().to_string();
    assert!(error.contains("does not say what is below it"), "{error}");
}
