//! A photo shown in the terminal.

use std::io::{self, IsTerminal};

use cairn_photo::Photo;
use image::{DynamicImage, RgbImage};

/// Rows that the picture may take at most, so that the words under it stay in sight.
const MOST_ROWS: u32 = 20;

/// Whether the terminal names itself as one that knows Kitty's graphics. Asking the terminal itself would leave its
/// answer on the screen of those that do not.
fn speaks_kitty() -> bool {
    let names = |variable: &str, wanted: &[&str]| {
        std::env::var(variable).is_ok_and(|value| wanted.iter().any(|w| value.to_lowercase().contains(w)))
    };
    std::env::var_os("KITTY_WINDOW_ID").is_some()
        || names("TERM", &["kitty", "ghostty"])
        || names("TERM_PROGRAM", &["ghostty", "wezterm"])
}

/// Shows the photo where standard output is a terminal: as a picture in terminals that draw pictures (Kitty, iTerm),
/// as coloured half blocks in others. A pipe or a file gets nothing, and nor does a terminal without colours.
pub(crate) fn show(photo: &Photo) {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if plain || !io::stdout().is_terminal() {
        return;
    }
    let small = photo.resized_short_side(photo.width().min(photo.height()).min(480));
    let (width, height) = (small.width(), small.height());
    let Some(pixels) = RgbImage::from_raw(width, height, small.into_pixels()) else { return };
    let config = viuer::Config {
        absolute_offset: false,
        height: Some(MOST_ROWS),
        use_kitty: speaks_kitty(),
        use_iterm: true,
        ..viuer::Config::default()
    };
    // A terminal that cannot show it still gets the words.
    let _ = viuer::print(&DynamicImage::ImageRgb8(pixels), &config);
}
