//! Photos of every shape are shown to a network, and take little memory besides their pixels.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod made;

use cairn_photo::{
    Augmentation, Augmentations, Framing, Limits, Normalisation, Photo, Preprocess, ReadSize, TestViews,
};
use chacha20::ChaCha8Rng;
use made::plain_png;
use rand::SeedableRng;

const SHORT_SIDE: Framing = Framing::ShortSideCrop { short_side: 256, crop: 224 };
const SQUASH: Framing = Framing::Squash { width: 224, height: 224 };

fn preprocess(framing: Framing) -> Preprocess {
    Preprocess { framing, normalisation: Normalisation::IMAGENET }
}

fn recipes() -> Vec<Augmentations> {
    let resize = Augmentation::Resize { short_side: 256 };
    let jitter = Augmentation::RandomRotation { degrees: 10.0 };
    let crop = Augmentation::RandomCrop { size: 224 };
    let region = Augmentation::RandomResizedCrop { size: 224, scale: [0.08, 1.0], ratio: [0.75, 4.0 / 3.0] };
    let large = Augmentation::RandomCrop { size: 300 };
    vec![
        Augmentations(vec![resize.clone(), crop.clone()]),
        Augmentations(vec![resize.clone(), jitter, crop]),
        Augmentations(vec![resize, large, Augmentation::CenterCrop { size: 224 }]),
        Augmentations(vec![region]),
        Augmentations(vec![Augmentation::Squash { width: 224, height: 224 }]),
    ]
}

/// Everything that is done with a photo before a network sees it.
fn look_at(photo: &Photo) {
    for framing in [SHORT_SIDE, SQUASH] {
        for views in [TestViews::SixCrop, TestViews::TenCrop] {
            for view in preprocess(framing.clone()).views(photo, views) {
                assert_eq!((view.width(), view.height()), (224, 224));
            }
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for steps in recipes() {
        let augmented = steps.apply(photo, &mut rng);
        assert_eq!((augmented.width(), augmented.height()), (224, 224));
    }
}

/// The most memory that this process has had at once, where the system says so.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

// One test, so that the peak is its own.
#[test]
fn a_photo_of_any_shape_takes_less_than_400_mib_on_top_of_its_pixels() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut most_pixels = 0;
    for (width, height) in [
        (1, 1),
        (60_000, 1),
        (1, 65_535),
        (1, 1_000_000),
        (1, 10_000_000),
        (10_000_000, 1),
        (30_000_000, 1),
        (70_000, 257),
        (257, 70_000),
        (5000, 5000),
    ] {
        let path = folder.path().join("photo.png");
        std::fs::write(&path, plain_png(width, height, 0, &[])).unwrap();
        most_pixels = most_pixels.max(u64::from(width) * u64::from(height) * 3);
        for size in [ReadSize::Full, SHORT_SIDE.read_size(), SQUASH.read_size()] {
            let photo = Photo::open_at(&path, size, &Limits::default()).unwrap();
            look_at(&photo);
        }
        if let Some(peak) = peak_bytes() {
            println!("{width} x {height}: {} MB", peak / 1_000_000);
            assert!(peak < most_pixels + (400 << 20), "{width} x {height}: {peak} bytes");
        }
    }
}
