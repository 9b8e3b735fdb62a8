//! Batches: right content, the same on any number of workers, nothing lost, nothing hanging.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cairn_dataset::{
    Batch, ClassId, Example, ImageFolder, Loader, LoaderError, LoaderOptions, PhotoCache, ValidSplit, View,
};
use cairn_photo::{Augmentation, Augmentations, Framing, Normalisation, Photo, PhotoError, Preprocess};

use crate::little_folder::LittleFolder;

const NORMALISATION: Normalisation = Normalisation { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.1] };

fn as_tested() -> View {
    let framing = Framing::ShortSideCrop { short_side: 12, crop: 10 };
    View::Test(Preprocess { framing, normalisation: NORMALISATION })
}

fn augmented() -> View {
    let augment = Augmentations(vec![
        Augmentation::RandomResizedCrop { size: 10, scale: [0.5, 1.0], ratio: [0.75, 1.3] },
        Augmentation::HorizontalFlip { p: 0.5 },
        Augmentation::RandomRotation { degrees: 20.0 },
    ]);
    View::Train { augment, normalisation: NORMALISATION }
}

fn options() -> LoaderOptions {
    LoaderOptions { batch_size: 4, workers: 2, prefetch: 1, seed: 7, shuffle: true, drop_last: false }
}

/// 3 classes of 7 photos each: 21, so batches of 4 leave one over.
fn examples(folder: &LittleFolder) -> Arc<[Example]> {
    folder.part("train", 7).folder("valid");
    ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap().train.into()
}

/// What two batches must share to be the same for a network.
#[derive(Clone, Debug, PartialEq)]
struct Content {
    number: usize,
    pixel_bits: Vec<u32>,
    labels: Vec<ClassId>,
    examples: Vec<usize>,
}

fn content(batches: impl Iterator<Item = Batch>) -> Vec<Content> {
    batches
        .map(|batch| Content {
            number: batch.number,
            pixel_bits: batch.pixels.iter().map(|pixel| pixel.to_bits()).collect(),
            labels: batch.labels,
            examples: batch.examples,
        })
        .collect()
}

#[test]
fn batches_are_bit_equal_on_any_number_of_workers_and_with_any_prefetch() {
    let folder = LittleFolder::new();
    let examples = examples(&folder);
    let epoch = |workers, prefetch| {
        let options = LoaderOptions { workers, prefetch, ..options() };
        content(Loader::new(Arc::clone(&examples), augmented(), options).unwrap().epoch(3, 0))
    };
    let one = epoch(1, 0);
    assert_eq!(one.len(), 6);
    for (workers, prefetch) in [(1, 5), (2, 0), (3, 2), (8, 50)] {
        assert!(epoch(workers, prefetch) == one, "{workers} workers, prefetch {prefetch}");
    }
}

#[test]
fn an_epoch_taken_up_in_the_middle_goes_on_as_the_whole_one_does() {
    let folder = LittleFolder::new();
    let loader = Loader::new(examples(&folder), augmented(), options()).unwrap();
    let whole = content(loader.epoch(5, 0));
    for first in 0..=whole.len() + 1 {
        let rest = content(loader.epoch(5, first));
        assert!(rest == whole[first.min(whole.len())..], "from batch {first}");
    }
}

#[test]
fn an_epoch_shows_every_photo_once_and_the_next_one_in_another_way() {
    let folder = LittleFolder::new();
    let loader = Loader::new(examples(&folder), augmented(), options()).unwrap();
    let shown = |epoch| -> Vec<usize> { loader.epoch(epoch, 0).flat_map(|batch| batch.examples).collect() };
    let mut sorted = shown(0);
    sorted.sort_unstable();
    assert_eq!(sorted, (0..21).collect::<Vec<_>>());
    assert_ne!(shown(0), shown(1), "the order changes");

    let unshuffled = LoaderOptions { shuffle: false, ..options() };
    let loader = Loader::new(Arc::from(loader.examples()), augmented(), unshuffled).unwrap();
    let pixels = |epoch| loader.epoch(epoch, 0).next().unwrap().pixels;
    assert_eq!(pixels(0), pixels(0));
    assert_ne!(pixels(0), pixels(1), "the augmentation changes");
}

