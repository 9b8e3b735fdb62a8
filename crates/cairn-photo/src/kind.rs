//! The kind of a file by its name: photo, raw photo, video, sidecar and so on.

use std::path::Path;

/// The kind of a file by its name. What a folder of photos holds besides photos is counted by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A photo: JPEG, HEIC, PNG and the other picture formats.
    Photo,
    /// A camera's raw file. Read by its embedded JPEG.
    Raw,
    /// A film, also the moving half of a Live Photo.
    Video,
    /// A small file that a program or a service keeps beside a photo: XMP, AAE, THM, Takeout's JSON, macOS's `._` files.
    Sidecar,
    /// Text, tables, web pages, PDF and what office programs write.
    Document,
    /// ZIP and other archives.
    Archive,
    /// Sound.
    Audio,
    /// Any other file.
    Other,
}

/// Photos' name endings, in lower case.
const PHOTO: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif",
    "hif",
];

/// Raw files' name endings, in lower case.
const RAW: &[&str] = &[
    "cr2", "cr3", "nef", "nrw", "arw", "srf", "sr2", "dng", "raf", "orf", "rw2", "pef", "srw", "crw", "raw",
    "rwl", "3fr", "iiq", "erf", "mrw", "x3f",
];

const VIDEO: &[&str] = &[
    "mp4", "mov", "m4v", "avi", "mkv", "webm", "mpg", "mpeg", "mts", "m2ts", "3gp", "3g2", "wmv", "flv",
    "vob", "ogv", "lrv", "insv", "mp", "qt",
];

const SIDECAR: &[&str] = &["xmp", "aae", "thm", "dop", "pp3", "cos", "cop", "on1", "vrd", "gpx", "srt"];

const DOCUMENT: &[&str] = &[
    "txt", "md", "json", "jsonl", "csv", "tsv", "xml", "html", "htm", "pdf", "toml", "yaml", "yml", "log",
    "ini", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "url", "webloc",
    "parquet", "py", "ipynb",
];

