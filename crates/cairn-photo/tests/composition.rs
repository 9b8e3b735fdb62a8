//! Changes made together come to what they come to one by one.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

use cairn_photo::augment::{Affine, Change, Changes, ColorAdjustment, CropWindow, Erasing, ResizedCrop};
use cairn_photo::{Normalisation, Photo, Region};
use proptest::prelude::*;

/// No two pixels alike, and no direction in which nothing changes.
fn chart(width: u32, height: u32) -> Photo {
    let pixels = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| [(x * 7) as u8, (y * 11) as u8, (x * 3 + y * 5) as u8]))
        .collect();
    Photo::from_pixels(width, height, pixels).unwrap()
}

/// Changes that move whole pixels or change colours, so that nothing is rounded: drawn for any photo of 20 x 20.
fn exact_change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::FlipHorizontally),
        (-4_i64..4, -4_i64..4).prop_map(|(x, y)| Change::Crop(CropWindow { x, y, size: 20 })),
        (-3_i32..3, -3_i32..3)
            .prop_map(|(x, y)| Change::Affine(Affine { translate: [x, y], ..Affine::IDENTITY })),
        Just(Change::Affine(Affine::rotation(90.0))),
        (0.5_f32..1.5).prop_map(|factor| Change::Color(ColorAdjustment::Brightness(factor))),
        (0.5_f32..1.5).prop_map(|factor| Change::Color(ColorAdjustment::Contrast(factor))),
        (-0.5_f32..0.5).prop_map(|turns| Change::Color(ColorAdjustment::Hue(turns))),
        Just(Change::Equalize),
        (0_u32..10, 0_u32..10).prop_map(|(x, y)| {
            Change::Erase(Erasing { region: Region { x, y, width: 7, height: 4 }, value: [1, 2, 3] })
        }),
    ]
}

proptest! {
    #[test]
    fn changes_made_together_are_the_changes_made_one_by_one(
        changes in prop::collection::vec(exact_change(), 0..8)
    ) {
        let photo = chart(20, 20);
        let mut together = Changes::new(20, 20);
        let mut one_by_one = photo.clone();
        for &change in &changes {
            together.push(change);
            one_by_one = change.apply(&one_by_one);
        }
        prop_assert!(together.apply(&photo) == one_by_one);
    }

    #[test]
    fn numbers_for_a_network_are_those_of_the_changed_photo(
        changes in prop::collection::vec(exact_change(), 0..5)
    ) {
        let photo = chart(20, 20);
        let mut together = Changes::new(20, 20);
        changes.iter().for_each(|&change| together.push(change));
        let (mut at_once, mut afterwards) = (vec![0.0; 1200], vec![0.0; 1200]);
        together.write_chw(&photo, &Normalisation::IMAGENET, &mut at_once);
        Normalisation::IMAGENET.write_chw(&together.apply(&photo), &mut afterwards);
        prop_assert_eq!(at_once, afterwards);
    }

    /// One resampling instead of two is a little sharper, no more.
    #[test]
    fn a_crop_of_a_resized_photo_is_found_at_its_place(
        x in 0_u32..20, y in 0_u32..10, width in 20_u32..40, height in 20_u32..30, flip: bool,
    ) {
        // Slopes, on which to be off by a new pixel is to be off by 3 levels and more.
        let pixels = (0..90_u32).flat_map(|y| (0..120_u32).flat_map(move |x| [(2 * x) as u8, (2 * y) as u8, (x + y) as u8]));
        let photo = Photo::from_pixels(120, 90, pixels.collect()).unwrap();
        let crop = ResizedCrop { region: Region { x, y, width, height }, size: 25 };
        let mut changes = vec![Change::Resize { width: 60, height: 45 }, Change::ResizedCrop(crop)];
        if flip {
            changes.insert(1, Change::FlipHorizontally);
        }
        let mut together = Changes::new(120, 90);
        changes.iter().for_each(|&change| together.push(change));
        let one_by_one = changes.iter().fold(photo.clone(), |photo, change| change.apply(&photo));
        let together = together.apply(&photo);
        for (at, (a, b)) in together.pixels().iter().zip(one_by_one.pixels()).enumerate() {
            // Twice rounded, in rows and in columns, halves come out up to two levels higher.
            let (column, row) = (at / 3 % 25, at / 75);
            prop_assert!(a.abs_diff(*b) <= 2, "{a} and {b} at {column}, {row}");
        }
    }
}
