//! Runs are listed and compared, by cairn and by TensorBoard.

use std::path::Path;

use cairn_reference::python_with;
use serde_json::Value;

use crate::sandbox::Sandbox;

/// A run's lines of `metrics.jsonl`.
fn epochs(sandbox: &Sandbox, run: &str) -> Vec<Value> {
    let text = String::from_utf8(sandbox.read(&format!("{run}/metrics.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_list_has_a_row_for_each_run_with_its_best_epoch_and_names_broken_ones() {
    let sandbox = Sandbox::new();
    sandbox.cairn("train photos --recipe tiny.toml").assert_status(0);
    sandbox.cairn("train photos --recipe tiny.toml --epochs 1").assert_status(0);
    let rows = sandbox.cairn("runs list --format json").assert_status(0).json();
    let [first, second] = &rows.as_array().unwrap()[..] else { panic!("{rows}") };
    assert_eq!([&first["run"], &second["run"]], ["runs/tiny-1", "runs/tiny-2"]);
    assert_eq!([&first["epochs"], &second["epochs"]], [2, 1]);
    assert_eq!(first["recipe"], "tiny.toml");
    assert_eq!(first["network"], "three-conv");
    assert_eq!(first["ended"], "all epochs");
    let best = epochs(&sandbox, "runs/tiny-1").into_iter().rfind(|epoch| epoch["best"] == true).unwrap();
    assert_eq!(first["best_epoch"], best["epoch"]);
    assert_eq!(first["valid_loss"], best["valid_loss"]);

    sandbox.file("runs/tiny-2/metrics.jsonl", b"{");
    let table = sandbox.cairn("runs list");
    table.assert_status(2).assert_stdout_has("runs/tiny-1").assert_stderr_has("runs/tiny-2/metrics.jsonl");
    sandbox
        .cairn("runs list nowhere")
        .assert_status(1)
        .assert_stderr_has("nowhere")
        .assert_stderr_has("cairn train DIR");
    sandbox.cairn("runs list photos").assert_status(0).assert_stderr_has("no runs");
}

#[test]
fn a_comparison_has_what_differs_in_the_recipes_and_the_curves_of_all() {
    let sandbox = Sandbox::trained();
    sandbox.cairn("train photos --recipe tiny.toml --batch 4 --out other").assert_status(0);
    let table = sandbox.cairn("runs compare run other -o curves.svg");
    table.assert_status(0).assert_stdout_has("training.batch").assert_stderr_has("curves.svg");
    assert!(!table.stdout.contains("dropout"), "what is the same is not told: {table}");
    let picture = String::from_utf8(sandbox.read("curves.svg")).unwrap();
    for text in ["Validation loss", "Validation accuracy", "run", "other"] {
        assert!(picture.contains(&format!("\n{text}\n")), "no {text:?} in the picture");
    }
    let csv = sandbox.cairn("runs compare run other --format csv").assert_status(0).stdout.clone();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let batch = reader.headers().unwrap().iter().position(|key| key == "training.batch").unwrap();
    let batches: Vec<String> = reader.records().map(|row| row.unwrap()[batch].to_owned()).collect();
    assert_eq!(batches, ["8", "4"]);

    sandbox.cairn("runs compare run photos").assert_status(1).assert_stderr_has("photos/recipe.toml");
    sandbox.cairn("runs compare run -o curves.gif").assert_status(1).assert_stderr_has(".png or .svg");
}

#[test]
fn tensorboard_reads_every_epoch_once_also_of_a_run_that_was_resumed() {
    let sandbox = Sandbox::trained();
    // As if the run had been ended by force after its last epoch's metrics and before its checkpoint: with one epoch
    // more in the event file than the run is resumed with, and half an event behind it.
    sandbox.cairn("train photos --recipe tiny.toml --epochs 1 --out short").assert_status(0);
    let mut events = sandbox.read("run/events.out.tfevents.cairn");
    events.extend(b"half an event");
    sandbox.file("short/events.out.tfevents.cairn", &events);
    let recipe = String::from_utf8(sandbox.read("short/recipe.toml")).unwrap();
    sandbox.file("short/recipe.toml", recipe.replace("epochs = 1", "epochs = 3").as_bytes());
    sandbox.cairn("train --resume short").assert_status(0);

    let Some(python) = python_with(&["tensorboard"]) else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/tensorboard_scalars.py");
    for run in ["run", "short"] {
        let read = python.run(&script, &[sandbox.path(run).as_os_str()]);
        let read: Value = serde_json::from_str(&read).unwrap();
        let epochs = epochs(&sandbox, run);
        for (tag, key) in [
            ("loss/train", "train_loss"),
            ("loss/validation", "valid_loss"),
            ("accuracy/validation", "valid_accuracy"),
            ("learning_rate", "learning_rate"),
        ] {
            let steps: Vec<&Value> = read[tag].as_array().unwrap().iter().map(|scalar| &scalar[0]).collect();
            assert_eq!(steps, epochs.iter().map(|epoch| &epoch["epoch"]).collect::<Vec<_>>(), "{run} {tag}");
            for (scalar, epoch) in read[tag].as_array().unwrap().iter().zip(&epochs) {
                // TensorBoard keeps scalars in 32 bits.
                let (found, expected) = (scalar[1].as_f64().unwrap(), epoch[key].as_f64().unwrap());
                assert!(
                    (found - expected).abs() <= 1e-6 * expected.abs(),
                    "{run} {tag}: {found}, {expected}"
                );
            }
        }
    }
}
