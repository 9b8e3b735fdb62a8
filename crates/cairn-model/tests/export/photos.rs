//! The photos that exported models are run on.

use std::path::PathBuf;

use cairn_photo::Photo;
use cairn_reference::data_folder;

/// Photos of sizes that leave odd margins, must be enlarged, or are as they should be; and some real ones.
pub(crate) fn drawn_and_real_photos() -> Vec<(String, Photo)> {
    let sizes = [(64, 48), (101, 67), (67, 103), (41, 41), (30, 23), (36, 36), (400, 90)];
    let drawn = sizes.map(|(width, height)| (format!("drawn-{width}x{height}"), drawn(width, height)));
    drawn.into_iter().chain(real_photos()).collect()
}

/// Waves and speckles: every level occurs, and neighbours differ.
pub(crate) fn drawn(width: u32, height: u32) -> Photo {
    let level = |x: u32, y: u32, channel: u32| {
        let wave = (f64::from(x) / 7.0 + f64::from(channel)).sin() * (f64::from(y) / 5.0).cos();
        let speckle = (x * 2_654_435 + y * 40_503 + channel * 977) % 61;
        ((120.0 + wave * 80.0) as u8).wrapping_add(speckle as u8).wrapping_sub(30)
    };
    let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| level(x, y, c))));
    Photo::from_pixels(width, height, pixels.collect()).unwrap()
}

/// A few real photos, where there are some.
pub(crate) fn real_photos() -> Vec<(String, Photo)> {
    let Some(folder) = data_folder("photos") else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let small = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() < 300_000);
    let jpegs = paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "jpg")).filter(small);
    let opened = jpegs
        .take(3)
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), Photo::open(path).unwrap()));
    opened.collect()
}

/// `[3, height, width]` of a photo's `[height, width, 3]`.
pub(crate) fn planes(photo: &Photo) -> Vec<u8> {
    (0..3).flat_map(|channel| photo.pixels().iter().skip(channel).step_by(3).copied()).collect()
}
