//! Photos side by side, each with its name under it: a batch as the network sees it.

use cairn_photo::Photo;

use crate::lettering::{LETTER_WIDTH, LINE_HEIGHT, wrap, write};

const PAPER: [u8; 3] = [255; 3];
const INK: [u8; 3] = [40; 3];
/// Between photos, and at the edges.
const GAP: u32 = 8;
/// Between a photo and its name.
const NAME_GAP: u32 = 2;
/// Lines for a name, at most.
const NAME_LINES: usize = 2;
/// Narrower photos are magnified, so that there is room for their names and something to see.
const LEAST_WIDTH: u32 = 128;

/// A photo of a montage.
#[derive(Clone, Debug)]
pub struct Tile {
    /// What to show.
    pub photo: Photo,
    /// What to write under it.
    pub name: String,
}

/// The tiles in rows of `columns` (at least one is taken) on white paper, each name in up to two lines under its
/// photo. Small photos are magnified a whole number of times, all by the same, each pixel a sharp square.
///
/// `None` where there are no tiles.
pub fn montage(tiles: &[Tile], columns: usize) -> Option<Photo> {
    let widest = tiles.iter().map(|tile| tile.photo.width()).max()?;
    let highest = tiles.iter().map(|tile| tile.photo.height()).max()?;
    let magnification = LEAST_WIDTH.div_ceil(widest);
    let (cell_width, photo_height) = (widest * magnification, highest * magnification);
    let letters = (cell_width / LETTER_WIDTH) as usize;
    let names: Vec<Vec<String>> = tiles.iter().map(|tile| wrap(&tile.name, letters, NAME_LINES)).collect();
    let name_lines = names.iter().map(Vec::len).max()? as u32;
    let cell_height = photo_height + NAME_GAP + name_lines * LINE_HEIGHT;

    let columns = columns.clamp(1, tiles.len());
    let rows = tiles.len().div_ceil(columns);
    let offset = |cells: usize, cell: u32| GAP + cells as u32 * (cell + GAP);
    let mut page = Photo::filled(offset(columns, cell_width), offset(rows, cell_height), PAPER);
    for (place, (tile, name)) in tiles.iter().zip(&names).enumerate() {
        let (x, y) = (offset(place % columns, cell_width), offset(place / columns, cell_height));
        paste(&mut page, x, y, &tile.photo, magnification);
        for (line, text) in (0..).zip(name) {
            let text_width = text.chars().count() as u32 * LETTER_WIDTH;
            let indent = cell_width.saturating_sub(text_width) / 2;
            write(&mut page, x + indent, y + photo_height + NAME_GAP + line * LINE_HEIGHT, text, INK);
        }
    }
    Some(page)
}

/// Copies `photo` onto `page`, which has room for it there, each pixel a square of `magnification`.
fn paste(page: &mut Photo, x: u32, y: u32, photo: &Photo, magnification: u32) {
    let (page_width, width) = (page.width() as usize, photo.width() * magnification);
    for row in 0..photo.height() * magnification {
        let start = ((y + row) as usize * page_width + x as usize) * 3;
        let pixels = page.pixels_mut()[start..].chunks_exact_mut(3);
        for (column, pixel) in (0..width).zip(pixels) {
            pixel.copy_from_slice(&photo.pixel(column / magnification, row / magnification));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(width: u32, height: u32, rgb: [u8; 3], name: &str) -> Tile {
        Tile { photo: Photo::filled(width, height, rgb), name: name.to_owned() }
    }

    #[test]
    fn no_photos_make_no_montage() {
        assert_eq!(montage(&[], 4), None);
    }

    #[test]
    fn photos_stand_in_rows_with_their_names_beneath() {
        let red = [200, 0, 0];
        let tiles =
            [tile(128, 96, red, "One"), tile(128, 96, [0, 200, 0], "Two"), tile(128, 96, red, "Three")];
        let page = montage(&tiles, 2).unwrap();
        let cell_height = 96 + NAME_GAP + LINE_HEIGHT;
        assert_eq!((page.width(), page.height()), (3 * GAP + 2 * 128, 3 * GAP + 2 * cell_height));
        // The corners of the first, the second and the third photo, and paper beside them.
        assert_eq!(page.pixel(GAP, GAP), red);
        assert_eq!(page.pixel(GAP + 127, GAP + 95), red);
        assert_eq!(page.pixel(2 * GAP + 128, GAP), [0, 200, 0]);
        assert_eq!(page.pixel(GAP, 2 * GAP + cell_height), red);
        assert_eq!(page.pixel(GAP + 128, GAP), PAPER);
        assert_eq!(page.pixel(2 * GAP + 128, 2 * GAP + cell_height), PAPER);
        // Ink under the first photo, in the middle of its cell.
        let ink = |x: u32| (GAP + 96..GAP + cell_height).any(|y| page.pixel(x, y) != PAPER);
        let inked: Vec<u32> = (0..GAP + 128).filter(|&x| ink(x)).collect();
        let middle = (inked[0] + inked[inked.len() - 1]) / 2;
        assert!(middle.abs_diff(GAP + 64) <= LETTER_WIDTH / 2, "the name stands at {inked:?}");
    }

    #[test]
    fn small_photos_are_magnified_in_sharp_squares() {
        let mut small = Photo::filled(40, 40, [0; 3]);
        small.pixels_mut()[..3].copy_from_slice(&[255, 0, 0]);
        let page = montage(&[Tile { photo: small, name: String::new() }], 5).unwrap();
        // 40 px four times is the first that is 128 px wide.
        assert_eq!(page.width(), 2 * GAP + 160);
        assert_eq!(page.pixel(GAP + 3, GAP + 3), [255, 0, 0]);
        assert_eq!(page.pixel(GAP + 4, GAP + 3), [0; 3]);
        assert_eq!(page.pixel(GAP + 3, GAP + 4), [0; 3]);
    }
}
