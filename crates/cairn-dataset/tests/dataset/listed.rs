//! Data sets listed in tables: manifests, and Google Landmarks v2 as it is published.

use cairn_dataset::{
    ClassList, DatasetError, Example, ImageFolder, ManifestPaths, SkipReason, Skipped, ValidSplit, check,
};

use crate::little_folder::LittleFolder;

fn open(folder: &LittleFolder, root: &str) -> Result<ImageFolder, DatasetError> {
    ImageFolder::open(&folder.path(root), &ValidSplit { fraction: 0.0, seed: 0 })
}

fn paths(examples: &[Example]) -> Vec<String> {
    examples.iter().map(Example::relative_path).collect()
}

#[test]
fn a_manifest_is_a_data_set_with_paths_from_its_folder_on() {
    let folder = LittleFolder::new();
    folder.photo("photos/1.png", 1).photo("photos/2.png", 2).photo("3.png", 3).photo("4.png", 4);
    let table = "split,label,path\ntrain,01.Dome,photos/2.png\nTrain,00.Arch,photos/1.png\nval,00.Arch,3.png\ntest,01.Dome,4.png\n";
    folder.file("set.csv", table.as_bytes());
    let data = open(&folder, "set.csv").unwrap();
    let names: Vec<_> = data.classes.iter().map(|(_, class)| class.name.as_str()).collect();
    assert_eq!(names, ["Arch", "Dome"]);
    assert_eq!(paths(&data.train), ["photos/1.png", "photos/2.png"]);
    assert_eq!((paths(&data.valid), paths(&data.test)), (vec!["3.png".to_owned()], vec!["4.png".to_owned()]));
    assert_eq!(data.train[0].path(), folder.path("photos/1.png"));
    assert_eq!(data.classes.get(data.test[0].class).unwrap().folder, "01.Dome");
}

#[test]
fn a_manifest_without_splits_is_split_as_folders_are() {
    let folder = LittleFolder::new();
    let rows: String = (0..200).map(|i| format!("{i}.jpg,Tower_{}\n", i % 2)).collect();
    folder.file("set.csv", format!("path,label\n{rows}").as_bytes());
    let split = ValidSplit::default();
    let data = ImageFolder::open(&folder.path("set.csv"), &split).unwrap();
    assert_eq!(data.train.len() + data.valid.len(), 200);
    assert!(data.valid.iter().all(|example| split.holds_back(&example.relative_path())));
    assert!(!data.valid.is_empty() && data.test.is_empty());
    // None of them is there: reading will say so, one by one.
    assert_eq!(data.train[0].bytes(), 0);
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused_with_the_line() {
    let folder = LittleFolder::new();
    for (table, said) in [
        ("file,label\na.jpg,b\n", "`path`"),
        ("path,label,split\na.jpg,b,train\nb.jpg,b,tset\n", "line 3: split `tset`"),
        ("path,label\na.jpg,\n", "line 2"),
        ("path,label\n\na.jpg\n", "line 3: 1 cell, but the header has 2"),
    ] {
        folder.file("set.csv", table.as_bytes());
        let message = open(&folder, "set.csv").unwrap_err().to_string();
        assert!(message.contains("set.csv") && message.contains(said), "{message}");
    }
    assert!(matches!(open(&folder, "none.csv"), Err(DatasetError::Read { .. })));
}

#[test]
fn tables_are_read_as_spreadsheets_and_other_systems_write_them() {
    let folder = LittleFolder::new();
    folder.photo("train/Arc/1.jpg", 1).photo("train/B/2.jpg", 2);
    let utf16 = |text: &str, mark: u16, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(mark).chain(text.encode_utf16()).flat_map(unit).collect()
    };
    let commas = "path,label\r\ntrain/Arc/1.jpg,Chich\u{e9}n\r\ntrain/B/2.jpg,B\r\n";
    let tables: Vec<Vec<u8>> = vec![
        commas.into(),
        commas.replace(',', ";").into(),
        commas.replace(',', "\t").into(),
        commas.replace("path", "Path").replace("label", "LABEL").into(),
        commas.replace("path,label", "\"path\",\"label\"").into(),
        commas.replace('/', r"\").into(),
        commas.replace("train/", r".\train\").into(),
        [b"\xef\xbb\xbf", commas.as_bytes()].concat(),
        utf16(commas, 0xfeff, u16::to_le_bytes),
        utf16(commas, 0xfeff, u16::to_be_bytes),
        format!("{commas}\r\n,\r\n\r\n").into(),
    ];
    for table in tables {
        folder.file("set.csv", &table);
        let data = open(&folder, "set.csv");
        let data = data.unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&table)));
        assert_eq!(paths(&data.train), ["train/B/2.jpg", "train/Arc/1.jpg"]);
        assert!(data.train.iter().all(|photo| photo.bytes() > 0), "the photos are found");
        assert_eq!(data.classes.iter().last().unwrap().1.folder, "Chich\u{e9}n");
    }
    folder.file("set.tsv", commas.replace(',', "\t").as_bytes());
    assert_eq!(open(&folder, "set.tsv").unwrap().train.len(), 2);
}

