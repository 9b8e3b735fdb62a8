//! Making the parts train, valid and test of one folder of classes.

mod write;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use blake3::Hash;
use cairn_photo::PhotoError;
use rayon::prelude::*;

use crate::formats::folders::PARTS;
use crate::index::{Part, PartIndex};
use crate::{BadPhoto, DatasetError, PartCounts, PhotoPlace, Skipped};
pub use write::{ListedPhotos, PartitionError, Placement};

/// How large the parts are, and which photos they get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartShares {
    /// The share of the photos to choose the best model by.
    pub valid: f64,
    /// The share of the photos to report on.
    pub test: f64,
    /// Another seed gives the parts other photos.
    pub seed: u64,
}

impl Default for PartShares {
    /// One tenth each, seed 0.
    fn default() -> PartShares {
        PartShares { valid: 0.1, test: 0.1, seed: 0 }
    }
}

impl PartShares {
    /// Refuses shares that are none, or that leave nothing to train on.
    ///
    /// # Errors
    /// [`DatasetError::Shares`].
    pub fn validate(&self) -> Result<(), DatasetError> {
        let PartShares { valid, test, .. } = *self;
        let share = |share: f64| (0.0..1.0).contains(&share);
        if share(valid) && share(test) && valid + test < 1.0 {
            Ok(())
        } else {
            Err(DatasetError::Shares { valid, test })
        }
    }

