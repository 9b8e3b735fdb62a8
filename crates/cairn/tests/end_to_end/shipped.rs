//! The model that comes with cairn.

use crate::sandbox::Sandbox;

const PHOTO: &str = "photos/test/08.Lighthouse/0000.jpg";

#[cfg(feature = "shipped")]
#[test]
fn without_a_model_named_it_is_the_one_that_comes_with_cairn() {
    let sandbox = Sandbox::new();
    let predict = sandbox.cairn(&format!("predict {PHOTO} -k 40 --format json"));
    let rows = predict.assert_status(0).json();
    assert!(rows[0]["is_landmark"].is_boolean() && rows[0]["landmark_score"].is_number(), "{rows}");
    let landmarks = rows[0]["landmarks"].as_array().unwrap();
    let tower = landmarks.iter().find(|landmark| landmark["name"] == "Eiffel Tower").unwrap();
    assert_eq!(tower["place"]["locality"], "Paris", "{tower}");
    for arguments in ["--model shipped", "-m shipped"] {
        let named = sandbox.cairn(&format!("predict {PHOTO} -k 40 --format json {arguments}"));
        assert_eq!(named.assert_status(0).json(), rows, "{arguments}");
    }
    let suggest = sandbox.cairn(&format!("suggest {PHOTO} --threshold=-9"));
    suggest.assert_status(0).assert_stdout_has("https://www.openstreetmap.org/?mlat=");
    sandbox.cairn(&format!("explain {PHOTO} -o heat.png")).assert_status(0);
    let similar = sandbox.cairn(&format!("similar {PHOTO} photos/test -k 1"));
    similar.assert_status(0).assert_stdout_has(PHOTO);
}

#[cfg(feature = "shipped")]
#[test]
fn another_model_is_named_by_option_or_environment_and_a_file_called_shipped_by_its_path() {
    let sandbox = Sandbox::trained();
    sandbox.copy("run/best.safetensors", "shipped");
    let predict = |options: &str, variables: &[(&str, &str)]| {
        let run = sandbox.cairn_with(&format!("predict {PHOTO} --format json {options}"), variables);
        let mut rows = run.assert_status(0).json();
        // Its name is that of its file; its digest is its own.
        rows[0]["model"].as_object_mut().unwrap().remove("name");
        rows
    };
    let own = predict("-m run", &[]);
    assert_eq!(predict("", &[("CAIRN_MODEL", "run")]), own);
    assert_eq!(predict("-m ./shipped", &[]), own);
    assert_ne!(predict("", &[]), own);
    assert_eq!(predict("-m shipped", &[("CAIRN_MODEL", "run")]), predict("", &[]));
}

#[cfg(feature = "shipped")]
#[test]
fn what_it_learns_goes_into_another_file() {
    let sandbox = Sandbox::new();
    let learn = format!("learn shipped --name Our_lighthouse {PHOTO}");
    for verb in [&learn, "forget shipped --name Our_lighthouse", "calibrate shipped --data photos"] {
        for (option, reason) in [("", "--out"), ("--in-place", "write the changed model with --out FILE")] {
            sandbox.cairn(&format!("{verb} {option}")).assert_status(1).assert_stderr_has(reason);
        }
    }
    sandbox
        .cairn(&format!("{learn} --out my.safetensors"))
        .assert_status(0)
        .assert_stderr_has("learned \"Our_lighthouse\" from 1 photo: my.safetensors");
    let predict = sandbox.cairn(&format!("predict {PHOTO} -m my.safetensors -k 1 --format csv"));
    predict.assert_status(0).assert_stdout_has("Our lighthouse");
}

#[cfg(feature = "shipped")]
#[test]
fn it_can_be_tested_and_written_in_other_formats_like_any_other() {
    let sandbox = Sandbox::new();
    sandbox.copy(PHOTO, "towers/12.Eiffel_Tower/0.jpg");
    sandbox.cairn("test shipped towers").assert_status(0).assert_stdout_has("accuracy");
    sandbox.cairn("test shipped towers --report report.html").assert_status(0);
    sandbox.cairn("export shipped --format onnx -o model.onnx").assert_status(0);
}

#[cfg(not(feature = "shipped"))]
#[test]
fn a_build_without_it_says_what_to_do() {
    let sandbox = Sandbox::new();
    for verb in ["predict", "suggest", "explain"] {
        sandbox
            .cairn(&format!("{verb} {PHOTO}"))
            .assert_status(1)
            .assert_stderr_has("--model FILE")
            .assert_stderr_has("feature `shipped`");
    }
}
