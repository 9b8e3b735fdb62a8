//! Sweeps and the learning-rate finder.

use serde_json::Value;

use crate::sandbox::{RECIPE, Sandbox};

const SWEEP: &str = r#"
recipe = "tiny.toml"
epochs = 1
seeds = [1, 2]
[[vary]]
key = "network.dropout"
values = [0.0, 0.5]
"#;

#[test]
fn a_sweep_trains_every_combination_and_goes_on_where_it_was() {
    let sandbox = Sandbox::new();
    sandbox.file("sweep.toml", SWEEP.as_bytes());
    let sweep = sandbox.cairn("sweep photos --recipe sweep.toml --format json");
    let rows = sweep.assert_status(0).json();
    let [first, second] = &rows.as_array().unwrap()[..] else { panic!("{rows}") };
    assert_eq!([&first["network.dropout"], &second["network.dropout"]], ["0.0", "0.5"]);
    assert_eq!([&first["runs"], &second["runs"]], [2, 2]);
    let loss = |seed: usize| -> f64 {
        let run = format!("runs/sweep/network.dropout=0.5_seed={seed}/metrics.jsonl");
        let epoch: Value = serde_json::from_slice(&sandbox.read(&run)).unwrap();
        epoch["valid_loss"].as_f64().unwrap()
    };
    let (one, two) = (loss(1), loss(2));
    assert!((second["valid_loss"].as_f64().unwrap() - (one + two) / 2.0).abs() < 1e-12);
    // Of two values, the sample's deviation is their distance over the root of two.
    let deviation = (one - two).abs() / 2.0_f64.sqrt();
    assert!((second["valid_loss_deviation"].as_f64().unwrap() - deviation).abs() < 1e-12);
    assert!(sandbox.path("runs/sweep/curves.png").is_file());

    // Once more, with one run gone: that one alone is trained, and comes to the same.
    std::fs::remove_dir_all(sandbox.path("runs/sweep/network.dropout=0.0_seed=2")).unwrap();
    let again = sandbox.cairn("sweep photos --recipe sweep.toml --format json");
    assert_eq!(again.assert_status(0).json(), rows);
    assert_eq!(again.stderr.matches("done already").count(), 3, "{again}");
    sandbox.cairn("runs list runs/sweep").assert_status(0).assert_stdout_has("network.dropout=0.0_seed=2");
}

#[test]
fn a_probe_that_has_come_to_its_end_or_has_diverged_is_not_run_again() {
    let sandbox = Sandbox::new();
    let probe = "\n[fine_tune]\ntrain = \"head\"\ncached_views = 1\n";
    sandbox
        .file("probe.toml", (RECIPE.to_owned() + probe).replace("three-conv", "resnet10-small").as_bytes());
    let sweep = "recipe = \"probe.toml\"\n[set]\n\"schedule\" = { kind = \"constant\" }\n[[vary]]\nkey = \"optimiser.learning_rate\"\nvalues = [1e-3, 1e38]\n";
    sandbox.file("sweep.toml", sweep.as_bytes());
    let first = sandbox.cairn("sweep photos --recipe sweep.toml");
    first
        .assert_status(0)
        .assert_stderr_has("the training diverged")
        .assert_stderr_has("learning rate ten times lower");
    let again = sandbox.cairn("sweep photos --recipe sweep.toml");
    again.assert_status(0).assert_stderr_has("done already: it diverged");
    assert_eq!(again.stderr.matches("done already").count(), 2, "{again}");
    assert_eq!(again.stdout, first.stdout);
    // A single run's best epoch is a whole number.
    let row = first.stdout.lines().find(|row| row.starts_with("0.001 ")).unwrap();
    assert!(row.trim_end().ends_with(" 2  –") || row.trim_end().ends_with(" 1  –"), "{first}");
    let listed = sandbox.cairn("runs list runs/sweep").assert_status(0).stdout.clone();
    assert!(listed.contains("all epochs") && listed.contains("diverged"), "{listed}");
    let run = "runs/sweep/optimiser.learning_rate=0.001";
    let resumed = sandbox.cairn(&format!("train --resume {run}"));
    resumed.assert_status(0).assert_stderr_has("all epochs done");
}

#[test]
fn a_sweep_that_has_changed_does_not_mix_with_the_runs_that_are_there() {
    let sandbox = Sandbox::new();
    sandbox.file("sweep.toml", SWEEP.replace("[1, 2]", "[1]").as_bytes());
    sandbox.cairn("sweep photos --recipe sweep.toml").assert_status(0).assert_stdout_has("network.dropout");
    sandbox
        .cairn("sweep photos --recipe sweep.toml --epochs 2")
        .assert_status(1)
        .assert_stderr_has("network.dropout=0.0_seed=1")
        .assert_stderr_has("training.epochs");
}

#[test]
fn a_key_that_recipes_do_not_have_is_named_before_anything_is_trained() {
    let sandbox = Sandbox::new();
    sandbox.file("sweep.toml", SWEEP.replace("dropout", "dorpout").as_bytes());
    sandbox.cairn("sweep photos --recipe sweep.toml").assert_status(1).assert_stderr_has("dorpout");
    assert!(!sandbox.path("runs").exists());
    sandbox.cairn("sweep photos --recipe sweeep").assert_status(1).assert_stderr_has("sweep-initialisation");
}

#[test]
fn a_learning_rate_is_found_with_its_losses_and_its_picture() {
    let sandbox = Sandbox::new();
    // All photos in a batch, whose losses tremble little.
    sandbox.file("large.toml", RECIPE.replace("batch = 8", "batch = 64").as_bytes());
    let find = sandbox.cairn(
        "lr-find photos --recipe large.toml --batches 60 --from 1e-4 --to 1 --format json -o rates.svg",
    );
    let found = find.assert_status(0).json();
    let tried = found["tried"].as_array().unwrap();
    assert_eq!(tried[0]["learning_rate"], 1e-4);
    assert!(tried.len() == 60 || found["exploded"] == true, "{find}");
    let suggestion = found["suggestion"].as_f64().unwrap();
    assert!((1e-4..1.0).contains(&suggestion), "{suggestion}");
    let picture = String::from_utf8(sandbox.read("rates.svg")).unwrap();
    assert!(picture.contains("\n1e-2\n") && picture.contains("learning rate"));
    sandbox
        .cairn("lr-find photos --recipe tiny.toml --from 1 --to 0.1")
        .assert_status(1)
        .assert_stderr_has("below");
}