#[test]
fn a_table_that_cannot_be_read_says_what_was_found() {
    let folder = LittleFolder::new();
    for (table, said) in [
        (b"path,label\n".as_slice(), "lists no photos"),
        (b"path,label\n,\n", "lists no photos"),
        (b"", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"path:label\na:b\n", "`path:label`"),
        (b"file;class\na;b\n", "no column `path` and `label`"),
        (b"file;class\na;b\n", "`file`, `class`"),
        (b"path,label\na.jpg,Chich\xe9n\n", "line 2: the byte 0xE9 is no UTF-8"),
        (b"path,label\na.jpg,Chich\xe9n\n", "iconv"),
        (b"path,label\na.jpg,\"Arc\nb.jpg,Arc\n", "is a quote not closed?"),
        (b"path,label\na.jpg,b,c\n", "line 2: 3 cells, but the header has 2"),
    ] {
        folder.file("set.csv", table);
        let message = open(&folder, "set.csv").unwrap_err().to_string();
        assert!(message.contains("set.csv") && message.contains(said), "{message}");
        let checked = check(&folder.path("set.csv"), ManifestPaths::default(), |_, _| ());
        assert_eq!(checked.unwrap_err().to_string(), message, "`check` says the same");
    }
}

#[test]
fn paths_that_leave_the_folder_need_leave() {
    let (folder, elsewhere) = (LittleFolder::new(), LittleFolder::new());
    folder.photo("set/a/1.png", 1).photo("2.png", 2);
    elsewhere.photo("3.png", 3);
    let absolute = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let outside = ["../2.png", "a/../../2.png", r"..\2.png", &absolute(elsewhere.path("3.png"))];
    for path in outside {
        folder.file("set/set.csv", format!("path,label\na/1.png,a\n{path},a\n").as_bytes());
        let message = open(&folder, "set/set.csv").unwrap_err().to_string();
        assert!(message.contains("line 3") && message.contains("--allow-outside"), "{path}: {message}");
        assert!(check(&folder.path("set/set.csv"), ManifestPaths::WithinFolder, |_, _| ()).is_err());
        let split = ValidSplit { fraction: 0.0, seed: 0 };
        let data =
            ImageFolder::open_with(&folder.path("set/set.csv"), &split, ManifestPaths::Anywhere).unwrap();
        assert!(data.train.len() == 2 && data.train.iter().all(|photo| photo.bytes() > 0), "{path}");
    }
    for path in [r"C:\photos\1.png", "d:/1.png"] {
        folder.file("set/set.csv", format!("path,label\n{path},a\n").as_bytes());
        let message = open(&folder, "set/set.csv").unwrap_err().to_string();
        assert!(message.contains("outside"), "{message}");
    }
    for path in ["./a/1.png", "b/../a/1.png", &absolute(folder.path("set/a/1.png"))] {
        folder.file("set/set.csv", format!("path,label\n{path},a\n").as_bytes());
        assert!(open(&folder, "set/set.csv").unwrap().train[0].bytes() > 0, "{path}");
    }
}

