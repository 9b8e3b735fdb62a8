//! How `predict` and `suggest` answer, and which photos they take.

use serde_json::Value;

use crate::sandbox::{CLASSES, Sandbox, TEST_PHOTOS};

const PHOTO: &str = "photos/test/08.Lighthouse/0000.jpg";
const ALL: usize = CLASSES.len() * TEST_PHOTOS;

fn rows(jsonl: &str) -> Vec<Value> {
    jsonl.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The model of [`Sandbox::trained`] calibrated in `sure.safetensors`, with a threshold for sure answers.
fn sure() -> Sandbox {
    let sandbox = Sandbox::trained();
    for seed in 0..24 {
        let castle = cairn_synthetic::draw(cairn_synthetic::Kind::Castle, seed, 48);
        std::fs::create_dir_all(sandbox.path("castles")).unwrap();
        castle.save_png(sandbox.path(&format!("castles/{seed}.png"))).unwrap();
    }
    sandbox
        .cairn("calibrate run --data photos --distractors castles --out sure.safetensors")
        .assert_status(0)
        .assert_stdout_has("default ")
        .assert_stdout_has("--sure ");
    sandbox
}

#[test]
fn a_photo_has_one_line_in_tables_and_csv_and_more_only_where_asked_for() {
    let sandbox = Sandbox::trained();
    let lines = |options: &str| {
        let run = sandbox.cairn(&format!("predict photos/test -m run {options}"));
        run.assert_status(0).stdout.lines().count()
    };
    assert_eq!(lines(""), ALL);
    assert_eq!(lines("--format csv"), 1 + ALL);
    assert_eq!(lines("--format csv -k 4"), 1 + 4 * ALL);
    assert!(lines("-v") > 2 * ALL && lines("-k 4") > ALL);
}

#[test]
fn the_summary_is_no_data_and_counts_what_was_left_aside() {
    let sandbox = Sandbox::trained();
    sandbox.file("photos/test/film.mp4", b"moving");
    sandbox.file("photos/test/notes.txt", b"said");
    for format in ["table", "json", "jsonl", "csv"] {
        let run = sandbox.cairn(&format!("predict photos/test -m run --format {format}"));
        run.assert_status(0).assert_stderr_has("16 photos: ").assert_stderr_has("1 video");
        assert!(!run.stdout.contains("16 photos") && !run.stdout.contains("video"), "{run}");
    }
    let one = sandbox.cairn(&format!("predict {PHOTO} -m run"));
    assert_eq!(one.assert_status(0).stderr, "", "one photo needs no summary");
}

#[test]
fn sure_answers_are_fewer_and_every_row_says_whether_it_is_one() {
    let sandbox = sure();
    let predict = |options: &str| {
        let run = sandbox
            .cairn(&format!("predict photos/train castles -m sure.safetensors --format jsonl {options}"));
        rows(&run.assert_status(0).stdout)
    };
    let (by_default, surely) = (predict(""), predict("--sure"));
    let says = |row: &Value, key: &str| row[key].as_bool().unwrap();
    for (row, sure_row) in by_default.iter().zip(&surely) {
        assert_eq!(says(sure_row, "is_landmark"), says(row, "sure"), "{row} {sure_row}");
        assert!(says(row, "is_landmark") || !says(row, "sure"), "a sure answer is an answer: {row}");
    }
    let castles = surely.iter().filter(|row| row["photo"].as_str().unwrap().starts_with("castles/"));
    assert!(castles.filter(|row| says(row, "is_landmark")).count() <= 1, "2 % of 24 photos is less than one");

    {
        let run = sandbox.cairn(&format!("predict {PHOTO} -m run --sure"));
        run.assert_status(1).assert_stderr_has("cairn calibrate").assert_stderr_has("run: this model");
        assert_eq!(run.stdout, "");
    }
    let both = sandbox.cairn(&format!("predict {PHOTO} -m sure.safetensors --sure --threshold 1"));
    both.assert_status(1).assert_stderr_has("cannot be used with");
}

#[test]
fn a_test_reports_what_both_thresholds_accept() {
    let sandbox = sure();
    let test = "test sure.safetensors photos --distractors castles";
    let json = sandbox.cairn(&format!("{test} --json")).assert_status(0).json();
    let point = |name: &str, key: &str| json["operating_points"][name][key].as_f64().unwrap();
    for key in ["accepted_landmarks", "accepted_distractors"] {
        assert_eq!(point("default", key), json[key].as_f64().unwrap(), "{key}");
        assert!(point("sure", key) <= point("default", key), "{key}");
    }
    assert!(point("sure", "accepted_distractors") <= 0.05);
    assert!(point("sure", "threshold") >= point("default", "threshold"));
    sandbox.cairn(test).assert_status(0).assert_stdout_has("false landmarks").assert_stdout_has("--sure ");
}

#[test]
fn the_sure_threshold_alone_is_set_without_a_data_set_and_leaves_all_else() {
    let sandbox = sure();
    let predict = |model: &str, options: &str| {
        let run = sandbox.cairn(&format!("predict photos/test -m {model} --format csv {options}"));
        let csv = run.assert_status(0).stdout.clone();
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        // Score and probability, by which everything else is decided.
        reader
            .records()
            .map(|row| row.unwrap())
            .map(|row| (row[4].to_owned(), row[6].to_owned()))
            .collect::<Vec<_>>()
    };
    sandbox.cairn("calibrate run --data photos --out unsure.safetensors").assert_status(0);
    sandbox.cairn(&format!("predict {PHOTO} -m unsure.safetensors --sure")).assert_status(1);
    sandbox
        .cairn("calibrate unsure.safetensors --distractors castles --out now.safetensors")
        .assert_status(0)
        .assert_stdout_has("false landmarks among 24");
    assert_eq!(predict("now.safetensors", ""), predict("unsure.safetensors", ""));
    predict("now.safetensors", "--sure");
    for (arguments, reason) in [
        ("calibrate unsure.safetensors --out x.safetensors", "--data"),
        ("calibrate unsure.safetensors --distractors castles/1.png --out x.safetensors", "too few"),
        ("calibrate unsure.safetensors --distractors castles --side 48 --out x.safetensors", "--data"),
    ] {
        sandbox.cairn(arguments).assert_status(1).assert_stderr_has(reason);
    }
    assert!(!sandbox.path("x.safetensors").exists());
}

#[test]
fn a_photo_comes_on_standard_input() {
    let sandbox = Sandbox::trained();
    let bytes = sandbox.read(PHOTO);
    let fed = sandbox.cairn_fed("predict - -m run --format json", &bytes);
    let by_name = sandbox.cairn(&format!("predict {PHOTO} -m run --format json"));
    let (fed, by_name) = (fed.assert_status(0).json(), by_name.assert_status(0).json());
    assert_eq!((&fed[0]["photo"], &fed[0]["landmarks"]), (&"-".into(), &by_name[0]["landmarks"]));
    sandbox.cairn_fed("suggest - -m run --threshold 0", &bytes).assert_status(0).assert_stdout_has("?\n");
    let empty = sandbox.cairn_fed("predict - -m run", b"");
    empty
        .assert_status(1)
        .assert_stdout_has("the file is empty")
        .assert_stderr_has("the photo could not be read");
    let text = sandbox.cairn_fed("suggest - -m run", b"text");
    text.assert_status(1).assert_stderr_has("the photo on standard input cannot be read");
}

#[test]
fn photos_are_listed_in_a_file_or_on_standard_input_by_lines_or_zeros() {
    let sandbox = Sandbox::trained();
    sandbox.copy(PHOTO, "a b.jpg");
    sandbox.copy(PHOTO, "two\nlines.jpg");
    let photos = |run: &crate::sandbox::Finished| -> Vec<String> {
        rows(&run.assert_status(0).stdout)
            .iter()
            .map(|row| row["photo"].as_str().unwrap().to_owned())
            .collect()
    };
    sandbox.file("list.txt", b"a b.jpg\r\n\nphotos/test/03.Dome/0000.jpg\n");
    let listed = sandbox.cairn("predict --files-from list.txt -m run --format jsonl");
    assert_eq!(photos(&listed), ["a b.jpg", "photos/test/03.Dome/0000.jpg"]);
    let zeros =
        sandbox.cairn_fed("predict --files-from - -m run --format jsonl", b"two\nlines.jpg\0a b.jpg\0");
    assert_eq!(photos(&zeros), ["two\nlines.jpg", "a b.jpg"]);
    for (arguments, reason) in [
        ("predict --files-from nowhere.txt -m run", "nowhere.txt: the list of photos cannot be read"),
        ("predict --files-from photos -m run", "it is a folder, not a file"),
        ("predict - --files-from - -m run", "not both"),
    ] {
        let run = sandbox.cairn(arguments);
        run.assert_status(1).assert_stderr_has(reason);
        assert!(!run.stderr.contains("os error"), "{run}");
    }
    sandbox
        .cairn_fed("predict --files-from - -m run", b"\n\n")
        .assert_status(1)
        .assert_stderr_has("no photos in -");
}

#[cfg(unix)]
#[test]
fn a_list_that_has_no_end_or_is_no_text_is_refused_with_its_line() {
    let sandbox = Sandbox::trained();
    sandbox.file("long.txt", &[b"a.jpg\n\n".to_vec(), vec![b'x'; 100_000]].concat());
    for (list, reason) in [
        ("/dev/zero", "/dev/zero: the list of photos cannot be read: it is a device, not a file"),
        ("long.txt", "line 3 is longer than 64 KiB"),
    ] {
        let run = sandbox.cairn(&format!("predict --files-from {list} -m run"));
        run.assert_status(1).assert_stderr_has(reason);
        assert_eq!(run.stdout, "");
    }
    let endless = sandbox.cairn_fed("predict --files-from - -m run", &vec![b'x'; 100_000]);
    endless.assert_status(1).assert_stderr_has("line 1 is longer");
    sandbox.file("cell.csv", &[b"path,label\na.jpg,\"".to_vec(), b"word\n".repeat(40_000)].concat());
    for verb in ["check", "stats"] {
        let run = sandbox.cairn(&format!("data {verb} cell.csv"));
        run.assert_status(1).assert_stderr_has("line 2: a cell is longer than 64 KiB");
    }
    // What shells write for <(find ...) is a pipe.
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path("pipe")).status().unwrap().success());
    let pipe = sandbox.path("pipe");
    let writer = std::thread::spawn(move || std::fs::write(pipe, format!("{PHOTO}\n")).unwrap());
    let piped = sandbox.cairn("predict --files-from pipe -m run --format jsonl");
    assert_eq!(rows(&piped.assert_status(0).stdout).len(), 1);
    writer.join().unwrap();
}

