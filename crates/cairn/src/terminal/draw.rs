//! Pictures as the bytes that make a terminal show them.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_photo::Photo;
use image::codecs::png::PngEncoder;
use image::imageops::{ColorMap, dither};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

use super::fit::{Arrangement, Cells};
use super::protocol::Protocol;

/// The pictures, arranged, as the protocol has them, with a line end.
pub(super) fn drawn(pictures: &[Photo], arrangement: &Arrangement, protocol: Protocol) -> Vec<u8> {
    let cell = match protocol {
        Protocol::TrueColor | Protocol::Palette => (1, 2),
        Protocol::Kitty | Protocol::Iterm | Protocol::Sixel => arrangement.cell,
    };
    let page = Page::of(pictures, arrangement, cell);
    let total = arrangement.total();
    let text = match protocol {
        Protocol::Kitty => kitty(&page, total),
        Protocol::Iterm => iterm(&page, total),
        Protocol::Sixel => sixel(&page),
        Protocol::TrueColor => half_blocks(&page, |[red, green, blue]| format!("2;{red};{green};{blue}")),
        Protocol::Palette => half_blocks(&page, |color| format!("5;{}", in_palette(color))),
    };
    text.into_bytes()
}

/// A rectangle of pixels; what is no picture is nothing.
struct Page {
    width: usize,
    pixels: Vec<Option<[u8; 3]>>,
}

impl Page {
    fn of(pictures: &[Photo], arrangement: &Arrangement, (cell_width, cell_height): (u32, u32)) -> Self {
        let Arrangement { across, down, picture, .. } = *arrangement;
        let (columns, rows) = (picture.columns * cell_width, picture.rows * cell_height);
        let total = arrangement.total();
        let width = (total.columns * cell_width) as usize;
        let mut pixels = vec![None; width * (total.rows * cell_height) as usize];
        for (place, photo) in (0..across * down).zip(pictures) {
            let (left, top) =
                (place % across * (columns + cell_width), place / across * (rows + cell_height));
            let photo = photo.resized(columns, rows);
            for y in 0..rows {
                let start = (top + y) as usize * width + left as usize;
                for (x, pixel) in (0..columns).zip(&mut pixels[start..]) {
                    *pixel = Some(photo.pixel(x, y));
                }
            }
        }
        Self { width, pixels }
    }

    fn rows(&self) -> std::slice::Chunks<'_, Option<[u8; 3]>> {
        self.pixels.chunks(self.width)
    }

    fn height(&self) -> usize {
        self.pixels.len() / self.width
    }

    /// As a PNG, transparent where there is nothing.
    fn png(&self) -> Vec<u8> {
        let rgba =
            |pixel: &Option<[u8; 3]>| pixel.map_or([0; 4], |[red, green, blue]| [red, green, blue, 255]);
        let bytes: Vec<u8> = self.pixels.iter().flat_map(rgba).collect();
        let mut png = Vec::new();
        let (width, height) = (self.width as u32, self.height() as u32);
        PngEncoder::new(&mut png)
            .write_image(&bytes, width, height, ExtendedColorType::Rgba8)
            .expect("memory takes every PNG of a sound size");
        png
    }
}

/// Letters of base64 in a part of Kitty's.
const PART: usize = 4096;

fn kitty(page: &Page, Cells { columns, rows }: Cells) -> String {
    let data = STANDARD.encode(page.png());
    let parts: Vec<&str> =
        data.as_bytes().chunks(PART).filter_map(|part| str::from_utf8(part).ok()).collect();
    let mut text = String::new();
    for (number, part) in parts.iter().enumerate() {
        // Shown at once, a PNG, of so many cells, and without an answer.
        let keys = if number == 0 { format!("a=T,f=100,c={columns},r={rows},q=2,") } else { String::new() };
        let more = u8::from(number + 1 < parts.len());
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, "\x1b_G{keys}m={more};{part}\x1b\\");
    }
    text + "\n"
}

