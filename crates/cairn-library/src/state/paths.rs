//! Paths as bytes of the database, also where they are not UTF-8.

use std::path::{Path, PathBuf};

/// The bytes of a path, which need not be UTF-8.
pub fn bytes_of_path(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// The path of these bytes.
///
/// On systems whose paths are no bytes, what is not UTF-8 is replaced.
pub fn path_of_bytes(bytes: Vec<u8>) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        std::ffi::OsString::from_vec(bytes).into()
    }
    #[cfg(not(unix))]
    String::from_utf8_lossy(&bytes).into_owned().into()
}