#[test]
fn a_photo_too_thin_for_any_network_gets_a_reason_as_in_data_check() {
    let sandbox = Sandbox::trained();
    let photo = image::RgbImage::from_pixel(300, 1, image::Rgb([120, 130, 140]));
    photo.save(sandbox.path("thin.png")).unwrap();
    let row = sandbox.cairn(&format!("predict thin.png {PHOTO} -m run --format json"));
    let rows = row.assert_status(2).json();
    assert_eq!(rows[0]["error"], "too thin: 300 x 1 pixels, of which no network can make anything");
    assert!(rows[1]["landmarks"].is_array());
    for verb in ["suggest thin.png -m run", "explain thin.png -m run -o x.png"] {
        sandbox.cairn(verb).assert_status(1).assert_stderr_has("thin.png: too thin");
    }
    std::fs::rename(sandbox.path("thin.png"), sandbox.path("photos/train/03.Dome/thin.png")).unwrap();
    sandbox.cairn("data check photos").assert_status(2).assert_stdout_has("too thin for any network: 1");
}

#[test]
fn a_landmark_has_one_name_in_every_output() {
    let sandbox = Sandbox::trained();
    let own = "[[place]]\nname = \"Old Light\"\nalso = [\"Pyramid\", \"Dome\", \"Lighthouse\", \"Windmill\"]\nkind = \"tower\"\n\
               latitude = 48.0\nlongitude = 2.0\nlocality = \"Here\"\ncountry = \"France\"\ncountry_code = \"FR\"\n";
    sandbox.file("own.toml", own.as_bytes());
    let predict = |options: &str| {
        let run = sandbox.cairn(&format!(
            "predict {PHOTO} photos/test/03.Dome -m run --places own.toml --threshold 0 {options}"
        ));
        run.assert_status(0);
        run
    };
    let row = &predict("--format json").json()[0]["landmarks"][0];
    assert_eq!(row["name"], "Old Light");
    assert_ne!(row["class"], "Old Light", "the class is as the model has it");
    predict("").assert_stdout_has("Old Light, Here, France").assert_stderr_has("Old Light, France");
    assert!(predict("--format csv").stdout.lines().nth(1).unwrap().contains(",Old Light,"));
    assert!(predict("--format jsonl --brief").stdout.contains("\"name\":\"Old Light\""));
    let suggest = sandbox.cairn(&format!("suggest {PHOTO} -m run --places own.toml --threshold 0"));
    suggest.assert_status(0).assert_stdout_has("Old Light");
}

