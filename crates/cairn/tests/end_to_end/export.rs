//! Models in other formats.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn an_onnx_model_is_verified_and_written_and_what_is_there_stays_unless_forced() {
    let sandbox = Sandbox::trained();
    let export = "export run --format onnx -o out/model.onnx";
    let verified =
        sandbox.cairn(&format!("{export} --verify photos/test/03.Dome photos/test/11.Windmill/0001.jpg"));
    verified
        .assert_status(0)
        .assert_stderr_has("verified on 5 photos")
        .assert_stderr_has("wrote out/model.onnx");
    assert_eq!(verified.stdout, "");
    let uint8 = sandbox.read("out/model.onnx");
    sandbox.cairn(&format!("{export} --input float")).assert_status(1).assert_stderr_has("out/model.onnx");
    assert!(sandbox.read("out/model.onnx") == uint8);
    sandbox.cairn(&format!("{export} --input float --force")).assert_status(0);
    assert!(sandbox.read("out/model.onnx") != uint8);
}

#[test]
fn fewer_bits_make_smaller_files_and_eight_say_what_they_cost() {
    let sandbox = Sandbox::trained();
    for (format, file) in [("onnx", "model.onnx"), ("torchscript", "model.pt")] {
        let exported = |option: &str| {
            let file = format!("whole{option}-{file}");
            let run = sandbox.cairn(&format!("export run --format {format} -o {file} {option}"));
            run.assert_status(0);
            (sandbox.read(&file).len(), run.stdout)
        };
        let [(whole, _), (half, _), (int8, printed)] = ["", "--half", "--int8"].map(exported);
        assert!(int8 < half && half < whole, "{int8}, {half} and {whole} bytes");
        // The run's own test photos, without being asked for them.
        let json = sandbox.cairn("test run photos --json --precision f32").json();
        let before = format!("({}/{}) -> ", json["correct"], json["total"]);
        assert!(printed.starts_with("accuracy: ") && printed.contains(&before), "{printed}");
        assert!(printed.ends_with(" points\n"), "{printed}");
    }
    let model = "run/best.safetensors";
    let elsewhere = sandbox.cairn(&format!("export {model} --format onnx -o b.onnx --int8"));
    elsewhere.assert_status(0).assert_stderr_has("--test DIR");
    let named = sandbox.cairn(&format!("export {model} --format onnx -o c.onnx --int8 --test photos/test"));
    named.assert_status(0).assert_stdout_has("accuracy: ");
}

#[test]
fn what_is_left_out_of_a_test_is_named_once_though_two_models_are_tested() {
    let sandbox = Sandbox::trained();
    sandbox.file("photos/test/03.Dome/notes.txt", b"said");
    sandbox.file("photos/test/03.Dome/broken.jpg", b"text");
    for option in ["--half", "--int8"] {
        let run =
            sandbox.cairn(&format!("export run --format onnx -o m.onnx --test photos --force {option}"));
        run.assert_status(2).assert_stdout_has(" points");
        assert_eq!(run.stderr.matches("skipped ").count(), 1, "{run}");
        assert_eq!(run.stderr.matches("left out: ").count(), 1, "{run}");
    }
}

#[test]
fn a_folder_for_hubs_says_in_cairn_what_the_run_says_and_has_its_figures() {
    let sandbox = Sandbox::trained();
    let export = sandbox.cairn("export run --format safetensors -o hub");
    export.assert_status(0).assert_stdout_has("accuracy: ");
    // The folder is opened as its weights are.
    for model in ["hub", "hub/model.safetensors"] {
        sandbox.cairn(&format!("predict photos/test/03.Dome -m {model}")).assert_status(0);
    }
    // The last column names the model.
    let predict = |model: &str| -> Vec<String> {
        let rows = sandbox.cairn(&format!("predict photos/test -m {model} --format csv"));
        rows.assert_status(0);
        rows.stdout.lines().filter_map(|row| Some(row.rsplit_once(',')?.0.to_owned())).collect()
    };
    assert_eq!(predict("hub/model.safetensors"), predict("run"));
    let card = String::from_utf8(sandbox.read("hub/README.md")).unwrap();
    assert!(card.starts_with("---\n") && card.contains("16 test photos of `photos`"), "{card}");
    assert!(!sandbox.read("hub/config.json").is_empty());
    sandbox
        .cairn("export run --format safetensors -o hub")
        .assert_status(1)
        .assert_stderr_has("hub/model.safetensors: exists");
}

