//! From a plan to marks that other programs read, and back.

use std::fs;

use cairn_library::evidence::Basis;
use cairn_library::plan::{Destination, Level, OpOutcome, PlanRequest, UndoOptions};
use cairn_library::xmp::{Change, Packet, Property, Value, edit};
use image::ImageFormat;

use crate::house::{House, LANDMARK, ops, patient_lock, picture};

fn shown() -> PlanRequest {
    PlanRequest { model: "sha256:0123456789abcdef".to_owned(), ..PlanRequest::default() }
}

fn embed() -> PlanRequest {
    PlanRequest { destination: Destination::Embed, ..shown() }
}

fn texts(packet: &[u8], property: Property) -> Vec<String> {
    Packet::parse(packet).unwrap().texts(property).unwrap()
}

/// Another program adds a keyword to a sidecar.
fn add_keyword(packet: &[u8], keyword: &str) -> Vec<u8> {
    let items = vec![Value::text(keyword)];
    edit(
        packet,
        &[Change::Append { property: Property::SUBJECT, kind: cairn_library::xmp::ArrayKind::Bag, items }],
    )
    .unwrap()
}

#[test]
fn a_plan_touches_nothing_and_its_application_writes_sidecars_that_undo_removes() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.jpeg("trip/b.jpg", 2);
    let before = house.snapshot();
    let (plan, report) = house.plan(&["a.jpg", "trip/b.jpg"], &shown());
    assert_eq!(house.snapshot(), before, "a plan touches nothing");
    assert_eq!((report.operations, report.landmarks[LANDMARK]), (2, 2));
    assert!((report.expected_wrong - 0.004).abs() < 1e-9);
    let applied = house.apply(&plan);
    assert_eq!(applied.done, 2);
    let sidecar = house.read("a.jpg.xmp");
    assert_eq!(texts(&sidecar, Property::TAGS_LIST), ["auto/landmark/Eiffel Tower"]);
    assert_eq!(texts(&sidecar, Property::HIERARCHICAL_SUBJECT), ["auto|landmark|Eiffel Tower"]);
    assert_eq!(texts(&sidecar, Property::SUBJECT), ["Eiffel Tower", "auto-landmark"]);
    assert_eq!(house.snapshot().len(), 4, "no temporary file");
    assert_eq!(house.undo("last").exact, 2);
    assert_eq!(house.snapshot(), before);
}

#[test]
fn an_existing_sidecar_is_edited_and_its_bytes_and_time_come_back() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let theirs = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n\
                  <rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/' \
                  xmp:Rating='5' xmp:MetadataDate='2020-01-01'>\n<dc:subject><rdf:Seq><rdf:li>Holiday</rdf:li></rdf:Seq>\
                  </dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>";
    house.file("a.xmp", theirs.as_bytes());
    let before = house.snapshot();
    house.mark(&["a.jpg"], &shown());
    let sidecar = house.read("a.xmp");
    assert_eq!(texts(&sidecar, Property::SUBJECT), ["Holiday", "Eiffel Tower", "auto-landmark"]);
    assert_eq!(texts(&sidecar, Property::TAGS_LIST), ["Holiday", "auto/landmark/Eiffel Tower"]);
    let packet = Packet::parse(&sidecar).unwrap();
    assert_ne!(packet.text(Property::METADATA_DATE).unwrap().as_deref(), Some("2020-01-01"));
    assert!(
        house.text("a.xmp").contains("xmp:Rating='5'")
            && house.text("a.xmp").contains("<rdf:Seq><rdf:li>Holiday")
    );
    assert!(!house.path("a.jpg.xmp").exists(), "no second sidecar");
    assert_eq!(house.undo("last").exact, 1);
    assert_eq!(house.snapshot(), before);
}

#[test]
fn embedding_keeps_the_picture_and_undo_gives_bytes_and_time_back() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("b.png", &picture(ImageFormat::Png, 2));
    house.file("c.webp", &picture(ImageFormat::WebP, 3));
    let before = house.snapshot();
    let pixels = |name: &str| image::open(house.path(name)).unwrap();
    let names = ["a.jpg", "b.png", "c.webp"];
    let pictures = names.map(pixels);
    house.mark(&names, &embed());
    assert_eq!(house.snapshot().len(), 3, "no sidecar");
    assert_eq!(names.map(pixels), pictures);
    for name in names {
        let metadata = cairn_library::embed::Metadata::of(&house.read(name)).unwrap();
        assert_eq!(
            texts(&metadata.xmp.unwrap(), Property::SUBJECT),
            ["Eiffel Tower", "auto-landmark"],
            "{name}"
        );
    }
    let again = house.plan(&names, &embed());
    assert_eq!((again.1.unchanged, again.1.operations), (3, 0));
    assert_eq!(house.undo("last").exact, 3);
    assert_eq!(house.snapshot(), before);
}

