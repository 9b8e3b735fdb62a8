//! Which sidecar belongs to which photo.

use std::ffi::{OsStr, OsString};

use cairn_library::sidecar::{FolderNames, SidecarRefusal, SidecarStyle, SidecarTarget, target};

fn folder(names: &[&str]) -> FolderNames {
    FolderNames::new(names.iter().map(OsString::from))
}

fn of(
    photo: &str,
    names: &[&str],
    style: SidecarStyle,
    claimed: Option<&str>,
) -> Result<SidecarTarget, SidecarRefusal> {
    target(OsStr::new(photo), &folder(names), style, |_| claimed.map(str::to_owned))
}

fn new(name: &str) -> Result<SidecarTarget, SidecarRefusal> {
    Ok(SidecarTarget::New(name.into()))
}

fn existing(name: &str) -> Result<SidecarTarget, SidecarRefusal> {
    Ok(SidecarTarget::Existing(name.into()))
}

use SidecarStyle::{Extended, Stem};

#[test]
fn a_new_sidecar_keeps_the_name_and_its_case() {
    assert_eq!(of("DSC_1.JPG", &["DSC_1.JPG"], Extended, None), new("DSC_1.JPG.xmp"));
    assert_eq!(of("DSC_1.JPG", &["DSC_1.JPG"], Stem, None), new("DSC_1.xmp"));
    assert_eq!(of("no extension", &["no extension"], Extended, None), new("no extension.xmp"));
}

#[test]
fn an_existing_sidecar_is_edited_whichever_name_it_has() {
    assert_eq!(of("a.jpg", &["a.jpg", "a.jpg.xmp"], Stem, None), existing("a.jpg.xmp"));
    assert_eq!(of("a.jpg", &["a.jpg", "a.xmp"], Extended, None), existing("a.xmp"));
    assert_eq!(of("a.jpg", &["a.jpg", "A.XMP"], Extended, None), existing("A.XMP"));
}

#[test]
fn two_sidecars_of_one_photo_are_left_alone() {
    assert_eq!(of("a.jpg", &["a.jpg", "a.jpg.xmp", "a.xmp"], Extended, None), Err(SidecarRefusal::Two));
    assert_eq!(of("a.jpg", &["a.jpg", "a.jpg.xmp", "a.jpg.XMP"], Extended, None), Err(SidecarRefusal::Two));
}

#[test]
fn the_only_raw_owns_the_shared_sidecar_and_the_jpeg_gets_its_own() {
    let pair = ["DSC_1.NEF", "DSC_1.JPG", "DSC_1.xmp"];
    assert_eq!(of("DSC_1.NEF", &pair, Extended, None), existing("DSC_1.xmp"));
    assert_eq!(of("DSC_1.JPG", &pair, Extended, None), new("DSC_1.JPG.xmp"));
    assert_eq!(of("DSC_1.JPG", &pair, Stem, None), new("DSC_1.JPG.xmp"));
    let both = ["DSC_1.NEF", "DSC_1.JPG", "DSC_1.JPG.xmp", "DSC_1.xmp"];
    assert_eq!(of("DSC_1.JPG", &both, Extended, None), existing("DSC_1.JPG.xmp"));
    assert_eq!(of("DSC_1.NEF", &both, Extended, None), existing("DSC_1.xmp"));
    let two_raws = ["DSC_1.NEF", "DSC_1.DNG", "DSC_1.xmp"];
    assert_eq!(of("DSC_1.NEF", &two_raws, Extended, None), Err(SidecarRefusal::Ambiguous));
}

#[test]
fn a_sidecar_says_by_itself_whose_it_is() {
    let pair = ["a.NEF", "a.JPG", "a.xmp"];
    assert_eq!(of("a.JPG", &pair, Extended, Some("jpg")), existing("a.xmp"));
    assert_eq!(of("a.NEF", &pair, Extended, Some("jpg")), new("a.NEF.xmp"));
    assert_eq!(
        of("a.NEF", &pair, Extended, Some("png")),
        Err(SidecarRefusal::Ambiguous),
        "of a photo that is not there"
    );
}

#[test]
fn the_picture_of_a_live_photo_owns_the_sidecar_before_its_video() {
    let live = ["IMG_1.HEIC", "IMG_1.MOV", "IMG_1.xmp"];
    assert_eq!(of("IMG_1.HEIC", &live, Extended, None), existing("IMG_1.xmp"));
    let pictures = ["a.png", "a.jpg", "a.xmp"];
    assert_eq!(of("a.jpg", &pictures, Extended, None), Err(SidecarRefusal::Ambiguous));
}

#[test]
fn a_name_that_darktable_takes_for_a_duplicates_is_not_used() {
    let pair = ["X.jpg", "X_01.jpg"];
    assert_eq!(of("X_01.jpg", &pair, Extended, None), Err(SidecarRefusal::DarktableDuplicate));
    assert_eq!(of("X_01.jpg", &pair, Stem, None), new("X_01.xmp"));
    assert_eq!(of("X.jpg", &pair, Extended, None), new("X.jpg.xmp"));
    let with = ["X.jpg", "X_01.jpg", "X_01.jpg.xmp"];
    assert_eq!(of("X_01.jpg", &with, Extended, None), Err(SidecarRefusal::DarktableDuplicate));
    assert_eq!(
        of("DSC_0001.JPG", &["DSC_0001.JPG"], Extended, None),
        new("DSC_0001.JPG.xmp"),
        "a plain name"
    );
}

#[test]
fn the_longest_names_get_no_sidecar_and_the_second_longest_do() {
    let long = format!("{}.jpg", "n".repeat(251));
    assert_eq!(of(&long, &[&long], Extended, None), Err(SidecarRefusal::NameTooLong));
    assert_eq!(of(&long, &[&long], Stem, None), new(&format!("{}.xmp", "n".repeat(251))));
    let fits = format!("{}.jpg", "n".repeat(247));
    assert_eq!(of(&fits, &[&fits], Extended, None), new(&format!("{fits}.xmp")));
}

#[test]
fn the_style_of_a_folder_is_that_of_most_of_its_sidecars() {
    assert_eq!(folder(&["a.jpg", "a.jpg.xmp"]).style(), Some(Extended));
    assert_eq!(folder(&["a.nef", "a.xmp", "b.nef", "b.xmp", "c.jpg.xmp"]).style(), Some(Stem));
    assert_eq!(folder(&["a.nef"]).style(), None);
}

#[test]
#[cfg(unix)]
fn names_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt;
    let photo = OsStr::from_bytes(b"caf\xe9_1.jpg");
    let names = FolderNames::new([photo.to_owned()]);
    let expected = OsStr::from_bytes(b"caf\xe9_1.jpg.xmp").to_owned();
    assert_eq!(target(photo, &names, Extended, |_| None), Ok(SidecarTarget::New(expected)));
}
