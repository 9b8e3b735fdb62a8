//! Where a verb writes: `-o`/`--out` and `--force`, and what may not be written over.
//!
//! Every verb that writes files has these two options, and all of them are checked by [`Outputs::check`] before any
//! work begins. Folders of runs (`train`, `sweep`, `demo`) have no `--force`: they are begun, or gone on with, and never
//! replaced.

use cairn_dataset::path_text;
use std::fs;
use std::path::{Component, Path, PathBuf};

use cairn_photo::is_photo_name;
use clap::Args;

/// `-o`, `--out` and `--force`. A verb says by `mut_arg` what it writes, and whether it must be named.
#[derive(Debug, Args)]
pub(crate) struct OutputOption {
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub force: Force,
}

impl OutputOption {
    /// The file of a verb for which `-o` is required.
    ///
    /// # Errors
    /// Where it is not there.
    pub(crate) fn named(&self) -> Result<PathBuf, OutputError> {
        self.out.clone().ok_or(OutputError::Unnamed)
    }
}

/// `--force`.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Force {
    /// Replace output files that exist
    #[arg(long = "force")]
    pub replace: bool,
}

/// Why a verb does not write where it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("name the output with -o FILE")]
    Unnamed,
    #[error("{}: names no file; give the output a file name", path_text(path))]
    NoName { path: PathBuf },
    #[error("{}: is a folder; name a file in it", path_text(path))]
    Folder { path: PathBuf },
    #[error("{}: is not a regular file and is not replaced", path_text(path))]
    Special { path: PathBuf },
    #[error("{}: exists; name another output, or replace it with --force", path_text(path))]
    Exists { path: PathBuf },
    #[error("{}: is the same file as the input {}; name another output", path_text(path), path_text(input))]
    Input { path: PathBuf, input: PathBuf },
    #[error("{}: is named for two outputs; give each its own file", path_text(path))]
    Twice { path: PathBuf },
    #[error("{}: cannot be written", path_text(path))]
    Write { path: PathBuf, source: std::io::Error },
}

/// The files that a verb is going to write.
#[derive(Debug, Default)]
pub(crate) struct Outputs<'a> {
    files: Vec<PathBuf>,
    inputs: Vec<&'a Path>,
}

impl<'a> Outputs<'a> {
    /// Of these files.
    pub(crate) fn files(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { files: files.into_iter().collect(), inputs: Vec::new() }
    }

    /// The same with files that the verb reads, or folders of such files, which it may not overwrite.
    pub(crate) fn reading(mut self, inputs: impl IntoIterator<Item = &'a Path>) -> Self {
        self.inputs.extend(inputs);
        self
    }

    /// Checks that every output can be written: it replaces no file unless `force` allows it, never an input (however
    /// it is spelled or linked), and its folder is there and writable, or can be made. Makes nothing.
    ///
    /// # Errors
    /// [`OutputError`] of the first that cannot.
    pub(crate) fn check(&self, force: Force) -> Result<(), OutputError> {
        for (place, path) in self.files.iter().enumerate() {
            self.check_file(path, force)?;
            if self.files[..place].iter().any(|other| is_same(other, path)) {
                return Err(OutputError::Twice { path: path.clone() });
            }
        }
        Ok(())
    }

    fn check_file(&self, path: &Path, force: Force) -> Result<(), OutputError> {
        let owned = || path.to_owned();
        if !matches!(path.components().next_back(), Some(Component::Normal(_))) {
            return Err(if path.is_dir() {
                OutputError::Folder { path: owned() }
            } else {
                OutputError::NoName { path: owned() }
            });
        }
        // An input is never replaced, so that comes before the advice to force it.
        if let Some(input) = self.inputs.iter().find(|input| is_same(input, path) || holds(input, path)) {
            return Err(OutputError::Input { path: owned(), input: input.to_path_buf() });
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(OutputError::Folder { path: owned() }),
            Ok(found) if !found.is_file() => return Err(OutputError::Special { path: owned() }),
            Ok(_) if !force.replace => return Err(OutputError::Exists { path: owned() }),
            // A link to nothing is not there for `metadata`, and a file all the same.
            Err(_) if path.symlink_metadata().is_ok() && !force.replace => {
                return Err(OutputError::Exists { path: owned() });
            }
            Ok(_) | Err(_) => {}
        }
        let folder = existing_folder(path);
        let writable = tempfile::tempfile_in(folder);
        writable.map(drop).map_err(|source| OutputError::Write { path: owned(), source })
    }
}

/// Makes the folder that `path` is to be written into, unless it is there.
///
/// # Errors
/// [`OutputError::Write`] when it cannot be made.
pub(crate) fn make_folder_of(path: &Path) -> Result<(), OutputError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|source| OutputError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// The first path of `STEM.EXTENSION`, `STEM-2.EXTENSION` and so on that is free: for outputs without a name of the user's.
pub(crate) fn free_file(stem: &str, extension: &str) -> PathBuf {
    let numbered = (2..).map(|number: u64| PathBuf::from(format!("{stem}-{number}.{extension}")));
    let mut candidates = std::iter::once(PathBuf::from(format!("{stem}.{extension}"))).chain(numbered);
    // There are more numbers than files.
    candidates.find(|path| path.symlink_metadata().is_err()).unwrap_or_default()
}

