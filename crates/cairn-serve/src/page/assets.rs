//! Style, script and icon: parts of the program, served under names that change with what is in them, so that browsers
//! may keep them for ever.

use std::sync::LazyLock;

/// A file that pages load.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name, with a hash of its content: `page.1a2b3c4d5e6f.css`.
    pub name: String,
    /// What browsers take it for.
    pub media_type: &'static str,
    /// What is in it.
    pub content: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, media_type: &'static str, content: &'static str) -> Self {
        let hash = blake3::hash(content.as_bytes()).to_hex();
        Self { name: format!("{stem}.{}.{ending}", &hash[..12]), media_type, content }
    }

    /// Its address, relative to the pages' folder.
    pub(crate) fn path(&self) -> String {
        format!("assets/{}", self.name)
    }
}

/// How all pages look.
pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page", "css", "text/css; charset=utf-8", include_str!("assets/page.css")));

/// What the page does with photos.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("photos", "js", "text/javascript; charset=utf-8", include_str!("assets/photos.js"))
});

/// What a review's pages do by keys.
#[cfg(feature = "review")]
pub(crate) static REVIEW_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("review", "js", "text/javascript; charset=utf-8", include_str!("assets/review.js"))
});

/// Three stones on each other.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("cairn", "svg", "image/svg+xml", include_str!("assets/cairn.svg")));

/// The file of this name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    #[cfg(feature = "review")]
    if name == REVIEW_SCRIPT.name {
        return Some(&REVIEW_SCRIPT);
    }
    [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_their_names_and_no_others() {
        for asset in [&*STYLE, &*SCRIPT, &*ICON] {
            assert_eq!(find(&asset.name).unwrap().content, asset.content);
            assert!(
                asset.path().starts_with("assets/") && asset.name.split('.').count() == 3,
                "{}",
                asset.name
            );
        }
        assert!(find("page.css").is_none() && find("../Cargo.toml").is_none());
    }
}
