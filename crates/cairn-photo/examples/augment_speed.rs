//! How long augmentation takes a photo and core, step by step and as a whole:
//!
//!     cargo run --release -p cairn-photo --example augment_speed

// A program for the command line, not a library.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use cairn_photo::augment::{Change, Changes, ColorJitterStrength};
use cairn_photo::{Augmentation, Augmentations, Normalisation, Photo};
use chacha20::ChaCha8Rng;
use rand::SeedableRng;

const SIZE: u32 = 224;

fn main() {
    let pixels =
        (0..SIZE * SIZE * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 / 2 + (i / 900) as u8 / 2);
    let photo = Photo::from_pixels(SIZE, SIZE, pixels.collect()).expect("as many as asked for");
    let larger = photo.resized(341, 256);
    let jitter = ColorJitterStrength { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.1 };
    let hue = ColorJitterStrength { hue: 0.1, ..ColorJitterStrength::default() };
    let region = Augmentation::RandomResizedCrop { size: SIZE, scale: [0.8, 1.0], ratio: [0.75, 4.0 / 3.0] };
    let affine =
        Augmentation::RandomAffine { degrees: 10.0, translate: [0.1; 2], scale: [0.9, 1.1], shear: 5.0 };
    let blur = Augmentation::GaussianBlur { kernel: 5, sigma: [0.1, 2.0] };
    let flip = Augmentation::HorizontalFlip { p: 0.5 };
    let time = |name: &str, photo: &Photo, steps: &[Augmentation]| report(name, photo, steps);

    time("nothing but normalise", &photo, &[]);
    time("resized crop", &photo, std::slice::from_ref(&region));
    time("affine", &photo, std::slice::from_ref(&affine));
    time("hue", &photo, &[Augmentation::ColorJitter(hue)]);
    time("color jitter", &photo, &[Augmentation::ColorJitter(jitter)]);
    time("blur", &photo, std::slice::from_ref(&blur));
    time(
        "RandAugment",
        &photo,
        &[Augmentation::RandAugment { num_ops: 2, magnitude: 9, num_magnitude_bins: 31 }],
    );
    time("TrivialAugmentWide", &photo, &[Augmentation::TrivialAugmentWide { num_magnitude_bins: 31 }]);
    let crop = Augmentation::RandomCrop { size: SIZE };
    let system_b = [
        Augmentation::Resize { short_side: 256 },
        crop,
        region,
        affine,
        Augmentation::ColorJitter(jitter),
        flip,
        blur,
    ];
    time("System B, from 341 x 256", &larger, &system_b);
    let system_c = [
        Augmentation::Resize { short_side: SIZE },
        Augmentation::CenterCrop { size: SIZE },
        Augmentation::RandomRotation { degrees: 20.0 },
    ];
    time("System C, from 341 x 256", &larger, &system_c);
    let mut equalize = Changes::new(SIZE, SIZE);
    equalize.push(Change::Equalize);
    let began = Instant::now();
    equalize.apply(&photo);
    println!("{:26} {:7.0} microseconds", "equalize", micros(began.elapsed()));
}

fn report(name: &str, photo: &Photo, steps: &[Augmentation]) {
    let steps = Augmentations(steps.to_vec());
    let mut numbers = vec![0.0; (3 * SIZE * SIZE) as usize];
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let began = Instant::now();
        for _ in 0..100 {
            let changes = steps.sample(photo.width(), photo.height(), &mut rng);
            changes.write_chw(photo, &Normalisation::IMAGENET, &mut numbers);
        }
        best = best.min(began.elapsed() / 100);
    }
    println!("{name:26} {:7.0} microseconds", micros(best));
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
