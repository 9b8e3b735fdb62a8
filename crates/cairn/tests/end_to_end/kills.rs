//! A training that is killed at any moment, and resumed, ends as one that was not, bit for bit.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{RECIPE, Sandbox};

/// How many trainings are killed, unless `CAIRN_KILLS` says otherwise.
const KILLS: usize = 3;
/// A run that is killed oftener than this has no more luck.
const ATTEMPTS: usize = 3;

/// A head on features that are computed once.
const PROBE: &str = r#"
[fine_tune]
train = "head"
cached_views = 2
"#;

/// When a training is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After this share of the time that an undisturbed training takes.
    Share(f64),
    /// As long after its run folder is there.
    FolderThere(Duration),
    /// As long after its first model is there, and perhaps no checkpoint.
    ModelThere(Duration),
}

impl Moment {
    /// Of the `number`-th kill: the kinds in turn, the moments spread over their range.
    fn of(number: usize) -> Self {
        // The golden ratio's multiples fall evenly and never twice on one place (a Weyl sequence).
        let spread = (number as f64 * 0.618_033_988_749_895).fract();
        match number % 3 {
            0 => Self::Share(spread),
            1 => Self::FolderThere(Duration::from_secs_f64(0.1 * spread * spread)),
            _ => Self::ModelThere(Duration::from_secs_f64(0.02 * spread * spread)),
        }
    }

    /// Waits for the moment; false when the training has ended before.
    fn wait(self, child: &mut Child, run: &Path, whole: Duration) -> bool {
        let (there, after) = match self {
            Self::Share(share) => (run.parent().unwrap().to_owned(), whole.mul_f64(share)),
            Self::FolderThere(after) => (run.to_owned(), after),
            Self::ModelThere(after) => (run.join("best.safetensors"), after),
        };
        while !there.exists() {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            sleep(Duration::from_micros(200));
        }
        sleep(after);
        child.try_wait().unwrap().is_none()
    }
}

/// What a run leaves, without times.
#[derive(PartialEq)]
struct Traces {
    model: Vec<u8>,
    checkpoint: Vec<u8>,
    metrics: Vec<Value>,
}

impl Traces {
    fn of(run: &Path) -> Self {
        let read = |name: &str| fs::read(run.join(name)).unwrap();
        let checkpoint = read("checkpoint.safetensors");
        // The tensors alone: the header has the seconds that it took.
        let header = u64::from_le_bytes(checkpoint[..8].try_into().unwrap()) as usize;
        let timeless = |line: &str| {
            let mut epoch: Value = serde_json::from_str(line).unwrap();
            let times = ["train_seconds", "photos_per_second", "data_wait"];
            epoch.as_object_mut().unwrap().retain(|key, _| !times.contains(&key.as_str()));
            epoch
        };
        Self {
            model: read("best.safetensors"),
            checkpoint: checkpoint[8 + header..].to_vec(),
            metrics: String::from_utf8(read("metrics.jsonl")).unwrap().lines().map(timeless).collect(),
        }
    }
}

fn hidden_files(run: &Path) -> Vec<String> {
    let names = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('.')).collect()
}

