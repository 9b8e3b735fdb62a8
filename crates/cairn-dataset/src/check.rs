//! What is wrong with a data set, found by reading every photo in it.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_photo::{Limits, PhotoError, ReadSize};
use rayon::prelude::*;
use serde::Serialize;

use crate::index::{DatasetIndex, Part};
use crate::path_text::{self, nfc};
use crate::scan::scan;
use crate::{BadPhoto, DatasetError, ManifestPaths, PhotoPlace, SkipReason, Skipped};

/// What [`check`] found. Every list is in order; an empty one is good news.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// How many photos were read.
    pub photos: usize,
    /// Photos of `test` that stand in `train` or in the validation folder too, byte for byte. The worst there is:
    /// the test figures promise what the network will not keep.
    pub in_train_and_test: Vec<Copies>,
    /// Photos that stand under two classes, byte for byte: at least one of the labels is wrong.
    pub in_two_classes: Vec<Copies>,
    /// All other photos that stand there more than once, byte for byte.
    pub duplicates: Vec<Copies>,
    /// Photos that cannot be read.
    pub unreadable: Vec<BadPhoto>,
    /// Photos so thin that no network can make anything of them ([`Photo::is_too_thin`](cairn_photo::Photo::is_too_thin)).
    pub too_thin: Vec<ThinPhoto>,
    /// Class folders without a photo.
    #[serde(serialize_with = "path_text::many")]
    pub empty_classes: Vec<PathBuf>,
    /// Class folders of `test` or of the validation folder that `train` lacks.
    #[serde(serialize_with = "path_text::many")]
    pub unknown_classes: Vec<PathBuf>,
    /// Class folders of one part, in pairs, whose names differ in their Unicode normal form only.
    pub alike_classes: Vec<Copies>,
    /// Links that are not followed, as they lead to a folder above them or to another class or part.
    pub links: Vec<Skipped>,
    /// Photos of a part that are in no class folder, so that their class is unknown.
    #[serde(serialize_with = "path_text::many")]
    pub outside_classes: Vec<PathBuf>,
    /// All else that was left out: hidden files, what programs leave, and files that are no photos by their name. No
    /// problem in themselves.
    pub ignored: Vec<Skipped>,
}

impl CheckReport {
    /// How many things are wrong. A photo that is both in train and test and under two classes is wrong twice.
    pub fn problems(&self) -> usize {
        self.in_train_and_test.len()
            + self.in_two_classes.len()
            + self.duplicates.len()
            + self.unreadable.len()
            + self.too_thin.len()
            + self.empty_classes.len()
            + self.unknown_classes.len()
            + self.alike_classes.len()
            + self.links.len()
            + self.outside_classes.len()
    }
}

/// A photo that is too thin for any network, and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ThinPhoto {
    /// Where it is.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The places of what is there more than once, in the order of the parts, classes and paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Copies(#[serde(serialize_with = "path_text::many")] pub Vec<PathBuf>);

/// Reads every photo of the data set in `root`, on all cores, and reports all that is wrong with it.
///
/// `progress` is told how many photos are done, and of how many, after each; from several threads at once, so not
/// always in order.
///
/// # Errors
/// Where the folders cannot be walked or the table cannot be read; everything that is wrong within them is in the report
/// instead.
pub fn check(
    root: &Path,
    paths: ManifestPaths,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<CheckReport, DatasetError> {
    let scan = scan(root, paths)?;
    let photos = placed_photos(&scan);
    let done = AtomicUsize::new(0);
    let contents: Vec<Result<Content, Box<BadPhoto>>> = photos
        .par_iter()
        .map(|photo| {
            let content = read_whole(photo.place).map_err(Box::new);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, photos.len());
            content
        })
        .collect();

    let mut report = CheckReport {
        photos: photos.len(),
        in_train_and_test: Vec::new(),
        in_two_classes: Vec::new(),
        duplicates: Vec::new(),
        unreadable: Vec::new(),
        too_thin: Vec::new(),
        empty_classes: empty_classes(&scan),
        unknown_classes: unknown_classes(&scan),
        alike_classes: alike_classes(&scan),
        links: Vec::new(),
        outside_classes: Vec::new(),
        ignored: Vec::new(),
    };
    for skipped in scan.parts().flat_map(|(_, part)| part.skipped.iter().cloned()) {
        match skipped.reason {
            reason if reason.is_link() => report.links.push(skipped),
            SkipReason::OutsideClasses => report.outside_classes.push(skipped.path),
            _ => report.ignored.push(skipped),
        }
    }
    // The hash and the number of each, in order of the hashes: photos of one content are next to each other.
    let mut by_content: Vec<(ContentHash, u32)> = Vec::with_capacity(photos.len());
    for (number, content) in (0_u32..).zip(contents) {
        match content {
            Ok(Content { hash, thin }) => {
                by_content.push((hash, number));
                report.too_thin.extend(thin.map(|thin| *thin));
            }
            Err(bad) => report.unreadable.push(*bad),
        }
    }
    by_content.sort_unstable();
    let same = by_content.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
    let mut groups: Vec<Vec<&PlacedPhoto<'_>>> =
        same.map(|group| group.iter().map(|(_, number)| &photos[*number as usize]).collect()).collect();
    groups.sort_by_cached_key(|group| group[0].place.path());
    for group in groups {
        report.add_copies(&group);
    }
    Ok(report)
}

