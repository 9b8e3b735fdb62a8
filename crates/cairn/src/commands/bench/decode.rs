//! `cairn bench decode`

use cairn_dataset::path_text;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cairn_train::decoding_speed;
use clap::Args;
use serde::Serialize;

use super::figures::print_line;
use super::photos::in_cairn_data;
use crate::exit::Status;

/// Decode photos to 224 px tensors on one thread: as training and prediction do, then at full size
#[derive(Debug, Args)]
pub(crate) struct Decode {
    /// Photos [default: photos/large-*.jpg in the folder that CAIRN_DATA names]
    #[arg(value_name = "PHOTO")]
    photos: Vec<PathBuf>,
    /// Timed passes over all photos; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 3)]
    repeats: usize,
}

/// A line of output.
#[derive(Serialize)]
struct Line<'a> {
    what: &'a str,
    peer: &'a str,
    photos: usize,
    photos_per_second: f64,
    threads: usize,
}

impl Decode {
    pub(crate) fn run(self) -> Result<Status> {
        let photos = if self.photos.is_empty() { large_photos()? } else { self.photos };
        for (peer, every_pixel) in [("cairn", false), ("cairn every pixel", true)] {
            let speed = decoding_speed(&photos, every_pixel, self.repeats)?;
            print_line(&Line {
                what: "decode large photo",
                peer,
                photos: photos.len(),
                photos_per_second: (speed * 100.0).round() / 100.0,
                threads: 1,
            })?;
        }
        Ok(Status::Done)
    }
}

fn large_photos() -> Result<Vec<PathBuf>> {
    let folder = in_cairn_data("photos", "photos")?;
    let entries = folder.read_dir().with_context(|| format!("{}: cannot be read", path_text(&folder)))?;
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut photos: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    photos.retain(|path| name(path).starts_with("large-") && name(path).ends_with(".jpg"));
    photos.sort();
    ensure!(!photos.is_empty(), "{}: no photo is called large-*.jpg; give photos", path_text(&folder));
    Ok(photos)
}
