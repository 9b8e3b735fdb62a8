//! Where the state is if nobody says so.

use std::ffi::OsString;
use std::path::PathBuf;

/// The user's folder of data for cairn's libraries: `$XDG_DATA_HOME/cairn/library`, `~/.local/share/cairn/library`,
/// `~/Library/Application Support/cairn/library` on macOS, `%LOCALAPPDATA%\cairn\library` on Windows. `None` where the
/// system names no such folder.
pub fn default_folder() -> Option<PathBuf> {
    data_folder(|name| std::env::var_os(name)).map(|data| data.join("cairn").join("library"))
}

fn data_folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // XDG's own rule: a relative path is not valid.
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_data_folder_is_that_of_xdg_or_else_in_the_home() {
        let of = |pairs: &[(&str, &str)]| {
            data_folder(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert_eq!(of(&[("XDG_DATA_HOME", "/data"), ("HOME", "/home/a")]), Some("/data".into()));
        assert_eq!(
            of(&[("XDG_DATA_HOME", "data"), ("HOME", "/home/a")]),
            Some("/home/a/.local/share".into())
        );
        assert_eq!(of(&[]), None);
    }
}
