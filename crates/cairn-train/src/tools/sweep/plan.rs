//! A sweep as its TOML file describes it, and the runs that it makes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;
use toml::{Table, Value};

use super::built_in::BUILT_IN_SWEEPS;
use super::error::SweepError;
use crate::TrainError;
use crate::recipe::recipe_diff::text_of;
use crate::recipe::{Recipe, RecipeError};
use crate::run::folder_lock::FolderLock;
use crate::run::leftovers;

/// The chart of all runs in a sweep's folder.
pub const SWEEP_CURVES: &str = "curves.png";
/// An empty file, locked while a process sweeps in a folder.
const LOCK: &str = "sweep.lock";

/// A sweep, as in its TOML file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// The recipe of all runs: a built-in one, or a file. A relative path starts at the sweep's file.
    pub recipe: String,
    /// Epochs of each run, instead of the recipe's.
    pub epochs: Option<u32>,
    /// Minutes of each run at most, instead of the recipe's.
    pub minutes: Option<f64>,
    /// Values that all runs have instead of the recipe's, by their keys as in [`Vary::key`].
    #[serde(default)]
    pub set: Table,
    /// Each combination is trained once with each of these seeds; with the recipe's own if there are none.
    #[serde(default)]
    pub seeds: Vec<i64>,
    /// The values that are varied.
    pub vary: Vec<Vary>,
}

/// A value of the recipe that is varied.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vary {
    /// The dotted key of a value, such as `optimiser.learning_rate`, or of a whole table, such as `schedule`.
    pub key: String,
    /// The values to try.
    pub values: Vec<Value>,
}

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepRun {
    /// The varied values and the seed: `network.init=normal-0.02 seed=1`.
    pub name: String,
    /// Its folder within the sweep's: the name without characters that file systems refuse.
    pub folder: PathBuf,
    /// The varied values, as text, in the order of [`Sweep::vary`].
    pub values: Vec<String>,
    /// The recipe with these values and this seed.
    pub recipe: Recipe,
}

