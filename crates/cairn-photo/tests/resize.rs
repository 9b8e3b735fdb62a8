//! Resizing agrees with Pillow; the expected values were made by `reference/resize.py`.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod drawn;

use cairn_photo::{Framing, Normalisation, Photo, Preprocess};
use cairn_reference::data_folder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    drawn: Vec<Drawn>,
    real: Vec<Real>,
}

#[derive(Deserialize)]
struct Drawn {
    from: [u32; 2],
    to: [u32; 2],
    pixels: Vec<u8>,
}

#[derive(Deserialize)]
struct Real {
    file: String,
    grid: Vec<u8>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/resize.json")).unwrap()
}

fn mean_difference(left: &[u8], right: &[u8]) -> f64 {
    assert_eq!(left.len(), right.len());
    let sum: u64 = left.iter().zip(right).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / left.len() as f64
}

#[test]
fn a_drawn_photo_is_resized_as_by_pillow_to_within_one_level_everywhere() {
    for Drawn { from, to, pixels } in reference().drawn {
        let resized = drawn::drawn(from[0], from[1]).resized(to[0], to[1]);
        let worst = resized.pixels().iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(1), "{from:?} to {to:?}: off by up to {worst:?} levels");
        let mean = mean_difference(resized.pixels(), &pixels);
        assert!(mean < 0.02, "{from:?} to {to:?}: off by {mean} levels in the mean");
    }
}

/// Everything together: decoding (Pillow's JPEG decoder rounds differently, by up to 0.2 levels in the mean), resizing,
/// cropping.
#[test]
fn real_photos_look_to_a_network_as_they_do_in_torchvision() {
    let Some(photos) = data_folder("photos") else { return };
    let preprocess = Preprocess {
        framing: Framing::ShortSideCrop { short_side: 256, crop: 224 },
        normalisation: Normalisation::IMAGENET,
    };
    for Real { file, grid } in reference().real {
        let framed = preprocess.frame(&Photo::open(photos.join(&file)).unwrap());
        let ours: Vec<u8> = (8..224)
            .step_by(16)
            .flat_map(|y| (8..224).step_by(16).map(move |x| (x, y)))
            .flat_map(|(x, y)| framed.pixel(x, y))
            .collect();
        let mean = mean_difference(&ours, &grid);
        println!("{file}: {mean:.3}");
        assert!(mean < 0.35, "{file}: off by {mean} levels in the mean");
    }
}

#[test]
fn the_shorter_side_is_met_exactly_and_the_longer_rounded_down() {
    // torchvision: int(size * long / short).
    for ((width, height), side, expected) in [
        ((800, 600), 256, (341, 256)),
        ((600, 800), 256, (256, 341)),
        ((500, 333), 224, (336, 224)),
        ((100, 100), 224, (224, 224)),
        ((1000, 3), 9, (3000, 9)),
    ] {
        let resized = Photo::filled(width, height, [1, 2, 3]).resized_short_side(side);
        assert_eq!((resized.width(), resized.height()), expected, "{width} x {height} to {side}");
    }
}