#[test]
fn a_photo_that_was_written_into_is_known_without_another_scan() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let library = house.scan();
    let marks = house.marks(&library, &["a.jpg"], Basis::Model);
    let make = |name: &str| {
        let path = house.beside(name);
        let gazetteer = cairn_places::Gazetteer::builtin();
        let report =
            cairn_library::plan::make(&house.state, &library, &marks, &gazetteer, &embed(), &path).unwrap();
        (cairn_library::plan::PlanFile::open(&path).unwrap(), report)
    };
    let (plan, _) = make("first");
    assert_eq!(house.apply(&plan).done, 1);
    assert_eq!(make("second").1.unchanged, 1);
}

#[test]
#[cfg(unix)]
fn the_folder_of_sidecars_may_be_behind_a_link() {
    let house = House::new();
    house.jpeg("trip/a.jpg", 1);
    fs::create_dir(house.beside("real")).unwrap();
    std::os::unix::fs::symlink(house.beside("real"), house.beside("link")).unwrap();
    let destination = Destination::SidecarDir(house.beside("link/mirror"));
    house.mark(&["trip/a.jpg"], &PlanRequest { destination, ..shown() });
    assert!(house.beside("real/mirror/trip/a.jpg.xmp").exists());
}

#[test]
fn a_photo_without_a_date_keeps_its_time_of_change() {
    let house = House::new();
    let photo = house.jpeg("a.jpg", 1);
    let before = photo.metadata().unwrap().modified().unwrap();
    house.mark(&["a.jpg"], &embed());
    assert_eq!(photo.metadata().unwrap().modified().unwrap(), before, "programs date it by that");
}

#[test]
fn a_second_plan_and_a_second_application_do_nothing() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let plan = house.mark(&["a.jpg"], &shown());
    let after = house.snapshot();
    let again = house.apply(&plan);
    assert_eq!((again.done, again.already), (0, 1));
    assert_eq!(house.plan(&["a.jpg"], &shown()).1.unchanged, 1);
    assert_eq!(house.snapshot(), after);
}

#[test]
fn a_confirmed_mark_moves_to_the_other_root_and_loses_the_marker() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.mark(&["a.jpg"], &shown());
    let (plan, _) = house.plan_on(&["a.jpg"], Basis::Confirmed, &shown());
    assert_eq!(house.apply(&plan).done, 1);
    let sidecar = house.read("a.jpg.xmp");
    assert_eq!(texts(&sidecar, Property::TAGS_LIST), ["Landmarks/Eiffel Tower"]);
    assert_eq!(texts(&sidecar, Property::SUBJECT), ["Eiffel Tower"]);
    assert_eq!(house.plan_on(&["a.jpg"], Basis::Confirmed, &shown()).1.unchanged, 1);
}

#[test]
fn a_sidecar_that_changed_since_the_plan_is_left_alone() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let theirs = add_keyword(cairn_library::xmp::NEW_PACKET.as_bytes(), "mine");
    house.file("a.jpg.xmp", &theirs);
    let (plan, _) = house.plan(&["a.jpg"], &shown());
    house.file("a.jpg.xmp", &add_keyword(&theirs, "later"));
    let before = house.snapshot();
    let applied = house.apply(&plan);
    assert!(matches!(applied.left.as_slice(), [(_, OpOutcome::Foreign(_))]), "{applied:?}");
    assert_eq!(house.snapshot(), before);
}

#[test]
fn a_sidecar_that_appeared_since_the_plan_is_left_alone() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.jpeg("b.jpg", 2);
    let (plan, _) = house.plan(&["a.jpg", "b.jpg"], &shown());
    house.file("a.jpg.xmp", &add_keyword(cairn_library::xmp::NEW_PACKET.as_bytes(), "mine"));
    // A photo whose keywords changed: the planned sidecar would hide them.
    house.file("b.jpg", &picture(ImageFormat::Jpeg, 9));
    let before = house.snapshot();
    let applied = house.apply(&plan);
    assert!(
        applied.left.iter().all(|(_, outcome)| matches!(outcome, OpOutcome::Foreign(_)))
            && applied.left.len() == 2
    );
    assert_eq!(house.snapshot(), before);
}

