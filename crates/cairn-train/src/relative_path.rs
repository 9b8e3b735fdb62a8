//! Paths that hold wherever a folder and its neighbours are moved together.

use std::path::{Component, Path, PathBuf};

/// The way from the folder `from` to `to`, both absolute and without `..`; `None` where there is none, as between two
/// drives of Windows.
pub(crate) fn relative(from: &Path, to: &Path) -> Option<PathBuf> {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    // Two drives share nothing; two absolute paths on one share its root.
    if shared == 0 {
        return None;
    }
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to[shared..].iter().copied()).collect();
    Some(if way.as_os_str().is_empty() { PathBuf::from(".") } else { way })
}

/// The path itself if it is relative, else its last name.
pub(crate) fn without_root(path: &Path) -> PathBuf {
    let last = || path.file_name().map(PathBuf::from).unwrap_or_default();
    if path.has_root() { last() } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_up_to_the_folder_that_both_share_and_down_from_there() {
        for (from, to, way) in [
            ("/a/runs/x", "/a/photos", "../../photos"),
            ("/a", "/a/b", "b"),
            ("/a/b", "/a", ".."),
            ("/a", "/a", "."),
            ("/a/b", "/c", "../../c"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Some(way.into()), "{from} {to}");
        }
        assert_eq!(relative(Path::new("a"), Path::new("/b")), None);
    }

    #[test]
    fn an_absolute_path_is_known_by_its_last_name() {
        assert_eq!(without_root(Path::new("/home/me/mine.toml")), Path::new("mine.toml"));
        assert_eq!(without_root(Path::new("mine/mine.toml")), Path::new("mine/mine.toml"));
    }
}
