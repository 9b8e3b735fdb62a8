//! One writer of a state at a time.

use std::fs::{File, OpenOptions, TryLockError};

use super::{State, StateError};

/// Held by the one process that scans, applies or undoes. Given back when dropped, or when the process ends.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

impl State {
    /// Takes the lock. The database's own locks guard rows; this one guards the library's files.
    ///
    /// # Errors
    /// [`StateError::Locked`] while another process holds it.
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let path = self.folder().join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|source| StateError::Folder { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(StateLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StateError::Locked { path: self.folder().to_owned() }),
            Err(TryLockError::Error(source)) => Err(StateError::Folder { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_refused_until_the_first_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (State::open(folder.path()).unwrap(), State::open(folder.path()).unwrap());
        let lock = one.lock().unwrap();
        assert!(matches!(other.lock(), Err(StateError::Locked { .. })));
        drop(lock);
        other.lock().unwrap();
    }
}