#[test]
fn an_empty_folder_gives_data_without_rows() {
    let sandbox = Sandbox::trained();
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let predict = |format: &str| {
        let run = sandbox.cairn(&format!("predict empty -m run --format {format}"));
        run.assert_status(1).assert_stderr_has("no photos in empty");
        run.stdout
    };
    assert_eq!(serde_json::from_str::<Vec<Value>>(&predict("json")).unwrap(), Vec::<Value>::new());
    assert!(predict("csv").starts_with("photo,rank,class,") && predict("csv").lines().count() == 1);
    assert_eq!([predict("jsonl"), predict("table")], ["", ""]);
}

#[test]
fn skip_done_tries_mended_photos_again_and_mixes_no_rows_of_two_kinds() {
    let sandbox = Sandbox::trained();
    sandbox.file("photos/test/03.Dome/0000.jpg", b"text");
    let predict = |options: &str| sandbox.cairn(&format!("predict photos/test -m run {options}"));
    for options in ["--skip-done rows.jsonl", "--skip-done brief.jsonl --brief", "--skip-done rows.csv"] {
        predict(options).assert_status(2);
    }
    let again = |options: &str, to_do: usize| {
        predict(options).assert_stderr_has(&format!("done before, {to_do} to do"));
    };
    again("--skip-done rows.jsonl", 0);
    again("--skip-done brief.jsonl --brief", 1);
    sandbox.copy(PHOTO, "photos/test/03.Dome/0000.jpg");
    again("--skip-done rows.jsonl", 1);
    again("--skip-done brief.jsonl --brief", 1);
    again("--skip-done brief.jsonl --brief", 0);
    again("--skip-done rows.csv", 1);
    for (options, reason) in [
        ("--skip-done rows.jsonl --brief", "leave out --brief"),
        ("--skip-done brief.jsonl", "add --brief"),
        ("--skip-done rows.csv --brief", "leave out --brief"),
        ("--skip-done rows.jsonl --threshold 2", "use the same --threshold or --sure"),
        ("--skip-done rows.csv --threshold 2", "use the same --threshold or --sure"),
        ("--skip-done rows.jsonl -k 1", "use the same -k"),
        ("--skip-done rows.csv -k 2", "use the same -k"),
    ] {
        let file = options.split_whitespace().nth(1).unwrap();
        let before = sandbox.read(file);
        predict(options).assert_status(1).assert_stderr_has(reason);
        assert_eq!(sandbox.read(file), before, "{options}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_wait_for_input() {
    let sandbox = Sandbox::trained();
    assert!(std::process::Command::new("mkfifo").arg(sandbox.path("pipe")).status().unwrap().success());
    for arguments in
        ["predict --files-from pipe -m run", "sweep pipe --recipe sweep-initialisation", "train pipe"]
    {
        // SIGINT is ignored in tests that a shell runs in the background, and what is ignored stays so.
        let mut child = sandbox.spawn(arguments);
        std::thread::sleep(std::time::Duration::from_millis(400));
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(!child.wait().unwrap().success(), "{arguments}");
    }
}

#[test]
fn an_address_gets_advice_and_a_tilde_is_the_home_folder() {
    let sandbox = Sandbox::trained();
    let url = sandbox.cairn(&format!("predict https://example.org/a.jpg {PHOTO} -m run"));
    url.assert_status(2).assert_stdout_has("this is an address, not a file: download it first");
    let suggest = sandbox.cairn("suggest https://example.org/a.jpg -m run");
    suggest.assert_status(1).assert_stderr_has("download it first");
    let home = sandbox.path("photos").display().to_string();
    let tilde = sandbox.cairn_with("predict ~/test/03.Dome -m run --format jsonl", &[("HOME", &home)]);
    assert_eq!(rows(&tilde.assert_status(0).stdout).len(), TEST_PHOTOS);
}

#[test]
fn skip_done_adds_what_is_new_or_changed_and_mends_what_a_kill_left() {
    let sandbox = Sandbox::trained();
    for format in ["jsonl", "csv"] {
        let predict = |to_do: usize| {
            let run = sandbox.cairn(&format!("predict photos/test -m run --skip-done rows.{format}"));
            run.assert_status(0).assert_stderr_has(&format!("done before, {to_do} to do"));
            assert_eq!(run.stdout, "", "rows go to the file");
            String::from_utf8(sandbox.read(&format!("rows.{format}"))).unwrap()
        };
        let whole = predict(ALL);
        assert_eq!(whole.lines().count(), ALL + usize::from(format == "csv"));
        assert_eq!(predict(0), whole);
        // Half of the last row is there.
        let half = whole.len() - 25;
        sandbox.file(&format!("rows.{format}"), &whole.as_bytes()[..half]);
        // Its numbers may differ in the last digits: it is shown to the network without the others.
        let mended = predict(1);
        let end = whole[..half].rfind('\n').unwrap();
        assert!(mended.starts_with(&whole[..=end]) && mended.lines().count() == whole.lines().count());
        let whole = mended;
        // Another photo under a name that is done, and a new one.
        let changed = "photos/test/03.Dome/0000.jpg";
        let before = sandbox.read(changed);
        sandbox.copy(PHOTO, changed);
        sandbox.copy(PHOTO, "photos/test/03.Dome/new.jpg");
        let more = predict(2);
        assert!(more.starts_with(&whole) && more.lines().count() == whole.lines().count() + 2, "{more}");
        std::fs::remove_file(sandbox.path("photos/test/03.Dome/new.jpg")).unwrap();
        sandbox.file(changed, &before);
    }
    // Rows of another model are no rows of this one.
    sandbox.cairn("calibrate run --data photos --out other.safetensors").assert_status(0);
    let other = sandbox.cairn("predict photos/test -m other.safetensors --skip-done rows.csv");
    other.assert_status(0).assert_stderr_has("0 photos done before, 16 to do");
    for (arguments, reason) in [
        ("--skip-done tiny.toml", "--format jsonl or csv"),
        ("--skip-done tiny.toml --format jsonl", "give another file"),
        ("--skip-done rows.jsonl --format table", "jsonl or csv"),
        ("--skip-done nowhere/rows.jsonl", "nowhere/rows.jsonl: cannot be opened"),
    ] {
        let run = sandbox.cairn(&format!("predict photos/test -m run {arguments}"));
        run.assert_status(1).assert_stderr_has(reason);
    }
    assert_eq!(sandbox.read("tiny.toml"), crate::sandbox::RECIPE.as_bytes());
}

#[test]
fn brief_rows_are_small_and_rows_say_which_model_they_are_of() {
    let sandbox = Sandbox::trained();
    let brief = sandbox.cairn("predict photos/test -m run --format jsonl --brief");
    for row in rows(&brief.assert_status(0).stdout) {
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["latitude", "longitude", "name", "photo", "probability"]);
    }
    sandbox.cairn("predict photos/test -m run --brief").assert_status(1).assert_stderr_has("--format jsonl");
    let row = sandbox.cairn(&format!("predict {PHOTO} -m run --format json")).json();
    assert_eq!(row[0]["model"]["name"], "run");
    let digest = row[0]["model"]["digest"].as_str().unwrap();
    assert!(digest.starts_with("sha256:") && digest.len() == 7 + 16, "{digest}");
    assert_eq!(row[0]["bytes"], sandbox.read(PHOTO).len());
    let by_file = sandbox.cairn(&format!("predict {PHOTO} -m run/best.safetensors --format json")).json();
    assert_eq!(by_file[0]["model"]["digest"], digest);
}

/// The JPEG with an EXIF block that says where the camera was, in whole degrees north and east.
fn taken_at(jpeg: &[u8], north: u32, east: u32) -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let letter = |letter: u8| u32::from(letter);
    let degrees = |degrees: u32| [degrees, 1, 0, 1, 0, 1].map(u32::to_le_bytes).concat();
    let exif = [
        // The first directory begins at 8, that of GPS at 26, the two positions at 80 and 104.
        b"II*\0\x08\0\0\0".to_vec(),
        [&1_u16.to_le_bytes()[..], &entry(0x8825, 4, 1, 26), &[0; 4]].concat(),
        4_u16.to_le_bytes().to_vec(),
        entry(1, 2, 2, letter(b'N')),
        entry(2, 5, 3, 80),
        entry(3, 2, 2, letter(b'E')),
        entry(4, 5, 3, 104),
        vec![0; 4],
        degrees(north),
        degrees(east),
    ]
    .concat();
    let length = u16::try_from(2 + 6 + exif.len()).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xFF\xE1", &length, b"Exif\0\0", &exif, &jpeg[2..]].concat()
}

