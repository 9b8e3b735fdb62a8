//! `cairn similar`

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_dataset::path_text;
use cairn_model::rows::ModelIdentity;
use cairn_model::{Gallery, GalleryIndex};
use clap::Args;

use crate::causes::with_causes;
use crate::exit::{Status, none_read};
use crate::model_source::ModelOption;
use crate::photo_files::named_photos;
use crate::progress::{bar, say};
use crate::rows::Format;
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Rank photos by similarity to one photo
///
/// Photos are looked at each time. Of very many, keep the embeddings: `cairn label --embed` writes them into a folder, and
/// `/v1/embed` of `cairn serve` answers them as JSON lines. From 10,000 embeddings on, -k finds the most similar by an index,
/// which is kept beside them and made again when they have changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn similar photo.jpg photos -k 5
  cairn label 'photos/**/*.jpg' -o labels --embed
  cairn similar photo.jpg labels -k 5           without looking at them again")]
pub(crate) struct Similar {
    /// Photo to compare with
    photo: PathBuf,
    /// Photos, folders of photos, folders that `cairn label --embed` wrote, or files of rows of /v1/embed, to rank
    #[arg(value_name = "PHOTO|DIR", required = true)]
    among: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelOption,
    /// Number of photos to show, the most similar first [default: all]
    #[arg(short, value_name = "K")]
    k: Option<usize>,
    /// Compare with every embedding, however many there are, instead of using an index
    #[arg(long)]
    exact: bool,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// A photo and how like it is.
#[derive(Debug)]
struct Likeness {
    photo: String,
    /// Cosine of the angle between the embeddings, in `[-1, 1]`.
    likeness: f64,
}

impl Similar {
    pub(crate) fn run(self) -> Result<Status> {
        if self.k == Some(0) {
            bail!("-k 0: ask for at least one photo");
        }
        // Known at once, rather than when there is something to write.
        StandardOutput::open()?;
        let (model, identity) = self.model.source.open_identified()?;
        let sought = model.output(&self.photo)?.embedding;
        let mut ranked = Vec::new();
        for kept in self.among.iter().filter_map(|path| KeptEmbeddings::at(path)) {
            let features = model.network().feature_count();
            let mut gallery = kept.read(features, &identity)?;
            if self.k.is_some() && !self.exact {
                say_index(&kept.index(), &gallery.index_at(&kept.index())?);
            }
            let nearest = gallery.nearest(&sought, self.k.unwrap_or(usize::MAX));
            ranked.extend(
                nearest
                    .into_iter()
                    .map(|found| Likeness { photo: found.photo.to_owned(), likeness: found.likeness }),
            );
        }
        let looked_at = |path: &&PathBuf| KeptEmbeddings::at(path).is_none();
        let paths = named_photos(&self.among.iter().filter(looked_at).cloned().collect::<Vec<_>>());
        if paths.is_empty() && ranked.is_empty() {
            bail!("no photos to rank");
        }
        let bar = bar(paths.len(), "looking at photos");
        let mut bad = 0;
        for (path, output) in paths.iter().zip(model.outputs(&paths)) {
            match output {
                Ok(output) => {
                    let likeness = sought.cosine(&output.embedding);
                    ranked.push(Likeness { photo: path_text(path), likeness });
                }
                Err(error) => {
                    bad += 1;
                    bar.suspend(|| say(format!("left out: {}", with_causes(&error))));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if ranked.is_empty() {
            return Err(none_read(bad));
        }
        // A stable sort: equals stay in path order.
        ranked.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
        ranked.truncate(self.k.unwrap_or(usize::MAX));
        write_ranked(&ranked, self.format)?;
        Ok(Status::with_bad_photos(bad))
    }
}

/// Embeddings that were kept, and where.
#[derive(Debug)]
enum KeptEmbeddings {
    /// In a file of rows of `/v1/embed`.
    Rows(PathBuf),
    /// In a folder that `cairn label` wrote.
    #[cfg(feature = "label")]
    Labels(PathBuf),
}

impl KeptEmbeddings {
    /// Those at `path`, if it is no photo and no folder of photos.
    fn at(path: &Path) -> Option<Self> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("jsonl" | "ndjson") if !path.is_dir() => Some(Self::Rows(path.to_owned())),
            #[cfg(feature = "label")]
            _ if path.join(cairn_label::PLAN).is_file() => Some(Self::Labels(path.to_owned())),
            _ => None,
        }
    }

    fn read(&self, features: usize, identity: &ModelIdentity) -> Result<Gallery> {
        Ok(match self {
            Self::Rows(file) => Gallery::read_rows(file, features, identity)?,
            #[cfg(feature = "label")]
            Self::Labels(folder) => {
                cairn_label::read_embeddings(&cairn_label::DiskStore::new(folder), features, identity)?
            }
        })
    }

    /// Where their index is kept.
    fn index(&self) -> PathBuf {
        match self {
            Self::Rows(file) => {
                let mut name = file.as_os_str().to_owned();
                name.push(".index");
                name.into()
            }
            // As the other files there that are no tables, with which readers of a folder of tables do not begin.
            #[cfg(feature = "label")]
            Self::Labels(folder) => folder.join("_embeddings.index"),
        }
    }
}

/// Says what a person may want to know of an index.
fn say_index(path: &Path, index: &GalleryIndex) {
    let GalleryIndex::Made { before, unsaved } = index else { return };
    if let Some(before) = before {
        say(format!("{}; made again", with_causes(before)));
    }
    match unsaved {
        Some(error) => say(format!("{}; the next search makes it again", with_causes(error))),
        None if before.is_none() => say(format!("index: {}", path_text(path))),
        None => {}
    }
}

fn write_ranked(ranked: &[Likeness], format: Format) -> Result<()> {
    let mut table = TableOutput::new(["photo", "likeness"].map(|key| Column::new(key, key)).into());
    for Likeness { photo, likeness } in ranked {
        table.push(vec![Cell::text(photo), Cell::number(*likeness, 3)]);
    }
    table.print(format, Layout::Rows)
}
