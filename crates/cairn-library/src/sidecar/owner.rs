//! Which sidecar belongs to which photo.

use std::ffi::{OsStr, OsString};

use thiserror::Error;

use super::folder::Kind;
use super::name::{extension, stem};
use super::{FolderNames, SidecarStyle, stem_sidecar, with_xmp};

/// The longest name of a file on common systems, in bytes.
const MAX_NAME: usize = 255;

/// The sidecar to write for a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SidecarTarget {
    /// One that is there.
    Existing(OsString),
    /// A new one.
    New(OsString),
}

/// Why no sidecar is written for a photo.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum SidecarRefusal {
    /// Both names exist, and programs differ in which one they read.
    #[error("two sidecars, of which programs read different ones")]
    Two,
    /// Several photos share the stem, and nothing says whose the sidecar is.
    #[error("ambiguous sidecar: several photos share its name")]
    Ambiguous,
    /// The name would be taken for a duplicate's in darktable.
    #[error(
        "darktable would take the sidecar for that of a duplicate; use `--sidecar-name stem` or `--to embed`"
    )]
    DarktableDuplicate,
    /// `.xmp` does not fit.
    #[error("the name is too long for a sidecar")]
    NameTooLong,
}

/// The sidecar to write for a photo.
///
/// `for_extension` gives the extension that a sidecar claims as its photo's (`photoshop:SidecarForExtension`).
///
/// # Errors
///
/// [`SidecarRefusal`]
pub fn target(
    photo: &OsStr,
    folder: &FolderNames,
    style: SidecarStyle,
    for_extension: impl Fn(&OsStr) -> Option<String>,
) -> Result<SidecarTarget, SidecarRefusal> {
    let extended = folder.sidecars_named(&with_xmp(photo));
    let stems = folder.sidecars_named(&stem_sidecar(photo));
    if extended.len() > 1 || stems.len() > 1 {
        return Err(SidecarRefusal::Two);
    }
    let claimed = stems.first().and_then(|name| for_extension(name));
    let owned = owner(photo, folder, claimed.as_deref());
    let own_stem = match (stems.first(), owned) {
        (None, _) => None,
        (Some(_), Owner::Nobody) => return Err(SidecarRefusal::Ambiguous),
        (Some(name), Owner::This) => Some(*name),
        (Some(_), Owner::Another) => None,
    };
    match (extended.first(), own_stem.as_ref()) {
        (Some(_), Some(_)) => Err(SidecarRefusal::Two),
        (Some(_), None) if is_darktable_duplicate(photo, folder) => Err(SidecarRefusal::DarktableDuplicate),
        (Some(name), None) | (None, Some(name)) => Ok(SidecarTarget::Existing((*name).to_owned())),
        (None, None) => new_name(photo, folder, style, owned, stems.is_empty()),
    }
}

fn new_name(
    photo: &OsStr,
    folder: &FolderNames,
    style: SidecarStyle,
    owned: Owner,
    is_free: bool,
) -> Result<SidecarTarget, SidecarRefusal> {
    let name = match style {
        SidecarStyle::Stem if owned == Owner::This && is_free => stem_sidecar(photo),
        _ if is_darktable_duplicate(photo, folder) => return Err(SidecarRefusal::DarktableDuplicate),
        _ => with_xmp(photo),
    };
    if name.len() > MAX_NAME {
        return Err(SidecarRefusal::NameTooLong);
    }
    Ok(SidecarTarget::New(name))
}

/// Whose a sidecar `stem.xmp` is, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    This,
    Another,
    Nobody,
}

fn owner(photo: &OsStr, folder: &FolderNames, claimed: Option<&str>) -> Owner {
    let sharing = folder.of_stem(stem(photo));
    let of = |found: &[&OsStr]| match found {
        [only] if *only == photo => Owner::This,
        [_] => Owner::Another,
        _ => Owner::Nobody,
    };
    if let Some(claimed) = claimed {
        let claimed = claimed.trim_start_matches('.').to_lowercase();
        let named: Vec<&OsStr> = sharing.iter().copied().filter(|name| extension(name) == claimed).collect();
        return of(&named);
    }
    let kind =
        |wanted: Kind| sharing.iter().copied().filter(|name| Kind::of(name) == wanted).collect::<Vec<_>>();
    let raws = kind(Kind::Raw);
    // The moving half of a Live Photo comes after the picture.
    if raws.is_empty() { of(&kind(Kind::Picture)) } else { of(&raws) }
}

/// `X_01.jpg` beside `X.jpg`: darktable names the sidecar of a duplicate of `X.jpg` `X_01.jpg.xmp`.
fn is_darktable_duplicate(photo: &OsStr, folder: &FolderNames) -> bool {
    let (bytes, whole) = (stem(photo).as_encoded_bytes(), photo.as_encoded_bytes());
    let digits = bytes.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let Some(base) = bytes[..bytes.len() - digits].strip_suffix(b"_").filter(|_| digits > 0) else {
        return false;
    };
    let original = [base, &whole[bytes.len()..]].concat();
    folder.contains(&os_string(original))
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
