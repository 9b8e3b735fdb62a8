//! What a loader can do besides showing each photo once: balance classes, mix photos, let them grow, show several views.

use std::sync::Arc;

use cairn_dataset::{
    Batch, BatchMixing, CacheMode, CacheOptions, ClassId, ImageFolder, Loader, LoaderError, LoaderOptions,
    PhotoCache, ProgressiveResize, Sampling, ValidSplit, View,
};
use cairn_photo::{Augmentation, Augmentations, Framing, Normalisation, Photo, Preprocess, TestViews};

use crate::little_folder::LittleFolder;

fn preprocess() -> Preprocess {
    let framing = Framing::ShortSideCrop { short_side: 12, crop: 10 };
    Preprocess { framing, normalisation: Normalisation::IMAGENET }
}

/// Steps that leave a photo as a test sees it, so that one can be told from another.
fn plain_training() -> View {
    let augment = vec![Augmentation::Resize { short_side: 12 }, Augmentation::CenterCrop { size: 10 }];
    View::Train { augment: Augmentations(augment), normalisation: Normalisation::IMAGENET }
}

fn options() -> LoaderOptions {
    LoaderOptions { batch_size: 4, workers: 2, prefetch: 1, seed: 7, shuffle: true, drop_last: false }
}

fn loader(folder: &LittleFolder, view: View, options: LoaderOptions) -> Loader {
    folder.part("train", 4).folder("valid");
    let data = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap();
    Loader::new(data.train, view, options).unwrap()
}

#[test]
fn mixed_batches_are_the_same_on_any_number_of_workers_and_from_any_batch_on() {
    let folder = LittleFolder::new();
    let mixing = BatchMixing::MixUpOrCutMix { mix_up_alpha: 0.8, cut_mix_alpha: 1.0 };
    let epoch = |workers, first| -> Vec<Batch> {
        let options = LoaderOptions { workers, ..options() };
        loader(&folder, plain_training(), options).mixed(mixing).unwrap().epoch(3, first).collect()
    };
    let whole = epoch(1, 0);
    assert_eq!(whole.len(), 3);
    for (workers, first) in [(3, 0), (2, 1)] {
        for (batch, expected) in epoch(workers, first).iter().zip(&whole[first..]) {
            assert_eq!(batch.pixels, expected.pixels);
            assert_eq!(batch.mixed_labels, expected.mixed_labels);
        }
    }
    let weights: Vec<f32> = whole.iter().map(|batch| batch.mixed_labels.as_ref().unwrap().weight).collect();
    assert!(weights[0] != weights[1] && weights[1] != weights[2], "each batch draws anew: {weights:?}");
}

#[test]
fn a_mixed_batch_says_what_each_photo_is_mixed_with() {
    let folder = LittleFolder::new();
    let mixed =
        loader(&folder, plain_training(), options()).mixed(BatchMixing::MixUp { alpha: 1.0 }).unwrap();
    let pure = loader(&folder, plain_training(), options());
    for (mixed, pure) in mixed.epoch(0, 0).zip(pure.epoch(0, 0)) {
        let mixed_labels = mixed.mixed_labels.clone().unwrap();
        let photo = pure.pixels.len() / pure.len();
        for place in 0..pure.len() {
            let partner = (place + pure.len() - 1) % pure.len();
            assert_eq!(mixed_labels.partners[place], partner);
            let [own, other] = [place, partner].map(|place| f64::from(pure.pixels[place * photo + 50]));
            let expected =
                own * f64::from(mixed_labels.weight) + other * (1.0 - f64::from(mixed_labels.weight));
            assert!((f64::from(mixed.pixels[place * photo + 50]) - expected).abs() < 1e-5);
        }
        for row in mixed.soft_labels(3).chunks(3) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert!(pure.mixed_labels.is_none());
        assert_eq!(pure.soft_labels(3).iter().filter(|&&share| share == 1.0).count(), pure.len());
    }
}

#[test]
fn a_balanced_epoch_shows_a_rare_class_as_often_as_a_frequent_one() {
    let folder = LittleFolder::new();
    folder.part("train", 2).folder("valid");
    (0..24).for_each(|i| {
        folder.photo(&format!("train/00.Arch/more{i}.png"), 5000 + i);
    });
    let data = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap();
    let loader = Loader::new(data.train, plain_training(), options()).unwrap();
    let count = |loader: &Loader, class| -> usize {
        let labels = loader.epoch(0, 0).flat_map(|batch| batch.labels);
        labels.filter(|&label| label == ClassId::new(class)).count()
    };
    assert_eq!([0, 1, 2].map(|class| count(&loader, class)), [26, 2, 2]);
    let balanced = loader.sampled(Sampling::ClassBalanced);
    assert_eq!([0, 1, 2].map(|class| count(&balanced, class)), [10, 10, 10]);
}

