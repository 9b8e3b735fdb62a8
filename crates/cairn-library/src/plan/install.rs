//! Puts a file's new content in its place so that no change of another program is lost, and nothing is half written.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::state::FileHash;

/// A moment in the work on one file. Whoever is told may look, or in tests end the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The file was found as the plan says.
    Hashed,
    /// What will be replaced is in the journal, on the disk.
    Journaled,
    /// The temporary file is begun.
    Begun,
    /// The temporary file is whole, on the disk, and reads as it should.
    Written,
    /// The new file has the name; the old one has the temporary name.
    Exchanged,
    /// The old one is what it was.
    Checked,
    /// The folder is on the disk.
    Synced,
    /// The journal says that it is done.
    Done,
    /// The old file is removed.
    Removed,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Step; 9] = [
        Step::Hashed,
        Step::Journaled,
        Step::Begun,
        Step::Written,
        Step::Exchanged,
        Step::Checked,
        Step::Synced,
        Step::Done,
        Step::Removed,
    ];
}

/// Is told of every step.
pub trait Observer {
    /// The work on `target` is at this step.
    fn at(&mut self, step: Step, target: &Path);
}

/// Looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn at(&mut self, _: Step, _: &Path) {}
}

/// How a file is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// By the safest way that the file system has.
    #[default]
    Best,
    /// The old file gets a second name first: a change that comes between two calls can be lost.
    HardLink,
    /// The old file is looked at just before: a change that comes after can be lost.
    Rename,
}

/// A file's change from one content to another; `None` is no file.
pub(super) struct Installation<'a> {
    pub(super) target: &'a Path,
    pub(super) temporary: &'a Path,
    pub(super) from: Option<FileHash>,
    pub(super) to: Option<&'a [u8]>,
    /// The time of change that the new file gets; now if there is none.
    pub(super) mtime_ns: Option<i64>,
    pub(super) replacement: Replacement,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Installed {
    /// The new content is in its place. The old file, if there was one, has the temporary name.
    Done,
    /// Another program changed the file meanwhile; it is as that program left it.
    Foreign,
}