#[test]
fn a_photo_with_two_labels_or_in_two_parts_is_refused_with_both_lines() {
    let folder = LittleFolder::new();
    folder.photo("a/1.png", 1);
    for (table, said) in [
        (
            "path,label\na/1.png,a\nb.png,b\na/1.png,b\n",
            "line 4: `a/1.png` is listed on line 2 already, with the label `a`",
        ),
        ("path,label\na/1.png,a\n./a/1.png,b\n", "line 3: `./a/1.png` is listed on line 2"),
        ("path,label\na/1.png,a\na\\1.png,b\n", "line 3"),
        (
            "path,label,split\na/1.png,a,train\na/1.png,a,test\n",
            "line 3: `a/1.png` is listed on line 2 already, for the split `train`",
        ),
    ] {
        folder.file("set.csv", table.as_bytes());
        let message = open(&folder, "set.csv").unwrap_err().to_string();
        assert!(message.contains(said), "{message}");
    }
    folder.file("set/set.csv", b"path,label\n../a/1.png,a\n../b/../a/1.png,b\n");
    let split = ValidSplit::default();
    let outside = ImageFolder::open_with(&folder.path("set/set.csv"), &split, ManifestPaths::Anywhere);
    assert!(outside.unwrap_err().to_string().contains("line 3"));
    folder.file("set.csv", b"path,label\na/1.png,a\na/1.png,a\n");
    assert_eq!(open(&folder, "set.csv").unwrap().train.len(), 2, "twice the same is no contradiction");
}

#[test]
fn a_manifest_is_checked_and_tested_on_as_folders_are() {
    let folder = LittleFolder::new();
    folder.photo("1.png", 1).photo("2.png", 1).file("3.png", b"no photo");
    folder.file("set.csv", b"path,label,split\n1.png,a,train\n2.png,a,test\n3.png,a,train\n4.png,a,train\n");
    let report = check(&folder.path("set.csv"), ManifestPaths::default(), |_, _| ()).unwrap();
    assert_eq!((report.in_train_and_test.len(), report.unreadable.len(), report.problems()), (1, 2, 3));
    let tested = ImageFolder::open_test(&folder.path("set.csv"), &ClassList::from_folders(["a"])).unwrap();
    assert_eq!(paths(&tested.examples), ["2.png"]);
}

#[test]
fn google_landmarks_is_read_as_it_is_published() {
    let folder = LittleFolder::new();
    for (i, id) in ["00a1", "00b2", "12c3"].iter().enumerate() {
        let (a, b, c) = (&id[..1], &id[1..2], &id[2..3]);
        folder.photo(&format!("train/{a}/{b}/{c}/{id}.jpg"), i as u32);
    }
    folder.file(
        "train.csv",
        b"id,url,landmark_id\n00a1,http://x/1,7\n00b2,http://x/2,11\n12c3,http://x/3,7\nffff,http://x/4,7\n",
    );
    let data = open(&folder, "").unwrap();
    let classes = |data: &ImageFolder| -> Vec<String> {
        data.classes.iter().map(|(_, class)| class.folder.clone()).collect()
    };
    assert_eq!(classes(&data), ["11", "7"]);
    assert_eq!(paths(&data.train), ["0/0/b/00b2.jpg", "0/0/a/00a1.jpg", "1/2/c/12c3.jpg"]);
    let missing = folder.path("train/f/f/f/ffff.jpg");
    assert_eq!(data.ignored, [Skipped { path: missing, reason: SkipReason::NotOnDisk }]);

    folder.file("train_clean.csv", b"landmark_id,images\n7,00a1 ../../secret\n");
    let message = open(&folder, "").unwrap_err().to_string();
    assert!(message.contains("train_clean.csv") && message.contains("`../../secret` is no id"), "{message}");

    // The cleaned list goes before the whole, and names are known from a table of their own.
    folder.file("train_clean.csv", b"landmark_id,images\n7,00a1 12c3\n");
    folder.file(
        "train_label_to_category.csv",
        b"landmark_id,category\n7,http://commons.wikimedia.org/wiki/Category:Taj_Mahal\n",
    );
    let data = open(&folder, "").unwrap();
    assert_eq!(classes(&data), ["7.Taj_Mahal"]);
    assert_eq!(paths(&data.train), ["0/0/a/00a1.jpg", "1/2/c/12c3.jpg"]);
}