#[test]
fn the_augmentation_of_a_photo_does_not_depend_on_the_photos_beside_it() {
    let folder = LittleFolder::new();
    let all = examples(&folder);
    let unshuffled = LoaderOptions { shuffle: false, batch_size: 1, ..options() };
    let pixels = |examples: &[Example]| -> Vec<Vec<f32>> {
        let loader = Loader::new(examples, augmented(), unshuffled.clone()).unwrap();
        loader.epoch(2, 0).map(|batch| batch.pixels.to_vec()).collect()
    };
    assert_eq!(pixels(&all)[5..9], pixels(&all[5..9]));
}

#[test]
fn a_batch_holds_what_the_preprocessing_makes_of_each_photo() {
    let folder = LittleFolder::new();
    let View::Test(preprocess) = as_tested() else { unreachable!() };
    let loader = Loader::new(examples(&folder), as_tested(), options()).unwrap();
    for batch in loader.epoch(0, 0) {
        assert_eq!((batch.height, batch.width), (10, 10));
        assert_eq!(batch.pixels.len(), batch.len() * 300);
        let photos = batch.photos(&NORMALISATION);
        for (place, &example) in batch.examples.iter().enumerate() {
            let example = &loader.examples()[example];
            let framed = preprocess.frame(&Photo::open(example.path()).unwrap());
            let mut expected = vec![0.0; 300];
            NORMALISATION.write_chw(&framed, &mut expected);
            assert_eq!(batch.pixels[place * 300..][..300], expected);
            assert_eq!(batch.labels[place], example.class);
            assert!(photos[place] == framed, "turned back into pixels, it is the framed photo");
        }
    }
}

