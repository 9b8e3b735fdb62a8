//! `cairn learn`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_model::LearnOutcome;
use cairn_photo::Photo;
use clap::Args;

use crate::causes::with_causes;
use crate::destination::Destination;
use crate::exit::Status;
use crate::model_source::ModelArgument;
use crate::output::make_folder_of;
use crate::photo_files::named_photos;
use crate::progress::say;

/// Teach a model a new landmark from a few photos, without training
#[derive(Debug, Args)]
pub(crate) struct Learn {
    #[command(flatten)]
    model: ModelArgument,
    /// Name of the landmark, such as "Our town hall"; a learned landmark of this name is replaced
    #[arg(long)]
    name: String,
    /// Photos of the landmark, or folders of photos; five are enough
    #[arg(value_name = "PHOTO|DIR", required = true)]
    photos: Vec<PathBuf>,
    #[command(flatten)]
    destination: Destination,
}

impl Learn {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.destination.path(&self.model.source, self.photos.iter().map(PathBuf::as_path))?;
        let mut model = self.model.source.open()?;
        let paths = named_photos(&self.photos);
        let (mut thumbnails, mut embeddings) = (Vec::new(), Vec::new());
        let looked_at = model.map_photos(&paths, |model, photo| {
            (photo.resized(THUMBNAIL, THUMBNAIL), model.embeddings_to_learn(photo))
        });
        for outcome in looked_at {
            match outcome {
                Ok((thumbnail, of_photo)) => {
                    thumbnails.push(thumbnail);
                    embeddings.extend(of_photo);
                }
                Err(error) => say(format!("left out: {}", with_causes(&error))),
            }
        }
        let read = thumbnails.len();
        let bad = paths.len() - read;
        if read == 0 {
            bail!("not one photo could be read");
        }
        let learned = model.learn_embeddings(&self.name, &embeddings)?;
        if let Some(warning) = too_alike(&thumbnails) {
            say(format!("warning: {warning}"));
        }
        make_folder_of(&out)?;
        model.save(&out)?;
        let what = match learned {
            LearnOutcome::Added => "learned",
            LearnOutcome::Replaced => "learned anew, from these photos alone:",
        };
        let count = match read {
            1 => "1 photo".to_owned(),
            count => format!("{count} photos"),
        };
        say(format!("{what} {:?} from {count}: {}", self.name.trim(), path_text(&out)));
        Ok(Status::with_bad_photos(bad))
    }
}

/// Side of the thumbnails by which copies are known.
const THUMBNAIL: u32 = 16;
/// Levels by which the thumbnails of copies may differ: what another JPEG compression changes.
const COPY_LEVELS: u8 = 4;

/// What to say of photos, by their thumbnails, that show a landmark in one view alone.
fn too_alike(photos: &[Photo]) -> Option<String> {
    const MEANING: &str = "the landmark is learned in this one view, and will hardly be named from another side or in \
        another light; give about five photos that differ";
    let distinct = distinct(photos);
    match (distinct, photos.len()) {
        (1, 1) => Some(format!("this is one photo: {MEANING}")),
        (1, all) => Some(format!("these {all} photos are copies of one: {MEANING}")),
        (distinct, all) if distinct < all => Some(format!(
            "{} of these {all} photos are copies of others and teach nothing new",
            all - distinct
        )),
        _ => None,
    }
}

/// How many of the photos are not copies of another before them.
fn distinct(photos: &[Photo]) -> usize {
    let is_copy = |photo: &Photo, other: &Photo| {
        other.pixels().iter().zip(photo.pixels()).all(|(a, b)| a.abs_diff(*b) <= COPY_LEVELS)
    };
    let mut kept: Vec<&Photo> = Vec::new();
    for photo in photos {
        if !kept.iter().any(|other| is_copy(photo, other)) {
            kept.push(photo);
        }
    }
    kept.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_photo_and_copies_of_one_are_warned_of_and_photos_that_differ_are_not() {
        let plain = |level: u8| Photo::filled(THUMBNAIL, THUMBNAIL, [level; 3]);
        let warning = |levels: &[u8]| {
            too_alike(&levels.iter().map(|&level| plain(level)).collect::<Vec<_>>()).unwrap_or_default()
        };
        assert!(warning(&[90]).starts_with("this is one photo: the landmark is learned in this one view"));
        assert!(warning(&[90, 90, 91]).starts_with("these 3 photos are copies of one"));
        assert!(warning(&[90, 120, 90]).starts_with("1 of these 3 photos are copies"));
        assert_eq!(warning(&[90, 120, 150]), "");
    }
}
