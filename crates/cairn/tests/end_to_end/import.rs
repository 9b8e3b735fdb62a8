//! Weights from elsewhere: to begin a training with, and as models of their own.

use std::path::Path;

use cairn_model::Model;
use cairn_nets::StateDict;
use cairn_nets::weights::read_weights;
use cairn_reference::python_with;
use serde_json::Value;

use crate::sandbox::Sandbox;

const PHOTO: &str = "photos/test/08.Lighthouse/0000.jpg";
const NAMES: &str = "Zebra\nArc\nOld_Bridge\n";

#[test]
fn an_imported_model_predicts_what_pytorch_predicts() {
    let Some(python) = python_with(&["torch", "torchvision", "PIL"]) else { return };
    let sandbox = Sandbox::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/import_reference.py");
    let expected = python.run(&script, &[sandbox.path("").as_ref(), sandbox.path(PHOTO).as_ref()]);
    let expected: Vec<f64> = serde_json::from_str(&expected).unwrap();
    sandbox.file("names.txt", NAMES.as_bytes());
    for file in ["state_dict.pth", "scripted.pt"] {
        let import = format!("import {file} --net resnet18 --classes names.txt -o {file}.safetensors");
        sandbox.cairn(&import).assert_status(0);
        let predict = format!("predict {PHOTO} -m {file}.safetensors -k 3 --format json --precision f32");
        let found = sandbox.cairn(&predict).assert_status(0).json();
        for (class, expected) in NAMES.lines().zip(&expected) {
            let landmarks = found[0]["landmarks"].as_array().unwrap();
            let landmark = landmarks.iter().find(|landmark| landmark["class"] == class).unwrap();
            let probability = landmark["probability"].as_f64().unwrap();
            // Photos are resized to within a level of Pillow's, not to the bit.
            assert!(
                (probability - expected).abs() < 5e-3,
                "{file}, {class}: {probability}, PyTorch {expected}"
            );
        }
    }
}