impl Sweep {
    /// The sweep of this name, or in the TOML file of this path.
    ///
    /// # Errors
    /// When there is neither, or it is not a sweep.
    pub fn find(name_or_path: &str) -> Result<Self, SweepError> {
        if let Some((name, text)) = BUILT_IN_SWEEPS.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(text, name);
        }
        let path = Path::new(name_or_path);
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => SweepError::Unknown { name: name_or_path.to_owned() },
            _ => SweepError::Read { path: path.to_owned(), source },
        })?;
        let mut sweep = Self::parse(&text, name_or_path)?;
        // Beside the sweep's file, unless it is a name.
        let beside = path.parent().unwrap_or(Path::new("")).join(&sweep.recipe);
        if beside.is_file() {
            sweep.recipe = beside.to_string_lossy().into_owned();
        }
        Ok(sweep)
    }

    /// Reads TOML; `origin` is what errors call it.
    ///
    /// # Errors
    /// When it is not a sweep.
    pub fn parse(text: &str, origin: &str) -> Result<Self, SweepError> {
        let sweep: Self = toml::from_str(text)
            .map_err(|source| SweepError::Syntax { origin: origin.to_owned(), source: Box::new(source) })?;
        match sweep.validate() {
            Err(fault) => Err(SweepError::Fault { origin: origin.to_owned(), fault }),
            Ok(()) => Ok(sweep),
        }
    }

    /// Creates the sweep's folder and locks it against other processes while the value lives.
    ///
    /// # Errors
    /// When another process has locked it, or the folder cannot be written.
    pub fn claim(folder: &Path) -> Result<FolderLock, TrainError> {
        fs::create_dir_all(folder).map_err(|source| TrainError::Write { path: folder.to_owned(), source })?;
        let lock = FolderLock::take(folder, LOCK)?;
        leftovers::remove(folder, &[SWEEP_CURVES])?;
        Ok(lock)
    }

    /// Checks that something is varied, and each key once. The error says what is wrong.
    fn validate(&self) -> Result<(), String> {
        if self.vary.is_empty() {
            return Err("nothing is varied: it needs a [[vary]] with `key` and `values`".to_owned());
        }
        if let Some(vary) = self.vary.iter().find(|vary| vary.values.is_empty()) {
            return Err(format!("no values are given for `{}`", vary.key));
        }
        let mut keys: HashSet<&String> = self.set.keys().collect();
        match self.vary.iter().find(|vary| !keys.insert(&vary.key)) {
            Some(vary) => Err(format!("`{}` is given twice: give all its values in one list", vary.key)),
            None => Ok(()),
        }
    }

    /// All runs: every combination of the values with every seed. The values of the last key change fastest. Checks the
    /// recipe of each run.
    ///
    /// # Errors
    /// With the first recipe that is not valid: an unknown key, or a value out of range.
    pub fn runs(&self) -> Result<Vec<SweepRun>, SweepError> {
        let at = |run: &str| {
            let run = run.to_owned();
            move |source| SweepError::Recipe { run, source }
        };
        let base = self.base().map_err(at("the recipe that the sweep begins with"))?;
        let seeds: Vec<Option<i64>> =
            if self.seeds.is_empty() { vec![None] } else { self.seeds.iter().copied().map(Some).collect() };
        let mut runs: Vec<SweepRun> = Vec::new();
        for values in self.combinations() {
            for &seed in &seeds {
                let name = self.run_name(&values, seed);
                let mut table = base.clone();
                for (vary, value) in self.vary.iter().zip(&values) {
                    set(&mut table, &vary.key, (*value).clone());
                }
                if let Some(seed) = seed {
                    set(&mut table, "training.seed", seed.into());
                }
                let recipe = Recipe::parse(&table.to_string(), &name).map_err(at(&name))?;
                let folder = folder_name(&name, runs.len() + 1);
                if runs.iter().any(|run| run.folder == folder) {
                    let fault = format!("there are two runs with {name}: give each value and each seed once");
                    return Err(SweepError::Fault { origin: "sweep".to_owned(), fault });
                }
                let values = values.iter().map(|value| text_of(value)).collect();
                runs.push(SweepRun { name, folder, values, recipe });
            }
        }
        Ok(runs)
    }

    /// The recipe of all runs as it is written, without defaults, so that a varied table brings its own defaults.
    fn base(&self) -> Result<Table, RecipeError> {
        let text = Recipe::text(&self.recipe)?;
        let syntax = |source| RecipeError::Syntax { origin: self.recipe.clone(), source: Box::new(source) };
        let mut base: Table = toml::from_str(&text).map_err(syntax)?;
        for (key, value) in &self.set {
            set(&mut base, key, value.clone());
        }
        if let Some(epochs) = self.epochs {
            set(&mut base, "training.epochs", epochs.into());
        }
        if let Some(minutes) = self.minutes {
            set(&mut base, "training.minutes", minutes.into());
        }
        Ok(base)
    }

    /// Every combination of the varied values, in the order of [`Sweep::vary`].
    fn combinations(&self) -> Vec<Vec<&Value>> {
        self.vary.iter().fold(vec![Vec::new()], |combinations, vary| {
            let longer = |combination: &Vec<_>| {
                let with = |value| combination.iter().copied().chain([value]).collect();
                vary.values.iter().map(with).collect::<Vec<Vec<_>>>()
            };
            combinations.iter().flat_map(longer).collect()
        })
    }

    /// `network.init=normal-0.02 seed=1`
    fn run_name(&self, values: &[&Value], seed: Option<i64>) -> String {
        let settings = self.vary.iter().zip(values);
        let settings = settings.map(|(vary, value)| format!("{}={}", vary.key, text_of(value)));
        let seed = seed.map(|seed| format!("seed={seed}"));
        settings.chain(seed).collect::<Vec<_>>().join(" ")
    }
}

/// Sets the dotted `key` to `value`; missing tables are created.
fn set(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((first, rest)) => {
            let below = table.entry(first).or_insert_with(|| Value::Table(Table::new()));
            // What is not a table has no keys below it: the recipe's own check will name it.
            if !below.is_table() {
                *below = Value::Table(Table::new());
            }
            if let Value::Table(below) = below {
                set(below, rest, value);
            }
        }
    }
}

/// Longer names make paths that some systems refuse.
const LONGEST_NAME: usize = 100;

/// A run's name without characters that file systems refuse; the run's number if it is too long.
fn folder_name(name: &str, number: usize) -> PathBuf {
    if name.len() > LONGEST_NAME {
        return PathBuf::from(format!("run-{number}"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "=.-+".contains(c);
    PathBuf::from(name.chars().map(|c| if allowed(c) { c } else { '_' }).collect::<String>())
}

#[cfg(test)]
mod tests;