#[test]
fn a_photo_says_where_its_camera_was_and_how_far_that_is_from_the_landmark() {
    let sandbox = Sandbox::trained();
    let place = |name: &str| {
        format!(
            "[[place]]\nname = \"{name}\"\nkind = \"tower\"\nlatitude = 48.0\nlongitude = 2.0\n\
             locality = \"Here\"\ncountry = \"France\"\ncountry_code = \"FR\"\n"
        )
    };
    let places = ["Pyramid", "Dome", "Lighthouse", "Windmill"].map(place).concat();
    sandbox.file("own.toml", places.as_bytes());
    let jpeg = sandbox.read(PHOTO);
    sandbox.file("near.jpg", &taken_at(&jpeg, 48, 2));
    sandbox.file("far.jpg", &taken_at(&jpeg, 48, 3));
    let predict = |options: &str| {
        let run = sandbox.cairn(&format!("predict near.jpg far.jpg -m run --places own.toml {options}"));
        run.assert_status(0);
        run
    };
    let rows = predict("--threshold 0 --format json").json();
    assert_eq!(
        rows[0]["camera"],
        serde_json::json!({"latitude": 48.0, "longitude": 2.0, "distance_km": 0.0})
    );
    // A degree of longitude at 48 degrees north.
    let far = rows[1]["camera"]["distance_km"].as_f64().unwrap();
    assert!((far - 74.4).abs() < 0.1, "{far}");
    let table = predict("--threshold 0").stdout;
    assert_eq!(table.matches("but the camera was 74 km away").count(), 1, "{table}");
    predict("--threshold 0 -v").assert_stdout_has("camera at 48.0000 N, 2.0000 E, 0.0 km from it");
    let csv = predict("--threshold 0 --format csv").stdout;
    assert!(csv.lines().nth(1).unwrap().contains(",48,2,0,"), "{csv}");
    // Where no landmark is named there is nothing to be far from.
    let unnamed = predict("--threshold 9 --format json").json();
    assert!(unnamed[1]["camera"].get("distance_km").is_none(), "{unnamed}");
    let suggest = sandbox.cairn("suggest far.jpg -m run --places own.toml --threshold 0");
    suggest.assert_status(0).assert_stdout_has("74 km from it: too far away");
}