#[test]
fn a_file_that_was_changed_a_moment_ago_is_left_for_later() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let theirs = add_keyword(cairn_library::xmp::NEW_PACKET.as_bytes(), "mine");
    fs::write(house.path("a.jpg.xmp"), theirs).unwrap();
    let (plan, _) = house.plan(&["a.jpg"], &shown());
    let applied = house.apply(&plan);
    assert!(
        matches!(applied.left.as_slice(), [(_, OpOutcome::Skipped(reason))] if reason.contains("a moment ago"))
    );
}

#[test]
fn what_another_program_added_survives_an_undo() {
    let house = House::new();
    house.file("a.jpg", &picture(ImageFormat::Jpeg, 1));
    house.mark(&["a.jpg"], &shown());
    house.file("a.jpg.xmp", &add_keyword(&house.read("a.jpg.xmp"), "Anna"));
    assert_eq!(house.undo("last").by_items, 1);
    let sidecar = house.read("a.jpg.xmp");
    assert_eq!(texts(&sidecar, Property::SUBJECT), ["Anna"]);
    assert!(texts(&sidecar, Property::TAGS_LIST).is_empty());
    assert!(!house.text("a.jpg.xmp").contains("Eiffel"), "{}", house.text("a.jpg.xmp"));
}

#[test]
fn copies_stay_where_they_would_be_hidden_and_go_where_they_are_alone() {
    let house = House::new();
    let photo = with_embedded_keywords(&["Paris"]);
    house.file("a.jpg", &photo);
    house.mark(&["a.jpg"], &shown());
    assert_eq!(
        texts(&house.read("a.jpg.xmp"), Property::SUBJECT),
        ["Paris", "Eiffel Tower", "auto-landmark"]
    );
    house.file("a.jpg.xmp", &add_keyword(&house.read("a.jpg.xmp"), "Anna"));
    assert_eq!(house.undo("last").by_items, 1);
    let sidecar = house.read("a.jpg.xmp");
    assert_eq!(texts(&sidecar, Property::SUBJECT), ["Paris", "Anna"], "Anna alone would hide Paris");
    assert!(texts(&sidecar, Property::TAGS_LIST).is_empty(), "copies alone");
}

/// A JPEG whose XMP has these keywords.
fn with_embedded_keywords(keywords: &[&str]) -> Vec<u8> {
    let photo = picture(ImageFormat::Jpeg, 5);
    let items = keywords.iter().map(|keyword| Value::text(*keyword)).collect();
    let change =
        Change::Append { property: Property::SUBJECT, kind: cairn_library::xmp::ArrayKind::Bag, items };
    let splices = cairn_library::embed::embed(&photo, &[change]).unwrap();
    cairn_library::Splice::apply(&photo, &splices).unwrap()
}

#[test]
fn a_keyword_that_left_its_source_leaves_the_copies_with_the_next_plan() {
    let house = House::new();
    house.file("a.jpg", &with_embedded_keywords(&["Paris", "Wrong"]));
    house.mark(&["a.jpg"], &shown());
    assert!(texts(&house.read("a.jpg.xmp"), Property::TAGS_LIST).contains(&"Wrong".to_owned()));
    house.file("a.jpg", &with_embedded_keywords(&["Paris"]));
    house.file("a.jpg.xmp", &house.read("a.jpg.xmp"));
    let plan = house.mark(&["a.jpg"], &shown());
    let sidecar = house.read("a.jpg.xmp");
    assert_eq!(texts(&sidecar, Property::TAGS_LIST), ["Paris", "auto/landmark/Eiffel Tower"]);
    assert!(!house.text("a.jpg.xmp").contains("Wrong"));
    let fields = match &ops(&plan)[0].work {
        cairn_library::plan::Work::Write(write) => write.fields.clone(),
        other => panic!("{other:?}"),
    };
    assert!(
        fields.iter().any(|field| field.field == "dc:subject" && field.before.contains(&"Wrong".to_owned()))
    );
}

#[test]
fn the_persons_own_keyword_confirms_and_nothing_is_written() {
    for keyword in ["Eiffel Tower", "the eiffel tower", "Tour Eiffel"] {
        let house = House::new();
        house.file("a.jpg", &with_embedded_keywords(&[keyword]));
        let reason = house.refusal("a.jpg", &shown());
        assert!(reason.contains("own keywords"), "{keyword}: {reason}");
    }
}

