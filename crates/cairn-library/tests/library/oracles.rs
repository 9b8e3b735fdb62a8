//! exiftool and exiv2 read every written file and see the planned difference, nothing else. They run as programs; without them
//! these tests say that they skipped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use cairn_library::keywords::{KeywordField, Keywords};
use cairn_library::plan::{Destination, Level, PlanRequest};
use cairn_reference::{Need, program};
use image::ImageFormat;
use serde_json::Value;

use crate::blocks::{exif, jpeg_with, photoshop, xmp_segment};
use crate::house::{House, picture};
use crate::readers::{Files, Shown, darktable, digikam, immich, photoprism};

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

/// The keywords of a file, as exiftool reads them; the photo's fields of that name are those that the programs read.
fn keywords_by_exiftool(path: &Path) -> Keywords {
    let read = exiftool(path);
    let mut keywords = Keywords::default();
    for (field, names) in [
        (KeywordField::TagsList, &["XMP-digiKam:TagsList"][..]),
        (KeywordField::LastKeywordXmp, &["XMP-microsoft:LastKeywordXMP"]),
        (KeywordField::HierarchicalSubject, &["XMP-lr:HierarchicalSubject"]),
        (KeywordField::Subject, &["XMP-dc:Subject"]),
        (KeywordField::Iim, &["IPTC:Keywords"]),
        (KeywordField::XpKeywords, &["IFD0:XPKeywords"]),
    ] {
        for value in names.iter().filter_map(|name| read.get(*name)) {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match value {
                Value::Array(values) => keywords.add(field, values.iter().map(text)),
                // Windows keeps them in one text.
                one if field == KeywordField::XpKeywords => {
                    keywords.add(field, text(one).split(';').map(str::to_owned));
                }
                one => keywords.add(field, [text(one)]),
            }
        }
    }
    keywords
}

#[test]
fn by_the_fields_that_exiftool_reads_no_program_loses_a_keyword_of_a_person() {
    if program(Need::Exiftool).is_none() {
        return;
    }
    let photo = ["-XMP-dc:Subject=Anna", "-XMP-dc:Subject=Holiday"];
    let hierarchy = ["-XMP-lr:HierarchicalSubject=People|Anna", "-XMP-dc:Subject=Anna"];
    let old = ["-IPTC:Keywords=Berta", "-IPTC:Keywords=Beach"];
    let windows = ["-EXIF:XPKeywords=Anna;Beach"];
    let digikam_ = ["-XMP-digiKam:TagsList=People/Anna", "-XMP-microsoft:LastKeywordXMP=People/Anna"];
    let all = [&photo[..], &hierarchy, &old, &windows, &digikam_].concat();
    let in_photos: [&[&str]; 7] = [&[], &photo, &hierarchy, &old, &windows, &digikam_, &all];
    let in_sidecars: [&[&str]; 4] =
        [&[], &["-XMP-dc:Subject=Carla"], &["-XMP-lr:HierarchicalSubject=Trips|2019"], &digikam_];
    let write = |arguments: &[&str], path: &Path| {
        if !arguments.is_empty() {
            let run = Command::new("exiftool")
                .args(["-q", "-overwrite_original"])
                .args(arguments)
                .arg(path)
                .output();
            assert!(run.unwrap().status.success(), "{arguments:?}");
        }
    };
    for (embedded, beside) in in_photos.iter().flat_map(|photo| in_sidecars.map(|sidecar| (*photo, sidecar)))
    {
        let house = House::new();
        let (made, made_sidecar) = (house.beside("made.jpg"), house.beside("made.xmp"));
        fs::write(&made, picture(ImageFormat::Jpeg, 1)).unwrap();
        write(embedded, &made);
        let path = house.file("a.jpg", &fs::read(&made).unwrap());
        let sidecar = house.path("a.jpg.xmp");
        let (of_photo, mut of_sidecar) = (keywords_by_exiftool(&path), Keywords::default());
        if !beside.is_empty() {
            write(beside, &made_sidecar);
            house.file("a.jpg.xmp", &fs::read(&made_sidecar).unwrap());
            of_sidecar = keywords_by_exiftool(&sidecar);
        }
        house.mark(&["a.jpg"], &PlanRequest::default());
        let after = keywords_by_exiftool(&sidecar);
        for (name, reads) in [
            ("Immich", immich as fn(&Files<'_>) -> Shown),
            ("PhotoPrism", photoprism),
            ("digiKam", digikam),
            ("darktable", darktable),
        ] {
            let shown = reads(&Files { embedded: &of_photo, sidecar: &of_sidecar });
            let now = reads(&Files { embedded: &of_photo, sidecar: &after });
            assert!(
                shown.is_subset(&now),
                "{name}: {shown:?} became {now:?}, of {embedded:?} and {beside:?}"
            );
            assert!(now.contains("Eiffel Tower"), "{name} shows no mark: {now:?}");
        }
    }
}

#[test]
fn darktable_imports_the_mark_and_the_persons_keywords() {
    let (Some(darktable_cli), Some(_)) = (program(Need::Darktable), program(Need::Exiftool)) else { return };
    let house = House::new();
    // darktable opens no picture of a few pixels.
    let drawn = image::RgbImage::from_fn(320, 240, |x, y| image::Rgb([x as u8, y as u8, 90]));
    let mut photo = std::io::Cursor::new(Vec::new());
    drawn.write_to(&mut photo, ImageFormat::Jpeg).unwrap();
    let (mut photo, segment) = (photo.into_inner(), xmp_segment(&["Anna"], 0));
    let length = (segment.len() as u16 + 2).to_be_bytes();
    photo.splice(2..2, [&[0xff, 0xe1][..], &length, &segment].concat());
    let path = house.file("a.jpg", &photo);
    house.mark(&["a.jpg"], &PlanRequest::default());
    let out = house.beside("out.jpg");
    let mut export = Command::new(darktable_cli);
    export.arg(&path).arg(house.path("a.jpg.xmp")).arg(&out);
    export.args(["--core", "--library", ":memory:", "--configdir"]).arg(house.beside("settings"));
    let run = export.output().unwrap();
    assert!(out.exists(), "{}", String::from_utf8_lossy(&run.stderr));
    let shown = keywords_by_exiftool(&out);
    let subjects = shown.get(KeywordField::Subject);
    for keyword in ["Anna", "Eiffel Tower"] {
        assert!(subjects.iter().any(|subject| subject == keyword), "{keyword}: {subjects:?}");
    }
}
