//! Each augmentation with given parameters agrees with torchvision; the expected values were made by
//! `reference/augment.py`.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod drawn;

use std::collections::BTreeMap;

use cairn_photo::augment::{
    Affine, Change, Changes, ColorAdjustment, CropWindow, Erasing, GaussianBlur, Operation, ResizedCrop,
};
use cairn_photo::{Photo, Region};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

fn cases() -> BTreeMap<String, Expected> {
    serde_json::from_str(include_str!("reference/augment.json")).unwrap()
}

/// The greatest difference of any level from those expected.
fn worst(photo: &Photo, expected: &Expected, name: &str) -> u8 {
    assert_eq!((photo.width(), photo.height()), (expected.width, expected.height), "{name}");
    let differences = photo.pixels().iter().zip(&expected.pixels).map(|(a, b)| a.abs_diff(*b));
    differences.max().unwrap()
}

/// Applies `change` to the drawn photo in every case named `kind`, with the numbers that follow in the case's name, and
/// tells the greatest difference of any value.
fn greatest_difference(kind: &str, change: impl Fn(Photo, &[f64]) -> Photo) -> u8 {
    let mut greatest = None;
    for (name, expected) in &cases() {
        let Some(numbers) = name.strip_prefix(kind) else { continue };
        let numbers: Vec<f64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let changed = change(drawn::drawn(24, 16), &numbers);
        greatest = greatest.max(Some(worst(&changed, expected, name)));
    }
    greatest.unwrap_or_else(|| panic!("no case of {kind}"))
}

/// The drawn photo after these changes, as one composition.
fn changed(changes: impl IntoIterator<Item = Change>) -> Photo {
    let photo = drawn::drawn(24, 16);
    let mut composed = Changes::new(24, 16);
    changes.into_iter().for_each(|change| composed.push(change));
    assert_eq!(composed.apply(&photo).size(), composed.size());
    composed.apply(&photo)
}

trait Size {
    fn size(&self) -> [u32; 2];
}

impl Size for Photo {
    fn size(&self) -> [u32; 2] {
        [self.width(), self.height()]
    }
}

#[test]
fn rotation_is_torchvisions_to_the_pixel() {
    assert_eq!(
        greatest_difference("rotate ", |photo, n| Change::Affine(Affine::rotation(n[0])).apply(&photo)),
        0
    );
}

#[test]
fn affine_maps_are_torchvisions_to_the_pixel() {
    let map = |photo: Photo, n: &[f64]| {
        let translate = [n[1] as i32, n[2] as i32];
        Change::Affine(Affine { degrees: n[0], translate, scale: n[3], shear: [n[4], 0.0], center: None })
            .apply(&photo)
    };
    assert_eq!(greatest_difference("affine ", map), 0);
}

#[test]
fn brightness_is_torchvisions_to_the_level() {
    let adjust =
        |photo: Photo, n: &[f64]| Change::Color(ColorAdjustment::Brightness(n[0] as f32)).apply(&photo);
    assert_eq!(greatest_difference("brightness ", adjust), 0);
}

#[test]
fn contrast_is_torchvisions_to_the_level() {
    let adjust =
        |photo: Photo, n: &[f64]| Change::Color(ColorAdjustment::Contrast(n[0] as f32)).apply(&photo);
    assert_eq!(greatest_difference("contrast ", adjust), 0);
}

#[test]
fn saturation_is_torchvisions_to_the_level() {
    let adjust =
        |photo: Photo, n: &[f64]| Change::Color(ColorAdjustment::Saturation(n[0] as f32)).apply(&photo);
    assert_eq!(greatest_difference("saturation ", adjust), 0);
}

#[test]
fn hue_is_torchvisions_to_the_level() {
    let adjust = |photo: Photo, n: &[f64]| Change::Color(ColorAdjustment::Hue(n[0] as f32)).apply(&photo);
    assert_eq!(greatest_difference("hue ", adjust), 0);
}

/// torchvision sums in another order, so a value may round to the other side.
#[test]
fn blur_is_torchvisions_to_within_a_level() {
    let blur = |photo: Photo, n: &[f64]| {
        Change::Blur(GaussianBlur { kernel: n[0] as u32, sigma: n[1] as f32 }).apply(&photo)
    };
    assert!(greatest_difference("blur ", blur) <= 1);
}