const ARCHIVE: &[&str] = &["zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "iso", "dmg"];

const AUDIO: &[&str] =
    &["mp3", "m4a", "wav", "flac", "ogg", "opus", "aac", "wma", "aif", "aiff", "amr", "caf"];

impl FileKind {
    /// The kind of a file of this name; upper and lower case are the same. The file is not opened.
    pub fn of_name(path: impl AsRef<Path>) -> FileKind {
        let Some(name) = path.as_ref().file_name() else { return FileKind::Other };
        let name = name.to_string_lossy().to_lowercase();
        // macOS puts what a foreign file system cannot keep of `photo.jpg` into `._photo.jpg`.
        if name.starts_with("._") {
            return FileKind::Sidecar;
        }
        let Some((stem, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
            return FileKind::Other;
        };
        if extension == "json" && is_takeout(stem) {
            return FileKind::Sidecar;
        }
        let of_extension = [
            (FileKind::Photo, PHOTO),
            (FileKind::Raw, RAW),
            (FileKind::Video, VIDEO),
            (FileKind::Sidecar, SIDECAR),
            (FileKind::Document, DOCUMENT),
            (FileKind::Archive, ARCHIVE),
            (FileKind::Audio, AUDIO),
        ];
        of_extension
            .into_iter()
            .find(|(_, extensions)| extensions.contains(&extension))
            .map_or(FileKind::Other, |(kind, _)| kind)
    }

    /// The noun for `count` files of this kind: "1 video", "2 videos".
    pub fn noun(self, count: usize) -> &'static str {
        let (one, many) = match self {
            FileKind::Photo => ("photo", "photos"),
            FileKind::Raw => ("raw photo", "raw photos"),
            FileKind::Video => ("video", "videos"),
            FileKind::Sidecar => ("sidecar", "sidecars"),
            FileKind::Document => ("document", "documents"),
            FileKind::Archive => ("archive", "archives"),
            FileKind::Audio => ("sound file", "sound files"),
            FileKind::Other => ("other file", "other files"),
        };
        if count == 1 { one } else { many }
    }

    /// What a file of this name is, with an article and the name's ending: "a video (MP4)".
    ///
    /// `None` for photos, raw photos and names that tell nothing.
    pub fn description(path: impl AsRef<Path>) -> Option<String> {
        let path = path.as_ref();
        let what = match FileKind::of_name(path) {
            FileKind::Photo | FileKind::Raw | FileKind::Other => return None,
            FileKind::Video => "a video",
            FileKind::Sidecar => "a sidecar",
            FileKind::Document => "a document",
            FileKind::Archive => "an archive",
            FileKind::Audio => "a sound file",
        };
        let extension = path.extension()?.to_string_lossy().to_uppercase();
        Some(format!("{what} ({extension})"))
    }

    /// Whether files of this kind are read as photos.
    pub fn is_photo(self) -> bool {
        matches!(self, FileKind::Photo | FileKind::Raw)
    }
}

/// Whether the JSON file with this stem (in lower case) is one of those that Google Takeout puts beside each photo:
/// `IMG.jpg.json`, `IMG.jpg(1).json`, `IMG.jpg.supplemental-metadata.json` (cut anywhere where the name gets long), and
/// `metadata.json` for an album.
fn is_takeout(stem: &str) -> bool {
    if stem == "metadata" || stem.starts_with("metadata(") {
        return true;
    }
    stem.split('.').skip(1).any(|part| {
        let extension = part.split('(').next().unwrap_or_default();
        [PHOTO, RAW, VIDEO].iter().any(|extensions| extensions.contains(&extension))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_kind_in_any_case() {
        for (name, kind) in [
            ("a/IMG_0001.JPG", FileKind::Photo),
            ("IMG_0001.HEIC", FileKind::Photo),
            ("IMG_0001.MOV", FileKind::Video),
            ("PXL_2023.MP", FileKind::Video),
            ("DSC1.NEF", FileKind::Raw),
            ("IMG_0001.AAE", FileKind::Sidecar),
            ("DSC1.xmp", FileKind::Sidecar),
            ("MVI_1.THM", FileKind::Sidecar),
            ("._IMG_0001.JPG", FileKind::Sidecar),
            ("IMG_0001.jpg.json", FileKind::Sidecar),
            ("IMG_0001.jpg(1).json", FileKind::Sidecar),
            ("IMG_0001.HEIC.supplemental-metadata.json", FileKind::Sidecar),
            ("IMG_0001.HEIC.supplemental-metadata(2).json", FileKind::Sidecar),
            ("IMG_0001.HEIC.suppl.json", FileKind::Sidecar),
            ("metadata.json", FileKind::Sidecar),
            ("answers.json", FileKind::Document),
            ("README.md", FileKind::Document),
            ("photos.zip", FileKind::Archive),
            ("memo.m4a", FileKind::Audio),
            ("Thumbs.db", FileKind::Other),
            ("README", FileKind::Other),
            (".jpg", FileKind::Other),
            ("..", FileKind::Other),
        ] {
            assert_eq!(FileKind::of_name(name), kind, "{name}");
        }
    }

    #[test]
    fn no_ending_belongs_to_two_kinds() {
        let mut all = [PHOTO, RAW, VIDEO, SIDECAR, DOCUMENT, ARCHIVE, AUDIO].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn counts_and_descriptions_read_as_english() {
        assert_eq!(FileKind::Video.noun(1), "video");
        assert_eq!(FileKind::Sidecar.noun(31), "sidecars");
        assert_eq!(FileKind::description("clip.mp4").as_deref(), Some("a video (MP4)"));
        assert_eq!(FileKind::description("IMG.jpg.json").as_deref(), Some("a sidecar (JSON)"));
        assert_eq!(FileKind::description("IMG.jpg"), None);
        assert_eq!(FileKind::description("Thumbs.db"), None);
    }
}
