//! Each reason to leave a photo alone.

use std::fs;
use std::path::Path;

use cairn_library::plan::{Destination, Level, OpOutcome, PlanError, PlanRequest, make};
use cairn_library::xmp::NEW_PACKET;
use cairn_places::Gazetteer;
use image::ImageFormat;

use crate::blocks::{full_xmp_segment, jpeg_with, photoshop, png_with};
use crate::house::{House, picture};

fn sidecar() -> PlanRequest {
    PlanRequest::default()
}

fn embed() -> PlanRequest {
    PlanRequest { destination: Destination::Embed, ..PlanRequest::default() }
}

/// Whether a photo beside this sidecar is left alone, and why.
fn of_sidecar(content: &[u8]) -> String {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("a.jpg.xmp", content);
    house.refusal("a.jpg", &sidecar())
}

fn of_photo(content: &[u8], request: &PlanRequest) -> String {
    let house = House::new();
    house.file("a.jpg", content);
    house.refusal("a.jpg", request)
}

#[test]
fn sidecars_that_are_not_understood() {
    let wide: Vec<u8> = NEW_PACKET.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(of_sidecar(&wide).contains("UTF-8"));
    assert!(of_sidecar(b"").contains("rdf:RDF"));
    assert!(of_sidecar(b"<rdf:RDF").contains("malformed"));
    let with = |inner: &str| {
        NEW_PACKET.replace(" </rdf:RDF>", &format!("<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:mediapro='http://ns.iview-multimedia.com/mediapro/1.0/' xmlns:acdsee='http://ns.acdsee.com/iptc/1.0/'>{inner}</rdf:Description></rdf:RDF>"))
    };
    let array = "<dc:subject><rdf:Bag><rdf:li>A</rdf:li></rdf:Bag></dc:subject>";
    assert!(of_sidecar(with(&array.repeat(2)).as_bytes()).contains("twice"));
    assert!(of_sidecar(with("<dc:subject>flat</dc:subject>").as_bytes()).contains("does not know"));
    for unmerged in ["mediapro:CatalogSets", "acdsee:categories"] {
        let reason = of_sidecar(with(&format!("<{unmerged}>x</{unmerged}>")).as_bytes());
        assert!(reason.contains("keywords in"), "{reason}");
    }
}

#[test]
fn photos_that_cannot_be_written_into_are_offered_a_sidecar() {
    let iim = jpeg_with(&[(0xed, &photoshop(&[(25, "Anna")]))]);
    let credentials = png_with(b"caBX", b"jumb");
    let long = jpeg_with(&[(0xe1, &full_xmp_segment())]);
    for photo in [&iim, &credentials, &long] {
        assert!(of_photo(photo, &embed()).contains("write a sidecar"));
        let house = House::new();
        house.file("a.jpg", photo);
        house.mark(&["a.jpg"], &sidecar());
    }
}

#[test]
fn a_format_whose_keywords_are_not_read_gets_no_sidecar_that_could_hide_them() {
    assert!(of_photo(&picture(ImageFormat::Gif, 1), &sidecar()).contains("cannot read the keywords"));
    assert!(of_photo(&picture(ImageFormat::Bmp, 1), &sidecar()).contains("cannot read the keywords"));
}

#[test]
fn truncated_photos() {
    let whole = picture(ImageFormat::Jpeg, 1);
    assert!(of_photo(&whole[..whole.len() - 2], &sidecar()).contains("truncated"));
}

#[test]
fn a_photo_that_changed_since_the_scan() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let library = house.scan();
    let marks = house.marks(&library, &["a.jpg"], cairn_library::evidence::Basis::Model);
    house.jpeg("a.jpg", 2);
    let report =
        make(&house.state, &library, &marks, &Gazetteer::builtin(), &sidecar(), &house.beside("plan"))
            .unwrap();
    assert!(report.skipped[0].1.to_string().contains("since the scan"));
}

#[test]
#[cfg(unix)]
fn hard_links_and_write_protected_files_are_not_edited() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    let photo = house.jpeg("a.jpg", 1);
    fs::hard_link(&photo, house.beside("other name.jpg")).unwrap();
    assert!(house.refusal("a.jpg", &embed()).contains("hard links"));
    house.mark(&["a.jpg"], &sidecar());

    let house = House::new();
    let photo = house.jpeg("a.jpg", 1);
    fs::set_permissions(&photo, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(house.refusal("a.jpg", &embed()).contains("write-protected"));
}

