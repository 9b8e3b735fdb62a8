//! Files and folders that a person does not want to be looked at.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// A pattern of names. `*` is any part of a name, `?` one character, `**` any folders.
///
/// A pattern without `/` is of the name of a file or folder anywhere; one with `/` is of the path from the library's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclude {
    pattern: String,
}

impl FromStr for Exclude {
    type Err = String;

    fn from_str(text: &str) -> Result<Exclude, String> {
        let pattern = text.trim_end_matches('/');
        if pattern.is_empty() {
            Err("a pattern must not be empty".to_owned())
        } else {
            Ok(Exclude { pattern: pattern.to_owned() })
        }
    }
}

impl fmt::Display for Exclude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pattern)
    }
}

impl Exclude {
    /// Whether the file or folder at `path`, from the library's root, is meant.
    pub fn matches(&self, path: &Path) -> bool {
        let text = if self.pattern.contains('/') {
            path.to_string_lossy()
        } else {
            path.file_name().unwrap_or_default().to_string_lossy()
        };
        let pattern = self.pattern.strip_prefix('/').unwrap_or(&self.pattern);
        matches(pattern.as_bytes(), text.as_bytes())
    }
}

/// Whether `text` is of `pattern`: the usual loop that goes back to the last star. `**` takes `/` too.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last star does not fit: the pattern, the text, and whether it takes `/`.
    let mut retry: Option<(usize, usize, bool)> = None;
    loop {
        match pattern.get(p) {
            Some(b'*') => {
                let deep = pattern.get(p + 1) == Some(&b'*');
                p += if deep { 2 } else { 1 };
                // `**/` is also no folder at all.
                if deep && pattern.get(p) == Some(&b'/') && matches(&pattern[p + 1..], &text[t..]) {
                    return true;
                }
                retry = Some((p, t, deep));
                continue;
            }
            Some(wanted)
                if text.get(t).is_some_and(|byte| byte == wanted || *wanted == b'?' && *byte != b'/') =>
            {
                p += 1;
                t += 1;
                continue;
            }
            None if t == text.len() => return true,
            _ => {}
        }
        match retry {
            Some((at, from, deep)) if from < text.len() && (deep || text[from] != b'/') => {
                (p, t) = (at, from + 1);
                retry = Some((at, from + 1, deep));
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_names_or_of_paths() {
        for (pattern, path, expected) in [
            ("*.png", "a/b/c.png", true),
            ("*.png", "a/b/c.png.jpg", false),
            ("Screenshots", "2019/Screenshots", true),
            ("Screenshots/", "2019/Screenshots", true),
            ("2019/*", "2019/a.jpg", true),
            ("2019/*", "2019/a/b.jpg", false),
            ("2019/**", "2019/a/b.jpg", true),
            ("**/raw/*.nef", "2019/a/raw/b.nef", true),
            ("**/raw/*.nef", "raw/b.nef", true),
            ("**/raw/*.nef", "draw/b.nef", false),
            ("IMG_????.*", "IMG_0001.JPG", true),
            ("IMG_????.*", "IMG_00001.JPG", false),
            ("/2019", "2019", true),
            ("/2019", "a/2019", false),
        ] {
            let found = pattern.parse::<Exclude>().unwrap().matches(Path::new(path));
            assert_eq!(found, expected, "{pattern} {path}");
        }
        assert!("".parse::<Exclude>().is_err());
    }
}