#[test]
fn the_number_of_threads_changes_no_row() {
    let sandbox = Sandbox::trained();
    let predict = |threads: usize| {
        let run = sandbox.cairn(&format!("predict photos/test -m run --format jsonl --threads {threads}"));
        run.assert_status(0).stdout.clone()
    };
    assert_eq!(predict(1), predict(3));
    sandbox.cairn("predict photos -m run --threads 0").assert_status(1).assert_stderr_has("--threads <N>");
}

#[test]
fn a_folder_where_a_file_is_wanted_is_said_in_plain_words() {
    let sandbox = Sandbox::trained();
    for arguments in [
        "suggest photos -m run",
        "predict photos/test --places photos -m run",
        "predict photos/test --files-from photos -m run",
        "import photos --net resnet18 --classes photos -o x.safetensors",
        "train photos --recipe photos",
    ] {
        let run = sandbox.cairn(arguments);
        run.assert_status(1).assert_stderr_has("folder");
        assert!(!run.stderr.contains("os error"), "{run}");
    }
}

#[cfg(unix)]
mod ended_early {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Command};
    use std::time::Duration;

    use super::*;

    fn signal(child: &Child, name: &str) {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    }

    #[test]
    fn ctrl_c_ends_with_whole_rows_of_what_is_done() {
        let sandbox = Sandbox::trained();
        let many = "photos ".repeat(40);
        for format in ["json", "jsonl"] {
            let mut child = sandbox.spawn(&format!("predict {many} -m run --format {format}"));
            let mut lines = BufReader::new(child.stdout.take().unwrap());
            let mut text = String::new();
            for _ in 0..2 {
                lines.read_line(&mut text).unwrap();
            }
            signal(&child, "-INT");
            lines.read_to_string(&mut text).unwrap();
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
            assert!(said.contains("interrupted: "), "{said}");
            let rows = match format {
                "json" => serde_json::from_str::<Vec<Value>>(&text).unwrap(),
                _ => rows(&text),
            };
            assert!(!rows.is_empty() && rows.len() < 40 * 16, "{}", rows.len());
        }
    }

    #[test]
    fn a_killed_run_leaves_whole_rows_and_the_next_one_goes_on() {
        let sandbox = Sandbox::trained();
        let predict = "predict photos/train photos/test -m run --skip-done rows.jsonl";
        let mut child = sandbox.spawn(predict);
        let length = || std::fs::metadata(sandbox.path("rows.jsonl")).map_or(0, |metadata| metadata.len());
        while length() == 0 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        signal(&child, "-KILL");
        child.wait().unwrap();
        let left = String::from_utf8(sandbox.read("rows.jsonl")).unwrap();
        let whole = left.rfind('\n').map_or("", |end| &left[..=end]);
        assert!(!rows(whole).is_empty());
        let all = CLASSES.len() * crate::sandbox::TRAIN_PHOTOS + ALL;
        sandbox.cairn(predict).assert_status(0);
        let now = String::from_utf8(sandbox.read("rows.jsonl")).unwrap();
        assert!(now.starts_with(whole));
        let photos: std::collections::BTreeSet<String> =
            rows(&now).iter().map(|row| row["photo"].as_str().unwrap().to_owned()).collect();
        assert_eq!((photos.len(), rows(&now).len()), (all, all));
    }
}
