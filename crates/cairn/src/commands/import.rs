//! `cairn import`

use cairn_dataset::path_text;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::{Class, ClassList, read_text_file};
use cairn_model::{ImportOptions, Imported, Model};
use cairn_nets::weights::read_weights;
use cairn_nets::{Architecture, PublishedInput};
use cairn_photo::{Framing, Normalisation, Preprocess};
use clap::Args;

use crate::exit::Status;
use crate::output::{OutputOption, Outputs, make_folder_of};
use crate::progress::say;
use crate::weights_notes::{say_naming, say_source};

/// Make a model from weights trained in PyTorch
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| out.required(true).help("Bundle to write")))]
#[command(after_help = "\
Photos become the network's input as the published ImageNet weights of --net expect it: the shorter side is resized, the \
middle cropped, and a mean and deviation are taken off. Weights that were trained otherwise need --resize, --crop, --mean \
and --std.")]
pub(crate) struct Import {
    /// A state dict, checkpoint or TorchScript module (.pth, .pt, .ckpt), or .safetensors, in torchvision's naming
    file: PathBuf,
    /// Which state dict of a checkpoint to take, or which module of the weights [default: the running mean (EMA), else
    /// the weights]
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Network of the weights (`cairn nets` lists them)
    #[arg(long, value_name = "NAME")]
    net: Architecture,
    /// Text file with one class name per line, in the order of the network's outputs
    #[arg(long, value_name = "FILE")]
    classes: PathBuf,
    #[command(flatten)]
    output: OutputOption,
    /// Shorter side of a photo after resizing, in pixels [default: the network's, mostly 256]
    #[arg(long, value_name = "PIXELS")]
    resize: Option<u32>,
    /// Side of the centre crop that the network sees, in pixels [default: the network's, mostly 224]
    #[arg(long, value_name = "PIXELS")]
    crop: Option<u32>,
    /// Mean of red, green and blue, on a scale of 0 to 1
    #[arg(long, value_name = "R,G,B", value_delimiter = ',', requires = "std")]
    mean: Option<Vec<f32>>,
    /// Standard deviation of red, green and blue
    #[arg(long, value_name = "R,G,B", value_delimiter = ',', requires = "mean")]
    std: Option<Vec<f32>>,
}

impl Import {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.output.named()?;
        Outputs::files([out.clone()])
            .reading([self.file.as_path(), &self.classes])
            .check(self.output.force)?;
        let published = self.net.published_input();
        let (resize, crop) =
            (self.resize.unwrap_or(published.short_side), self.crop.unwrap_or(published.crop));
        if crop == 0 || resize < crop {
            bail!("--crop {crop} does not fit into --resize {resize}");
        }
        let classes = class_names(&self.classes)?;
        let file = read_weights(&self.file, self.key.as_deref())?;
        say_source(&file);
        let imported = Model::import(ImportOptions {
            architecture: self.net,
            weights: &file.weights,
            classes,
            preprocess: self.preprocess(resize, crop)?,
            origin: &self.file.file_name().unwrap_or_default().to_string_lossy(),
        })
        .with_context(|| path_text(&self.file))?;
        let Imported { model, prefix, ignored, head } = imported;
        say_naming(&prefix, &ignored, head.as_deref());
        make_folder_of(&out)?;
        model.save(&out)?;
        say(format!("{}: {} with {} classes", path_text(&out), self.net, model.info().classes.len()));
        Ok(Status::Done)
    }

    fn preprocess(&self, short_side: u32, crop: u32) -> Result<Preprocess> {
        let framing = Framing::ShortSideCrop { short_side, crop };
        let normalisation = match (&self.mean, &self.std) {
            (Some(mean), Some(std)) => match (mean.as_slice().try_into(), std.as_slice().try_into()) {
                (Ok(mean), Ok(std)) => Normalisation { mean, std },
                _ => bail!("--mean and --std take three numbers each"),
            },
            _ => {
                let PublishedInput { mean, std, .. } = self.net.published_input();
                Normalisation { mean, std }
            }
        };
        Ok(Preprocess { framing, normalisation })
    }
}

/// The classes in a text file, a name on each line. Empty lines, a byte order mark and Windows' line ends are no part of
/// the names.
fn class_names(path: &Path) -> Result<ClassList> {
    let bytes = read_text_file(path).with_context(|| format!("{}: cannot be read", path_text(path)))?;
    let Ok(text) = str::from_utf8(&bytes) else {
        bail!("{}: not a text in UTF-8; save it as UTF-8", path_text(path));
    };
    let mut classes = ClassList::default();
    let mut folders = HashSet::new();
    for (line, name) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let class = Class::from_folder(name.trim());
        if class.folder.is_empty() {
            continue;
        }
        if !folders.insert(class.folder.clone()) {
            bail!("{}: line {line} names `{}` again", path_text(path), class.folder);
        }
        classes.push(class);
    }
    Ok(classes)
}
