//! exiftool and exiv2 read every written file and see the planned difference, nothing else. They run as programs; without them
//! these tests say that they skipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use cairn_library::plan::{Destination, Level, PlanRequest};
use cairn_reference::{Need, program};
use image::ImageFormat;
use serde_json::Value;

use crate::blocks::{exif, jpeg_with, photoshop, xmp_segment};
use crate::house::{House, picture};

/// What exiftool reads, without what concerns the file alone.
fn exiftool(path: &Path) -> BTreeMap<String, Value> {
    let output =
        Command::new("exiftool").args(["-j", "-G1", "-a", "-struct", "-n"]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut read: Vec<BTreeMap<String, Value>> = serde_json::from_slice(&output.stdout).unwrap();
    let own =
        |name: &str| name.starts_with("System:") || name.starts_with("ExifTool:") || name == "SourceFile";
    read.remove(0).into_iter().filter(|(name, _)| !own(name)).collect()
}

fn warnings(path: &Path) -> String {
    let output = Command::new("exiftool")
        .args(["-validate", "-warning", "-error", "-a", "-s3"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The fields that differ.
fn difference(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

const MARK: [&str; 5] = [
    "XMP-cairn:Marks",
    "XMP-dc:Subject",
    "XMP-digiKam:TagsList",
    "XMP-iptcExt:LocationShown",
    "XMP-lr:HierarchicalSubject",
];

fn embed() -> PlanRequest {
    PlanRequest { destination: Destination::Embed, ..PlanRequest::default() }
}

#[test]
fn exiftool_sees_the_planned_difference_in_photos_and_nothing_else() {
    if program(Need::Exiftool).is_none() {
        return;
    }
    let jpeg = jpeg_with(&[
        (0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xe1, &exif()),
        (0xe1, &xmp_segment(&["Paris"], 2000)),
        (0xed, &photoshop(&[(5, "a title")])),
    ]);
    for (name, photo) in [
        ("a.jpg", jpeg),
        ("plain.jpg", picture(ImageFormat::Jpeg, 2)),
        ("b.png", picture(ImageFormat::Png, 3)),
        ("c.webp", picture(ImageFormat::WebP, 4)),
    ] {
        let house = House::new();
        let path = house.file(name, &photo);
        let (before, warned) = (exiftool(&path), warnings(&path));
        house.mark(&[name], &embed());
        let after = exiftool(&path);
        let mut expected: Vec<String> = MARK.map(str::to_owned).to_vec();
        if name == "c.webp" {
            // The header that announces XMP.
            expected.extend(["File:FileType", "RIFF:WebP_Flags"].map(str::to_owned));
        }
        let found = difference(&before, &after);
        expected.sort();
        assert_eq!(found, expected, "{name}");
        assert!(after["XMP-digiKam:TagsList"].to_string().contains("auto/landmark/Eiffel Tower"));
        assert!(after["XMP-iptcExt:LocationShown"].to_string().contains("Q243"));
        assert!(
            !after.contains_key("Composite:GPSPosition"),
            "{name}: the landmark's place is not the camera's"
        );
        assert_eq!(warnings(&path), warned, "{name}");
        house.undo("last");
        assert_eq!(exiftool(&path), before, "{name}");
    }
}

#[test]
fn exiftool_sees_the_planned_difference_in_sidecars_and_nothing_else() {
    if program(Need::Exiftool).is_none() {
        return;
    }
    let house = House::new();
    house.jpeg("a.jpg", 1);
    // What exiftool itself writes into a sidecar.
    let sidecar = house.beside("made.xmp");
    let arguments = [
        "-XMP-dc:Subject=Holiday",
        "-XMP-xmp:Rating=4",
        "-XMP-dc:Creator=Anna",
        "-XMP-lr:HierarchicalSubject=Trips|2019",
    ];
    assert!(Command::new("exiftool").args(arguments).arg(&sidecar).output().unwrap().status.success());
    let path = house.file("a.jpg.xmp", &fs::read(&sidecar).unwrap());
    let before = exiftool(&path);
    house.mark(&["a.jpg"], &PlanRequest { level: Level::EstimatedGps, ..PlanRequest::default() });
    let after = exiftool(&path);
    let mut expected: Vec<String> = MARK.map(str::to_owned).to_vec();
    let position =
        ["GPSLatitude", "GPSLongitude", "GPSHPositioningError", "GPSProcessingMethod", "GPSMapDatum"];
    expected.extend(position.map(|name| format!("XMP-exif:{name}")));
    expected.extend(
        ["XMP-photoshop:City", "XMP-photoshop:State", "XMP-photoshop:Country", "XMP-iptcCore:CountryCode"]
            .map(str::to_owned),
    );
    let composite = |field: &String| field.starts_with("Composite:GPS");
    let found: Vec<String> =
        difference(&before, &after).into_iter().filter(|field| !composite(field)).collect();
    expected.retain(|field| found.contains(field) || field != "XMP-photoshop:State");
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(after["XMP-dc:Subject"].to_string(), r#"["Holiday",2019,"Eiffel Tower","auto-landmark"]"#);
    assert_eq!(after["XMP-exif:GPSLatitude"].to_string(), "48.86");
    assert_eq!(warnings(&path).trim(), "OK");
}

#[test]
fn exiv2_reads_every_written_file() {
    if program(Need::Exiv2).is_none() {
        return;
    }
    let house = House::new();
    house.file("a.jpg", &jpeg_with(&[(0xe1, &exif())]));
    house.file("b.png", &picture(ImageFormat::Png, 3));
    house.file("c.webp", &picture(ImageFormat::WebP, 4));
    house.jpeg("d.jpg", 5);
    house.mark(&["a.jpg", "b.png", "c.webp"], &embed());
    house.mark(&["d.jpg"], &PlanRequest::default());
    for name in ["a.jpg", "b.png", "c.webp", "d.jpg.xmp"] {
        let output = Command::new("exiv2").args(["-px"]).arg(house.path(name)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        for field in [
            "Xmp.dc.subject",
            "Xmp.digiKam.TagsList",
            "Xmp.lr.hierarchicalSubject",
            "Xmp.iptcExt.LocationShown",
        ] {
            assert!(text.contains(field), "{name}: {field}: {text}");
        }
        assert!(text.contains("auto|landmark|Eiffel Tower"), "{name}");
    }
}

#[test]
fn a_mark_survives_edits_by_exiftool_and_is_taken_out_again() {
    if program(Need::Exiftool).is_none() {
        return;
    }
    let house = House::new();
    house.file("a.jpg", &jpeg_with(&[(0xe1, &exif())]));
    house.jpeg("b.jpg", 3);
    house.mark(&["a.jpg"], &embed());
    house.mark(&["b.jpg"], &PlanRequest::default());
    let edit = |argument: &str| {
        for name in ["a.jpg", "b.jpg.xmp"] {
            let edit = Command::new("exiftool")
                .args(["-overwrite_original", argument])
                .arg(house.path(name))
                .output();
            assert!(edit.unwrap().status.success());
        }
    };
    edit("-XMP-xmp:Rating=5");
    assert_eq!(
        house.plan(&["a.jpg"], &embed()).1.unchanged,
        1,
        "the mark is known after another program wrote it anew"
    );
    edit("-XMP-dc:Subject+=Anna");
    assert_eq!(
        house.plan(&["a.jpg"], &embed()).1.operations,
        1,
        "the fields of paths would hide the new keyword"
    );
    assert_eq!(house.undo("last").by_items, 1);
    assert_eq!(house.undo("last").by_items, 1);
    for name in ["a.jpg", "b.jpg.xmp"] {
        let fields = exiftool(&house.path(name));
        assert_eq!(fields["XMP-dc:Subject"], serde_json::json!(["Anna"]), "{name}");
        assert_eq!(fields["XMP-xmp:Rating"].to_string(), "5");
        assert!(
            MARK.iter().all(|field| *field == "XMP-dc:Subject" || !fields.contains_key(*field)),
            "{name}: {fields:?}"
        );
    }
}

#[test]
fn a_rejection_outlives_retagging_by_exiftool() {
    use cairn_library::decisions::{About, DecisionLine, Decisions};
    use cairn_library::evidence::Basis;
    use cairn_library::state::Decision;
    if program(Need::Exiftool).is_none() {
        return;
    }
    let house = House::new();
    house.file("a.jpg", &jpeg_with(&[(0xe1, &exif())]));
    house.file("b.png", &picture(ImageFormat::Png, 3));
    house.file("c.webp", &picture(ImageFormat::WebP, 4));
    let names = ["a.jpg", "b.png", "c.webp"];
    let library = house.scan();
    let mut decisions = Decisions::open(&house.state, library.id).unwrap();
    for mark in house.marks(&library, &names, Basis::Model).marks {
        let line = DecisionLine::new(
            About::Picture(mark.payload),
            Some("Eiffel Tower"),
            None,
            Some(Decision::Reject),
        );
        decisions.record(&house.state, line).unwrap();
    }
    for name in names {
        let edit = Command::new("exiftool")
            .args(["-overwrite_original", "-XMP-dc:Subject=Anna", "-EXIF:Artist=Anna"])
            .arg(house.path(name))
            .output()
            .unwrap();
        assert!(edit.status.success());
    }
    assert_eq!(house.plan(&names, &PlanRequest::default()).1.operations, 0);
}