#[test]
fn listed_photos_that_are_not_on_disk_are_named_up_to_a_number_and_counted_beyond() {
    let folder = LittleFolder::new();
    folder.photo("0/0/0/00000000000fffff.jpg", 1).photo("0/0/0/00000000000ffffe.jpg", 2);
    let rows: String = (0..5_000).map(|id| format!("{id:016x},http://x/,7\n")).collect();
    let listed = "00000000000fffff,http://x/,7\n00000000000ffffe,http://x/,8\n";
    folder.file("train.csv", format!("id,url,landmark_id\n{rows}{listed}").as_bytes());
    let data = open(&folder, "").unwrap();
    assert_eq!(data.train.len(), 2);
    assert_eq!(data.ignored.len(), 1_001);
    let rest = Skipped { path: folder.path("train.csv"), reason: SkipReason::OthersNotOnDisk(4_000) };
    assert_eq!(data.ignored.last(), Some(&rest));
    assert_eq!(
        cairn_dataset::skipped_summary(&data.ignored).unwrap(),
        "skipped 5000 listed photos that are not on disk"
    );
}

#[cfg(feature = "parquet")]
#[test]
fn a_manifest_in_parquet_is_the_same_as_in_csv() {
    use std::fs::File;
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let folder = LittleFolder::new();
    folder.photo("1.png", 1).photo("2.png", 2);
    let schema =
        "message set { required binary path (UTF8); required int64 label; optional binary split (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = File::create(folder.path("set.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    let texts = |texts: [&str; 2]| texts.map(|text| ByteArray::from(text.as_bytes().to_vec()));
    let mut column = rows.next_column().unwrap().unwrap();
    column.typed::<ByteArrayType>().write_batch(&texts(["1.png", "2.png"]), None, None).unwrap();
    column.close().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[42, 43], None, None).unwrap();
    column.close().unwrap();
    let mut column = rows.next_column().unwrap().unwrap();
    let test = [ByteArray::from("test".as_bytes().to_vec())];
    column.typed::<ByteArrayType>().write_batch(&test, Some(&[0, 1]), None).unwrap();
    column.close().unwrap();
    rows.close().unwrap();
    writer.close().unwrap();

    // 43 is a class of the test part alone: an error that names both.
    let message = open(&folder, "set.parquet").unwrap_err().to_string();
    assert!(message.contains("43"), "{message}");
    let tested =
        ImageFolder::open_test(&folder.path("set.parquet"), &ClassList::from_folders(["42", "43"])).unwrap();
    assert_eq!(paths(&tested.examples), ["2.png"]);
}

#[test]
fn the_fingerprint_of_a_manifest_does_not_depend_on_how_its_path_is_written_or_where_it_is() {
    let fingerprints = [LittleFolder::new(), LittleFolder::new()].map(|folder| {
        folder.photo("photos/1.png", 1).photo("2.png", 2);
        folder.file("set.csv", b"path,label\nphotos/1.png,Arch\n2.png,Arch\n");
        ["set.csv", "./set.csv", "photos/../set.csv"].map(|path| open(&folder, path).unwrap().fingerprint())
    });
    assert!(fingerprints.iter().flatten().all(|fingerprint| *fingerprint == fingerprints[0][0]));
}
