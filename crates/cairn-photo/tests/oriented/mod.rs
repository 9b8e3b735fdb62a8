//! A picture by which orientations are told.

// Not every test that takes this in uses all of it.
#![allow(dead_code)]

use cairn_photo::Photo;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// Four colours in four quarters: no two orientations of it look the same.
pub(crate) fn quarters(width: u32, height: u32) -> Photo {
    let mut photo = Photo::filled(width, height, [250, 250, 250]);
    for (index, value) in photo.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (index as u32 / 3 % width, index as u32 / 3 / width);
        let quarter = x * 2 / width + y * 2 / height * 2;
        let colour = [[200, 40, 40], [40, 200, 40], [40, 40, 200], [200, 200, 40]][quarter as usize];
        *value = colour[index % 3];
    }
    photo
}

/// The photo as a JPEG of the best quality.
pub(crate) fn jpeg_of(photo: &Photo) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, 100);
    encoder.write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8).unwrap();
    jpeg
}

/// Fails unless `upright` is what `stored` looks like once the orientation is applied.
pub(crate) fn assert_upright(what: &str, upright: &Photo, stored: &Photo, orientation: u8, tolerance: u8) {
    let (right, bottom) = (stored.width() - 1, stored.height() - 1);
    for (x, y) in (0..=bottom).flat_map(|y| (0..=right).map(move |x| (x, y))) {
        // The EXIF standard says of each orientation at which sides the stored first row and first column belong.
        let (new_x, new_y) = match orientation {
            1 => (x, y),
            2 => (right - x, y),
            3 => (right - x, bottom - y),
            4 => (x, bottom - y),
            5 => (y, x),
            6 => (bottom - y, x),
            7 => (bottom - y, right - x),
            8 => (y, right - x),
            other => panic!("no orientation {other}"),
        };
        let (found, wanted) = (upright.pixel(new_x, new_y), stored.pixel(x, y));
        let worst = found.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max();
        assert!(
            worst <= Some(tolerance),
            "{what}, orientation {orientation}, at {x}, {y}: {found:?} for {wanted:?}"
        );
    }
}