impl CheckReport {
    fn add_copies(&mut self, group: &[&PlacedPhoto]) {
        let copies = || Copies(group.iter().map(|photo| photo.place.path()).collect());
        let tested = group.iter().filter(|photo| photo.part == Part::Test).count();
        let leaks = tested > 0 && tested < group.len();
        let mislabelled = group.iter().any(|photo| photo.class != group[0].class);
        if leaks {
            self.in_train_and_test.push(copies());
        }
        if mislabelled {
            self.in_two_classes.push(copies());
        }
        if !leaks && !mislabelled {
            self.duplicates.push(copies());
        }
    }
}

/// A photo and its position.
struct PlacedPhoto<'a> {
    part: Part,
    class: &'a str,
    place: &'a PhotoPlace,
}

fn placed_photos(scan: &DatasetIndex) -> Vec<PlacedPhoto<'_>> {
    let classes = scan.parts().flat_map(|(part, scan)| scan.classes.iter().map(move |class| (part, class)));
    classes
        .flat_map(|(part, class)| {
            class.photos.iter().map(move |place| PlacedPhoto { part, class: &class.name, place })
        })
        .collect()
}

/// Half of a BLAKE3 hash: enough to tell contents apart.
type ContentHash = [u8; 16];

/// What a photo's file holds.
struct Content {
    hash: ContentHash,
    thin: Option<Box<ThinPhoto>>,
}

/// Decodes the photo, to see whether that can be done, and hashes its file.
fn read_whole(place: &PhotoPlace) -> Result<Content, BadPhoto> {
    BadPhoto::guard(place, || {
        let limits = Limits::default();
        let photo = place.open(ReadSize::Full, &limits)?;
        let (width, height) = (photo.width(), photo.height());
        let thin = photo.is_too_thin().then(|| Box::new(ThinPhoto { path: place.path(), width, height }));
        drop(photo);
        let mut hasher = blake3::Hasher::new();
        let hashed = if place.is_member() {
            place.content(limits.max_bytes).map(|content| hasher.update(&content).finalize())
        } else {
            File::open(place.path())
                .and_then(|file| hasher.update_reader(file).map(|hasher| hasher.finalize()))
        };
        let hashed = hashed.map_err(|source| PhotoError::Io { path: place.path(), source })?;
        let mut hash = ContentHash::default();
        hash.copy_from_slice(&hashed.as_bytes()[..16]);
        Ok(Content { hash, thin })
    })
}

fn empty_classes(scan: &DatasetIndex) -> Vec<PathBuf> {
    let classes = scan.parts().flat_map(|(_, part)| &part.classes);
    classes.filter(|class| class.photos.is_empty()).map(|class| class.folder.clone()).collect()
}

fn unknown_classes(scan: &DatasetIndex) -> Vec<PathBuf> {
    let known: HashSet<_> = scan.train.classes.iter().map(|class| nfc(&class.name)).collect();
    let classes = scan.parts().flat_map(|(_, part)| &part.classes);
    classes.filter(|class| !known.contains(&nfc(&class.name))).map(|class| class.folder.clone()).collect()
}

fn alike_classes(scan: &DatasetIndex) -> Vec<Copies> {
    let pairs = scan.parts().flat_map(|(_, part)| part.alike_classes());
    pairs.map(|(a, b)| Copies(vec![a.folder.clone(), b.folder.clone()])).collect()
}