#[test]
fn a_training_killed_at_any_moment_and_resumed_ends_bit_equal_and_leaves_no_temporary_files() {
    let kills: usize = std::env::var("CAIRN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let sandbox = Sandbox::new();
    sandbox
        .file("probe.toml", (RECIPE.to_owned() + PROBE).replace("three-conv", "resnet10-small").as_bytes());
    let train =
        |recipe: &str, run: &str| format!("train photos --recipe {recipe}.toml --epochs 16 --out {run}");
    let whole: Vec<(Traces, Duration)> = ["tiny", "probe"]
        .into_iter()
        .map(|recipe| {
            let began = Instant::now();
            sandbox.cairn(&train(recipe, recipe)).assert_status(0);
            (Traces::of(&sandbox.path(recipe)), began.elapsed())
        })
        .collect();

    let mut figures = Figures::default();
    for number in 0..kills {
        let recipe = number % 2;
        let (name, (expected, took)) = (["tiny", "probe"][recipe], &whole[recipe]);
        let run = format!("killed-{number}");
        let path = sandbox.path(&run);
        let begin = train(name, &run);
        let resume = format!("train --resume {run}");
        // Killed again while it is resumed, until it has its way.
        for attempt in 0..ATTEMPTS {
            let begun = path.join("run.json").is_file() && path.join("recipe.toml").is_file();
            let command = if begun { &resume } else { &begin };
            let mut child = sandbox.spawn(command);
            let killed = Moment::of(number + attempt).wait(&mut child, &path, *took);
            if !killed {
                break;
            }
            assert!(
                Command::new("kill").args(["-KILL", &child.id().to_string()]).status().unwrap().success()
            );
            child.wait().unwrap();
            figures.note(&path);
        }
        let begun = path.join("run.json").is_file() && path.join("recipe.toml").is_file();
        sandbox.cairn(if begun { &resume } else { &begin }).assert_status(0);
        let found = Traces::of(&path);
        assert_eq!(found.metrics, expected.metrics, "{run} of {name}");
        assert!(found.checkpoint == expected.checkpoint, "{run} of {name}: the checkpoint's tensors");
        assert!(found.model == expected.model, "{run} of {name}: the best model");
        assert_eq!(hidden_files(&path), [""; 0], "{run} of {name}");
        fs::remove_dir_all(path).unwrap();
    }
    println!("{kills} runs, all bit-equal: {figures:?}");
}

/// What the kills met.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    before_the_folder: usize,
    before_the_first_model: usize,
    between_model_and_checkpoint: usize,
    after_a_checkpoint: usize,
    with_temporary_files: usize,
}

impl Figures {
    fn note(&mut self, run: &Path) {
        let there = |name: &str| run.join(name).is_file();
        self.kills += 1;
        match (there("run.json"), there("best.safetensors"), there("checkpoint.safetensors")) {
            (false, ..) => self.before_the_folder += 1,
            (true, _, true) => self.after_a_checkpoint += 1,
            (true, true, false) => self.between_model_and_checkpoint += 1,
            (true, false, false) => self.before_the_first_model += 1,
        }
        self.with_temporary_files += usize::from(run.is_dir() && !hidden_files(run).is_empty());
    }
}

#[test]
fn a_full_disk_while_a_checkpoint_is_written_names_it_and_the_run_goes_on_later() {
    let sandbox = Sandbox::new();
    sandbox.cairn("train photos --recipe tiny.toml --epochs 4 --out whole").assert_status(0);
    let whole = Traces::of(&sandbox.path("whole"));
    let size = |name: &str| fs::metadata(sandbox.path("whole").join(name)).unwrap().len();
    // Files may grow to a size between those of the model and the checkpoint, in blocks of 512 bytes.
    let (model, checkpoint) = (size("best.safetensors"), size("checkpoint.safetensors"));
    assert!(checkpoint > model + 2048, "{checkpoint} {model}");
    let blocks = (model + checkpoint) / 2 / 512;
    let limited = |arguments: &str| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {arguments}");
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_cairn")]).current_dir(sandbox.path(""));
        let output = command.stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, said) = limited("train photos --recipe tiny.toml --epochs 4 --out run");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("run/checkpoint.safetensors: cannot be written"), "{said}");
    assert!(sandbox.path("run/best.safetensors").is_file() && hidden_files(&sandbox.path("run")).is_empty());
    sandbox.cairn("train --resume run").assert_status(0);
    assert!(Traces::of(&sandbox.path("run")) == whole);
    // A checkpoint that is there stays as it is.
    sandbox.cairn("train photos --recipe tiny.toml --epochs 2 --out run2").assert_status(0);
    let recipe = String::from_utf8(sandbox.read("run2/recipe.toml")).unwrap();
    sandbox.file("run2/recipe.toml", recipe.replace("epochs = 2", "epochs = 4").as_bytes());
    let before = sandbox.read("run2/checkpoint.safetensors");
    let (status, said) = limited("train --resume run2");
    assert_eq!(status, Some(1), "{said}");
    assert!(sandbox.read("run2/checkpoint.safetensors") == before);
}
