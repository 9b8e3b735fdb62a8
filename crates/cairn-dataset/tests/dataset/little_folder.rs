//! A data set of a few tiny photos in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use cairn_photo::Photo;
use tempfile::TempDir;

/// A temporary folder to fill with photos; gone when dropped.
pub(crate) struct LittleFolder(TempDir);

impl LittleFolder {
    pub(crate) fn new() -> LittleFolder {
        LittleFolder(TempDir::new().unwrap())
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root().join(relative)
    }

    /// Writes a PNG of 24 x 16 pixels that no other `look` has.
    pub(crate) fn photo(&self, relative: &str, look: u32) -> &LittleFolder {
        let mut pixels: Vec<u8> = (0..24 * 16 * 3).map(|i: u32| (i * (look % 97 + 1) / 3) as u8).collect();
        pixels[..4].copy_from_slice(&look.to_le_bytes());
        self.photo_of(relative, &Photo::from_pixels(24, 16, pixels).unwrap())
    }

    pub(crate) fn photo_of(&self, relative: &str, photo: &Photo) -> &LittleFolder {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        photo.save_png(path).unwrap();
        self
    }

    pub(crate) fn file(&self, relative: &str, content: &[u8]) -> &LittleFolder {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn folder(&self, relative: &str) -> &LittleFolder {
        fs::create_dir_all(self.path(relative)).unwrap();
        self
    }

    /// `count` photos in each of three classes of `part`, every photo with a look of its own, from 1000 on.
    pub(crate) fn part(&self, part: &str, count: u32) -> &LittleFolder {
        let thousands = match part {
            "train" => 1000,
            "valid" => 2000,
            _ => 3000,
        };
        for (class, folder) in (0..).zip(["00.Arch", "01.Big_Dome", "02.Castle"]) {
            for i in 0..count {
                self.photo(&format!("{part}/{folder}/{i:03}.png"), thousands + class * 100 + i);
            }
        }
        self
    }
}
