//! Files made to take all memory or all time, and things that are no files.

// Helpers of tests may panic as tests may; clippy allows it of functions marked as tests alone.
#![allow(clippy::unwrap_used)]

mod made;

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_photo::{Limits, Photo, PhotoError, ReadSize};
use cairn_reference::CpuClock;
use made::{chunk, plain_png, progressive_jpeg, zlib_run};
use tempfile::TempDir;

/// A file in a temporary folder, which goes with it.
struct MadeFile(TempDir);

impl MadeFile {
    fn of(bytes: &[u8]) -> MadeFile {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("photo"), bytes).unwrap();
        MadeFile(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("photo")
    }

    fn open(&self, size: ReadSize) -> Result<Photo, PhotoError> {
        Photo::open_at(self.path(), size, &Limits::default())
    }
}

const SIZES: [ReadSize; 2] = [ReadSize::Full, ReadSize::ShortSide(32)];

#[test]
fn a_progressive_jpeg_of_up_to_a_hundred_scans_is_read_at_every_size() {
    for scans in [1, 2, 10, 64, 100] {
        let file = MadeFile::of(&progressive_jpeg(400, 300, scans));
        for size in SIZES {
            let photo = file.open(size).unwrap_or_else(|error| panic!("{scans} scans, {size:?}: {error}"));
            assert_eq!((photo.width(), photo.height()), size.of(400, 300));
            // No coefficient says anything: the middle of all levels.
            assert!(photo.pixels().iter().all(|&level| level == 128), "{scans} scans, {size:?}");
        }
    }
}

#[test]
fn a_scan_bomb_is_refused_at_once_with_advice() {
    let clock = CpuClock::start();
    for (scans, side) in [(101, 64), (20_000, 4000)] {
        let file = MadeFile::of(&progressive_jpeg(side, side, scans));
        for size in SIZES {
            let error = file.open(size).unwrap_err();
            assert!(matches!(error, PhotoError::TooManyScans { limit: 100, .. }), "{error}");
            assert!(error.to_string().contains("save it again"), "{error}");
        }
    }
    assert!(clock.elapsed() < Some(Duration::from_secs(5)), "{:?}", clock.elapsed());
}

#[test]
fn the_coefficients_of_a_progressive_jpeg_count_as_its_memory() {
    // 360,000 bytes of pixels, and two bytes for each of 121,600 coefficients.
    for (max_bytes, is_read) in [(590_000, false), (2_000_000, true)] {
        let file = MadeFile::of(&progressive_jpeg(400, 300, 10));
        let limits = Limits { max_bytes, ..Limits::default() };
        match Photo::open_at(file.path(), ReadSize::Full, &limits) {
            Ok(_) => assert!(is_read, "within {max_bytes} bytes"),
            Err(error) => {
                assert!(!is_read && matches!(error, PhotoError::TooMuchMemory { .. }), "{error}");
            }
        }
    }
}

#[test]
fn a_file_longer_than_the_limit_is_refused_before_it_is_read() {
    let file = MadeFile::of(b"\xff\xd8\xff");
    // Terabytes of zeros, which take no room on the disk; to read them would take hours.
    let long = std::fs::File::options().write(true).open(file.path()).unwrap();
    if long.set_len(1 << 42).is_ok() {
        assert!(matches!(file.open(ReadSize::Full), Err(PhotoError::TooMuchMemory { .. })));
    }
}

#[test]
fn a_large_photo_may_have_fewer_scans() {
    let file = MadeFile::of(&progressive_jpeg(10_000, 10_000, 60));
    let error = file.open(ReadSize::ShortSide(32)).unwrap_err();
    assert!(matches!(error, PhotoError::TooManyScans { scans: 60, limit: 50, .. }), "{error}");
}

#[test]
fn a_photo_whose_time_is_over_is_an_error_that_says_so() {
    let limits =
        Limits { max_time: Duration::ZERO, max_time_per_megapixel: Duration::ZERO, ..Limits::default() };
    // At full size a JPEG cannot be interrupted; its scans are counted instead.
    let jpeg = MadeFile::of(&progressive_jpeg(2000, 2000, 10));
    let png = MadeFile::of(&plain_png(2000, 2000, 2, &[]));
    for (file, format) in [(jpeg, "JPEG"), (png, "PNG")] {
        let error = Photo::open_at(file.path(), ReadSize::ShortSide(32), &limits).unwrap_err();
        assert!(matches!(error, PhotoError::TimedOut { .. }), "{error}");
        assert!(error.to_string().contains(format), "{error}");
    }
}

#[test]
fn a_png_whose_profile_or_text_is_a_bomb_is_read_without_them() {
    let bomb = zlib_run(0, 64 << 20);
    let profile = chunk(b"iCCP", &[b"bomb\0\0".as_slice(), &bomb].concat());
    let text = chunk(b"zTXt", &[b"Comment\0\0".as_slice(), &bomb].concat());
    let much = chunk(b"tEXt", &[b"Comment\0".as_slice(), &vec![b'a'; 3 << 20]].concat());
    for metadata in [vec![profile], vec![text], vec![much.clone(), much]] {
        let photo = MadeFile::of(&plain_png(40, 30, 2, &metadata)).open(ReadSize::Full).unwrap();
        assert_eq!(photo, Photo::filled(40, 30, [0; 3]));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe.jpg");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let socket = folder.path().join("socket.jpg");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = folder.path().join("link.jpg");
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    for (path, kind) in [
        (pipe.as_path(), "a named pipe"),
        (&link, "a named pipe"),
        (&socket, "a socket"),
        (Path::new("/dev/zero"), "a device"),
        (folder.path(), "a folder"),
    ] {
        let error = Photo::open(path).unwrap_err();
        assert_eq!(error.to_string(), format!("{}: is {kind}, not a file", path.display()));
    }
}