#[test]
fn several_views_of_a_photo_stand_one_after_the_other() {
    let folder = LittleFolder::new();
    for views in [TestViews::Flip, TestViews::SixCrop, TestViews::FiveCrop, TestViews::TenCrop] {
        let test = View::Test(preprocess());
        let loader = loader(&folder, test, options()).viewed_as(views).unwrap();
        for batch in loader.epoch(0, 0) {
            assert_eq!(batch.views, views.count());
            assert_eq!(batch.pixels.len(), batch.len() * views.count() * 300);
            let shown = batch.photos(&Normalisation::IMAGENET);
            for (example, shown) in batch.examples.iter().zip(shown.chunks(views.count())) {
                let photo = Photo::open(loader.examples()[*example].path()).unwrap();
                assert!(preprocess().views(&photo, views) == shown);
            }
        }
    }
}

#[test]
fn a_bad_photo_takes_all_its_views_with_it() {
    let folder = LittleFolder::new();
    folder.part("train", 2).folder("valid").file("train/00.Arch/000.png", b"no photo");
    let data = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap();
    let options = LoaderOptions { shuffle: false, ..options() };
    let loader = Loader::new(data.train, View::Test(preprocess()), options).unwrap();
    let batch = loader.viewed_as(TestViews::Flip).unwrap().epoch(0, 0).next().unwrap();
    assert_eq!((batch.len(), batch.bad.len(), batch.pixels.len()), (3, 1, 3 * 2 * 300));
    let first = Photo::open(folder.path("train/00.Arch/001.png")).unwrap();
    assert!(batch.photos(&Normalisation::IMAGENET)[..2] == preprocess().views(&first, TestViews::Flip));
}

#[test]
fn photos_grow_with_the_epochs_and_the_cache_keeps_them_at_one_size() {
    let folder = LittleFolder::new();
    let augment = vec![Augmentation::Resize { short_side: 80 }, Augmentation::RandomCrop { size: 64 }];
    let view = View::Train { augment: Augmentations(augment), normalisation: Normalisation::IMAGENET };
    let ram = CacheOptions { mode: CacheMode::Ram, ..CacheOptions::default() };
    let cache = Arc::new(PhotoCache::open(&ram, 0).unwrap());
    let growth = ProgressiveResize { from: 32, epochs: 2 };
    let loader = loader(&folder, view, options()).cached(Arc::clone(&cache)).growing(growth).unwrap();
    let sides: Vec<usize> = (0..4)
        .map(|epoch| {
            let widths = loader.epoch(epoch, 0).map(|batch| {
                assert_eq!(batch.pixels.len(), batch.len() * 3 * batch.width * batch.height);
                batch.width
            });
            // To the end, so that the cache has seen every photo.
            widths.last().unwrap()
        })
        .collect();
    assert_eq!(sides, [32, 32, 64, 64]);
    assert_eq!(cache.statistics().photos, 12);
    assert_eq!(cache.statistics().misses, 12);
}

#[test]
fn what_belongs_into_training_is_refused_in_tests_and_the_other_way_round() {
    let folder = LittleFolder::new();
    let test = loader(&folder, View::Test(preprocess()), options());
    let train = loader(&folder, plain_training(), options());
    let growth = ProgressiveResize { from: 5, epochs: 2 };
    let mixing = BatchMixing::MixUp { alpha: 0.2 };
    assert!(matches!(test.clone().mixed(mixing), Err(LoaderError::OnlyInTraining(_))));
    assert!(matches!(test.growing(growth), Err(LoaderError::OnlyInTraining(_))));
    assert!(matches!(train.clone().viewed_as(TestViews::Flip), Err(LoaderError::OnlyInTests(_))));
    assert!(matches!(
        train.clone().growing(ProgressiveResize { from: 11, epochs: 2 }),
        Err(LoaderError::Growth { .. })
    ));
    assert!(matches!(train.mixed(BatchMixing::CutMix { alpha: 0.0 }), Err(LoaderError::Mixing { .. })));
}
