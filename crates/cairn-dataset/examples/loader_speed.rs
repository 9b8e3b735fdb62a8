//! How many photos a second a loader with System B's augmentation makes ready, from files and from the cache:
//!
//!     cargo run --release -p cairn-dataset --example loader_speed -- DATA_SET [WORKERS]

// A program for the command line, not a library.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use cairn_dataset::{
    CacheMode, CacheOptions, ImageFolder, Loader, LoaderOptions, PhotoCache, ValidSplit, View,
};
use cairn_photo::augment::ColorJitterStrength;
use cairn_photo::{Augmentation, Augmentations, Normalisation};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let root = PathBuf::from(arguments.next().ok_or("which data set?")?);
    let workers = arguments.next().map_or(Ok(2), |count| count.to_string_lossy().parse())?;
    let data = ImageFolder::open(&root, &ValidSplit { fraction: 0.0, seed: 0 })?;
    let augment = Augmentations(vec![
        Augmentation::Resize { short_side: 256 },
        Augmentation::RandomCrop { size: 224 },
        Augmentation::RandomResizedCrop { size: 224, scale: [0.8, 1.0], ratio: [0.75, 4.0 / 3.0] },
        Augmentation::RandomAffine { degrees: 10.0, translate: [0.1; 2], scale: [0.9, 1.1], shear: 5.0 },
        Augmentation::ColorJitter(ColorJitterStrength {
            brightness: 0.2,
            contrast: 0.2,
            saturation: 0.2,
            hue: 0.1,
        }),
        Augmentation::HorizontalFlip { p: 0.5 },
        Augmentation::GaussianBlur { kernel: 5, sigma: [0.1, 2.0] },
    ]);
    let view = View::Train { augment, normalisation: Normalisation::IMAGENET };
    let options = LoaderOptions { batch_size: 64, workers, shuffle: true, ..LoaderOptions::default() };
    let folder = std::env::temp_dir().join("cairn-loader-speed");
    for mode in [CacheMode::Off, CacheMode::Ram, CacheMode::Disk] {
        let cache = CacheOptions { mode, folder: Some(folder.clone()), ..CacheOptions::default() };
        let cache = Arc::new(PhotoCache::open(&cache, 0)?);
        let loader = Loader::new(data.train.clone(), view.clone(), options.clone())?.cached(cache);
        for epoch in 0..3 {
            let began = Instant::now();
            let photos: usize = loader.epoch(epoch, 0).map(|batch| batch.len()).sum();
            let speed = photos as f64 / began.elapsed().as_secs_f64();
            println!("{mode:?}, epoch {epoch}: {speed:.0} photos a second");
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
