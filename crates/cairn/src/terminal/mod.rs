//! Pictures and lines in the terminal.
//!
//! A picture takes half of the window's width and height at most, so that the words under it stay in sight. It is drawn by
//! the terminal's own protocol for pictures where [`Protocol`] finds one, else as coloured half blocks. Where standard
//! output is no terminal, nothing is drawn and lines stay as they are.

mod draw;
mod fit;
mod protocol;
#[cfg(unix)]
mod query;
mod wrap;

use std::env;
use std::io::Write;

use cairn_dataset::escape::shown;
use cairn_model::Landmark;
use cairn_photo::Photo;
use ratatui::crossterm::terminal;

use crate::standard_output::{self, StandardOutput};
use fit::{Arrangement, Window};
use protocol::Protocol;
pub(crate) use wrap::wrapped;

/// Shows the photo where standard output is a terminal.
pub(crate) fn show(photo: &Photo) {
    show_side_by_side(std::slice::from_ref(photo));
}

/// Shows pictures of one size in rows, the first at the left, where standard output is a terminal.
pub(crate) fn show_side_by_side(pictures: &[Photo]) {
    let Some(first) = pictures.first() else { return };
    let Some(window) = window().filter(|_| draws_pictures()) else { return };
    let (protocol, cell) = Protocol::detect(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let window = Window { cell: window.cell.or(cell), ..window };
    let arrangement = Arrangement::of(pictures.len(), (first.width(), first.height()), window);
    let drawn = draw::drawn(pictures, &arrangement, protocol);
    // A terminal that cannot show it still gets the words.
    let Ok(mut out) = StandardOutput::open() else { return };
    let _ = out.write_all(&drawn).and_then(|()| out.flush());
}

/// A line of standard output: text from outside made safe, and on a terminal wrapped at words, what goes on below indented
/// by `indent` columns.
pub(crate) fn line(text: &str, indent: usize) -> String {
    let text = shown(text);
    match window() {
        Some(window) => wrapped(&text, usize::from(window.columns), indent),
        None => text.into_owned(),
    }
}

/// `  93.1%  Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)`, as [`line()`].
pub(crate) fn landmark_line(landmark: &Landmark) -> String {
    line(&format!("  {:>6}  {}", landmark.probability, landmark.summary()), 10)
}

/// The window, where standard output is a terminal of some size.
fn window() -> Option<Window> {
    if !standard_output::is_terminal() {
        return None;
    }
    let size = terminal::window_size().ok();
    let cells = size.as_ref().map(|size| (size.columns, size.rows)).or_else(|| terminal::size().ok());
    let (columns, rows) = cells.filter(|&(columns, rows)| columns > 0 && rows > 0)?;
    let pixels = size.map(|size| (size.width / columns, size.height / rows));
    let cell = pixels.filter(|&(width, height)| width > 0 && height > 0);
    Some(Window { columns, rows, cell })
}

/// Whether a person wants colours, and the terminal knows them.
fn draws_pictures() -> bool {
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !plain && env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}
