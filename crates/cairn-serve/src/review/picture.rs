//! Photos of the library made small, upright, a few at a time.

use std::path::PathBuf;

use cairn_photo::{Limits, Photo, PhotoError, PictureKind, ReadSize};
use tokio::sync::Semaphore;

/// Photos that are decoded at once.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// How large a picture is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// On a contact sheet.
    Small,
    /// By itself.
    Large,
}

impl Size {
    fn short_side(self) -> u32 {
        match self {
            Self::Small => 320,
            Self::Large => 1080,
        }
    }

    /// How many times as long as its shorter side a picture may be; of a longer one the middle is shown.
    fn most_times(self) -> u32 {
        match self {
            Self::Small => 2,
            Self::Large => 4,
        }
    }
}

/// The photo as a JPEG, or in words why it cannot be read.
pub(super) async fn jpeg(path: PathBuf, size: Size) -> Result<Vec<u8>, String> {
    // The semaphore is never closed.
    let _turn = AT_ONCE.acquire().await;
    let made = tokio::task::spawn_blocking(move || made(&path, size).map_err(|error| error.reason())).await;
    // Decoders' panics are errors already.
    made.unwrap_or_else(|_| Err("internal error while the photo was made small".to_owned()))
}

fn made(path: &std::path::Path, size: Size) -> Result<Vec<u8>, PhotoError> {
    let photo = Photo::open_at(path, ReadSize::ShortSide(size.short_side()), &Limits::default())?;
    let most = photo.width().min(photo.height()).saturating_mul(size.most_times());
    let photo = match (photo.width(), photo.height()) {
        (width, height) if width > most || height > most => {
            photo.center_cropped(width.min(most), height.min(most))
        }
        _ => photo,
    };
    // Panoramas are read whole.
    let short = photo.width().min(photo.height());
    let photo = if short > size.short_side() { photo.resized_short_side(size.short_side()) } else { photo };
    photo.encode(PictureKind::Jpeg)
}

/// A picture that says why there is none.
pub(super) fn sign(reason: &str) -> String {
    const LETTERS: usize = 34;
    let mut lines = vec![String::new()];
    for word in reason.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + word.chars().count() > LETTERS {
            lines.push(String::new());
        }
        let last = lines.len() - 1;
        if !lines[last].is_empty() {
            lines[last].push(' ');
        }
        lines[last].push_str(word);
    }
    let text = maud::html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" width="320" height="240" {
            rect width="320" height="240" fill="#808a86" {}
            text x="160" y="70" fill="#fff" font-family="sans-serif" font-size="17" font-weight="700" text-anchor="middle" {
                "This photo cannot be read"
            }
            @for (line, y) in lines.iter().take(6).zip((104..).step_by(22)) {
                text x="160" y=(y) fill="#fff" font-family="sans-serif" font-size="15" text-anchor="middle" { (line) }
            }
        }
    };
    text.into_string()
}
