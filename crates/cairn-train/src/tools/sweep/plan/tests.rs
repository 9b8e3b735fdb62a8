use super::*;
use crate::recipe::{OptimiserRecipe, Schedule};

fn sweep(text: &str) -> Result<Vec<SweepRun>, SweepError> {
    Sweep::parse(text, "mine.toml")?.runs()
}

/// The error with its causes.
fn fault(text: &str) -> String {
    with_causes(&sweep(text).unwrap_err())
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |message, cause| format!("{message}: {cause}"))
}

#[test]
fn every_sweep_that_comes_with_cairn_makes_runs() {
    for (name, _) in BUILT_IN_SWEEPS {
        let runs =
            Sweep::find(name).and_then(|sweep| sweep.runs()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert!(runs.len() > 1, "{name}");
    }
}

#[test]
fn every_combination_is_a_run_with_every_seed_the_last_key_changing_first() {
    let runs = sweep(
        r#"
        recipe = "demo"
        epochs = 3
        minutes = 0.5
        seeds = [7, 8]
        [[vary]]
        key = "network.dropout"
        values = [0.0, 0.25]
        [[vary]]
        key = "schedule"
        values = [{ kind = "constant" }, { kind = "exponential", gamma = 0.5 }]
        "#,
    )
    .unwrap();
    let values: Vec<Vec<&str>> =
        runs.iter().map(|run| run.values.iter().map(String::as_str).collect()).collect();
    let combinations = [
        ["0.0", "constant"],
        ["0.0", "exponential gamma=0.5"],
        ["0.25", "constant"],
        ["0.25", "exponential gamma=0.5"],
    ];
    let twice: Vec<Vec<&str>> =
        combinations.iter().flat_map(|values| [values.to_vec(), values.to_vec()]).collect();
    assert_eq!(values, twice);
    let last = runs.last().unwrap();
    assert_eq!(last.name, "network.dropout=0.25 schedule=exponential gamma=0.5 seed=8");
    assert_eq!(last.folder, Path::new("network.dropout=0.25_schedule=exponential_gamma=0.5_seed=8"));
    assert_eq!(last.recipe.network.dropout, 0.25);
    assert_eq!(last.recipe.schedule, Schedule::Exponential { gamma: 0.5, warmup_epochs: 0.0 });
    let training = &last.recipe.training;
    assert_eq!((training.epochs, training.minutes, training.seed), (3, Some(0.5), 8));
}

#[test]
fn values_that_are_set_hold_for_all_runs_and_are_not_in_their_names() {
    let text = r#"
        recipe = "demo"
        [set]
        "training.label_smoothing" = 0.3
        "schedule" = { kind = "step", epochs = 4 }
        [[vary]]
        key = "network.dropout"
        values = [0.0, 0.25]
    "#;
    let runs = sweep(text).unwrap();
    assert_eq!(
        runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(),
        ["network.dropout=0.0", "network.dropout=0.25"]
    );
    for run in runs {
        assert_eq!(run.recipe.training.label_smoothing, 0.3);
        assert_eq!(run.recipe.schedule, Schedule::Step { epochs: 4, gamma: 0.1, warmup_epochs: 0.0 });
    }
    let both = text.replace("network.dropout", "training.label_smoothing");
    assert!(fault(&both).contains("`training.label_smoothing` is given twice"), "{}", fault(&both));
    let misspelt = text.replace("label_smoothing", "label_smothing");
    assert!(fault(&misspelt).contains("label_smothing"), "{}", fault(&misspelt));
}

#[test]
fn what_is_not_varied_stays_as_the_recipe_has_it() {
    let base = Recipe::find("quick").unwrap();
    let runs = sweep("recipe = \"quick\"\n[[vary]]\nkey = \"network.dropout\"\nvalues = [0.5]").unwrap();
    assert_eq!(runs.len(), 1);
    let mut expected = base;
    expected.network.dropout = 0.5;
    assert_eq!(runs[0].recipe, expected);
}

#[test]
fn a_varied_kind_brings_its_own_defaults() {
    let text = "recipe = \"system-c-scratch\"\n[[vary]]\nkey = \"optimiser.kind\"\nvalues = [\"adam\"]";
    let runs = sweep(text).unwrap();
    // AdamW's default weight decay is 0.01, which the recipe does not write down.
    let adam = OptimiserRecipe::Adam { learning_rate: 0.01, weight_decay: 0.0, decay_biases_and_norms: true };
    assert_eq!(runs[0].recipe.optimiser, adam);
}

#[test]
fn faults_are_named() {
    let vary =
        |key: &str, values: &str| format!("recipe = \"demo\"\n[[vary]]\nkey = \"{key}\"\nvalues = {values}");
    for (text, named) in [
        (vary("network.inti", "[\"he\"]"), "inti"),
        (vary("netwrok.init", "[\"he\"]"), "netwrok"),
        (vary("network.init", "[\"she\"]"), "she"),
        (vary("training.batch", "[0]"), "training.batch"),
        (vary("training.batch", "[]"), "training.batch"),
        (vary("training.batch", "[8, 8]"), "training.batch=8"),
        ("recipe = \"demo\"\nvary = []".to_owned(), "[[vary]]"),
        ("recipe = \"dmeo\"\n[[vary]]\nkey = \"training.batch\"\nvalues = [8]".to_owned(), "dmeo"),
        (format!("sedes = [1]\n{}", vary("training.batch", "[8]")), "sedes"),
        (
            format!("{0}\n[[vary]]\nkey = \"training.batch\"\nvalues = [9]", vary("training.batch", "[8]")),
            "twice",
        ),
    ] {
        let message = fault(&text);
        assert!(message.contains(named), "{message} should name {named}");
    }
}

#[test]
fn a_recipe_beside_the_sweeps_file_is_found_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), Recipe::text("demo").unwrap()).unwrap();
    let file = folder.path().join("sweep.toml");
    fs::write(&file, "recipe = \"mine.toml\"\n[[vary]]\nkey = \"training.batch\"\nvalues = [4, 8]").unwrap();
    let sweep = Sweep::find(&file.to_string_lossy()).unwrap();
    assert_eq!(sweep.runs().unwrap().len(), 2);
}

#[test]
fn a_name_too_long_for_a_folder_becomes_a_number() {
    assert_eq!(folder_name("a b/c", 3), Path::new("a_b_c"));
    assert_eq!(folder_name(&"long ".repeat(30), 3), Path::new("run-3"));
}