#[test]
fn a_model_of_ones_own_survives_being_imported() {
    let sandbox = Sandbox::trained();
    // Not sorted: the names stand in the order of the logits, whatever they are.
    sandbox.file("names.txt", b"Zebra\nDome\nArc\nOther\n");
    let mean_std = |name: &str| -> String {
        let toml = String::from_utf8(sandbox.read("run/recipe.toml")).unwrap();
        let table: toml::Table = toml.parse().unwrap();
        let figures = table["photos"]["normalisation"][name].as_array().unwrap().clone();
        figures.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let import = format!(
        "import run/best.safetensors --net three-conv --classes names.txt --resize 36 --crop 32 -o mine.safetensors \
         --mean {} --std {}",
        mean_std("mean"),
        mean_std("std")
    );
    sandbox.cairn(&import).assert_status(0);
    let probabilities = |model: &str| -> Vec<Value> {
        let found = sandbox.cairn(&format!("predict {PHOTO} -m {model} -k 4 --format json")).json();
        let landmarks = found[0]["landmarks"].as_array().unwrap().clone();
        landmarks.iter().map(|landmark| landmark["class"].clone()).collect()
    };
    let names = ["Zebra", "Dome", "Arc", "Other"];
    let folders = ["00.Pyramid", "03.Dome", "08.Lighthouse", "11.Windmill"];
    let renamed = |class: &Value| names[folders.iter().position(|folder| class == folder).unwrap()];
    let original: Vec<&str> = probabilities("run").iter().map(renamed).collect();
    assert_eq!(probabilities("mine.safetensors"), original);
    sandbox.cairn(&import).assert_status(1).assert_stderr_has("mine.safetensors: exists");
}

#[test]
fn weights_and_names_that_do_not_go_together_are_refused_by_name() {
    let sandbox = Sandbox::trained();
    sandbox.file("names.txt", NAMES.as_bytes());
    let import =
        |net: &str| format!("import run/best.safetensors --net {net} --classes names.txt -o out.safetensors");
    sandbox
        .cairn(&import("three-conv"))
        .assert_status(1)
        .assert_stderr_has("4 outputs, but there are 3 class names");
    sandbox.file("names.txt", b"A\nB\nA\n");
    sandbox.cairn(&import("three-conv")).assert_status(1).assert_stderr_has("line 3 names `A` again");
    sandbox.cairn(&import("resnet99")).assert_status(1).assert_stderr_has("resnet99");
    assert!(!sandbox.path("out.safetensors").exists());
}

#[test]
fn a_training_begins_with_the_weights_in_a_file_and_says_what_became_of_the_last_layer() {
    let sandbox = Sandbox::trained();
    sandbox
        .cairn("train photos --recipe tiny.toml --weights run/best.safetensors --epochs 1 --out again")
        .assert_status(0)
        .assert_stderr_has("began with the given weights");
    sandbox
        .cairn("train photos --recipe tiny.toml --weights missing.pth --out none")
        .assert_status(1)
        .assert_stderr_has("missing.pth");
    assert!(!sandbox.path("none").exists());
}

#[test]
fn a_training_may_begin_between_given_weights_and_what_another_training_made_of_them() {
    let sandbox = Sandbox::trained();
    let train = |options: &str| sandbox.cairn(&format!("train photos --epochs 1 {options}"));
    train("--recipe tiny.toml --weights run/best.safetensors --out tuned").assert_status(0);
    let tiny = String::from_utf8(sandbox.read("tiny.toml")).unwrap();
    let blend = "[network]\nblend = { with = \"tuned\", share = 0.25 }";
    let recipe = tiny.replace("[network]", blend) + "\n[fine_tune]\ntrain = \"head\"\n";
    sandbox.file("blend.toml", recipe.as_bytes());

    train("--recipe blend.toml --out none").assert_status(1).assert_stderr_has("--weights");
    assert!(!sandbox.path("none").exists());
    train("--recipe blend.toml --weights run/best.safetensors --out blended").assert_status(0);
    let [first, tuned, blended] = ["run", "tuned", "blended"]
        .map(|run| read_weights(sandbox.path(&format!("{run}/best.safetensors")), None).unwrap().weights);
    let values = |weights: &StateDict| weights.values("conv1.weight").unwrap().to_vec();
    for ((first, tuned), blended) in values(&first).into_iter().zip(values(&tuned)).zip(values(&blended)) {
        assert!((blended - (0.75 * first + 0.25 * tuned)).abs() < 1e-6, "{blended}: {first}, {tuned}");
    }
    assert_ne!(values(&first), values(&tuned));
}

/// The weights of the sandbox's model, every name with `prefix` before it, and a tensor of a loss.
fn prefixed(sandbox: &Sandbox, prefix: &str) -> Vec<u8> {
    let weights = read_weights(sandbox.path("run/best.safetensors"), None).unwrap().weights;
    let mut given = StateDict::default();
    for (name, shape) in weights.shapes() {
        given.insert(&format!("{prefix}{name}"), shape, weights.values(name).unwrap().to_vec());
    }
    given.insert("criterion.weight", &[3], vec![1.0; 3]);
    given.to_safetensors("format", "pt".to_owned()).unwrap()
}

#[test]
fn a_prefix_of_all_names_is_taken_off_and_what_is_beside_the_network_is_listed() {
    let sandbox = Sandbox::trained();
    sandbox.file("names.txt", b"A\nB\nC\nD\n");
    sandbox.file("theirs.safetensors", &prefixed(&sandbox, "model.inner."));
    let import = "import theirs.safetensors --net three-conv --classes names.txt --resize 36 --crop 32";
    sandbox
        .cairn(&format!("{import} -o mine.safetensors"))
        .assert_status(0)
        .assert_stderr_has("`model.inner.`")
        .assert_stderr_has("ignored: criterion.weight");
    sandbox
        .cairn("train photos --recipe tiny.toml --weights theirs.safetensors --epochs 1 --out again")
        .assert_status(0)
        .assert_stderr_has("`model.inner.`")
        .assert_stderr_has("ignored: criterion.weight")
        .assert_stderr_has("began with the given weights");
    // A key that names the module does the same; one that names nothing is an error.
    sandbox.cairn(&format!("{import} -o again.safetensors --key model.inner")).assert_status(0);
    sandbox
        .cairn(&format!("{import} -o none.safetensors --key student"))
        .assert_status(1)
        .assert_stderr_has("`student.`");
}

#[test]
fn a_class_list_of_any_editor_gives_the_same_names() {
    let sandbox = Sandbox::trained();
    let texts: [&[u8]; 4] = [
        b"Arc\nOld_Bridge\nCastle\nDome\n",
        b"\xef\xbb\xbfArc\r\nOld_Bridge\r\nCastle\r\nDome\r\n",
        b"Arc\nOld_Bridge\n\n  Castle\t\nDome",
        b"\xef\xbb\xbf\r\nArc\r\n\r\nOld_Bridge\r\nCastle\r\nDome\r\n\r\n",
    ];
    for (place, text) in texts.into_iter().enumerate() {
        sandbox.file("names.txt", text);
        let out = format!("{place}.safetensors");
        let import = "import run/best.safetensors --net three-conv --classes names.txt --resize 36 --crop 32";
        sandbox.cairn(&format!("{import} -o {out}")).assert_status(0);
        let model = Model::open(sandbox.path(&out)).unwrap();
        let names: Vec<String> = model.info().classes.iter().map(|(_, class)| class.name.clone()).collect();
        assert_eq!(names, ["Arc", "Old Bridge", "Castle", "Dome"], "{text:?}");
    }
    sandbox.file("names.txt", b"Arc\nTour \xe9\nCastle\nDome\n");
    let import = "import run/best.safetensors --net three-conv --classes names.txt -o none.safetensors";
    sandbox.cairn(import).assert_status(1).assert_stderr_has("UTF-8");
    sandbox.file("names.txt", b"Arc\n\x1b[2J\nCastle\nDome\n");
    sandbox.cairn(import).assert_status(1).assert_stderr_has("U+001B");
    assert!(!sandbox.path("none.safetensors").exists());
}

#[test]
fn a_model_whose_weights_were_changed_is_refused_and_says_so() {
    let sandbox = Sandbox::trained();
    let mut bytes = sandbox.read("run/best.safetensors");
    let place = bytes.len() - 4;
    bytes[place] ^= 1;
    sandbox.file("changed.safetensors", &bytes);
    sandbox
        .cairn(&format!("predict {PHOTO} -m changed.safetensors"))
        .assert_status(1)
        .assert_stderr_has("changed.safetensors: the weights do not match the file");
}