#[test]
fn the_last_batch_is_short_or_dropped_as_asked() {
    let folder = LittleFolder::new();
    let examples = examples(&folder);
    for (drop_last, expected) in [(false, vec![8, 8, 5]), (true, vec![8, 8])] {
        let options = LoaderOptions { batch_size: 8, drop_last, ..options() };
        let loader = Loader::new(Arc::clone(&examples), as_tested(), options).unwrap();
        assert_eq!(loader.batches_per_epoch(), expected.len());
        let epoch = loader.epoch(0, 0);
        assert_eq!(epoch.len(), expected.len());
        assert_eq!(epoch.map(|batch| batch.len()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn bad_photos_are_left_out_and_named_and_the_others_stay() {
    let folder = LittleFolder::new();
    folder.part("train", 2).folder("valid");
    folder.file("train/00.Arch/000.png", b"").file("train/01.Big_Dome/001.png", b"no photo at all");
    let examples = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap().train;
    let unshuffled = LoaderOptions { shuffle: false, ..options() };
    let loader = Loader::new(examples, as_tested(), unshuffled).unwrap();
    let batches: Vec<Batch> = loader.epoch(0, 0).collect();
    assert_eq!(
        batches.iter().map(|batch| batch.examples.clone()).collect::<Vec<_>>(),
        [vec![1, 2], vec![4, 5]]
    );

    let named: Vec<_> = batches[0].bad.iter().map(|bad| bad.path().to_path_buf()).collect();
    assert_eq!(named, [folder.path("train/00.Arch/000.png"), folder.path("train/01.Big_Dome/001.png")]);
    // The photos that moved up took their pixels with them.
    let View::Test(preprocess) = as_tested() else { unreachable!() };
    let photos = batches[0].photos(&NORMALISATION);
    assert_eq!(photos.len(), 2);
    for (photo, name) in photos.iter().zip(["train/00.Arch/001.png", "train/01.Big_Dome/000.png"]) {
        assert!(*photo == preprocess.frame(&Photo::open(folder.path(name)).unwrap()), "{name}");
    }
}

#[test]
fn a_batch_of_bad_photos_alone_is_empty() {
    let folder = LittleFolder::new();
    folder.file("train/a/1.png", b"").file("train/a/2.png", b"").folder("valid");
    let examples = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap().train;
    let batches: Vec<Batch> = Loader::new(examples, as_tested(), options()).unwrap().epoch(0, 0).collect();
    assert_eq!(batches.len(), 1);
    assert!(batches[0].is_empty() && batches[0].pixels.is_empty() && batches[0].bad.len() == 2);
}

#[test]
fn a_panic_while_preparing_a_photo_is_reported_with_its_path_and_ends_nothing() {
    let folder = LittleFolder::new();
    // Framing to no pixels at all is a mistake of the caller's that panics in every photo.
    let framing = Framing::Squash { width: 0, height: 0 };
    let view = View::Test(Preprocess { framing, normalisation: NORMALISATION });
    let loader = Loader::new(examples(&folder), view, options()).unwrap();
    let batches: Vec<Batch> = loader.epoch(0, 0).collect();
    assert_eq!(batches.iter().map(|batch| batch.bad.len()).sum::<usize>(), 21);
    let bad = &batches[0].bad[0];
    assert!(bad.path().starts_with(folder.root()), "{bad}");
    assert!(matches!(bad, cairn_dataset::BadPhoto::Unreadable(PhotoError::Panicked { .. })), "{bad}");
}

#[test]
fn an_epoch_left_early_stops_its_workers() {
    let folder = LittleFolder::new();
    let photos = examples(&folder);
    const PHOTOS: usize = 200_000;
    let many: Vec<Example> = photos.iter().cycle().take(PHOTOS).cloned().collect();
    let options = LoaderOptions { batch_size: 64, prefetch: 4000, ..options() };
    let cache = Arc::new(PhotoCache::off());
    let loader = Loader::new(many, augmented(), options).unwrap().cached(Arc::clone(&cache));
    let mut epoch = loader.epoch(0, 0);
    epoch.next().unwrap();
    // Returns only once the workers are joined; all photos were handed to them.
    drop(epoch);
    let read = cache.statistics().misses;
    assert!((64..PHOTOS as u64).contains(&read), "{read} photos were read");
}

#[test]
fn workers_stay_within_the_prefetch() {
    let folder = LittleFolder::new();
    let examples = examples(&folder);
    let options = LoaderOptions { batch_size: 3, prefetch: 2, shuffle: false, ..options() };
    let cache = Arc::new(PhotoCache::off());
    let loader = Loader::new(examples, as_tested(), options).unwrap().cached(Arc::clone(&cache));
    let mut epoch = loader.epoch(0, 0);
    epoch.next().unwrap();
    while cache.statistics().misses < 9 {
        thread::yield_now();
    }
    // Time to do what they must not.
    thread::sleep(Duration::from_millis(100));
    // Batch 0 is out, 1 and 2 are ready: photos 9 and on have not been read yet, so may still disappear.
    let gone = loader.examples()[9].path();
    std::fs::remove_file(&gone).unwrap();
    let bad: Vec<_> = epoch.flat_map(|batch| batch.bad).map(|bad| bad.path().to_path_buf()).collect();
    assert_eq!(bad, [gone]);
}

#[test]
fn waiting_counts_only_the_time_in_which_data_is_awaited() {
    let folder = LittleFolder::new();
    let loader = Loader::new(examples(&folder), as_tested(), options()).unwrap();
    let mut epoch = loader.epoch(0, 0);
    assert_eq!(epoch.waited(), Duration::ZERO);
    let started = Instant::now();
    let mut computed = Duration::ZERO;
    while epoch.next().is_some() {
        let pause = Instant::now();
        thread::sleep(Duration::from_millis(20));
        computed += pause.elapsed();
    }
    assert!(epoch.waited() > Duration::ZERO);
    assert!(epoch.waited() <= started.elapsed() - computed);
}

#[test]
fn loaders_that_cannot_make_a_batch_are_refused() {
    let folder = LittleFolder::new();
    let examples = examples(&folder);
    let refused = |view, options| Loader::new(Arc::clone(&examples), view, options).unwrap_err();
    assert!(matches!(
        refused(as_tested(), LoaderOptions { batch_size: 0, ..options() }),
        LoaderError::BatchSize
    ));
    assert!(matches!(refused(as_tested(), LoaderOptions { workers: 0, ..options() }), LoaderError::Workers));
    let augmented = |step| View::Train { augment: Augmentations(vec![step]), normalisation: NORMALISATION };
    let varies = refused(augmented(Augmentation::Resize { short_side: 10 }), options());
    assert!(matches!(varies, LoaderError::SizeVaries), "{varies}");
    let nonsense = refused(augmented(Augmentation::HorizontalFlip { p: 2.0 }), options());
    assert!(matches!(nonsense, LoaderError::Augmentation(_)), "{nonsense}");
}

#[test]
fn no_photos_make_no_batches() {
    let loader = Loader::new(Vec::new(), as_tested(), options()).unwrap();
    assert_eq!(loader.batches_per_epoch(), 0);
    assert_eq!(loader.epoch(0, 0).count(), 0);
}
