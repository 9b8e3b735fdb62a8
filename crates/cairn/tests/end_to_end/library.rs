//! A photo library, from a scan to its exports.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cairn_reference::{Need, data_folder, program};
use serde_json::Value;

use crate::sandbox::Sandbox;

/// Where real photos are; `None`, and a word about it, where there are none.
fn real_photos() -> Option<PathBuf> {
    data_folder("landmarks/test/12.Eiffel_Tower")
}

/// How long a process may take for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until there is something.
fn until<T>(what: &str, mut get: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(got) = get() {
            return got;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a scan has written so many bytes into its state, or has ended.
#[cfg(unix)]
fn until_written(sandbox: &Sandbox, scan: &mut std::process::Child, bytes: u64) {
    let written = sandbox.path("state/library.sqlite-wal");
    until("the scan writes", || {
        let length = fs::metadata(&written).map_or(0, |file| file.len());
        (length >= bytes || scan.try_wait().unwrap().is_some()).then_some(())
    });
}

/// Files that a scan a moment later takes for settled.
fn settle(folder: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            settle(&path);
        } else {
            fs::File::options().write(true).open(&path).unwrap().set_modified(hour_ago).unwrap();
        }
    }
}

/// A library in `photos` with a few real photos of one landmark, and one of something else.
fn library() -> Option<Sandbox> {
    let tower = real_photos()?;
    let sandbox = Sandbox::new();
    fs::rename(sandbox.path("photos/test/03.Dome"), sandbox.path("drawn")).unwrap();
    fs::remove_dir_all(sandbox.path("photos")).unwrap();
    let mut photos: Vec<PathBuf> = fs::read_dir(tower).unwrap().map(|entry| entry.unwrap().path()).collect();
    photos.sort();
    for (index, photo) in photos.iter().take(12).enumerate() {
        sandbox.file(&format!("photos/{}/{index}.jpg", index % 2), &fs::read(photo).unwrap());
    }
    sandbox.copy("drawn/0000.jpg", "photos/drawn.jpg");
    sandbox.file("photos/notes.txt", b"text");
    sandbox.file("photos/broken.jpg", b"\xFF\xD8\xFF\xE0 no photo");
    settle(&sandbox.path("photos"));
    Some(sandbox)
}

fn status(sandbox: &Sandbox) -> Value {
    let status = sandbox.cairn("library status --state state --format json");
    serde_json::from_str(&status.assert_status(0).stdout).unwrap()
}

/// How many files are in each state.
fn states(status: &Value) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for count in status["states"].as_array().unwrap() {
        *found.entry(count["state"].as_str().unwrap().to_owned()).or_default() +=
            count["files"].as_u64().unwrap();
    }
    found
}

fn listing(root: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let modified = path.metadata().unwrap().modified().unwrap();
                found.insert(path.clone(), (fs::read(&path).unwrap(), modified));
            }
        }
    }
    found
}

