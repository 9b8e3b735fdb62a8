//! A folder of its own for each test, and the binary run in it.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{self, Stdio};
use std::time::Duration;

use assert_cmd::Command;
use cairn_synthetic::{DrawnSet, Kind};
use serde_json::Value;
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(900);

/// The classes that [`Sandbox::new`] draws, and how many training and test photos of each.
pub(crate) const CLASSES: [&str; 4] = ["00.Pyramid", "03.Dome", "08.Lighthouse", "11.Windmill"];
pub(crate) const TRAIN_PHOTOS: usize = 12;
pub(crate) const TEST_PHOTOS: usize = 4;

/// A recipe that takes a second.
pub(crate) const RECIPE: &str = r#"
[network]
architecture = "three-conv"
dropout = 0.25

[photos]
framing = { short_side_crop = { short_side = 36, crop = 32 } }
normalisation = "data-set"
augment = [
    { random_resized_crop = { size = 32, scale = [0.6, 1.0] } },
    { horizontal_flip = { p = 0.5 } },
]

[training]
batch = 8
epochs = 2
seed = 1

[optimiser]
kind = "adamw"
learning_rate = 2e-3

[schedule]
kind = "cosine"
warmup_epochs = 0.5
"#;

/// A temporary folder in which the binary runs, with a drawn data set in `photos` and [`RECIPE`] in `tiny.toml`.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().unwrap() };
        let kinds = vec![Kind::Pyramid, Kind::Dome, Kind::Lighthouse, Kind::Windmill];
        let set =
            DrawnSet { seed: 1, train_per_kind: TRAIN_PHOTOS, test_per_kind: TEST_PHOTOS, side: 48, kinds };
        set.write(&sandbox.path("photos"), |_, _| {}).unwrap();
        sandbox.file("tiny.toml", RECIPE.as_bytes());
        sandbox
    }

    /// The same with a run of [`RECIPE`] in `run`.
    pub(crate) fn trained() -> Self {
        let sandbox = Self::new();
        sandbox.cairn("train photos --recipe tiny.toml --out run").assert_status(0);
        sandbox
    }

    /// A path in the folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn file(&self, relative: &str, content: &[u8]) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative)).unwrap()
    }

    pub(crate) fn copy(&self, from: &str, to: &str) {
        self.file(to, &self.read(from));
    }

    /// Runs `cairn` with these arguments, which spaces separate.
    pub(crate) fn cairn(&self, arguments: &str) -> Finished {
        self.cairn_with(arguments, &[])
    }

    /// The same with these environment variables.
    pub(crate) fn cairn_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Finished {
        let mut command = Command::from_std(self.command(arguments));
        let output = command.envs(variables.iter().copied()).timeout(PATIENCE).output().unwrap();
        Finished::of(arguments, output)
    }

    /// The same with these bytes on standard input.
    pub(crate) fn cairn_fed(&self, arguments: &str, input: &[u8]) -> Finished {
        let mut command = Command::from_std(self.command(arguments));
        let output = command.write_stdin(input).timeout(PATIENCE).output().unwrap();
        Finished::of(arguments, output)
    }

    /// Starts `cairn` with standard output and error in pipes, for a test that does something to it meanwhile.
    #[cfg(unix)]
    pub(crate) fn spawn(&self, arguments: &str) -> process::Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn command(&self, arguments: &str) -> process::Command {
        let mut command = process::Command::new(env!("CARGO_BIN_EXE_cairn"));
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command.env_remove("CAIRN_MODEL").env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Finished {
    arguments: String,
    status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    fn of(arguments: &str, output: process::Output) -> Self {
        Self {
            arguments: arguments.to_owned(),
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, expected: i32) -> &Self {
        assert_eq!(self.status, Some(expected), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn assert_stdout_has(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "no {text:?} on standard output: {self}");
        self
    }

    #[track_caller]
    pub(crate) fn assert_stderr_has(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "no {text:?} on standard error: {self}");
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self}"))
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arguments, status, stdout, stderr } = self;
        write!(f, "cairn {arguments}\nstatus {status:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}