impl Installation<'_> {
    pub(super) fn install(&self, observer: &mut dyn Observer) -> io::Result<Installed> {
        let result = match (self.from, self.to) {
            (Some(from), Some(to)) => self.write(to, observer).and_then(|()| self.exchange(from, observer)),
            (None, Some(to)) => self.write(to, observer).and_then(|()| self.create(observer)),
            (Some(from), None) => self.delete(from, observer),
            (None, None) => Ok(Installed::Done),
        };
        if let Ok(Installed::Done) = result {
            sync_folder(self.target)?;
            observer.at(Step::Synced, self.target);
        }
        result
    }

    /// Writes the temporary file, and reads it again.
    fn write(&self, content: &[u8], observer: &mut dyn Observer) -> io::Result<()> {
        let result = self.write_temporary(content, observer);
        if result.is_err() {
            // It holds nothing but what could not be written.
            let _ = fs::remove_file(self.temporary);
        }
        result
    }

    fn write_temporary(&self, content: &[u8], observer: &mut dyn Observer) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(self.temporary)?;
        let (first, second) = content.split_at(content.len() / 2);
        file.write_all(first)?;
        observer.at(Step::Begun, self.target);
        file.write_all(second)?;
        if self.from.is_some() {
            copy_attributes(self.target, &file)?;
        }
        if let Some(mtime_ns) = self.mtime_ns {
            set_modified(&file, time(mtime_ns))?;
        }
        file.sync_all()?;
        if hash_of(self.temporary)? != Some(FileHash::of(content)) {
            return Err(io::Error::other("the disk did not keep what was written"));
        }
        observer.at(Step::Written, self.target);
        Ok(())
    }

    fn exchange(&self, from: FileHash, observer: &mut dyn Observer) -> io::Result<Installed> {
        let exchanged = match self.replacement {
            Replacement::Best => exchange(self.target, self.temporary),
            Replacement::HardLink | Replacement::Rename => Err(io::ErrorKind::Unsupported.into()),
        };
        match exchanged {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::remove_file(self.temporary)?;
                return Ok(Installed::Foreign);
            }
            Err(error) if is_unsupported(&error) => return self.replace(from, observer),
            Err(error) => {
                let _ = fs::remove_file(self.temporary);
                return Err(error);
            }
        }
        observer.at(Step::Exchanged, self.target);
        if hash_of(self.temporary)? == Some(from) {
            observer.at(Step::Checked, self.target);
            return Ok(Installed::Done);
        }
        // What came out is newer than what was read: it goes back.
        exchange(self.target, self.temporary)?;
        self.remove_if(self.to.map(FileHash::of))?;
        Ok(Installed::Foreign)
    }

    /// Without a call that exchanges two names.
    fn replace(&self, from: FileHash, observer: &mut dyn Observer) -> io::Result<Installed> {
        let old = old_name(self.temporary);
        let linked = match self.replacement {
            Replacement::Rename => Err(io::ErrorKind::Unsupported.into()),
            Replacement::Best | Replacement::HardLink => fs::hard_link(self.target, &old),
        };
        match linked {
            Ok(()) => {}
            Err(error) if is_unsupported(&error) || error.kind() == io::ErrorKind::PermissionDenied => {
                // Where neither exists, a look just before is all that can be done.
                let same = hash_of(self.target)? == Some(from);
                if !same {
                    fs::remove_file(self.temporary)?;
                    return Ok(Installed::Foreign);
                }
                fs::rename(self.temporary, self.target)?;
                observer.at(Step::Exchanged, self.target);
                observer.at(Step::Checked, self.target);
                return Ok(Installed::Done);
            }
            Err(error) => {
                let _ = fs::remove_file(self.temporary);
                return if error.kind() == io::ErrorKind::NotFound {
                    Ok(Installed::Foreign)
                } else {
                    Err(error)
                };
            }
        }
        if hash_of(&old)? != Some(from) || !same_file(self.target, &old) {
            fs::remove_file(&old)?;
            fs::remove_file(self.temporary)?;
            return Ok(Installed::Foreign);
        }
        fs::rename(self.temporary, self.target)?;
        observer.at(Step::Exchanged, self.target);
        if hash_of(&old)? == Some(from) {
            fs::rename(&old, self.temporary)?;
            observer.at(Step::Checked, self.target);
            return Ok(Installed::Done);
        }
        // Nobody wrote to the new file yet: the changed old one takes its place.
        if hash_of(self.target)? == self.to.map(FileHash::of) {
            fs::rename(&old, self.target)?;
        }
        Ok(Installed::Foreign)
    }

    fn create(&self, observer: &mut dyn Observer) -> io::Result<Installed> {
        match rename_to_new(self.temporary, self.target) {
            Ok(()) => {
                observer.at(Step::Exchanged, self.target);
                observer.at(Step::Checked, self.target);
                Ok(Installed::Done)
            }
            Err(error) => {
                fs::remove_file(self.temporary)?;
                if error.kind() == io::ErrorKind::AlreadyExists { Ok(Installed::Foreign) } else { Err(error) }
            }
        }
    }

    /// Gives the file the temporary name; it is removed in [`Installation::clean`].
    fn delete(&self, from: FileHash, observer: &mut dyn Observer) -> io::Result<Installed> {
        match rename_to_new(self.target, self.temporary) {
            Ok(()) => observer.at(Step::Exchanged, self.target),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Installed::Foreign),
            Err(error) => return Err(error),
        }
        if hash_of(self.temporary)? == Some(from) {
            observer.at(Step::Checked, self.target);
            return Ok(Installed::Done);
        }
        rename_to_new(self.temporary, self.target)?;
        Ok(Installed::Foreign)
    }

    /// Removes the old file once the journal says that the new one is in its place. Whoever had it open and wrote to it since
    /// gets it back.
    pub(super) fn clean(&self) -> io::Result<Installed> {
        let Some(from) = self.from else { return Ok(Installed::Done) };
        match hash_of(self.temporary)? {
            None => Ok(Installed::Done),
            Some(hash) if hash == from => {
                fs::remove_file(self.temporary)?;
                Ok(Installed::Done)
            }
            Some(_) if self.to.is_none() => {
                rename_to_new(self.temporary, self.target)?;
                Ok(Installed::Foreign)
            }
            Some(_) => {
                exchange(self.target, self.temporary)?;
                self.remove_if(self.to.map(FileHash::of))?;
                Ok(Installed::Foreign)
            }
        }
    }

    fn remove_if(&self, hash: Option<FileHash>) -> io::Result<()> {
        if hash_of(self.temporary)? == hash { fs::remove_file(self.temporary) } else { Ok(()) }
    }
}