#[test]
fn a_mark_that_a_person_removed_in_another_program_does_not_return() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.mark(&["a.jpg"], &shown());
    let items = vec![Value::text("auto/landmark/Eiffel Tower")];
    let removed =
        edit(&house.read("a.jpg.xmp"), &[Change::RemoveItems { property: Property::TAGS_LIST, items }])
            .unwrap();
    house.file("a.jpg.xmp", &removed);
    assert!(house.refusal("a.jpg", &shown()).contains("removed in another program"));
    fs::remove_file(house.path("a.jpg.xmp")).unwrap();
    assert!(
        house.refusal("a.jpg", &shown()).contains("removed in another program"),
        "the sidecar as a whole"
    );
    let (plan, _) = house.plan_on(&["a.jpg"], Basis::Confirmed, &shown());
    assert_eq!(house.apply(&plan).done, 1, "a confirmation brings it back");
}

#[test]
fn place_fields_are_written_only_where_all_are_empty() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.jpeg("b.jpg", 2);
    let city = Change::Create { property: Property::CITY, value: Value::text("Lyon") };
    house.file("b.jpg.xmp", &edit(cairn_library::xmp::NEW_PACKET.as_bytes(), &[city]).unwrap());
    house.mark(&["a.jpg", "b.jpg"], &PlanRequest { level: Level::Place, ..shown() });
    let text = |name: &str, property| Packet::parse(&house.read(name)).unwrap().text(property).unwrap();
    assert_eq!(text("a.jpg.xmp", Property::COUNTRY).as_deref(), Some("France"));
    assert_eq!(text("a.jpg.xmp", Property::CITY).as_deref(), Some("Paris"));
    assert_eq!(text("b.jpg.xmp", Property::CITY).as_deref(), Some("Lyon"));
    assert_eq!(text("b.jpg.xmp", Property::COUNTRY), None);
    assert_eq!(text("a.jpg.xmp", Property::GPS_LATITUDE), None, "no position at this level");
}

#[test]
fn an_estimated_position_is_rounded_and_says_that_nobody_measured_it() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.mark(&["a.jpg"], &PlanRequest { level: Level::EstimatedGps, ..shown() });
    let sidecar = house.read("a.jpg.xmp");
    let text = |property| Packet::parse(&sidecar).unwrap().text(property).unwrap().unwrap();
    assert_eq!(text(Property::GPS_LATITUDE), "48,51.60000N", "48.86");
    assert_eq!(text(Property::GPS_LONGITUDE), "2,17.40000E", "2.29");
    assert_eq!(text(Property::GPS_ERROR), "5000");
    assert_eq!(text(Property::GPS_METHOD), "MANUAL");
}

#[test]
fn sidecars_elsewhere_leave_the_library_untouched() {
    let house = House::new();
    house.jpeg("trip/a.jpg", 1);
    let before = house.snapshot();
    let mirror = house.beside("mirror");
    let request = PlanRequest { destination: Destination::SidecarDir(mirror.clone()), ..shown() };
    house.mark(&["trip/a.jpg"], &request);
    assert_eq!(house.snapshot(), before);
    assert_eq!(
        texts(&fs::read(mirror.join("trip/a.jpg.xmp")).unwrap(), Property::SUBJECT),
        ["Eiffel Tower", "auto-landmark"]
    );
    assert_eq!(house.undo("last").exact, 1);
    assert!(!mirror.join("trip/a.jpg.xmp").exists());
}

#[test]
fn a_later_plan_must_be_undone_first_or_items_be_taken_out() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let first = house.mark(&["a.jpg"], &shown());
    house.file("a.jpg.xmp", &house.read("a.jpg.xmp"));
    let (second, _) = house.plan_on(&["a.jpg"], Basis::Confirmed, &shown());
    assert_eq!(house.apply(&second).done, 1);
    let refused = house.undo(&first.header.plan);
    assert!(
        matches!(refused.left.as_slice(), [(_, OpOutcome::Skipped(reason))] if reason.contains(&second.header.plan)),
        "{refused:?}"
    );
    assert_eq!(house.undo("last").exact, 1);
    assert_eq!(house.undo("last").exact, 1);
    assert!(!house.path("a.jpg.xmp").exists());
}

#[test]
fn the_marks_alone_are_enough_to_take_them_out() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.file("b.png", &picture(ImageFormat::Png, 2));
    house.file("c.jpg.xmp", &add_keyword(cairn_library::xmp::NEW_PACKET.as_bytes(), "mine"));
    house.jpeg("c.jpg", 3);
    house.mark(&["a.jpg", "c.jpg"], &shown());
    house.mark(&["b.png"], &embed());
    let report = cairn_library::plan::undo_from_marks(&house.root(), false).unwrap();
    assert_eq!((report.by_items, report.left), (3, vec![]));
    for file in house.snapshot().values() {
        assert!(!String::from_utf8_lossy(&file.0).contains("Eiffel"));
    }
    assert_eq!(texts(&house.read("c.jpg.xmp"), Property::SUBJECT), ["mine"]);
}