    /// The place in 0..1 of photos with this content, evenly spread over all contents.
    fn position(&self, content: &Hash) -> f64 {
        let mut hasher = blake3::Hasher::new_derive_key("cairn-dataset 2026 parts");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(content.as_bytes());
        let mut word = [0; 8];
        hasher.finalize_xof().fill(&mut word);
        // The upper 53 bits, as many as an f64 holds exactly.
        (u64::from_le_bytes(word) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The part of a photo at this position, as far as the shares alone decide.
    fn part_at(&self, position: f64) -> Part {
        match position {
            position if position < self.test => Part::Test,
            position if position < self.test + self.valid => Part::Valid,
            _ => Part::Train,
        }
    }

    /// How many of `total` different photos of one class go to test, and how many to valid.
    ///
    /// The whole numbers nearest to the shares; but no part goes without a photo while there is one for each, first for
    /// train, then for test, then for valid.
    fn counts(&self, total: usize) -> (usize, usize) {
        // Of both together first, so that they are not rounded up twice.
        let nearest = |share: f64| (share * total as f64).round() as usize;
        let wanted = |share: f64| usize::from(share > 0.0);
        let most_test = total.saturating_sub(1 + if total > 2 { wanted(self.valid) } else { 0 });
        let test = nearest(self.test).max(wanted(self.test)).min(most_test);
        let most_valid = total.saturating_sub(1 + test);
        let both = nearest(self.test + self.valid);
        let valid = both.saturating_sub(test).max(wanted(self.valid)).min(most_valid);
        (test, valid)
    }
}

/// A folder of classes, its photos in parts.
///
/// The photos of a class are in the order of a hash of the seed and of their files' content, and the first go to test, the
/// next to valid, as many as come nearest to the shares. So copies of a photo are in one part, a class with three different
/// photos or more is in every part, and what other classes hold or what photos are called plays no role. Photos that are
/// added move those of their class alone whose hashes are at the edge of a part.
#[derive(Debug)]
pub struct Partition {
    /// The folder of class folders.
    pub root: PathBuf,
    /// Its classes, in order of their folders' names.
    pub classes: Vec<ClassParts>,
    /// Photos that are copies of another photo of their class, byte for byte.
    pub copies: usize,
    /// Photos whose content is in two classes, so that one of the labels is wrong.
    pub in_two_classes: usize,
    /// Photos that could not be read, and are in no part.
    pub unreadable: Vec<BadPhoto>,
    /// What is no photo.
    pub skipped: Vec<Skipped>,
}

/// The photos of one class, in parts.
#[derive(Debug)]
pub struct ClassParts {
    /// The class folder's name.
    pub name: String,
    /// How many photos each part has.
    pub photos: PartCounts,
    /// The photos in order of their paths, each with its part.
    placed: Vec<(PathBuf, Part)>,
}

/// A photo that could be read.
struct Content<'a> {
    photo: &'a PhotoPlace,
    hash: Hash,
}

impl Partition {
    /// Puts the photos in the class folders of `root` into parts. Every file is read once, on all cores; none is decoded.
    ///
    /// `progress` is told how many photos are done, and of how many, after each; from several threads at once.
    ///
    /// # Errors
    /// Where the shares make no sense, `root` cannot be read, has parts already, or has no class folders or no photos.
    pub fn of(
        root: &Path,
        shares: &PartShares,
        progress: impl Fn(usize, usize) + Sync,
    ) -> Result<Partition, DatasetError> {
        shares.validate()?;
        let scan = PartIndex::of_classes(root)?;
        if let Some(part) =
            PARTS.into_iter().find(|part| scan.classes.iter().any(|class| class.name == *part))
        {
            return Err(DatasetError::HasParts { root: root.to_path_buf(), part });
        }
        if scan.classes.is_empty() {
            return Err(DatasetError::NoClasses { folder: scan.folder });
        }
        scan.refuse_alike_classes()?;
        let total = scan.classes.iter().map(|class| class.photos.len()).sum();
        if total == 0 {
            return Err(DatasetError::NoPhotos { folder: scan.folder });
        }

        let done = AtomicUsize::new(0);
        let mut unreadable = Vec::new();
        let mut contents: Vec<Vec<Content<'_>>> = Vec::new();
        for class in &scan.classes {
            let hashed: Vec<_> = class
                .photos
                .par_iter()
                .map(|photo| {
                    let hash = content_of(&photo.path());
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                    hash.map(|hash| Content { photo, hash })
                })
                .collect();
            let mut readable = Vec::with_capacity(hashed.len());
            for photo in hashed {
                match photo {
                    Ok(content) => readable.push(content),
                    Err(bad) => unreadable.push(bad),
                }
            }
            contents.push(readable);
        }
        let shared = in_several(&contents);
        let names = scan.classes.iter().map(|class| class.name.clone());
        let classes: Vec<_> = names
            .zip(&contents)
            .map(|(name, photos)| ClassParts::of(name, photos, shares, &shared))
            .collect();
        let copies = |photos: &Vec<Content<'_>>| {
            photos.len() - photos.iter().map(|content| content.hash).collect::<HashSet<_>>().len()
        };
        Ok(Partition {
            root: root.to_path_buf(),
            copies: contents.iter().map(copies).sum(),
            in_two_classes: contents
                .iter()
                .flatten()
                .filter(|content| shared.contains(&content.hash))
                .count(),
            classes,
            unreadable,
            skipped: scan.skipped,
        })
    }

    /// Photos in each part, all classes together.
    pub fn photos(&self) -> PartCounts {
        let mut all = PartCounts::default();
        for class in &self.classes {
            all.train += class.photos.train;
            all.valid += class.photos.valid;
            all.test += class.photos.test;
        }
        all
    }
}

impl ClassParts {
    /// Places the photos of a class. Contents that are `shared` with other classes go by the shares alone, so that they are
    /// in the same part in every class.
    fn of(name: String, photos: &[Content<'_>], shares: &PartShares, shared: &HashSet<Hash>) -> ClassParts {
        let mut own: Vec<(f64, Hash)> = photos
            .iter()
            .filter(|content| !shared.contains(&content.hash))
            .map(|content| (shares.position(&content.hash), content.hash))
            .collect();
        own.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.as_bytes().cmp(b.1.as_bytes())));
        own.dedup();
        let (test, valid) = shares.counts(own.len());
        let part_of_place = |place: usize| match place {
            place if place < test => Part::Test,
            place if place < test + valid => Part::Valid,
            _ => Part::Train,
        };
        let parts: HashMap<Hash, Part> =
            own.iter().enumerate().map(|(place, (_, hash))| (*hash, part_of_place(place))).collect();
        let mut counts = PartCounts::default();
        let place = |content: &Content<'_>| {
            let by_shares = || shares.part_at(shares.position(&content.hash));
            let part = parts.get(&content.hash).copied().unwrap_or_else(by_shares);
            match part {
                Part::Train => counts.train += 1,
                Part::Valid => counts.valid += 1,
                Part::Test => counts.test += 1,
            }
            (content.photo.path(), part)
        };
        let placed = photos.iter().map(place).collect();
        ClassParts { name, photos: counts, placed }
    }
}

