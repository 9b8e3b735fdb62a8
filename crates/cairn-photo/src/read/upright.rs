//! Turning a stored photo upright, with little memory besides the photo's own.

use image::metadata::Orientation;

use crate::Photo;

/// A photo of more bytes than this is turned on its side piece by piece.
const PIECE: usize = 64 << 20;

/// Bytes that [`upright`] takes besides the photo, of `bytes` itself.
pub(super) fn extra_bytes(bytes: u64, orientation: Orientation) -> u64 {
    if is_on_its_side(orientation) { bytes.min(PIECE as u64) } else { 0 }
}

/// Whether turning the picture upright exchanges its width and height.
pub(super) fn is_on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// The photo as it is to be looked at, of one that is stored in this orientation.
pub(super) fn upright(mut photo: Photo, orientation: Orientation) -> Photo {
    let (left_to_right, top_to_bottom) = match orientation {
        Orientation::NoTransforms | Orientation::Rotate90FlipH => (false, false),
        Orientation::FlipHorizontal | Orientation::Rotate270 => (true, false),
        Orientation::FlipVertical | Orientation::Rotate90 => (false, true),
        Orientation::Rotate180 | Orientation::Rotate270FlipH => (true, true),
    };
    if left_to_right {
        photo.flip_horizontally();
    }
    if top_to_bottom {
        exchange_top_and_bottom(&mut photo);
    }
    if is_on_its_side(orientation) { transposed(photo, PIECE) } else { photo }
}

fn exchange_top_and_bottom(photo: &mut Photo) {
    let (stride, height) = (photo.width() as usize * 3, photo.height() as usize);
    let (upper, lower) = photo.pixels_mut().split_at_mut(height / 2 * stride);
    for (above, below) in upper.chunks_exact_mut(stride).zip(lower.chunks_exact_mut(stride).rev()) {
        above.swap_with_slice(below);
    }
}

/// Rows become columns. Columns are taken off the stored photo in pieces of about `piece` bytes, so that little more than
/// one photo is in memory.
fn transposed(photo: Photo, piece: usize) -> Photo {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let mut rest = photo.into_pixels();
    let mut turned: Vec<u8> = Vec::with_capacity(rest.len());
    let columns_of_a_piece = (piece / (height * 3)).max(1);
    let mut columns_left = width;
    while columns_left > 0 {
        let columns = columns_of_a_piece.min(columns_left);
        let start = turned.len();
        turned.resize(start + columns * height * 3, 0);
        transpose(&rest, columns_left, &mut turned[start..], columns, height);
        let kept = columns_left - columns;
        for row in 0..height {
            let from = (row * columns_left + columns) * 3;
            rest.copy_within(from..from + kept * 3, row * kept * 3);
        }
        rest.truncate(kept * height * 3);
        rest.shrink_to_fit();
        columns_left = kept;
    }
    // Width and height are exchanged, and the bytes as many as before.
    Photo::from_pixels(height as u32, width as u32, turned).expect("as many pixels as before")
}

/// Writes the first `columns` columns of a picture of `width` x `height` as rows, in squares that stay in the cache.
fn transpose(from: &[u8], width: usize, to: &mut [u8], columns: usize, height: usize) {
    const SIDE: usize = 32;
    for top in (0..height).step_by(SIDE) {
        for left in (0..columns).step_by(SIDE) {
            for column in left..columns.min(left + SIDE) {
                for row in top..height.min(top + SIDE) {
                    let (source, target) = ((row * width + column) * 3, (column * height + row) * 3);
                    to[target..target + 3].copy_from_slice(&from[source..source + 3]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, RgbImage};
    use proptest::prelude::*;

    fn chart(width: u32, height: u32) -> Photo {
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 9])).collect();
        Photo::from_pixels(width, height, pixels).unwrap()
    }

    proptest! {
        #[test]
        fn every_orientation_is_turned_as_the_image_crate_turns_it(
            width in 1_u32..80, height in 1_u32..80, exif in 1_u8..=8,
        ) {
            let orientation = Orientation::from_exif(exif).unwrap();
            let photo = chart(width, height);
            let image = RgbImage::from_raw(width, height, photo.pixels().to_vec()).unwrap();
            let mut image = DynamicImage::ImageRgb8(image);
            image.apply_orientation(orientation);
            let turned = upright(photo, orientation);
            prop_assert_eq!((turned.width(), turned.height()), (image.width(), image.height()));
            prop_assert_eq!(turned.pixels(), image.into_rgb8().into_raw());
        }

        #[test]
        fn a_photo_transposed_in_pieces_is_the_photo_transposed_at_once(
            width in 1_u32..80, height in 1_u32..80, piece in 1_usize..3000,
        ) {
            let photo = chart(width, height);
            prop_assert!(transposed(photo.clone(), piece) == transposed(photo, usize::MAX));
        }
    }
}
