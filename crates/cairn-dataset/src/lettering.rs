//! Letters in a photo, drawn from a bitmap font: Noto Sans Mono at 16 px, rasterised beforehand.

use cairn_photo::Photo;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width};

const WEIGHT: FontWeight = FontWeight::Regular;
const SIZE: RasterHeight = RasterHeight::Size16;

/// Height of a line of text in pixels.
pub(crate) const LINE_HEIGHT: u32 = SIZE.val() as u32;

/// Width of every letter in pixels.
pub(crate) const LETTER_WIDTH: u32 = get_raster_width(WEIGHT, SIZE) as u32;

/// Writes `text` with its left upper corner at column `x`, row `y`. What goes over the edge is cut off; a letter that
/// the font lacks (it has the Latin ones) becomes a question mark.
pub(crate) fn write(photo: &mut Photo, x: u32, y: u32, text: &str, rgb: [u8; 3]) {
    for (place, letter) in (0u32..).zip(text.chars()) {
        if let Some(raster) = get_raster(letter, WEIGHT, SIZE).or_else(|| get_raster('?', WEIGHT, SIZE)) {
            write_letter(photo, x + place * LETTER_WIDTH, y, &raster, rgb);
        }
    }
}

fn write_letter(photo: &mut Photo, x: u32, y: u32, raster: &RasterizedChar, rgb: [u8; 3]) {
    let (width, height) = (photo.width(), photo.height());
    for (row, cover) in (y..height).zip(raster.rows()) {
        for (column, &cover) in (x..width).zip(cover) {
            let start = (row as usize * width as usize + column as usize) * 3;
            for (level, ink) in photo.pixels_mut()[start..start + 3].iter_mut().zip(rgb) {
                *level = blend(*level, ink, cover);
            }
        }
    }
}

/// `ink` laid over `paper` with a cover of 0 (none) to 255 (all).
fn blend(paper: u8, ink: u8, cover: u8) -> u8 {
    let (paper, ink, cover) = (u32::from(paper), u32::from(ink), u32::from(cover));
    ((paper * (255 - cover) + ink * cover + 127) / 255) as u8
}

/// Breaks `text` into at most `lines` lines of at most `columns` letters, between words where it can. What does not
/// fit is cut off with an ellipsis (two full stops where there is hardly room).
pub(crate) fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let mut wrapped: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match wrapped.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => wrapped.push(word.to_owned()),
        }
    }
    if wrapped.len() > lines {
        let rest = wrapped.split_off(lines);
        if let Some(last) = wrapped.last_mut() {
            last.push(' ');
            last.push_str(&rest.join(" "));
        }
    }
    wrapped.into_iter().map(|line| cut(line, columns)).collect()
}

fn cut(line: String, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line;
    }
    let kept: String = line.chars().take(columns.saturating_sub(2)).collect();
    format!("{}..", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_between_words_and_are_cut_where_they_do_not_fit() {
        let cases: [(&str, usize, &[&str]); 6] = [
            ("Petra", 10, &["Petra"]),
            ("Angel Falls", 11, &["Angel Falls"]),
            ("Great Wall of China", 12, &["Great Wall", "of China"]),
            ("Haleakala National Park", 10, &["Haleakala", "National.."]),
            ("Wallfahrtskirche", 8, &["Wallfa.."]),
            ("", 8, &[]),
        ];
        for (name, columns, expected) in cases {
            assert_eq!(wrap(name, columns, 2), expected, "{name} in {columns} columns");
        }
    }

    #[test]
    fn letters_leave_ink_where_they_stand_and_nowhere_else() {
        let mut photo = Photo::filled(40, 20, [255; 3]);
        write(&mut photo, 8, 2, "H", [0; 3]);
        let inked = |x: u32, y: u32| photo.pixel(x, y) != [255; 3];
        let columns: Vec<u32> = (0..40).filter(|&x| (0..20).any(|y| inked(x, y))).collect();
        let rows: Vec<u32> = (0..20).filter(|&y| (0..40).any(|x| inked(x, y))).collect();
        assert!(
            !columns.is_empty() && columns.iter().all(|x| (8..8 + LETTER_WIDTH).contains(x)),
            "{columns:?}"
        );
        assert!(!rows.is_empty() && rows.iter().all(|y| (2..2 + LINE_HEIGHT).contains(y)), "{rows:?}");
        // Between the two stems of an H there is the bar and nothing else.
        let middle = 8 + LETTER_WIDTH / 2;
        let bar = rows.iter().filter(|&&y| photo.pixel(middle, y)[0] < 128).count();
        assert!((1..=2).contains(&bar), "{bar} dark rows in the middle of the H");
    }

    #[test]
    fn letters_that_go_over_the_edge_are_cut_off() {
        let mut photo = Photo::filled(10, 6, [255; 3]);
        write(&mut photo, 5, 1, "Machu Picchu ☃", [0; 3]);
        assert!((0..6).any(|y| (5..10).any(|x| photo.pixel(x, y) != [255; 3])));
    }
}
