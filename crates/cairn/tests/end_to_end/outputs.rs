//! Output files: named alike by all verbs, never replaced unless asked to, never one of the inputs.

use crate::sandbox::Sandbox;

const PHOTO: &str = "photos/test/03.Dome/0000.jpg";

/// A sandbox with a run, and what else the verbs need.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::trained();
    sandbox.cairn("calibrate run --data photos -o calibrated.safetensors").assert_status(0);
    sandbox
        .cairn(&format!("learn calibrated.safetensors --name Mill {PHOTO} -o learned.safetensors"))
        .assert_status(0);
    sandbox.file("names.txt", b"Pyramid\nDome\nLighthouse\nWindmill\n");
    sandbox
}

/// Every verb that writes files, without its `-o`, and what its output is called.
fn verbs() -> Vec<(String, &'static str)> {
    [
        ("data show photos --recipe tiny.toml -n 4".to_owned(), "montage.png"),
        ("data split photos/train".to_owned(), "parts.csv"),
        ("test run photos --json".to_owned(), "report.html"),
        (format!("explain {PHOTO} -m run"), "heat.png"),
        ("export run --format onnx".to_owned(), "model.onnx"),
        ("export run --format safetensors".to_owned(), "hub"),
        ("lr-find photos --recipe tiny.toml --batches 8".to_owned(), "rates.png"),
        ("runs compare run".to_owned(), "curves.svg"),
        ("calibrate run --data photos".to_owned(), "c.safetensors"),
        (format!("learn calibrated.safetensors --name Mill {PHOTO}"), "l.safetensors"),
        ("forget learned.safetensors --name Mill".to_owned(), "f.safetensors"),
        (
            "import run/best.safetensors --net three-conv --classes names.txt --resize 36 --crop 32"
                .to_owned(),
            "i.safetensors",
        ),
        ("man".to_owned(), "pages"),
    ]
    .into()
}

/// The output's file, or one of those in its folder.
fn file_of(output: &str) -> String {
    match output {
        "hub" => "new/hub/model.safetensors".to_owned(),
        "pages" => "new/pages/cairn.1".to_owned(),
        file => format!("new/{file}"),
    }
}

#[test]
fn every_verb_keeps_a_file_that_exists_unless_forced_and_makes_the_folder() {
    let sandbox = sandbox();
    for (verb, output) in verbs() {
        let file = file_of(output);
        sandbox.cairn(&format!("{verb} -o new/{output}")).assert_status(0);
        assert!(sandbox.path(&file).is_file(), "{verb}");
        sandbox.file(&file, b"mine");
        let again = sandbox.cairn(&format!("{verb} --out new/{output}"));
        again.assert_status(1).assert_stderr_has("--force").assert_stderr_has(&format!("new/{output}"));
        assert_eq!(again.stdout, "", "nothing is done before it is known: {again}");
        assert_eq!(sandbox.read(&file), b"mine", "{verb}");
        sandbox.cairn(&format!("{verb} --out new/{output} --force")).assert_status(0);
        assert_ne!(sandbox.read(&file), b"mine", "{verb}");
    }
}

#[test]
fn no_verb_writes_onto_what_it_reads() {
    let sandbox = sandbox();
    sandbox.copy(PHOTO, "a.jpg");
    std::fs::hard_link(sandbox.path("a.jpg"), sandbox.path("hard.jpg")).unwrap();
    let mut spellings = vec!["a.jpg", "./a.jpg", "photos/../a.jpg", "hard.jpg"];
    if cfg!(unix) {
        #[cfg(unix)]
        std::os::unix::fs::symlink("a.jpg", sandbox.path("soft.jpg")).unwrap();
        spellings.push("soft.jpg");
    }
    let mut cases: Vec<(String, &str)> = Vec::new();
    for spelling in spellings {
        cases.push((format!("explain a.jpg -m run -o {spelling}"), "a.jpg"));
        cases.push((format!("explain a.jpg -m run -o heat.png --raw {spelling}"), "a.jpg"));
        cases.push((format!("learn calibrated.safetensors --name X a.jpg -o {spelling}"), "a.jpg"));
    }
    cases.extend([
        (format!("data show photos --recipe tiny.toml -o {PHOTO}"), PHOTO),
        (format!("calibrate run --data photos -o {PHOTO}"), PHOTO),
        ("calibrate run --data photos -o run/best.safetensors".to_owned(), "run/best.safetensors"),
        (format!("learn learned.safetensors --name Mill {PHOTO} -o learned.safetensors"), "learned.safetensors"),
        ("forget learned.safetensors --name Mill -o ./learned.safetensors".to_owned(), "learned.safetensors"),
        ("export run --format bundle -o run/best.safetensors".to_owned(), "run/best.safetensors"),
        (
            "import run/best.safetensors --net three-conv --classes names.txt --resize 36 --crop 32 -o names.txt"
                .to_owned(),
            "names.txt",
        ),
    ]);
    for (arguments, input) in cases {
        let before = sandbox.read(input);
        for force in ["", " --force"] {
            let run = sandbox.cairn(&format!("{arguments}{force}"));
            run.assert_status(1).assert_stderr_has("is the same file as the input");
            assert_eq!(run.stdout, "", "{run}");
            assert!(sandbox.read(input) == before, "{run}");
        }
    }
}