/// The second name that the old file has for a moment where names cannot be exchanged.
pub(super) fn old_name(temporary: &Path) -> PathBuf {
    temporary.with_extension("old")
}

/// The hash of a file; `None` where there is none.
pub(super) fn hash_of(path: &Path) -> io::Result<Option<FileHash>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(FileHash::of(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Nanoseconds since 1970.
pub(super) fn nanoseconds(time: SystemTime) -> i64 {
    let since = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(duration) => since(duration),
        Err(error) => -since(error.duration()),
    }
}

fn time(nanoseconds: i64) -> SystemTime {
    let duration = Duration::from_nanos(nanoseconds.unsigned_abs());
    if nanoseconds < 0 { SystemTime::UNIX_EPOCH - duration } else { SystemTime::UNIX_EPOCH + duration }
}

/// Sets the time of change. The time of access stays, but is set with it: file systems in user space (exFAT through FUSE) pass
/// over a request for one of the two, and report no error.
pub(super) fn set_modified(file: &File, modified: SystemTime) -> io::Result<()> {
    let accessed = file.metadata()?.accessed().unwrap_or(modified);
    file.set_times(FileTimes::new().set_accessed(accessed).set_modified(modified))
}

fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

#[cfg(unix)]
fn same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = |path: &Path| path.symlink_metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    inode(one) == inode(other)
}

#[cfg(not(unix))]
fn same_file(_: &Path, _: &Path) -> bool {
    true
}

/// Exchanges two names in one call, where the system and the file system can.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(io::Error::from)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Renames a file to a name that is free, and fails where it is not.
pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
            Err(error) if is_unsupported(&error) => {}
            result => return result,
        }
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if is_unsupported(&error) || error.kind() == io::ErrorKind::PermissionDenied => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        Err(error) => Err(error),
    }
}

/// Owner, permissions, access lists and extended attributes.
#[cfg(unix)]
fn copy_attributes(from: &Path, to: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let source = File::open(from)?;
    let metadata = source.metadata()?;
    let own = to.metadata()?;
    if (metadata.uid(), metadata.gid()) != (own.uid(), own.gid()) {
        // Only root can give files away; without that the person who runs cairn owns the new file, as with any editor.
        let _ = fchown(to, Some(metadata.uid()), Some(metadata.gid()));
    }
    copy_extended_attributes(&source, to)?;
    to.set_permissions(metadata.permissions())
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn copy_extended_attributes(from: &File, to: &File) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};
    /// What Linux allows for a value, and for all names.
    const MOST: usize = 64 << 10;
    let mut names = vec![0_u8; MOST];
    let length = match flistxattr(from, names.as_mut_slice()) {
        Ok(length) => length,
        Err(error) if is_unsupported(&error.into()) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut value = vec![0_u8; MOST];
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let length = fgetxattr(from, name, value.as_mut_slice())?;
        match fsetxattr(to, name, &value[..length], XattrFlags::empty()) {
            Ok(()) => {}
            // The system's own labels, which it sets by itself.
            Err(_) if name.starts_with(b"security.") || name.starts_with(b"trusted.") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android", target_vendor = "apple"))))]
fn copy_extended_attributes(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn copy_attributes(from: &Path, to: &File) -> io::Result<()> {
    to.set_permissions(fs::metadata(from)?.permissions())
}

/// The folder's own entries, on the disk.
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
