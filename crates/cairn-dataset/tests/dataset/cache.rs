//! Kept photos: the same batches, nothing decoded twice, nothing stale, no crash that does harm.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cairn_dataset::{
    CacheError, CacheMode, CacheOptions, Example, ImageFolder, Loader, LoaderOptions, PhotoCache, ValidSplit,
    View,
};
use cairn_photo::{Augmentation, Augmentations, Normalisation, Photo, ReadSize};
use tempfile::TempDir;

use crate::little_folder::LittleFolder;

const SIZE: ReadSize = ReadSize::ShortSide(12);

fn options(mode: CacheMode, folder: &TempDir) -> CacheOptions {
    CacheOptions { mode, folder: Some(folder.path().to_path_buf()), ..CacheOptions::default() }
}

fn open(mode: CacheMode, folder: &TempDir) -> PhotoCache {
    PhotoCache::open(&options(mode, folder), 0).unwrap()
}

fn examples(folder: &LittleFolder) -> Vec<Example> {
    folder.part("train", 7).folder("valid");
    ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap().train
}

/// The bits of all pixels of two epochs.
fn two_epochs(examples: &[Example], cache: Arc<PhotoCache>) -> Vec<u32> {
    let augment = Augmentations(vec![
        Augmentation::Resize { short_side: 12 },
        Augmentation::RandomCrop { size: 10 },
        Augmentation::HorizontalFlip { p: 0.5 },
    ]);
    let view = View::Train { augment, normalisation: Normalisation::IMAGENET };
    let options = LoaderOptions { batch_size: 4, workers: 3, shuffle: true, ..LoaderOptions::default() };
    let loader = Loader::new(examples, view, options).unwrap().cached(cache);
    let batches = (0..2).flat_map(|epoch| loader.epoch(epoch, 0));
    batches.flat_map(|batch| batch.pixels.to_vec()).map(f32::to_bits).collect()
}

#[test]
fn batches_are_bit_equal_with_and_without_a_cache() {
    let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
    let examples = examples(&folder);
    let without = two_epochs(&examples, Arc::new(PhotoCache::off()));
    for mode in [CacheMode::Ram, CacheMode::Disk] {
        assert!(two_epochs(&examples, Arc::new(open(mode, &cache_folder))) == without, "{mode:?}");
    }
    // Room for a few photos only.
    let little = CacheOptions { ram_bytes: 4000, ..options(CacheMode::Ram, &cache_folder) };
    let cache = Arc::new(PhotoCache::open(&little, 0).unwrap());
    assert!(two_epochs(&examples, Arc::clone(&cache)) == without);
    let kept = cache.statistics();
    assert!((1..21).contains(&kept.photos) && kept.bytes <= 4000, "{kept:?}");
}

#[test]
fn from_the_second_epoch_on_nothing_is_decoded() {
    let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
    let examples = examples(&folder);
    for mode in [CacheMode::Ram, CacheMode::Disk] {
        let cache = Arc::new(open(mode, &cache_folder));
        two_epochs(&examples, Arc::clone(&cache));
        let statistics = cache.statistics();
        assert_eq!((statistics.misses, statistics.hits, statistics.photos), (21, 21, 21), "{mode:?}");
    }
}

#[test]
fn a_later_run_finds_on_disk_what_an_earlier_one_decoded() {
    let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
    let examples = examples(&folder);
    let first = two_epochs(&examples, Arc::new(open(CacheMode::Disk, &cache_folder)));
    let cache = Arc::new(open(CacheMode::Disk, &cache_folder));
    assert!(two_epochs(&examples, Arc::clone(&cache)) == first);
    assert_eq!(cache.statistics().misses, 0);
}

#[test]
fn a_photo_that_changed_is_decoded_anew() {
    for mode in [CacheMode::Ram, CacheMode::Disk] {
        let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
        let cache = open(mode, &cache_folder);
        let path = folder.path("a.png");
        let colour = |rgb| {
            folder.photo_of("a.png", &Photo::filled(24, 16, rgb));
            cache.read(&path.as_path().into(), SIZE).unwrap().pixel(0, 0)
        };
        assert_eq!(colour([1, 2, 3]), [1, 2, 3]);
        // A file of the same length, written within the clock's tick, is told by its time all the same: set it apart.
        folder.photo_of("a.png", &Photo::filled(24, 16, [4, 5, 6]));
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(5)).unwrap();
        assert_eq!(cache.read(&path.as_path().into(), SIZE).unwrap().pixel(0, 0), [4, 5, 6], "{mode:?}");
        fs::remove_file(&path).unwrap();
        assert!(cache.read(&path.as_path().into(), SIZE).is_err(), "{mode:?}: a photo that is gone is gone");
    }
}