#[test]
fn a_library_is_scanned_counted_and_exported_and_stays_as_it_was() {
    let Some(sandbox) = library() else { return };
    let before = listing(&sandbox.path("photos"));
    let scan = sandbox.cairn("library scan photos --state state");
    scan.assert_status(2);
    assert!(scan.stderr.contains("broken.jpg: "), "{}", scan.stderr);

    let found = status(&sandbox);
    assert_eq!((found["adds_up"].as_bool(), found["files"].as_u64()), (Some(true), Some(15)));
    assert_eq!(states(&found)["read"], 13);
    assert_eq!(states(&found)["unreadable"], 1);
    let unreadable = sandbox.cairn("library status --state state --list unreadable");
    assert!(unreadable.stdout.starts_with("broken.jpg\t"), "{}", unreadable.stdout);

    let again = sandbox.cairn("library scan --state state");
    assert!(again.stderr.contains("0 new or changed, 0 gone, 0 read"), "{}", again.stderr);
    again.assert_status(0);

    let export = |format: &str| {
        let export =
            sandbox.cairn(&format!("library export --state state --format {format} --max-wrong 50%"));
        export.assert_status(0).stdout.clone()
    };
    let geojson: Value = serde_json::from_str(&export("geojson")).unwrap();
    let features = geojson["features"].as_array().unwrap();
    assert!(features.len() >= 8, "{geojson}");
    for feature in features {
        assert_eq!(feature["properties"]["landmark"], "Eiffel Tower");
        assert_eq!(feature["geometry"]["coordinates"], serde_json::json!([2.2945, 48.8584]));
    }
    let rows = export("csv");
    assert_eq!(rows.lines().filter(|line| line.contains(",true,")).count(), features.len(), "{rows}");
    assert!(export("jsonl").lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(export("gpx").contains(r#"<wpt lat="48.8584" lon="2.2945"><name>Eiffel Tower</name>"#));
    assert!(export("kml").contains("<coordinates>2.2945,48.8584</coordinates>"));
    assert!(export("exiftool").contains("-XMP-digiKam:TagsList+=auto/landmark/Eiffel Tower"));
    let page = export("html");
    assert!(page.contains("data:image/jpeg;base64,") && page.contains("<svg"), "{}", &page[..200]);
    // Nothing is fetched from elsewhere.
    assert!(!page.contains("src=\"http") && !page.contains("url(http") && !page.contains("<script"));

    let refused = sandbox.cairn("library export --state state --format csv -o photos/out.csv");
    refused.assert_status(1);
    assert_eq!(listing(&sandbox.path("photos")), before, "nothing in the library is written");
}

#[test]
fn two_scans_at_once_are_refused_and_so_is_a_state_in_the_library() {
    let sandbox = Sandbox::new();
    sandbox.cairn("library scan photos/test --state state --no-predict").assert_status(0);
    let lock = fs::File::options().write(true).open(sandbox.path("state/lock")).unwrap();
    lock.lock().unwrap();
    let second = sandbox.cairn("library scan photos/test --state state --no-predict");
    assert!(second.stderr.contains("another cairn"), "{}", second.stderr);
    second.assert_status(1);
    // Reading is allowed meanwhile.
    sandbox.cairn("library status --state state").assert_status(0);
    drop(lock);
    // A process that another test starts holds the lock, too, from its fork to its exec.
    let scanned = until("the lock is free", || {
        let scan = sandbox.cairn("library scan photos/test --state state --no-predict");
        (!scan.stderr.contains("another cairn")).then_some(scan)
    });
    scanned.assert_status(0);
    let inside = sandbox.cairn("library scan photos/train --state photos/train/.state --no-predict");
    assert!(inside.stderr.contains("may not be in the library"), "{}", inside.stderr);
    inside.assert_status(1);
    let never = sandbox.cairn("library status --state none");
    assert!(never.stderr.contains("cairn library scan"), "{}", never.stderr);
    never.assert_status(1);
}

/// Most scans that are killed before one is let through.
#[cfg(unix)]
const KILLS: usize = 8;

#[test]
#[cfg(unix)]
fn a_scan_that_is_killed_again_and_again_ends_as_one_that_was_not() {
    let sandbox = Sandbox::new();
    // Enough files that a scan takes a while, each of its own.
    let photo = sandbox.read("photos/test/03.Dome/0000.jpg");
    for index in 0..1500 {
        let mut photo = photo.clone();
        photo.splice(2..2, [b"\xFF\xFE\x00\x06".as_slice(), format!("{index:04}").as_bytes()].concat());
        sandbox.file(&format!("many/{}/{index}.jpg", index % 7), &photo);
    }
    settle(&sandbox.path("many"));
    sandbox.cairn("library scan many --state whole --no-predict").assert_status(0);

    for kill in 0..KILLS {
        let mut scan = sandbox.spawn("library scan many --state state --no-predict");
        // Each time at another step of the work, however fast the machine is.
        until_written(&sandbox, &mut scan, 40_000 * kill as u64);
        // SIGKILL; one that has ended already is no harm.
        scan.kill().unwrap();
        scan.wait().unwrap();
        if sandbox.path("state/library.sqlite").exists() {
            // Whatever was committed adds up.
            let shown = sandbox.cairn("library status --state state --format json");
            if let Ok(found) = serde_json::from_str::<Value>(&shown.stdout) {
                assert_ne!(found["adds_up"].as_bool(), Some(false), "{found}");
            }
        }
    }
    sandbox.cairn("library scan many --state state --no-predict --retry-quarantined").assert_status(0);
    let (killed, whole) = (status(&sandbox), sandbox.cairn("library status --state whole --format json"));
    let whole: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((killed["adds_up"].as_bool(), killed["files"].as_u64()), (Some(true), Some(1500)));
    assert_eq!(killed["states"], whole["states"]);
}

#[test]
#[cfg(unix)]
fn an_interrupted_scan_says_so_and_the_same_command_goes_on() {
    let sandbox = Sandbox::new();
    let photo = sandbox.read("photos/test/03.Dome/0000.jpg");
    for index in 0..3000 {
        sandbox.file(&format!("many/{index}.jpg"), &photo);
    }
    settle(&sandbox.path("many"));
    let mut scan = sandbox.spawn("library scan many --state state --no-predict --jobs 1");
    // Until rows of the walk are written, so that signals are caught. (A fast machine may be done before anybody looks.)
    until_written(&sandbox, &mut scan, 200_000);
    std::process::Command::new("kill").args(["-INT", &scan.id().to_string()]).status().unwrap();
    let ended = scan.wait_with_output().unwrap();
    if ended.status.code() == Some(130) {
        assert!(String::from_utf8_lossy(&ended.stderr).contains("the same command goes on"), "{ended:?}");
    }
    sandbox.cairn("library scan many --state state --no-predict").assert_status(0);
    let found = status(&sandbox);
    assert_eq!((found["adds_up"].as_bool(), states(&found)["read"]), (Some(true), 3000));
}

#[test]
fn exiftool_writes_the_marks_that_it_is_given() {
    let Some(exiftool) = program(Need::Exiftool) else { return };
    let Some(sandbox) = library() else { return };
    sandbox.cairn("library scan photos --state state").assert_status(2);
    sandbox
        .cairn("library export --state state --format exiftool --max-wrong 50% -o marks.args")
        .assert_status(0);
    let run = |arguments: &[&str]| {
        let output =
            std::process::Command::new(&exiftool).args(arguments).current_dir(sandbox.path("")).output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    };
    // Twice: keywords are there once all the same.
    run(&["-@", "marks.args"]);
    run(&["-@", "marks.args"]);
    let photo = sandbox.cairn("library export --state state --format geojson --max-wrong 50%");
    let geojson: Value = serde_json::from_str(&photo.stdout).unwrap();
    let photo = geojson["features"][0]["properties"]["photo"].as_str().unwrap().to_owned();
    let read: Value =
        serde_json::from_str(&run(&["-json", "-struct", "-XMP:all", "-G0", &format!("photos/{photo}")]))
            .unwrap();
    let tags = &read[0];
    assert_eq!(tags["XMP:TagsList"], serde_json::json!(["auto/landmark/Eiffel Tower"]), "{tags}");
    assert_eq!(tags["XMP:Subject"], serde_json::json!(["Eiffel Tower", "auto-landmark"]), "{tags}");
    let shown = &tags["XMP:LocationShown"][0];
    assert_eq!(shown["LocationName"], "Eiffel Tower", "{tags}");
    assert_eq!(shown["CountryCode"], "FR", "{tags}");
}

#[test]
#[cfg(unix)]
fn albums_are_links_outside_of_the_library_and_undo_takes_them_back() {
    let Some(sandbox) = library() else { return };
    let before = listing(&sandbox.path("photos"));
    sandbox.cairn("library scan photos --state state").assert_status(2);
    fs::create_dir(sandbox.path("albums")).unwrap();
    let organise = "library organise links albums --state state --max-wrong 50% --template {country}/{landmark} -o a.plan";
    sandbox.cairn(organise).assert_status(0);
    assert_eq!(fs::read_dir(sandbox.path("albums")).unwrap().count(), 0, "a plan changes nothing");
    sandbox.cairn("library apply a.plan --state state").assert_status(0);
    let album = sandbox.path("albums/France/Eiffel Tower");
    let links: Vec<PathBuf> = fs::read_dir(&album).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(links.len() >= 8, "{links:?}");
    assert!(links.iter().all(|link| link.is_symlink() && link.exists()), "{links:?}");
    assert_eq!(listing(&sandbox.path("photos")), before);
    sandbox.cairn("library undo last --state state").assert_status(0);
    assert!(links.iter().all(|link| link.symlink_metadata().is_err()));
    assert_eq!(listing(&sandbox.path("photos")), before);
    let inside = sandbox.cairn("library organise copy photos/0 --state state --max-wrong 50% -o b.plan");
    assert!(inside.stderr.contains("may not be in the library"), "{}", inside.stderr);
}

#[test]
#[cfg(unix)]
fn the_review_is_a_page_of_this_machine_until_it_is_ended() {
    use std::io::{BufRead, BufReader, Read, Write};

    let Some(sandbox) = library() else { return };
    sandbox.cairn("library scan photos --state state").assert_status(2);
    let mut review = sandbox.spawn("library review --state state");
    let mut out = BufReader::new(review.stdout.take().unwrap());
    let mut address = String::new();
    out.read_line(&mut address).unwrap();
    let (host, path) = address.trim().strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert!(host.starts_with("127.0.0.1:"), "{address}");
    let ask = |method: &str, page: &str, form: &str| {
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} /{path}{page} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            form.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(form.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let first = ask("GET", "", "");
    assert!(first.starts_with("HTTP/1.1 200") && first.contains("Eiffel Tower"), "{first}");
    let small = ask("GET", "groups/0/photos/0/small.jpg", "");
    assert!(small.starts_with("HTTP/1.1 200") && small.contains("image/jpeg"), "{}", &small[..100]);
    let decided = ask("POST", "decide", "group=0&do=confirm-0");
    assert!(decided.starts_with("HTTP/1.1 303"), "{decided}");
    let decisions = fs::read_to_string(sandbox.path("state/decisions.jsonl")).unwrap();
    assert!(decisions.contains("\"confirm\""), "{decisions}");

    std::process::Command::new("kill").args(["-TERM", &review.id().to_string()]).status().unwrap();
    let ended = review.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && said.contains("decisions stored: 1;"), "{said}");
    sandbox.cairn("library plan --state state -o marks.plan").assert_status(0);
    // A port that is taken is an error that says what to do.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = sandbox.cairn(&format!("library review --state state --port {port}"));
    assert!(refused.stderr.contains("choose another --port"), "{}", refused.stderr);
    refused.assert_status(1);
}
