//! Photos as the command line names them: paths, folders, standard input, a list in a file.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::{Skipped, path_text, read_lines, read_text_file};
use tempfile::NamedTempFile;

use crate::causes::reason;
use crate::photo_files::photo_files;

/// The name of standard input.
pub(crate) const STDIN: &str = "-";
/// No photo has more bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The photos to look at.
#[derive(Debug, Default)]
pub(crate) struct PhotoInput {
    /// Their files, in the order in which they were named.
    pub photos: Vec<PathBuf>,
    /// What was left out of folders.
    pub skipped: Vec<Skipped>,
    /// Where the photo from standard input is; the file goes when this does.
    stdin: Option<NamedTempFile>,
}

impl PhotoInput {
    /// The photos that `arguments` and the list in `files_from` name.
    ///
    /// # Errors
    /// When standard input or the list cannot be read, or both want standard input.
    pub(crate) fn of(arguments: &[PathBuf], files_from: Option<&Path>) -> Result<Self> {
        let mut named = arguments.to_vec();
        let wants_stdin = |path: &PathBuf| path.as_os_str() == STDIN;
        if let Some(list) = files_from {
            if list.as_os_str() == STDIN && named.iter().any(wants_stdin) {
                bail!("standard input is either a photo (-) or a list (--files-from -), not both");
            }
            named.extend(listed(list)?);
        }
        let stdin = if named.iter().any(wants_stdin) { Some(photo_on(io::stdin().lock())?) } else { None };
        let paths: Vec<PathBuf> = named
            .into_iter()
            .map(|path| match &stdin {
                Some(file) if path.as_os_str() == STDIN => file.path().to_owned(),
                _ => home_for_tilde(path),
            })
            .collect();
        let listing = photo_files(&paths);
        Ok(Self { photos: listing.photos, skipped: listing.skipped, stdin })
    }

    /// The one photo that an argument names.
    ///
    /// # Errors
    /// As [`PhotoInput::of`], and when it is an address.
    pub(crate) fn one(argument: &Path) -> Result<Self> {
        if let Some(advice) = advice(argument) {
            bail!("{}: {advice}", path_text(argument));
        }
        let stdin = if argument.as_os_str() == STDIN { Some(photo_on(io::stdin().lock())?) } else { None };
        let path = match &stdin {
            Some(file) => file.path().to_owned(),
            None => home_for_tilde(argument.to_owned()),
        };
        Ok(Self { photos: vec![path], skipped: Vec::new(), stdin })
    }

    /// What rows and messages call the photo at `path`.
    pub(crate) fn name(&self, path: &Path) -> String {
        if self.is_file(path) { path_text(path) } else { STDIN.to_owned() }
    }

    /// Whether the photo at `path` is a file of the user's, not standard input.
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.stdin.as_ref().is_none_or(|file| file.path() != path)
    }

    /// Why the photo at `path` could not be read, without its name.
    pub(crate) fn reason(error: &(dyn std::error::Error + 'static), path: &Path) -> String {
        advice(path).unwrap_or_else(|| reason(error, path))
    }
}

/// What to do about a path that is none.
fn advice(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let (scheme, _) = text.split_once("://").or_else(|| text.split_once(":/"))?;
    let is_scheme =
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (is_scheme && !path.exists()).then(|| {
        let advice = match scheme.to_ascii_lowercase().as_str() {
            "file" => "give the path alone, without file://",
            "http" | "https" => "download it first (curl -LO URL)",
            _ => "copy it to this machine first",
        };
        format!("this is an address, not a file: {advice}")
    })
}

/// The path with the home folder for a `~` at its beginning, which a shell leaves where it is quoted or follows `=`.
fn home_for_tilde(path: PathBuf) -> PathBuf {
    let Ok(rest) = path.strip_prefix("~") else { return path };
    match std::env::home_dir() {
        // A file of this very name comes first.
        Some(home) if !path.exists() => home.join(rest),
        _ => path,
    }
}

