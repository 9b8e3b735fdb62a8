//! `cairn data show`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use cairn_dataset::{Loader, LoaderOptions, Tile, ValidSplit, View, montage};
use cairn_photo::{Normalisation, PictureKind};
use cairn_train::Recipe;
use clap::Args;

use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::progress::{left_out, say};

/// Draw a batch of training photos as the network sees them, with their labels
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| out.required(true).help("Picture to write: .png, .jpg or .webp")))]
pub(crate) struct Show {
    /// Data set
    dir: PathBuf,
    #[command(flatten)]
    data_set: DataSetOptions,
    #[command(flatten)]
    output: OutputOption,
    /// The recipe whose framing is shown: one that comes with cairn, or a TOML file
    #[arg(long, value_name = "NAME|FILE", default_value = "quick")]
    recipe: String,
    /// Show the recipe's augmentation
    #[arg(long)]
    augment: bool,
    /// How many photos
    #[arg(short = 'n', long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1000))]
    photos: u32,
    /// Photos in a row
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100))]
    columns: u32,
    /// Another seed shows other photos
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

impl Show {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.output.named()?;
        Outputs::files([out.clone()]).reading([self.dir.as_path()]).check(self.output.force)?;
        PictureKind::of(&out)?;
        let recipe = Recipe::find(&self.recipe)?;
        let data = self.data_set.open(&self.dir, &ValidSplit::default())?;
        // What is shown is undone before it is drawn, so any figures do.
        let normalisation = Normalisation::IMAGENET;
        let view = match self.augment {
            true => View::Train { augment: recipe.photos.augment, normalisation },
            false => View::Test(recipe.preprocess(normalisation)),
        };
        let options = LoaderOptions {
            batch_size: self.photos as usize,
            prefetch: 0,
            seed: self.seed,
            shuffle: true,
            ..LoaderOptions::default()
        };
        let loader = Loader::new(data.train, view, options)?;
        let batch = loader.epoch(0, 0).next().context("no photos to show")?;
        batch.bad.iter().for_each(|bad| say(left_out(bad)));
        let names = batch.labels.iter().map(|label| {
            data.classes.get(*label).map_or_else(|| label.to_string(), |class| class.name.clone())
        });
        let photos = batch.photos(loader.view().normalisation());
        let tiles: Vec<Tile> =
            photos.into_iter().zip(names).map(|(photo, name)| Tile { photo, name }).collect();
        let Some(picture) = montage(&tiles, self.columns as usize) else {
            bail!("not one of the photos could be read");
        };
        make_folder_of(&out)?;
        picture.save(&out)?;
        say(format!("{} photos: {}", tiles.len(), path_text(&out)));
        Ok(Status::with_bad_photos(batch.bad.len()))
    }
}
