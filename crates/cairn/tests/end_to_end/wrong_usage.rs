//! Wrong arguments end with status 1, a reason on standard error, and nothing on standard output.

use crate::sandbox::{RECIPE, Sandbox};

/// Arguments, and what standard error must say.
type Case = (&'static str, &'static [&'static str]);

#[track_caller]
fn assert_refused(sandbox: &Sandbox, cases: &[Case]) {
    for (arguments, reasons) in cases {
        let run = sandbox.cairn(arguments);
        run.assert_status(1);
        assert_eq!(run.stdout, "", "{run}");
        for reason in *reasons {
            run.assert_stderr_has(reason);
        }
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
}

#[test]
fn arguments_that_make_no_sense_show_the_usage() {
    assert_refused(
        &Sandbox::new(),
        &[
            ("", &["Usage: cairn"]),
            ("fly", &["unrecognized subcommand 'fly'", "Usage: cairn"]),
            ("train", &["DIR", "Usage: cairn train"]),
            ("train photos --epochs many", &["invalid value 'many'"]),
            ("train photos --device gpu", &["`gpu` is not a device", "cuda:0"]),
            ("train photos --recipe tiny.toml --resume run", &["cannot be used with", "Usage: cairn train"]),
            ("test run", &["DIR", "Usage: cairn test"]),
            ("predict -m run", &["PHOTO|DIR", "Usage: cairn predict"]),
            ("predict photos -m run --threads 0", &["invalid value '0'"]),
            ("predict photos -m run --format xml", &["invalid value 'xml'", "jsonl"]),
            ("data", &["Usage: cairn data"]),
            ("data show photos", &["--out", "Usage: cairn data show"]),
            ("export run -o model.onnx", &["--format", "Usage: cairn export"]),
            ("export run --format onnx", &["--out", "Usage: cairn export"]),
            ("export run --format coreml -o x", &["invalid value 'coreml'", "torchscript"]),
            ("export run --format onnx -o x --half --int8", &["cannot be used with"]),
            ("export run --format torchscript -o x --input float", &["--input is for ONNX"]),
            ("export run --format torchscript -o x --verify a.jpg", &["--verify runs ONNX models only"]),
            ("export run --format safetensors -o x --int8", &["--int8 is for bundles", "--half"]),
            ("export run --format onnx -o x --int8 --calibration photos", &["--format bundle"]),
            ("export run --format bundle -o x --calibration photos", &["--int8", "Usage: cairn export"]),
            ("bench train --precision int8", &["no precision is called `int8`"]),
            ("completions cmd", &["invalid value 'cmd'", "bash"]),
        ],
    );
}

#[test]
fn a_recipe_that_is_none_says_why() {
    let sandbox = Sandbox::new();
    let recipe = |name: &str, from: &str, to: &str| {
        assert!(RECIPE.contains(from), "{from}");
        sandbox.file(name, RECIPE.replace(from, to).as_bytes());
    };
    recipe("architecture.toml", "three-conv", "seven-conv");
    recipe("key.toml", "epochs =", "epcohs =");
    recipe("range.toml", "dropout = 0.25", "dropout = 1.5");
    recipe("sizes.toml", "size = 32", "size = 40");
    recipe("toml.toml", "[network]", "[network");
    assert_refused(
        &sandbox,
        &[
            ("train photos --recipe qiuck", &["`qiuck`", "quick", "system-a-scratch", "system-c-scratch"]),
            ("train photos --recipe architecture.toml", &["architecture.toml", "seven-conv", "six-conv"]),
            ("train photos --recipe key.toml", &["key.toml", "epcohs"]),
            ("train photos --recipe range.toml", &["dropout", "1.5"]),
            ("train photos --recipe sizes.toml", &["40 x 40", "32 x 32"]),
            ("train photos --recipe toml.toml", &["toml.toml"]),
            ("train photos --recipe tiny.toml --device cuda:99", &["cuda"]),
            ("train photos --recipe tiny.toml --epochs 0", &["epochs is 0"]),
            ("train photos --recipe tiny.toml --minutes=-1", &["training.minutes is -1"]),
            ("train photos --recipe tiny.toml --batch 0", &["batch is 0"]),
            ("data show photos -o x.png --recipe qiuck", &["`qiuck`"]),
        ],
    );
    assert!(!sandbox.path("runs").exists(), "no run folder is made for a training that cannot be");
}

#[test]
fn a_data_set_that_is_none_says_why() {
    let sandbox = Sandbox::trained();
    sandbox.file("flat/train/photo.jpg", b"");
    sandbox.file("empty/train/a/notes.txt", b"");
    sandbox.copy("photos/test/03.Dome/0000.jpg", "strange/99.Volcano/0000.jpg");
    std::fs::create_dir(sandbox.path("nothing")).unwrap();
    assert_refused(
        &sandbox,
        &[
            ("train nowhere", &["nowhere"]),
            ("train flat --recipe tiny.toml", &["flat/train"]),
            ("train empty --recipe tiny.toml", &["empty/train"]),
            ("train tiny.toml", &["tiny.toml"]),
            ("test run nowhere", &["nowhere"]),
            ("test run strange", &["99.Volcano"]),
            ("data check nowhere", &["nowhere"]),
            ("data stats nowhere", &["nowhere"]),
            ("data show nowhere -o x.png", &["nowhere"]),
            ("predict nothing -m run", &["no photos in nothing"]),
        ],
    );
}

#[test]
fn a_model_that_is_none_says_why() {
    let sandbox = Sandbox::trained();
    let whole = sandbox.read("run/best.safetensors");
    sandbox.file("half.safetensors", &whole[..whole.len() / 2]);
    for (format, file) in [("onnx", "model.onnx"), ("torchscript", "model.pt")] {
        sandbox.cairn(&format!("export run --format {format} -o {file}")).assert_status(0);
    }
    // A whole safetensors file with one tensor and no description.
    let header = br#"{"fc.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}    "#;
    sandbox.file("plain.safetensors", &[&(header.len() as u64).to_le_bytes(), &header[..], &[0; 8]].concat());
    assert_refused(
        &sandbox,
        &[
            ("predict photos/test -m nowhere", &["nowhere: no model here"]),
            ("predict photos/test -m photos", &["photos", "best.safetensors"]),
            ("predict photos/test -m model.onnx", &["model.onnx: an ONNX model", "exported from"]),
            ("predict photos/test -m model.pt", &["model.pt: a file of PyTorch", "cairn import"]),
            (
                "predict photos/test -m half.safetensors",
                &["half.safetensors", "damaged or incomplete model file"],
            ),
            ("predict photos/test -m plain.safetensors", &["plain.safetensors", "not a cairn model"]),
            ("test tiny.toml photos", &["tiny.toml", "damaged or incomplete model file"]),
            ("suggest photos/test/03.Dome/0000.jpg -m nowhere", &["nowhere"]),
            ("predict photos/test -m run -k 0", &["-k 0"]),
            ("export nowhere --format onnx -o model.onnx", &["nowhere: no model here"]),
            ("suggest nowhere.jpg -m run", &["nowhere.jpg"]),
        ],
    );
}

#[test]
fn a_run_that_is_there_is_never_written_over() {
    let sandbox = Sandbox::trained();
    let before = sandbox.read("run/best.safetensors");
    assert_refused(
        &sandbox,
        &[
            ("train photos --recipe tiny.toml --out run", &["run: already holds files", "--resume run"]),
            ("train photos --recipe tiny.toml --out photos", &["photos: already holds files"]),
            ("train --resume nowhere", &["nowhere: not a run folder"]),
            ("train --resume photos", &["photos: not a run folder"]),
        ],
    );
    assert!(sandbox.read("run/best.safetensors") == before);
}