/// The photo that `input` holds, in a temporary file.
fn photo_on(input: impl Read) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new().context("the photo on standard input cannot be kept")?;
    let bytes = io::copy(&mut input.take(MOST_BYTES + 1), &mut file)
        .context("the photo on standard input cannot be read")?;
    if bytes > MOST_BYTES {
        bail!("standard input: more than 1 GiB, which no photo has");
    }
    file.flush()?;
    Ok(file)
}

/// The paths in a list.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let cannot = || format!("{}: the list of photos cannot be read", path_text(list));
    let bytes = match list.as_os_str() == STDIN {
        true => read_lines(io::stdin().lock()),
        false => read_text_file(&home_for_tilde(list.to_owned())),
    };
    let bytes = bytes.with_context(cannot)?;
    paths_in(&bytes).with_context(|| path_text(list))
}

/// The paths in the bytes of a list: each ends with a zero byte if there is one (`find -print0`), else with its line.
fn paths_in(bytes: &[u8]) -> Result<Vec<PathBuf>> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        bail!("this list is in UTF-16; save it as UTF-8");
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let by_zeros = bytes.contains(&0);
    let entries = bytes.split(|&byte| byte == if by_zeros { 0 } else { b'\n' });
    let whole = |entry| if by_zeros { entry } else { without_carriage_return(entry) };
    entries.map(whole).filter(|entry| !entry.is_empty()).map(path_of).collect()
}

/// Lines of Windows end with two characters.
fn without_carriage_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Ok(OsString::from_vec(bytes.to_vec()).into())
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Result<PathBuf> {
    let text = std::str::from_utf8(bytes).context("this list is not in UTF-8; save it as UTF-8")?;
    Ok(OsString::from(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_its_paths_with_zeros_or_lines() {
        let paths =
            |bytes: &[u8]| -> Vec<String> { paths_in(bytes).unwrap().iter().map(path_text).collect() };
        assert_eq!(paths(b"a b.jpg\r\n\n d.jpg\nlast.jpg"), ["a b.jpg", " d.jpg", "last.jpg"]);
        assert_eq!(paths(b"a\nb.jpg\0c.jpg\r\0"), ["a\nb.jpg", "c.jpg\r"]);
        assert_eq!(paths(b"\xEF\xBB\xBFa.jpg\n"), ["a.jpg"]);
        assert_eq!(paths(b""), Vec::<String>::new());
        #[cfg(unix)]
        assert_eq!(paths(b"caf\xE9.jpg\n"), ["caf\\xE9.jpg"]);
        let error = paths_in(b"\xFF\xFEa\0").unwrap_err().to_string();
        assert!(error.contains("UTF-16"), "{error}");
    }

    #[test]
    fn an_address_is_told_from_a_path() {
        for (text, said) in [
            ("https://example.org/a.jpg", "download it first"),
            ("HTTP://example.org", "download it first"),
            ("file:///home/me/a.jpg", "without file://"),
            ("s3://bucket/a.jpg", "copy it to this machine first"),
        ] {
            let advice = advice(Path::new(text)).unwrap_or_default();
            assert!(advice.contains(said), "{text}: {advice}");
        }
        for path in ["a.jpg", "a/b.jpg", "c:/photos/a.jpg", "odd name: 5.jpg", "~/a.jpg"] {
            assert_eq!(advice(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn a_tilde_that_the_shell_left_is_the_home_folder() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(home_for_tilde("~/no such photo.jpg".into()), home.join("no such photo.jpg"));
        for path in ["~other/a.jpg", "a/~/b.jpg", "a.jpg"] {
            assert_eq!(home_for_tilde(path.into()), Path::new(path));
        }
    }

    #[test]
    fn the_photo_on_standard_input_is_called_by_its_dash() {
        let file = photo_on(&b"bytes"[..]).unwrap();
        let path = file.path().to_owned();
        let input = PhotoInput { photos: vec![path.clone()], stdin: Some(file), ..PhotoInput::default() };
        assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        assert_eq!((input.name(&path), input.name(Path::new("a.jpg"))), ("-".to_owned(), "a.jpg".to_owned()));
    }
}
