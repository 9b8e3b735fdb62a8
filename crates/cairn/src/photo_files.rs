//! Which photos the arguments mean.

use std::path::PathBuf;

use cairn_dataset::{PhotoListing, Skipped, path_text, skipped_summary};

use crate::progress::say;

/// Links that are named one by one; the others are counted.
const NAMED_LINKS: usize = 5;

/// The photos that `arguments` name, and what was left out: a file as it is, a folder as all photos in it by name, in path
/// order.
///
/// A path that is not there, and a file of any name that is named itself, stay in: opening it gives the error that belongs
/// to it.
pub(crate) fn photo_files(arguments: &[PathBuf]) -> PhotoListing {
    PhotoListing::of(arguments)
}

/// The photos that `arguments` name, once standard error says what was left out.
pub(crate) fn named_photos(arguments: &[PathBuf]) -> Vec<PathBuf> {
    let listing = photo_files(arguments);
    say_skipped(&listing.skipped);
    listing.photos
}

/// Says in one line what was left out, by kind, and names the links that were not followed; nothing where nothing was.
pub(crate) fn say_skipped(skipped: &[Skipped]) {
    if let Some(summary) = skipped_summary(skipped) {
        say(summary);
    }
    say_skipped_links(skipped);
}

/// Names the links that were not followed; nothing where there were none.
pub(crate) fn say_skipped_links(skipped: &[Skipped]) {
    let links: Vec<_> = skipped.iter().filter(|skipped| skipped.reason.is_link()).collect();
    for Skipped { path, reason } in links.iter().take(NAMED_LINKS) {
        say(format!("  {}: {reason}", path_text(path)));
    }
    if let more @ 1.. = links.len().saturating_sub(NAMED_LINKS) {
        say(format!("  and {more} more such links"));
    }
}

#[cfg(test)]
mod tests {
    use cairn_dataset::SkipReason;
    use cairn_photo::FileKind;

    use super::*;

    #[test]
    fn a_folder_is_its_photos_in_order_and_a_missing_file_stays_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["z.JPG", "a.png", "notes.txt", "b/c.webp", ".hidden.jpg", "b/clip.mp4"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let missing = PathBuf::from("nowhere.jpg");
        let video = folder.path().join("b/clip.mp4");
        let found = photo_files(&[missing.clone(), folder.path().to_owned(), video.clone()]);
        let expected = ["a.png", "b/c.webp", "z.JPG"].map(|name| folder.path().join(name));
        assert_eq!(found.photos, [&[missing], expected.as_slice(), &[video]].concat());
        let skipped = |path: &str, reason| Skipped { path: folder.path().join(path), reason };
        assert_eq!(
            found.skipped,
            [
                skipped(".hidden.jpg", SkipReason::Hidden),
                skipped("b/clip.mp4", SkipReason::Kind(FileKind::Video)),
                skipped("notes.txt", SkipReason::Kind(FileKind::Document)),
            ]
        );
    }
}