#[test]
fn a_landmark_learned_before_is_kept_when_another_is_learned_into_the_same_file() {
    let sandbox = sandbox();
    let learn = |name: &str, options: &str| {
        sandbox.cairn(&format!(
            "learn calibrated.safetensors --name {name} {PHOTO} -o own.safetensors {options}"
        ))
    };
    learn("First", "").assert_status(0);
    learn("Second", "")
        .assert_status(1)
        .assert_stderr_has("own.safetensors: exists")
        .assert_stderr_has("--force");
    let predict =
        |model: &str| sandbox.cairn(&format!("predict {PHOTO} -m {model} -k 9 --format json")).json();
    assert!(predict("own.safetensors").to_string().contains("First"));
    // In place, both are kept.
    sandbox.cairn(&format!("learn own.safetensors --name Second {PHOTO} --in-place")).assert_status(0);
    let both = predict("own.safetensors").to_string();
    assert!(both.contains("First") && both.contains("Second"), "{both}");
}

#[test]
fn one_photo_or_copies_of_one_are_learned_with_a_warning() {
    let sandbox = sandbox();
    sandbox.copy(PHOTO, "copies/1.jpg");
    sandbox.copy(PHOTO, "copies/2.jpg");
    let learn = |photos: &str| {
        let run = sandbox
            .cairn(&format!("learn calibrated.safetensors --name X {photos} -o x.safetensors --force"));
        run.assert_status(0).stderr.clone()
    };
    assert!(learn("copies/1.jpg").contains("warning: this is one photo"));
    assert!(learn("copies").contains("warning: these 2 photos are copies of one"));
    assert!(!learn("photos/test/03.Dome").contains("warning"));
}

#[test]
fn an_output_is_checked_before_the_work_and_what_is_no_file_is_refused() {
    let sandbox = sandbox();
    std::fs::create_dir(sandbox.path("folder.png")).unwrap();
    let explain = format!("explain {PHOTO} -m run");
    for (arguments, reason) in [
        (format!("{explain} -o folder.png"), "folder.png: is a folder"),
        (format!("{explain} -o tiny.toml/heat.png"), "tiny.toml/heat.png: cannot be written"),
        (format!("{explain} -o heat.gif"), "ends in .png, .jpg, .jpeg or .webp"),
        (format!("{explain} -o heat"), "ends in .png, .jpg, .jpeg or .webp"),
        (format!("{explain} -o same.png --raw same.png"), "same.png: is named for two outputs"),
        ("lr-find photos --recipe tiny.toml -o rates.jpg".to_owned(), "must end in .png or .svg"),
        ("runs compare run -o curves".to_owned(), "must end in .png or .svg"),
        ("test run photos -o tiny.toml/report.html".to_owned(), "tiny.toml/report.html: cannot be written"),
    ] {
        let run = sandbox.cairn(&arguments);
        run.assert_status(1).assert_stderr_has(reason);
        assert_eq!(run.stdout, "", "{run}");
    }
    #[cfg(unix)]
    sandbox.cairn(&format!("{explain} -o /dev/null")).assert_status(1);
    #[cfg(target_os = "linux")]
    sandbox
        .cairn(&format!("learn calibrated.safetensors --name X {PHOTO} -o /proc/cairn/x.safetensors"))
        .assert_status(1)
        .assert_stderr_has("/proc/cairn/x.safetensors: cannot be written");
}

#[test]
fn a_picture_is_what_its_name_ends_in_and_the_usual_name_is_the_first_that_is_free() {
    let sandbox = Sandbox::trained();
    let explain = |options: &str| {
        sandbox.cairn(&format!("explain {PHOTO} -m run {options}")).assert_status(0).stderr.clone()
    };
    for (file, magic) in
        [("heat.png", &b"\x89PNG"[..]), ("heat.jpg", b"\xff\xd8\xff"), ("heat.webp", b"RIFF")]
    {
        explain(&format!("-o {file}"));
        assert!(sandbox.read(file).starts_with(magic), "{file}");
    }
    assert!(explain("").contains(": 0000-explained.png"));
    let first = sandbox.read("0000-explained.png");
    assert!(explain("").contains(": 0000-explained-2.png"));
    assert!(sandbox.read("0000-explained.png") == first);
}