/// The contents that are in more than one class.
fn in_several(classes: &[Vec<Content<'_>>]) -> HashSet<Hash> {
    let mut first_class: HashMap<Hash, usize> = HashMap::new();
    let mut shared = HashSet::new();
    for (class, photos) in classes.iter().enumerate() {
        for content in photos {
            if *first_class.entry(content.hash).or_insert(class) != class {
                shared.insert(content.hash);
            }
        }
    }
    shared
}

/// The hash of a file's content. An empty file is no photo, and no copy of another empty one.
fn content_of(path: &Path) -> Result<Hash, BadPhoto> {
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound => PhotoError::NotFound { path: path.to_path_buf() },
        _ => PhotoError::Io { path: path.to_path_buf(), source },
    };
    let file = File::open(path).map_err(io)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(io)?;
    if hasher.count() == 0 {
        return Err(PhotoError::Empty { path: path.to_path_buf() }.into());
    }
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many of a class of `total` photos go to train, valid and test.
    fn parts(shares: &PartShares, total: usize) -> [usize; 3] {
        let (test, valid) = shares.counts(total);
        [total - test - valid, valid, test]
    }

    #[test]
    fn a_class_has_the_nearest_share_in_every_part_and_a_small_one_in_train_first() {
        let tenths = PartShares::default();
        for (total, expected) in [
            (0, [0, 0, 0]),
            (1, [1, 0, 0]),
            (2, [1, 0, 1]),
            (3, [1, 1, 1]),
            (4, [2, 1, 1]),
            (5, [3, 1, 1]),
            (10, [8, 1, 1]),
            (15, [12, 1, 2]),
            (24, [19, 3, 2]),
            (100, [80, 10, 10]),
        ] {
            assert_eq!(parts(&tenths, total), expected, "{total}");
        }
        let no_test = PartShares { test: 0.0, ..tenths };
        assert_eq!((parts(&no_test, 2), parts(&no_test, 30)), ([1, 1, 0], [27, 3, 0]));
        let neither = PartShares { valid: 0.0, ..no_test };
        assert_eq!(parts(&neither, 2), [2, 0, 0]);
    }

    #[test]
    fn shares_that_leave_nothing_to_train_on_are_refused() {
        for (valid, test) in [(0.5, 0.5), (-0.1, 0.1), (0.1, 1.0), (f64::NAN, 0.1), (0.1, f64::NAN)] {
            assert!(PartShares { valid, test, seed: 0 }.validate().is_err(), "{valid} {test}");
        }
        assert!(PartShares { valid: 0.0, test: 0.0, seed: 0 }.validate().is_ok());
    }

    proptest! {
        #[test]
        fn a_class_of_three_or_more_is_in_every_part_and_less_than_two_photos_off_its_shares(
            total in 0usize..400, valid in 0.01..0.49, test in 0.01..0.49,
        ) {
            let shares = PartShares { valid, test, seed: 0 };
            let counts = parts(&shares, total);
            prop_assert_eq!(counts.iter().sum::<usize>(), total);
            prop_assert!(total < 3 || counts.iter().all(|count| *count > 0));
            for (count, share) in counts.into_iter().zip([1.0 - valid - test, valid, test]) {
                let exact = share * total as f64;
                // A part that would have none takes one, which is missing in another.
                prop_assert!((count as f64 - exact).abs() < 2.0, "{counts:?}");
            }
        }
    }
}