#[test]
fn the_same_photo_at_another_size_is_another_photo() {
    for mode in [CacheMode::Ram, CacheMode::Disk] {
        let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
        folder.photo("a.png", 1);
        let cache = open(mode, &cache_folder);
        let heights = [ReadSize::Full, ReadSize::ShortSide(8), ReadSize::Exactly { width: 5, height: 4 }]
            .map(|size| cache.read(&folder.path("a.png").as_path().into(), size).unwrap().height());
        assert_eq!(heights, [16, 8, 4]);
        assert_eq!(cache.statistics().photos, 3);
    }
}

/// The photos `0.png` to `9.png` read through a cache on disk; tells how many had to be decoded.
fn misses(folder: &LittleFolder, cache_folder: &TempDir) -> u64 {
    let cache = open(CacheMode::Disk, cache_folder);
    for i in 0..10 {
        let path = folder.path(&format!("{i}.png"));
        let kept = cache.read(&path.as_path().into(), SIZE).unwrap();
        assert!(*kept == Photo::open(path).unwrap().resized_short_side(12));
    }
    cache.statistics().misses
}

fn damage(cache_folder: &TempDir, change: impl Fn(&mut Vec<u8>)) {
    let path = cache_folder.path().join("photos.cache");
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_that_a_crash_left_half_written_loses_only_what_is_damaged() {
    let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
    (0..10).for_each(|i| {
        folder.photo(&format!("{i}.png"), i);
    });
    assert_eq!(misses(&folder, &cache_folder), 10);
    assert_eq!(misses(&folder, &cache_folder), 0);
    // The last photo's pixels are not all there.
    damage(&cache_folder, |bytes| bytes.truncate(bytes.len() - 1));
    assert_eq!(misses(&folder, &cache_folder), 1);
    // A hole within its pixels.
    damage(&cache_folder, |bytes| {
        let end = bytes.len();
        bytes[end - 40..end - 20].fill(0);
    });
    assert_eq!(misses(&folder, &cache_folder), 1);
    // No such file at all.
    damage(&cache_folder, |bytes| *bytes = b"something else altogether".to_vec());
    assert_eq!(misses(&folder, &cache_folder), 10);
    assert_eq!(misses(&folder, &cache_folder), 0);
}

#[test]
fn a_file_that_is_being_filled_by_another_run_is_read_but_not_written() {
    let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
    folder.photo("a.png", 1).photo("b.png", 2);
    let first = open(CacheMode::Disk, &cache_folder);
    first.read(&folder.path("a.png").as_path().into(), SIZE).unwrap();
    let second = open(CacheMode::Disk, &cache_folder);
    assert!(second.trouble().is_some() && first.trouble().is_none());
    second.read(&folder.path("a.png").as_path().into(), SIZE).unwrap();
    second.read(&folder.path("b.png").as_path().into(), SIZE).unwrap();
    let statistics = second.statistics();
    assert_eq!((statistics.hits, statistics.misses, statistics.photos), (1, 1, 1));
}

#[test]
fn by_itself_a_cache_takes_memory_where_that_suffices_and_the_folder_where_not() {
    let cache_folder = TempDir::new().unwrap();
    let with_folder = CacheOptions { ram_bytes: 1000, ..options(CacheMode::Auto, &cache_folder) };
    let mode = |options: &CacheOptions, demand| PhotoCache::open(options, demand).unwrap().mode();
    assert_eq!(mode(&with_folder, 1000), CacheMode::Ram);
    assert_eq!(mode(&with_folder, 1001), CacheMode::Disk);
    assert_eq!(mode(&CacheOptions { folder: None, ..with_folder }, 1001), CacheMode::Ram);
    assert_eq!(mode(&options(CacheMode::Off, &cache_folder), 0), CacheMode::Off);
}

#[test]
fn a_cache_that_cannot_be_is_an_error_that_says_what_to_do() {
    let nowhere = CacheOptions { mode: CacheMode::Disk, ..CacheOptions::default() };
    assert!(matches!(PhotoCache::open(&nowhere, 0), Err(CacheError::NoFolder)));
    let folder = LittleFolder::new();
    folder.file("taken", b"a file, not a folder");
    let taken = CacheOptions { folder: Some(folder.path("taken")), ..nowhere };
    let message = PhotoCache::open(&taken, 0).unwrap_err().to_string();
    assert!(message.contains("taken"), "{message}");
    assert!(Path::new(&folder.path("taken")).is_file());
}

#[test]
fn a_bad_photo_is_reported_each_time_and_never_kept() {
    let (folder, cache_folder) = (LittleFolder::new(), TempDir::new().unwrap());
    folder.file("bad.png", b"no photo");
    for mode in [CacheMode::Off, CacheMode::Ram, CacheMode::Disk] {
        let cache = open(mode, &cache_folder);
        for _ in 0..2 {
            let bad = cache.read(&folder.path("bad.png").as_path().into(), SIZE).unwrap_err();
            assert_eq!(bad.path(), folder.path("bad.png"));
        }
        assert_eq!(cache.statistics().photos, 0);
    }
}