#[test]
fn a_photo_that_cannot_be_read_is_named_and_no_photo_at_all_is_an_error() {
    let sandbox = Sandbox::trained();
    sandbox.file("bad/photo.jpg", b"no photo");
    fs::create_dir(sandbox.path("empty")).unwrap();
    let export = "export run --format onnx -o model.onnx --verify";
    for photos in ["bad", "empty"] {
        sandbox.cairn(&format!("{export} {photos}")).assert_status(1);
        assert!(!sandbox.path("model.onnx").exists(), "what was not verified is not written");
    }
    let some = sandbox.cairn(&format!("{export} bad photos/test/03.Dome"));
    some.assert_status(2).assert_stderr_has("bad/photo.jpg").assert_stderr_has("verified on 4 photos");
    assert!(sandbox.path("model.onnx").is_file());
}

#[test]
fn a_bundle_in_16_bits_is_a_model_of_little_more_than_half_the_size_that_says_the_same() {
    let sandbox = Sandbox::trained();
    let export = sandbox.cairn("export run --format bundle --half -o half.safetensors");
    export.assert_status(0).assert_stderr_has("wrote half.safetensors");
    let [half, whole] = ["half.safetensors", "run/best.safetensors"].map(|file| sandbox.read(file).len());
    assert!(half * 10 < whole * 6, "{half} of {whole} bytes");
    let accuracy = |model: &str| {
        sandbox.cairn(&format!("test {model} photos --json")).assert_status(0).json()["correct"].clone()
    };
    assert_eq!(accuracy("half.safetensors"), accuracy("run"));
    sandbox
        .cairn("export run --format bundle -o half.safetensors")
        .assert_status(1)
        .assert_stderr_has("half.safetensors: exists");
}

#[test]
fn a_bundle_in_8_bits_says_what_it_costs_and_answers_in_8_bits() {
    let sandbox = Sandbox::trained();
    let export = sandbox.cairn("export run --format bundle --int8 -o int8.safetensors");
    // Its run names the data set, whose training photos calibrate and whose validation photos are held to.
    export
        .assert_status(0)
        .assert_stdout_has("accuracy on validation photos: ")
        .assert_stderr_has("activations measured on ")
        .assert_stderr_has("wrote int8.safetensors");
    let [int8, whole] = ["int8.safetensors", "run/best.safetensors"].map(|file| sandbox.read(file).len());
    assert!(int8 * 10 < whole * 6, "{int8} of {whole} bytes");
    let rows = |options: &str| {
        let run = sandbox.cairn(&format!("predict photos/test -m int8.safetensors --format csv {options}"));
        run.assert_status(0);
        run.stdout
    };
    assert_eq!(rows(""), rows("--threads 1"));
    assert_ne!(rows(""), rows("--precision f32"), "floats are there for who asks");
    // Other verbs open it as any model.
    let json = sandbox.cairn("test int8.safetensors photos --json").assert_status(0).json();
    assert_eq!(json["total"], 16);
    sandbox.cairn("explain photos/test/03.Dome/0000.jpg -m int8.safetensors -o map.png").assert_status(0);
    sandbox.cairn("export int8.safetensors --format onnx -o model.onnx").assert_status(0);
}

#[test]
fn a_bundle_in_8_bits_is_calibrated_on_any_photos_and_on_none_it_says_so() {
    let sandbox = Sandbox::trained();
    let export = "export run/best.safetensors --format bundle --int8 --force -o int8.safetensors";
    sandbox.cairn(export).assert_status(1).assert_stderr_has("--calibration DIR");
    // A folder of photos without labels, one of which is broken.
    sandbox.copy("photos/test/03.Dome/0000.jpg", "some/dome.jpg");
    sandbox.file("some/broken.jpg", b"text");
    let run = sandbox.cairn(&format!("{export} --calibration some"));
    run.assert_status(2)
        .assert_stderr_has("some/broken.jpg")
        .assert_stderr_has("activations measured on 1 photos")
        .assert_stderr_has("accuracy not measured");
    let tested = sandbox.cairn(&format!("{export} --calibration photos --test photos"));
    tested
        .assert_status(0)
        .assert_stdout_has("accuracy on validation photos: ")
        .assert_stdout_has("\naccuracy: ");
    sandbox.file("none/notes.txt", b"text");
    sandbox.cairn(&format!("{export} --calibration none")).assert_status(1).assert_stderr_has("no photo");
}