#[test]
fn a_dry_run_and_a_part_of_an_undo() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    house.jpeg("b.jpg", 2);
    house.mark(&["a.jpg", "b.jpg"], &shown());
    let after = house.snapshot();
    let dry = UndoOptions { dry_run: true, ..UndoOptions::default() };
    assert_eq!(house.undo_with("last", &dry).exact, 2);
    assert_eq!(house.snapshot(), after);
    let only_b = UndoOptions { wanted: &|path| path.ends_with("b.jpg"), ..UndoOptions::default() };
    assert_eq!(house.undo_with("last", &only_b).exact, 1);
    assert!(house.path("a.jpg.xmp").exists() && !house.path("b.jpg.xmp").exists());
}

#[test]
fn a_plan_that_was_cut_off_or_changed_is_not_applied() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let (plan, _) = house.plan(&["a.jpg"], &shown());
    let text = fs::read_to_string(&plan.path).unwrap();
    let open = |text: &str| {
        let path = house.beside("changed");
        fs::write(&path, text).unwrap();
        cairn_library::plan::PlanFile::open(&path)
            .map(|plan| plan.operations)
            .map_err(|error| error.to_string())
    };
    assert_eq!(open(&text), Ok(1));
    for wrong in [
        &text[..text.len() / 2],
        &text.replace("Eiffel", "Awful"),
        "",
        "{}\n",
        &text.replace("\"format\":1", "\"format\":9"),
    ] {
        assert!(open(wrong).is_err());
    }
}

#[test]
fn the_journal_restores_the_database() {
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let before = house.snapshot();
    house.mark(&["a.jpg"], &shown());
    for name in ["library.sqlite", "library.sqlite-wal", "library.sqlite-shm"] {
        let _ = fs::remove_file(house.state.folder().join(name));
    }
    let state = cairn_library::state::State::open(house.state.folder()).unwrap();
    let lock = patient_lock(&state);
    let undone = cairn_library::plan::undo(
        &state,
        &lock,
        "last",
        &UndoOptions::default(),
        &mut cairn_library::plan::Unobserved,
    );
    assert_eq!(undone.unwrap().exact, 1);
    assert_eq!(house.snapshot(), before);
}

#[test]
fn verify_tells_what_is_as_written_and_what_is_not() {
    use cairn_library::plan::{Finding, verify};
    let house = House::new();
    for (seed, name) in ["a.jpg", "b.jpg", "c.jpg", "d.jpg"].into_iter().enumerate() {
        house.jpeg(name, seed as u8);
    }
    house.mark(&["a.jpg", "b.jpg", "c.jpg", "d.jpg"], &shown());
    fs::remove_file(house.path("b.jpg.xmp")).unwrap();
    house.file("c.jpg.xmp", &add_keyword(&house.read("c.jpg.xmp"), "Anna"));
    house.file("d.jpg.xmp", cairn_library::xmp::NEW_PACKET.as_bytes());
    let lock = house.lock();
    let report = verify(&house.state, &lock, None, None).unwrap();
    assert_eq!(report.as_written, 1);
    let mut found: Vec<_> = report.findings.into_iter().map(|(_, finding)| finding).collect();
    found.sort_by_key(|finding| format!("{finding:?}"));
    assert_eq!(found, [Finding::ChangedWithMark, Finding::ChangedWithoutMark, Finding::Gone]);
}

#[test]
fn a_plan_that_is_replaced_stays_until_the_new_one_is_whole() {
    use cairn_library::plan::{PlanError, PlanFile, PlanHeader, PlanTarget, PlanWriter};
    let house = House::new();
    house.jpeg("a.jpg", 1);
    let (plan, _) = house.plan(&["a.jpg"], &shown());
    let old = fs::read(&plan.path).unwrap();
    let header = PlanHeader::new(&house.root(), "new".to_owned());
    let refused = PlanWriter::create(&plan.path, &header).unwrap_err();
    assert!(matches!(refused, PlanError::Exists { .. }), "{refused}");
    let target = PlanTarget { path: &plan.path, replaces: true };
    let unfinished = PlanWriter::create(target, &header).unwrap();
    assert_eq!(fs::read(&plan.path).unwrap(), old);
    drop(unfinished);
    assert_eq!(fs::read(&plan.path).unwrap(), old);
    let beside: Vec<_> =
        fs::read_dir(plan.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().ends_with(".part")), "{beside:?}");
    PlanWriter::create(target, &header).unwrap().finish().unwrap();
    assert_eq!(PlanFile::open(&plan.path).unwrap().header.plan, header.plan);
}
