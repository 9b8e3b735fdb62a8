//! Photos made small for a page, where the browser cannot show its own copy.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cairn_photo::{Limits, Photo, PictureKind, ReadSize};
use tokio::sync::Semaphore;

/// The shorter side, in pixels.
const SHORT_SIDE: u32 = 480;

/// Photos that are made small at once: people's pages must not keep programs' photos waiting.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// The photo as a small JPEG in a data URL; `None` where it cannot be read.
pub(super) async fn thumbnail(photo: Bytes) -> Option<String> {
    let _turn = AT_ONCE.acquire().await.ok()?;
    tokio::task::spawn_blocking(move || small(&photo)).await.ok()?
}

fn small(photo: &[u8]) -> Option<String> {
    let photo = Photo::decode_at(photo, "photo", ReadSize::ShortSide(SHORT_SIDE), &Limits::default()).ok()?;
    let jpeg = photo.encode(PictureKind::Jpeg).ok()?;
    Some(data_url("image/jpeg", &jpeg))
}

/// A picture as its own address.
pub(super) fn data_url(media_type: &str, picture: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(picture))
}