fn iterm(page: &Page, Cells { columns, rows }: Cells) -> String {
    let png = page.png();
    let (size, data) = (png.len(), STANDARD.encode(png));
    format!(
        "\x1b]1337;File=inline=1;preserveAspectRatio=0;size={size};width={columns};height={rows}:{data}\x07\n"
    )
}

/// Half blocks: the upper pixel of a cell is the colour of its character, the lower one the colour behind it.
fn half_blocks(page: &Page, color: impl Fn([u8; 3]) -> String) -> String {
    let rows: Vec<_> = page.rows().collect();
    let mut text = String::new();
    for pair in rows.chunks(2) {
        let nothing = vec![None; page.width];
        let lower = pair.get(1).copied().unwrap_or(&nothing);
        for (upper, lower) in pair[0].iter().zip(lower) {
            let _ = match (upper, lower) {
                (None, None) => write!(text, "\x1b[0m "),
                (Some(upper), None) => write!(text, "\x1b[0;38;{}m▀", color(*upper)),
                (None, Some(lower)) => write!(text, "\x1b[0;38;{}m▄", color(*lower)),
                (Some(upper), Some(lower)) => {
                    write!(text, "\x1b[38;{};48;{}m▀", color(*upper), color(*lower))
                }
            };
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

/// The nearest of the 216 colours of the cube and the 24 greys that follow the 16 that users choose.
fn in_palette(color: [u8; 3]) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest =
        |level: u8| (0..6_u8).min_by_key(|&step| STEPS[usize::from(step)].abs_diff(level)).unwrap_or(0);
    let distance = |other: [u8; 3]| -> u32 {
        color.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    let [red, green, blue] = color.map(nearest);
    let in_cube = [red, green, blue].map(|step| STEPS[usize::from(step)]);
    let mean = color.iter().map(|&level| u32::from(level)).sum::<u32>() / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance([8 + 10 * grey; 3]) < distance(in_cube) {
        232 + grey
    } else {
        16 + 36 * red + 6 * green + blue
    }
}

/// The colours of sixels: six levels of red and blue, seven of green, to which eyes are keenest.
struct Cube;

const LEVELS: [u32; 3] = [6, 7, 6];

impl ColorMap for Cube {
    type Color = Rgb<u8>;

    fn index_of(&self, Rgb(color): &Rgb<u8>) -> usize {
        color.iter().zip(LEVELS).fold(0, |index, (&level, levels)| {
            let step = (u32::from(level) * (levels - 1) + 127) / 255;
            index * levels as usize + step as usize
        })
    }

    fn map_color(&self, color: &mut Rgb<u8>) {
        *color = cube_color(self.index_of(color));
    }
}

fn cube_color(index: usize) -> Rgb<u8> {
    let [_, greens, blues] = LEVELS.map(|levels| levels as usize);
    let steps = [index / (greens * blues), index / blues % greens, index % blues];
    Rgb(std::array::from_fn(|channel| (steps[channel] as u32 * 255 / (LEVELS[channel] - 1)) as u8))
}

/// Rows of pixels in a band.
const BAND: usize = 6;

fn sixel(page: &Page) -> String {
    let flat = page.pixels.iter().flat_map(|pixel| pixel.unwrap_or([0; 3])).collect();
    let mut rgb = RgbImage::from_raw(page.width as u32, page.height() as u32, flat)
        .expect("a page has three levels a pixel");
    dither(&mut rgb, &Cube);
    let indices: Vec<Option<usize>> =
        rgb.pixels().zip(&page.pixels).map(|(color, pixel)| pixel.map(|_| Cube.index_of(color))).collect();
    // Pixels that nothing colours stay as they are (the 1); so many wide and high.
    let mut text = format!("\x1bP0;1q\"1;1;{};{}", page.width, page.height());
    for index in 0..LEVELS.iter().product::<u32>() as usize {
        let Rgb([red, green, blue]) = cube_color(index);
        let [red, green, blue] = [red, green, blue].map(|level| (u32::from(level) * 100 + 127) / 255);
        let _ = write!(text, "#{index};2;{red};{green};{blue}");
    }
    for band in indices.chunks(BAND * page.width) {
        let mut colors: Vec<usize> = band.iter().flatten().copied().collect();
        colors.sort_unstable();
        colors.dedup();
        for color in colors {
            let _ = write!(text, "#{color}");
            let sixels = (0..page.width).map(|column| {
                let rows = band.iter().skip(column).step_by(page.width).enumerate();
                rows.fold(0_u8, |bits, (row, index)| bits | u8::from(*index == Some(color)) << row)
            });
            repeated(&mut text, sixels);
            text.push('$');
        }
        text.push('-');
    }
    text + "\x1b\\\n"
}

/// Sixels, those that repeat as a number and one.
fn repeated(text: &mut String, sixels: impl Iterator<Item = u8>) {
    let mut write = |sixel: u8, count: usize| {
        let letter = char::from(63 + sixel);
        let _ = match count {
            0 => Ok(()),
            1..4 => write!(text, "{}", letter.to_string().repeat(count)),
            _ => write!(text, "!{count}{letter}"),
        };
    };
    let (mut last, mut count) = (0, 0);
    for sixel in sixels {
        if sixel != last {
            write(last, count);
            (last, count) = (sixel, 0);
        }
        count += 1;
    }
    write(last, count);
}

#[cfg(test)]
mod tests {
    use super::super::fit::Window;
    use super::*;

    /// Left half red, right half blue.
    fn photo() -> Photo {
        let row = [[255, 0, 0], [255, 0, 0], [0, 0, 255], [0, 0, 255]].concat();
        Photo::from_pixels(4, 4, row.repeat(4)).unwrap()
    }

    fn text(pictures: usize, protocol: Protocol) -> (Arrangement, String) {
        let window = Window { columns: 16, rows: 8, cell: Some((2, 4)) };
        let arrangement = Arrangement::of(pictures, (4, 4), window);
        let drawn = drawn(&vec![photo(); pictures], &arrangement, protocol);
        (arrangement, String::from_utf8(drawn).unwrap())
    }

    /// The text without its escape sequences of colour.
    fn letters(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn half_blocks_fill_as_many_cells_as_were_arranged() {
        for pictures in [1, 3] {
            let (arrangement, text) = text(pictures, Protocol::TrueColor);
            let letters = letters(&text);
            let lines: Vec<&str> = letters.lines().collect();
            assert_eq!(lines.len(), arrangement.total().rows as usize);
            let columns = arrangement.total().columns as usize;
            assert!(lines.iter().all(|line| line.chars().count() == columns), "{lines:?}");
        }
        let (_, text) = text(1, Protocol::TrueColor);
        assert!(text.contains("38;2;255;0;0;48;2;255;0;0m▀") && text.contains("38;2;0;0;255;48;2;0;0;255m▀"));
        assert!(text.ends_with("\x1b[0m\n"));
    }

    #[test]
    fn colours_of_the_palette_are_the_nearest() {
        // The cube's corners, a step of it, and the greys between its own.
        assert_eq!(in_palette([0, 0, 0]), 16);
        assert_eq!(in_palette([255, 255, 255]), 231);
        assert_eq!(in_palette([255, 0, 0]), 196);
        assert_eq!(in_palette([95, 135, 175]), 67);
        assert_eq!(in_palette([118, 118, 118]), 243);
    }

    #[test]
    fn kitty_and_iterm_get_a_png_of_so_many_cells() {
        let png =
            |base64: String| image::load_from_memory(&STANDARD.decode(base64).unwrap()).unwrap().to_rgb8();
        let (arrangement, kitty) = text(1, Protocol::Kitty);
        let Cells { columns, rows } = arrangement.total();
        assert!(kitty.starts_with(&format!("\x1b_Ga=T,f=100,c={columns},r={rows},q=2,m=0;")), "{kitty}");
        let data = |text: &str, start: char, end: &str| {
            let (_, rest) = text.split_once(start).unwrap();
            rest.split_once(end).unwrap().0.to_owned()
        };
        let picture = png(data(&kitty["\x1b_Ga=T".len()..], ';', "\x1b\\"));
        assert_eq!((picture.width(), picture.height()), (columns * 2, rows * 4));
        assert_eq!(picture.get_pixel(0, 0).0, [255, 0, 0]);
        let (_, iterm) = text(1, Protocol::Iterm);
        assert!(iterm.contains(&format!("width={columns};height={rows}:")), "{iterm}");
        assert_eq!(png(data(&iterm, ':', "\x07")), picture);
    }

    #[test]
    fn a_long_picture_goes_to_kitty_in_parts() {
        let noise = (0..300 * 300 * 3_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let photo = Photo::from_pixels(300, 300, noise).unwrap();
        let window = Window { columns: 80, rows: 40, cell: Some((8, 16)) };
        let arrangement = Arrangement::of(1, (300, 300), window);
        let text = String::from_utf8(drawn(&[photo], &arrangement, Protocol::Kitty)).unwrap();
        let parts: Vec<&str> = text.split("\x1b_G").skip(1).collect();
        assert!(parts.len() > 2);
        assert!(parts[1..parts.len() - 1].iter().all(|part| part.starts_with("m=1;")));
        assert!(parts[parts.len() - 1].starts_with("m=0;"));
        assert!(parts.iter().all(|part| part.len() < PART + 100));
    }

    /// The colours that a decoder of sixels draws, row after row.
    fn decoded(text: &str, width: usize, height: usize) -> Vec<Option<usize>> {
        let body = text.strip_prefix(&format!("\x1bP0;1q\"1;1;{width};{height}")).unwrap();
        let body = body.strip_suffix("\x1b\\\n").unwrap();
        let mut pixels = vec![None; width * height];
        let (mut band, mut column, mut color) = (0, 0, 0);
        let mut letters = body.chars().peekable();
        let number = |letters: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<usize>().unwrap()
        };
        while let Some(letter) = letters.next() {
            match letter {
                '#' => {
                    color = number(&mut letters);
                    while letters.next_if_eq(&';').is_some() {
                        number(&mut letters);
                    }
                }
                '$' => column = 0,
                '-' => (band, column) = (band + 1, 0),
                _ => {
                    let (count, letter) = match letter {
                        '!' => (number(&mut letters), letters.next().unwrap()),
                        letter => (1, letter),
                    };
                    let bits = letter as usize - 63;
                    for _ in 0..count {
                        for row in (0..6).filter(|row| bits >> row & 1 == 1) {
                            pixels[(band * 6 + row) * width + column] = Some(color);
                        }
                        column += 1;
                    }
                }
            }
        }
        pixels
    }

    #[test]
    fn sixels_draw_the_pixels_and_leave_the_gaps_alone() {
        let (arrangement, text) = text(2, Protocol::Sixel);
        let Cells { columns, rows } = arrangement.total();
        let (width, height) = (columns as usize * 2, rows as usize * 4);
        let picture = arrangement.picture.columns as usize * 2;
        let pixels = decoded(&text, width, height);
        let [red, blue] = [[255, 0, 0], [0, 0, 255]].map(|color| Cube.index_of(&Rgb(color)));
        assert_eq!([cube_color(red), cube_color(blue)], [Rgb([255, 0, 0]), Rgb([0, 0, 255])]);
        assert_eq!((pixels[0], pixels[picture - 1]), (Some(red), Some(blue)));
        assert_eq!((pixels[picture], pixels[picture + 1]), (None, None), "between two pictures");
        assert_eq!(pixels.iter().flatten().count(), 2 * picture * arrangement.picture.rows as usize * 4);
    }
}
