//! A list is the same list in every form.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_label::{DiskStore, LabelError, Lists, Plan};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use crate::photos::{Folder, PHOTOS};

/// Rows without their names, and errors without what names a path.
fn nameless(rows: &[Value]) -> Vec<Value> {
    let mut rows = rows.to_vec();
    rows.iter_mut().for_each(|row| {
        row.as_object_mut().unwrap().remove("photo");
    });
    rows
}

/// A Parquet table of these columns, some rows a row group.
pub(crate) fn table(path: &Path, schema: &str, columns: &[Vec<Option<Vec<u8>>>], rows_a_group: usize) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let rows = columns[0].len();
    for start in (0..rows).step_by(rows_a_group) {
        let mut group = file.next_row_group().unwrap();
        for cells in columns {
            let cells = &cells[start..rows.min(start + rows_a_group)];
            let mut column = group.next_column().unwrap().unwrap();
            let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
            let there: Vec<ByteArray> = cells.iter().flatten().map(|cell| cell.clone().into()).collect();
            column.typed::<ByteArrayType>().write_batch(&there, Some(&levels), None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    file.close().unwrap();
}

/// A tar file of these members.
pub(crate) fn tar(path: &Path, members: &[(&str, Vec<u8>)]) {
    let mut tar = tar::Builder::new(File::create(path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    tar.finish().unwrap();
}

#[test]
fn every_form_of_a_list_gives_the_same_rows_in_shards_of_any_size() {
    let folder = Folder::new();
    folder.label(&[folder.list()], "csv", 4096);
    let expected = folder.rows("csv");
    let named: Vec<&str> = expected.iter().map(|row| row["photo"].as_str().unwrap()).collect();
    assert_eq!(named, PHOTOS.map(|name| format!("photos/{name}")), "rows out are rows in, in order");

    let lines = |line: &dyn Fn(&str) -> String| {
        PHOTOS.iter().map(|name| line(&format!("photos/{name}"))).collect::<String>()
    };
    let mut lists = vec![
        folder.list(),
        folder.write("semicolon.csv", format!("id;Path\r\n{}", lines(&|name| format!("7;\"{name}\"\r\n")))),
        folder.write("tab.tsv", format!("\u{feff}photo\tid\n\n{}", lines(&|name| format!("{name}\t7\n")))),
        folder.write("lines.jsonl", lines(&|name| format!("{{\"photo\": {name:?}, \"other\": [1]}}\n\n"))),
        folder.write("paths.ndjson", lines(&|name| format!("{{\"path\": {name:?}}}\n")).trim_end()),
    ];
    let names: Vec<Option<Vec<u8>>> =
        PHOTOS.iter().map(|name| Some(format!("photos/{name}").into_bytes())).collect();
    for (name, required) in [("optional", "optional"), ("required", "required")] {
        let path = folder.path(&format!("{name}.parquet"));
        table(
            &path,
            &format!("message m {{ {required} binary photo (UTF8); }}"),
            std::slice::from_ref(&names),
            4,
        );
        lists.push(path);
    }
    for list in lists {
        for shard in [1, 2, 4, 5, 4096] {
            let out = format!("{}-{shard}", list.file_name().unwrap().to_str().unwrap());
            let outcome = folder.label(std::slice::from_ref(&list), &out, shard);
            assert_eq!((outcome.counts.photos, outcome.counts.bad), (9, 2), "{out}");
            assert_eq!(folder.rows(&out), expected, "{out}");
            assert_eq!(folder.label(std::slice::from_ref(&list), &out, shard), outcome, "{out} goes on");
        }
    }
}

#[test]
fn tables_of_every_usual_compression_are_read() {
    let folder = Folder::new();
    folder.label(&[folder.list()], "csv", 4096);
    let schema = Arc::new(parse_message_type("message m { required binary photo (UTF8); }").unwrap());
    let names = PHOTOS.map(|name| ByteArray::from(format!("photos/{name}").as_str()));
    for (name, compression) in [
        ("none", Compression::UNCOMPRESSED),
        ("snappy", Compression::SNAPPY),
        ("gzip", Compression::GZIP(GzipLevel::default())),
        ("zstd", Compression::ZSTD(ZstdLevel::default())),
        ("lz4", Compression::LZ4_RAW),
    ] {
        let path = folder.path(&format!("{name}.parquet"));
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = File::create(&path).unwrap();
        let mut writer = SerializedFileWriter::new(file, Arc::clone(&schema), Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&names, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        folder.label(&[path], name, 4096);
        assert_eq!(folder.rows(name), folder.rows("csv"), "{name}");
    }
}

#[test]
fn photos_in_tables_and_tar_files_give_the_rows_of_their_files() {
    let folder = Folder::new();
    folder.label(&[folder.list()], "csv", 4096);
    // What is not there is in no tar file.
    let expected = &nameless(&folder.rows("csv"))[..8];
    let bytes = |name: &str| fs::read(folder.path("photos").join(name)).unwrap();
    let files: Vec<Option<Vec<u8>>> = PHOTOS[..8].iter().map(|name| Some(bytes(name))).collect();
    let table_path = folder.path("bytes.parquet");
    table(&table_path, "message m { optional binary bytes; }", std::slice::from_ref(&files), 3);
    folder.label(&[table_path], "bytes", 5);
    let rows = folder.rows("bytes");
    assert_eq!(nameless(&rows), expected);
    assert_eq!(rows[6]["photo"], "bytes.parquet#6");

    let image = "message m { required group image { optional binary bytes; optional binary path (UTF8); } }";
    let names = PHOTOS[..8].iter().map(|name| Some(name.as_bytes().to_vec())).collect();
    let table_path = folder.path("image.parquet");
    table(&table_path, image, &[files, names], 8);
    folder.label(&[table_path], "image", 3);
    let rows = folder.rows("image");
    assert_eq!(nameless(&rows), expected);
    assert_eq!(rows[6]["photo"], PHOTOS[6]);

    let mut members: Vec<(&str, Vec<u8>)> = PHOTOS[..8].iter().map(|name| (*name, bytes(name))).collect();
    members.insert(1, ("a/0000.json", b"{}".to_vec()));
    members.insert(0, ("a/._0000.jpg", b"of macOS".to_vec()));
    tar(&folder.path("photos.tar"), &members);
    let mut packed = flate2::write::GzEncoder::new(
        File::create(folder.path("packed.tar.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    std::io::copy(&mut File::open(folder.path("photos.tar")).unwrap(), &mut packed).unwrap();
    packed.finish().unwrap();
    for list in ["photos.tar", "packed.tar.gz"] {
        let outcome = folder.label(&[folder.path(list)], &format!("{list}-out"), 2);
        assert_eq!((outcome.done, outcome.counts.photos), (1, 8), "a tar file is one shard");
        let rows = folder.rows(&format!("{list}-out"));
        assert_eq!(nameless(&rows), expected, "{list}");
        assert_eq!(rows[0]["photo"], format!("{list}/a/0000.jpg"));
    }
}

#[test]
fn folders_patterns_and_photos_become_a_list_of_the_output() {
    let folder = Folder::new();
    let expected: Vec<PathBuf> = PHOTOS[..8].iter().map(|name| folder.path("photos").join(name)).collect();
    let outcome = folder.label(&[folder.path("photos")], "folder", 3);
    assert_eq!((outcome.counts.photos, outcome.counts.bad), (8, 1));
    let named = |out: &str| {
        folder.rows(out).iter().map(|row| PathBuf::from(row["photo"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(named("folder"), expected);
    folder.label(&[folder.path("photos/**/*.jpg")], "pattern", 3);
    let mut sorted = named("pattern");
    sorted.sort();
    assert_eq!(sorted, expected);
    // Lists and photos together: lists come first.
    folder.label(&[folder.path("photos/a/0001.jpg"), folder.list()], "both", 4096);
    assert_eq!(folder.rows("both").len(), 10);
}

#[test]
fn rows_of_a_list_that_make_no_sense_are_rows() {
    let folder = Folder::new();
    let list = folder.write(
        "odd.jsonl",
        "{\"photo\": \"photos/a/0000.jpg\"}\nnonsense\n{\"other\": 1}\n{\"photo\": \"\"}\n",
    );
    let outcome = folder.label(&[list], "odd", 3);
    assert_eq!((outcome.counts.photos, outcome.counts.bad), (4, 3));
    let errors: Vec<String> =
        folder.rows("odd").iter().map(|row| row["error"].as_str().unwrap_or_default().to_owned()).collect();
    for (error, expected) in
        errors.iter().zip(["", "no JSON object", "no `photo` and no `path`", "names no photo"])
    {
        assert!(error.contains(expected) && error.is_empty() == expected.is_empty(), "{errors:?}");
    }
    let list = folder.write("bytes.csv", b"photo,n\ncaf\xe9.jpg,1\nphotos/a/0000.jpg\n,2\n");
    let outcome = folder.label(&[list], "bytes", 2);
    assert_eq!((outcome.counts.photos, outcome.counts.bad), (3, 2));
}

#[test]
fn lists_that_are_none_say_why() {
    let folder = Folder::new();
    let open = |lists: &[PathBuf]| -> String {
        let out = DiskStore::new(folder.path("out"));
        let opened = Lists::of(lists).and_then(|lists| lists.open(&folder.stores, &out, &[]));
        opened.map(|_| "opened").map_err(|error: LabelError| error.to_string()).unwrap_err()
    };
    for (name, content, expected) in [
        ("columns.csv", &b"file,label\na,b\n"[..], "names no column `photo` or `path`"),
        ("utf16.csv", b"\xff\xfep\0", "UTF-16"),
        ("no.parquet", b"PAR0", "no.parquet: "),
    ] {
        let error = open(&[folder.write(name, content)]);
        assert!(error.contains(expected) && error.contains(name), "{error}");
    }
    let error = open(&[folder.path("nowhere.csv")]);
    assert!(error.ends_with("nowhere.csv: no such file"), "{error}");
    let error = open(&[folder.path("*.gif")]);
    assert!(error.ends_with("*.gif: matches nothing"), "{error}");
    fs::create_dir(folder.path("other")).unwrap();
    let error = open(&[folder.list(), folder.write("other/list.csv", "photo\n")]);
    assert!(error.contains("have one name"), "{error}");
    assert!(!folder.path("out").exists(), "nothing was written");
}

#[test]
fn a_tar_file_that_is_cut_short_fails_its_shard_and_leaves_no_success() {
    let folder = Folder::new();
    let bytes = fs::read(folder.path("photos/a/0000.jpg")).unwrap();
    tar(&folder.path("good.tar"), &[("a.jpg", bytes.clone())]);
    tar(&folder.path("cut.tar"), &[("a.jpg", bytes.clone()), ("b.jpg", bytes)]);
    let whole = fs::read(folder.path("cut.tar")).unwrap();
    fs::write(folder.path("cut.tar"), &whole[..whole.len() / 2 + 700]).unwrap();
    let outcome = folder.label(&[folder.path("cut.tar"), folder.path("good.tar")], "out", 9);
    assert_eq!((outcome.failed.as_slice(), outcome.counts.photos), (&[0][..], 1));
    assert!(!folder.path("out/_SUCCESS").exists());
}

#[test]
fn file_addresses_are_paths() {
    let folder = Folder::new();
    let list = PathBuf::from(format!("file://{}", folder.list().display()));
    let out = folder.stores.store(format!("file://{}", folder.path("out").display())).unwrap();
    let inputs = folder.inputs(&[list], &*out);
    let plan = Plan::of(&*out, folder.settings(4), &inputs).unwrap();
    let outcome =
        folder.labeller(&plan, &inputs, &*out).label_all(&mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((outcome.counts.photos, folder.rows("out").len()), (9, 9));
}

#[cfg(not(feature = "cloud"))]
#[test]
fn without_object_stores_addresses_are_refused_and_rows_of_lists_say_so() {
    let folder = Folder::new();
    let said = folder.stores.store("s3://bucket/out").unwrap_err().source.to_string();
    assert!(said.contains("built without object stores"), "{said}");
    let list = folder.write("far.csv", "photo\ns3://bucket/a.jpg\nphotos/a/0000.jpg\n");
    let outcome = folder.label(&[list], "out", 4);
    assert_eq!((outcome.counts.photos, outcome.counts.bad), (2, 1));
    let error = folder.rows("out")[0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("built without object stores"), "{error}");
}
