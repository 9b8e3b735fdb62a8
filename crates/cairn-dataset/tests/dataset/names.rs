//! Names of classes and photos: in two Unicode normal forms, and as bytes that are not UTF-8.

use std::collections::BTreeSet;

use cairn_dataset::{ClassId, ClassList, DatasetError, ImageFolder, ManifestPaths, ValidSplit, check};

use crate::little_folder::LittleFolder;

/// `café` as most systems write it, and as macOS and archives made there do.
const COMPOSED: &str = "00.Caf\u{e9}";
const DECOMPOSED: &str = "00.Cafe\u{301}";

fn open(folder: &LittleFolder) -> Result<ImageFolder, DatasetError> {
    ImageFolder::open(folder.root(), &ValidSplit::default())
}

#[test]
fn class_folders_in_two_normal_forms_are_one_class() {
    for (train, test) in [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)] {
        let folder = LittleFolder::new();
        folder.file(&format!("train/{train}/1.png"), b"").file(&format!("test/{test}/2.png"), b"");
        let data = open(&folder).unwrap();
        assert_eq!((data.classes.len(), data.test.len()), (1, 1));
        assert_eq!(data.classes.get(ClassId::new(0)).unwrap().folder, COMPOSED);
        assert_eq!(
            check(folder.root(), ManifestPaths::default(), |_, _| {}).unwrap().unknown_classes.len(),
            0
        );

        // A model has its classes in either form.
        let json = format!(r#"[{{"folder":"{train}","name":"x"}}]"#);
        let classes: ClassList = serde_json::from_str(&json).unwrap();
        assert_eq!(ImageFolder::open_test(folder.root(), &classes).unwrap().examples.len(), 1);
    }
}

#[test]
fn two_folders_that_differ_in_normal_form_only_are_refused_by_both_names() {
    let folder = LittleFolder::new();
    folder.file(&format!("train/{COMPOSED}/1.png"), b"").file("train/01.B/1.png", b"");
    folder.file(&format!("train/{DECOMPOSED}/2.png"), b"");
    if folder.root().join("train").read_dir().unwrap().count() == 2 {
        println!("skipped: the file system here has one normal form");
        return;
    }
    let message = open(&folder).unwrap_err().to_string();
    assert!(message.contains(r"00.Caf\u{e9}") && message.contains(r"00.Cafe\u{301}"), "{message}");
    let report = check(folder.root(), ManifestPaths::default(), |_, _| {}).unwrap();
    assert_eq!(report.alike_classes.len(), 1, "{report:?}");
    let message = ImageFolder::open_test(&folder.path("train"), &ClassList::from_folders([COMPOSED, "01.B"]));
    assert!(matches!(message, Err(DatasetError::AlikeClasses { .. })), "{message:?}");
}

#[test]
fn a_copy_of_a_data_set_in_the_other_normal_form_is_split_alike() {
    let (here, there) = (LittleFolder::new(), LittleFolder::new());
    for i in 0..60 {
        here.file(&format!("train/{COMPOSED}/\u{e9}{i}.png"), b"");
        there.file(&format!("train/{DECOMPOSED}/e\u{301}{i}.png"), b"");
    }
    let held = |folder: &LittleFolder| -> BTreeSet<String> {
        let number = |path: &str| path.chars().filter(char::is_ascii_digit).collect();
        open(folder).unwrap().valid.iter().map(|example| number(&example.relative_path())).collect()
    };
    assert_eq!(held(&here), held(&there));
}

#[cfg(target_os = "linux")]
mod bytes {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    use super::*;

    fn named(folder: &LittleFolder, name: &[u8]) -> PathBuf {
        folder.root().join(OsStr::from_bytes(name))
    }

    #[test]
    fn classes_whose_names_are_not_utf8_stay_two_classes() {
        let folder = LittleFolder::new();
        for name in [b"train/caf\xe8".as_slice(), b"train/caf\xe9"] {
            fs::create_dir_all(named(&folder, name)).unwrap();
            fs::write(named(&folder, name).join("1.png"), b"").unwrap();
            fs::write(named(&folder, name).join("2.png"), b"").unwrap();
        }
        let data = open(&folder).unwrap();
        let classes: Vec<_> = data.classes.iter().map(|(_, class)| class.folder.as_str()).collect();
        assert_eq!(classes, [r"caf\xE8", r"caf\xE9"]);
        let names: BTreeSet<_> =
            data.train.iter().chain(&data.valid).map(|example| example.relative_path()).collect();
        assert_eq!(names.len(), 4, "each photo has a name of its own: {names:?}");
        assert!(data.train.iter().all(|example| example.path().is_file()));
        // The same classes are found again to test on.
        let test = ImageFolder::open_test(&folder.path("train"), &data.classes).unwrap();
        assert_eq!(test.examples.len(), 4);
    }

    #[test]
    fn a_name_with_an_escape_in_it_is_another_class_than_the_byte() {
        let folder = LittleFolder::new();
        fs::create_dir_all(named(&folder, b"train/caf\xe9")).unwrap();
        fs::write(named(&folder, b"train/caf\xe9/1.png"), b"").unwrap();
        folder.file(r"train/caf\xE9/1.png", b"");
        assert_eq!(open(&folder).unwrap().classes.len(), 2);
    }
}
