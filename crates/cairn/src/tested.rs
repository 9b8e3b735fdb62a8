//! A model tested on labelled photos, and the report of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cairn_dataset::{ClassList, Example, ImageFolder, ValidSplit, path_text};
use cairn_eval::{ReportInputs, TrainingFacts, surest_hits, worst_mistakes, write_report};
use cairn_model::Model;
use cairn_photo::PhotoError;
use cairn_train::{ModelTest, RunFolder};
use jiff::Zoned;

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::model_source::ModelSource;
use crate::progress::{bar, say};

/// Photos shown in a report, of mistakes and of right answers each.
const EXHIBITS: usize = 12;

/// A model tested on the test photos of a data set.
pub(crate) struct Tested<'a> {
    model: &'a Model,
    data: &'a Path,
    options: DataSetOptions,
    pub test: ModelTest<'a>,
}

impl<'a> Tested<'a> {
    /// Tests `model` on the test photos of `data`; each photo that is left out is named.
    pub(crate) fn new(model: &'a Model, data: &'a Path, options: DataSetOptions) -> Result<Self> {
        let examples = options.open_test(data, &model.classes())?.examples;
        Self::on(model, data, options, examples, |error| say(format!("left out: {}", with_causes(error))))
    }

    /// The same with another model, once all that was left out has been named.
    pub(crate) fn again(&self, model: &'a Model) -> Result<Self> {
        let paths = self.options.manifest_paths();
        let examples = ImageFolder::open_test_with(self.data, &model.classes(), paths)?.examples;
        Self::on(model, self.data, self.options, examples, |_| {})
    }

    fn on(
        model: &'a Model,
        data: &'a Path,
        options: DataSetOptions,
        examples: Vec<Example>,
        left_out: impl Fn(&PhotoError),
    ) -> Result<Self> {
        let bar = bar(examples.len(), "testing");
        let test = ModelTest::run(model, examples, |error| {
            if let Some(error) = error {
                bar.suspend(|| left_out(error));
            }
            bar.inc(1);
        });
        bar.finish_and_clear();
        let test = test.with_context(|| format!("{}: not one photo could be read", path_text(data)))?;
        Ok(Self { model, data, options, test })
    }

    /// Writes the report of the model, which came from `source`, and returns where the page is.
    pub(crate) fn write_report(&self, path: &Path, source: &ModelSource) -> Result<PathBuf> {
        let machine = source.path().and_then(RunFolder::record).map(|record| record.to_string());
        let history = source.path().and_then(RunFolder::history);
        let curves = history.as_ref().map(|history| history.curves());
        let training = history.as_ref().zip(curves.as_ref()).map(|(history, curves)| TrainingFacts {
            curves,
            machine: machine.as_deref().unwrap_or("an unknown machine"),
            seconds: history.train_seconds(),
        });
        let train_sizes = train_sizes(self.data, self.options, &self.model.classes());
        let inputs = ReportInputs {
            model: &source.path().map_or(source.to_string(), known_as),
            data: &known_as(self.data),
            date: &Zoned::now().strftime("%Y-%m-%d %H:%M").to_string(),
            recipe: Some(&self.model.info().provenance.recipe),
            evaluation: &self.test.evaluation,
            training,
            train_sizes: train_sizes.as_deref(),
            mistakes: &self.test.exhibits(&worst_mistakes(&self.test.predictions, EXHIBITS))?,
            hits: &self.test.exhibits(&surest_hits(&self.test.predictions, EXHIBITS))?,
        };
        Ok(write_report(path, &inputs)?)
    }
}

/// What a report calls a file: it is handed on, and an absolute path tells of the machine.
fn known_as(path: &Path) -> String {
    let name = path.file_name().filter(|_| path.has_root()).map_or(path, Path::new);
    path_text(name)
}

/// For each of the model's classes, how many photos to learn from the data set has; `None` where it has no such part.
fn train_sizes(data: &Path, options: DataSetOptions, classes: &ClassList) -> Option<Vec<usize>> {
    let folder = ImageFolder::open_with(data, &ValidSplit::default(), options.manifest_paths()).ok()?;
    let mut sizes = vec![0; classes.len()];
    for example in folder.train.iter().chain(&folder.valid) {
        let class = folder.classes.get(example.class)?;
        if let Some(id) = classes.by_folder(&class.folder) {
            sizes[id.index()] += 1;
        }
    }
    Some(sizes)
}
