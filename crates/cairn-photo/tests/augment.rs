//! Each augmentation with given parameters agrees with torchvision; the expected values were made by
//! `reference/augment.py`.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod drawn;

use std::collections::BTreeMap;

use cairn_photo::augment::{Affine, ColorAdjustment, GaussianBlur, ResizedCrop};
use cairn_photo::{Photo, Region};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

/// Applies `change` to the drawn photo in every case named `kind`, with the numbers that follow in the case's name, and
/// tells the greatest difference of any value.
fn greatest_difference(kind: &str, change: impl Fn(Photo, &[f64]) -> Photo) -> u8 {
    let cases: BTreeMap<String, Expected> =
        serde_json::from_str(include_str!("reference/augment.json")).unwrap();
    let mut greatest = None;
    for (name, expected) in &cases {
        let Some(numbers) = name.strip_prefix(kind) else { continue };
        let numbers: Vec<f64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let changed = change(drawn::drawn(24, 16), &numbers);
        assert_eq!((changed.width(), changed.height()), (expected.width, expected.height), "{name}");
        let worst = changed.pixels().iter().zip(&expected.pixels).map(|(a, b)| a.abs_diff(*b)).max();
        greatest = greatest.max(worst);
    }
    greatest.unwrap_or_else(|| panic!("no case of {kind}"))
}

#[test]
fn rotation_is_torchvisions_to_the_pixel() {
    assert_eq!(greatest_difference("rotate ", |photo, n| Affine::rotation(n[0]).apply(&photo)), 0);
}

#[test]
fn affine_maps_are_torchvisions_to_the_pixel() {
    let map = |photo: Photo, n: &[f64]| {
        Affine { degrees: n[0], translate: [n[1] as i32, n[2] as i32], scale: n[3], shear: n[4] }
            .apply(&photo)
    };
    assert_eq!(greatest_difference("affine ", map), 0);
}

#[test]
fn brightness_is_torchvisions_to_the_level() {
    let adjust = |photo, n: &[f64]| ColorAdjustment::Brightness(n[0] as f32).apply(photo);
    assert_eq!(greatest_difference("brightness ", adjust), 0);
}

#[test]
fn contrast_is_torchvisions_to_the_level() {
    let adjust = |photo, n: &[f64]| ColorAdjustment::Contrast(n[0] as f32).apply(photo);
    assert_eq!(greatest_difference("contrast ", adjust), 0);
}

#[test]
fn saturation_is_torchvisions_to_the_level() {
    let adjust = |photo, n: &[f64]| ColorAdjustment::Saturation(n[0] as f32).apply(photo);
    assert_eq!(greatest_difference("saturation ", adjust), 0);
}

#[test]
fn hue_is_torchvisions_to_the_level() {
    let adjust = |photo, n: &[f64]| ColorAdjustment::Hue(n[0] as f32).apply(photo);
    assert_eq!(greatest_difference("hue ", adjust), 0);
}

/// torchvision sums in another order, so a value may round to the other side.
#[test]
fn blur_is_torchvisions_to_within_a_level() {
    let blur =
        |photo: Photo, n: &[f64]| GaussianBlur { kernel: n[0] as u32, sigma: n[1] as f32 }.apply(&photo);
    assert!(greatest_difference("blur ", blur) <= 1);
}

#[test]
fn a_resized_crop_is_torchvisions_to_within_a_level() {
    let crop = |photo: Photo, n: &[f64]| {
        let [x, y, width, height, size] = [0, 1, 2, 3, 4].map(|i| n[i] as u32);
        ResizedCrop { region: Region { x, y, width, height }, size }.apply(&photo)
    };
    assert!(greatest_difference("resized_crop ", crop) <= 1);
}
