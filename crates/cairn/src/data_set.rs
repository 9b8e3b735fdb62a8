//! A data set as the verbs open it.

use cairn_dataset::path_text;
use std::path::Path;

use anyhow::{Context, Result};
use cairn_dataset::{ClassList, ImageFolder, ManifestPaths, TestFolder, ValidSplit};
use cairn_model::check_classes;
use clap::Args;

use crate::photo_files::say_skipped;

/// How a data set is opened.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct DataSetOptions {
    /// Also read photos outside of the data set's folder that its CSV, TSV or Parquet table lists
    #[arg(long)]
    allow_outside: bool,
}

impl DataSetOptions {
    /// Which photos a table may list.
    pub(crate) fn manifest_paths(self) -> ManifestPaths {
        if self.allow_outside { ManifestPaths::Anywhere } else { ManifestPaths::WithinFolder }
    }

    /// Opens the data set in `root`; standard error says what was left out.
    pub(crate) fn open(self, root: &Path, split: &ValidSplit) -> Result<ImageFolder> {
        let data = ImageFolder::open_with(root, split, self.manifest_paths())?;
        say_skipped(&data.ignored);
        Ok(data)
    }

    /// The same to train on: a class without training photos is refused, for the network could never name it.
    pub(crate) fn open_to_train(self, root: &Path) -> Result<ImageFolder> {
        let data = self.open(root, &ValidSplit::default())?;
        check_classes(&data.classes).with_context(|| path_text(root))?;
        data.check_trainable()?;
        Ok(data)
    }

    /// Opens the photos of `root` that a model with these classes is tested on; standard error says what was left out.
    pub(crate) fn open_test(self, root: &Path, classes: &ClassList) -> Result<TestFolder> {
        let test = ImageFolder::open_test_with(root, classes, self.manifest_paths())?;
        say_skipped(&test.ignored);
        Ok(test)
    }
}