#[test]
fn a_resized_crop_is_torchvisions_to_within_a_level() {
    let crop = |photo: Photo, n: &[f64]| {
        let [x, y, width, height, size] = [0, 1, 2, 3, 4].map(|i| n[i] as u32);
        Change::ResizedCrop(ResizedCrop { region: Region { x, y, width, height }, size }).apply(&photo)
    };
    assert!(greatest_difference("resized_crop ", crop) <= 1);
}

#[test]
fn the_operations_of_randaugment_and_trivialaugment_are_torchvisions() {
    let mut seen = 0;
    for (name, expected) in &cases() {
        let Some((operation, magnitude)) =
            name.strip_prefix("operation ").and_then(|name| name.split_once(' '))
        else {
            continue;
        };
        let operation = *Operation::ALL.iter().find(|known| format!("{known:?}") == operation).unwrap();
        let difference = worst(&changed(operation.change(magnitude.parse().unwrap())), expected, name);
        // Pillow sums the softened photo in another order.
        let allowed = u8::from(operation == Operation::Sharpness);
        assert!(difference <= allowed, "{name}: off by {difference}");
        seen += 1;
    }
    assert_eq!(seen, 17);
}

#[test]
fn stretched_and_equalised_photos_are_pillows_to_the_level() {
    for (name, change) in [("pale AutoContrast", Change::AutoContrast), ("pale Equalize", Change::Equalize)] {
        let stretched = changed([Change::Color(ColorAdjustment::Contrast(0.3)), change]);
        assert_eq!(worst(&stretched, &cases()[name], name), 0, "{name}");
    }
}

#[test]
fn an_erased_rectangle_is_torchvisions() {
    let erase = |_, n: &[f64]| {
        let [x, y, width, height] = [0, 1, 2, 3].map(|i| n[i] as u32);
        changed([Change::Erase(Erasing { region: Region { x, y, width, height }, value: [124, 116, 104] })])
    };
    assert_eq!(greatest_difference("erase ", erase), 0);
}

/// Crop, resized crop and affine map in one pass; the resizing may round the other way.
#[test]
fn system_bs_steps_together_are_those_of_torchvision_one_by_one() {
    let geometry = [
        Change::Crop(CropWindow { x: 3, y: 1, size: 14 }),
        Change::ResizedCrop(ResizedCrop { region: Region { x: 1, y: 2, width: 11, height: 12 }, size: 14 }),
        Change::Affine(Affine {
            degrees: -8.5,
            translate: [-1, 1],
            scale: 1.05,
            shear: [3.0, 0.0],
            center: None,
        }),
    ];
    let colours = [
        Change::Color(ColorAdjustment::Brightness(1.1)),
        Change::Color(ColorAdjustment::Saturation(1.15)),
        Change::Color(ColorAdjustment::Contrast(0.9)),
        Change::Color(ColorAdjustment::Hue(0.05)),
        Change::FlipHorizontally,
    ];
    let blur = [Change::Blur(GaussianBlur { kernel: 5, sigma: 1.0 })];
    let difference =
        |name: &str, changes: &[Change]| worst(&changed(changes.iter().copied()), &cases()[name], name);
    assert!(difference("system_b geometry", &geometry) <= 1);
    // A level more or less of a dark colour turns its hue a little.
    assert!(difference("system_b colour", &[&geometry[..], &colours].concat()) <= 8);
    assert!(difference("system_b", &[&geometry[..], &colours, &blur].concat()) <= 3);
}

#[test]
fn system_cs_steps_together_are_those_of_torchvision_one_by_one() {
    let rotated = changed([
        Change::Resize { width: 18, height: 12 },
        Change::Crop(CropWindow::center([18, 12], 12)),
        Change::Affine(Affine::rotation(13.0)),
    ]);
    assert!(worst(&rotated, &cases()["system_c"], "system_c") <= 1);
}

#[test]
fn what_cannot_be_composed_is_made_in_passes_and_comes_to_the_same() {
    let flipped = changed([Change::FlipHorizontally, Change::Affine(Affine::rotation(13.0))]);
    assert_eq!(worst(&flipped, &cases()["flip_then_rotate"], "flip_then_rotate"), 0);
    let region = Region { x: 3, y: 2, width: 12, height: 11 };
    let cropped = changed([
        Change::Affine(Affine::rotation(13.0)),
        Change::ResizedCrop(ResizedCrop { region, size: 9 }),
    ]);
    assert!(worst(&cropped, &cases()["rotate_then_crop"], "rotate_then_crop") <= 1);
}