/// The nearest folder above `path` that exists.
fn existing_folder(path: &Path) -> &Path {
    let above = path.ancestors().skip(1).find(|folder| folder.as_os_str().is_empty() || folder.exists());
    above.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether both are one file: by spelling, symbolic link or hard link.
fn is_same(one: &Path, other: &Path) -> bool {
    same_file::is_same_file(one, other).unwrap_or_else(|_| one == other)
}

/// Whether `path` is one of the photos in the folder `input`: only those are read.
fn holds(input: &Path, path: &Path) -> bool {
    if !is_photo_name(path) {
        return false;
    }
    let (Ok(folder), Ok(file)) = (input.canonicalize(), path.canonicalize()) else { return false };
    folder.is_dir() && file.starts_with(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Force = Force { replace: false };
    const REPLACE: Force = Force { replace: true };

    fn folder_with_photo() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("a.jpg");
        fs::write(&photo, "a photo").unwrap();
        (folder, photo)
    }

    fn check(file: &Path, input: &Path, force: Force) -> Result<(), OutputError> {
        Outputs::files([file.to_owned()]).reading([input]).check(force)
    }

    #[test]
    fn a_file_that_exists_is_replaced_by_force_alone() {
        let (folder, photo) = folder_with_photo();
        let file = folder.path().join("b.png");
        check(&file, &photo, KEEP).unwrap();
        fs::write(&file, "").unwrap();
        assert!(matches!(check(&file, &photo, KEEP), Err(OutputError::Exists { .. })));
        check(&file, &photo, REPLACE).unwrap();
    }

    #[test]
    fn an_input_is_never_an_output_however_it_is_spelled_or_linked() {
        let (folder, photo) = folder_with_photo();
        let other = folder.path().join("sub/../a.jpg");
        fs::create_dir(folder.path().join("sub")).unwrap();
        let hard = folder.path().join("hard.jpg");
        fs::hard_link(&photo, &hard).unwrap();
        let mut spellings = vec![photo.clone(), other, hard];
        #[cfg(unix)]
        {
            let soft = folder.path().join("soft.jpg");
            std::os::unix::fs::symlink(&photo, &soft).unwrap();
            spellings.push(soft);
        }
        for file in spellings {
            for force in [KEEP, REPLACE] {
                let checked = check(&file, &photo, force);
                assert!(matches!(checked, Err(OutputError::Input { .. })), "{}: {checked:?}", file.display());
                // As one of the files of a folder that is read.
                let checked = check(&file, folder.path(), force);
                assert!(matches!(checked, Err(OutputError::Input { .. })), "{}: {checked:?}", file.display());
            }
        }
        // A new file in that folder is none of its photos, and nor is one that is no photo.
        check(&folder.path().join("new.png"), folder.path(), KEEP).unwrap();
        fs::write(folder.path().join("table.csv"), "").unwrap();
        check(&folder.path().join("table.csv"), folder.path(), REPLACE).unwrap();
    }

    #[test]
    fn what_is_no_file_is_not_written_to() {
        let (folder, photo) = folder_with_photo();
        let is_folder = |path: &Path| matches!(check(path, &photo, REPLACE), Err(OutputError::Folder { .. }));
        assert!(is_folder(folder.path()) && is_folder(&folder.path().join("..")));
        for nameless in ["", "nowhere/.."] {
            assert!(matches!(check(Path::new(nameless), &photo, REPLACE), Err(OutputError::NoName { .. })));
        }
        #[cfg(unix)]
        assert!(matches!(check(Path::new("/dev/null"), &photo, REPLACE), Err(OutputError::Special { .. })));
        let below = photo.join("out.png");
        assert!(matches!(check(&below, &photo, KEEP), Err(OutputError::Write { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_a_file_that_exists() {
        let (folder, photo) = folder_with_photo();
        let link = folder.path().join("link.png");
        std::os::unix::fs::symlink(folder.path().join("gone"), &link).unwrap();
        assert!(matches!(check(&link, &photo, KEEP), Err(OutputError::Exists { .. })));
    }

    #[test]
    fn a_missing_folder_is_made_when_the_file_is_written_and_not_before() {
        let (folder, photo) = folder_with_photo();
        let file = folder.path().join("new/deep/b.png");
        check(&file, &photo, KEEP).unwrap();
        assert!(!folder.path().join("new").exists());
        make_folder_of(&file).unwrap();
        fs::write(&file, "").unwrap();
    }

    #[test]
    fn two_outputs_are_two_files() {
        let (folder, _) = folder_with_photo();
        let file = folder.path().join("b.png");
        let checked = Outputs::files([file.clone(), file]).check(KEEP);
        assert!(matches!(checked, Err(OutputError::Twice { .. })), "{checked:?}");
    }
}