#[test]
#[cfg(unix)]
fn a_hard_link_that_was_made_after_the_plan() {
    let house = House::new();
    let photo = house.jpeg("a.jpg", 1);
    let (plan, _) = house.plan(&["a.jpg"], &embed());
    fs::hard_link(&photo, house.beside("other name.jpg")).unwrap();
    let applied = house.apply(&plan);
    assert!(
        matches!(applied.left.as_slice(), [(_, OpOutcome::Skipped(reason))] if reason.contains("hard links"))
    );
}

#[test]
#[cfg(unix)]
fn a_folder_that_became_a_link_after_the_plan() {
    let house = House::new();
    house.jpeg("trip/a.jpg", 1);
    let (plan, _) = house.plan(&["trip/a.jpg"], &sidecar());
    fs::rename(house.path("trip"), house.beside("elsewhere")).unwrap();
    std::os::unix::fs::symlink(house.beside("elsewhere"), house.path("trip")).unwrap();
    let applied = house.apply(&plan);
    assert!(
        matches!(applied.left.as_slice(), [(_, OpOutcome::Foreign(reason))] if reason.contains("symbolic link"))
    );
    assert_eq!(fs::read_dir(house.beside("elsewhere")).unwrap().count(), 1);
}

#[test]
#[cfg(unix)]
fn a_sidecar_that_is_a_link() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let outside = house.beside("outside.xmp");
    fs::write(&outside, NEW_PACKET).unwrap();
    std::os::unix::fs::symlink(&outside, house.path("a.jpg.xmp")).unwrap();
    assert!(house.refusal("a.jpg", &sidecar()).contains("symbolic link"));
    assert_eq!(fs::read_to_string(outside).unwrap(), NEW_PACKET);
}

#[test]
fn two_sidecars_and_ambiguous_ones() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("a.jpg.xmp", NEW_PACKET.as_bytes());
    house.file("a.xmp", NEW_PACKET.as_bytes());
    assert!(house.refusal("a.jpg", &sidecar()).contains("two sidecars"));
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("a.png", &picture(ImageFormat::Png, 1));
    house.file("a.xmp", NEW_PACKET.as_bytes());
    assert!(house.refusal("a.jpg", &sidecar()).contains("ambiguous"));
}

#[test]
fn embedding_where_a_sidecar_is_edits_the_sidecar() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("a.xmp", NEW_PACKET.as_bytes());
    let photo = house.read("a.jpg");
    house.mark(&["a.jpg"], &embed());
    assert_eq!(house.read("a.jpg"), photo);
    assert!(house.text("a.xmp").contains("Eiffel"));
}

#[test]
#[cfg(unix)]
fn names_that_are_not_utf_8_or_very_long_are_written_and_undone() {
    use std::os::unix::ffi::OsStrExt;
    let house = House::new();
    let odd = std::ffi::OsStr::from_bytes(b"caf\xe9.jpg");
    house.file(odd, &picture(ImageFormat::Jpeg, 1));
    let long = format!("{}.jpg", "n".repeat(247));
    house.jpeg(&long, 2);
    let before = house.snapshot();
    let library = house.scan();
    let mut marks = house.marks(&library, &[&long], cairn_library::evidence::Basis::Model);
    let file = house.state.file_at(library.id, Path::new(odd)).unwrap().unwrap();
    marks.marks.push(cairn_library::evidence::Mark {
        file: file.id,
        payload: file.payload_hash.unwrap(),
        ..marks.marks[0].clone()
    });
    let path = house.beside("odd");
    make(&house.state, &library, &marks, &Gazetteer::builtin(), &sidecar(), &path).unwrap();
    let plan = cairn_library::plan::PlanFile::open(&path).unwrap();
    assert_eq!(house.apply(&plan).done, 2);
    assert!(house.path(std::ffi::OsStr::from_bytes(b"caf\xe9.jpg.xmp")).exists());
    assert_eq!(house.undo("last").exact, 2);
    assert_eq!(house.snapshot(), before);
}

#[test]
fn requests_that_make_no_sense() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let library = house.scan();
    let marks = house.marks(&library, &["a.jpg"], cairn_library::evidence::Basis::Model);
    let refused = |request: &PlanRequest| {
        make(&house.state, &library, &marks, &Gazetteer::builtin(), request, &house.beside("plan"))
            .unwrap_err()
    };
    let positions = PlanRequest { level: Level::EstimatedGps, ..embed() };
    assert!(matches!(refused(&positions), PlanError::PositionsInSidecars));
    let inside = PlanRequest { destination: Destination::SidecarDir(house.path("sidecars")), ..sidecar() };
    assert!(matches!(refused(&inside), PlanError::SidecarsInLibrary { .. }));
    fs::write(house.beside("plan"), "mine").unwrap();
    assert!(matches!(refused(&sidecar()), PlanError::Exists { .. }));
    assert_eq!(fs::read_to_string(house.beside("plan")).unwrap(), "mine");
}
