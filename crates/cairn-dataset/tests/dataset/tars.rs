//! Data sets in tar files that are not unpacked.

use std::fs::{self, File};
use std::sync::Arc;

use cairn_dataset::{
    CacheMode, CacheOptions, Example, ImageFolder, Loader, LoaderOptions, ManifestPaths, PhotoCache,
    ValidSplit, View, check, mean_std, stats,
};
use cairn_photo::{Augmentation, Augmentations, Framing, Normalisation};

use crate::little_folder::LittleFolder;

/// Ids of photos, and the landmark of each.
const PHOTOS: [(&str, u32); 6] = [
    ("00a1000000000001", 7),
    ("00b2000000000002", 11),
    ("12c3000000000003", 7),
    ("ff00000000000004", 7),
    ("ff0123456789abcd", 11),
    ("0000000000000000", 11),
];

fn path_of(id: &str) -> String {
    format!("{}/{}/{}/{id}.jpg", &id[..1], &id[1..2], &id[2..3])
}

/// A tar file of these members.
fn tar(folder: &LittleFolder, name: &str, members: &[(&str, Vec<u8>)]) {
    let path = folder.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut tar = tar::Builder::new(File::create(path).unwrap());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice()).unwrap();
    }
    tar.finish().unwrap();
}

fn photo(look: u32) -> Vec<u8> {
    let folder = LittleFolder::new();
    folder.photo("a.png", look);
    fs::read(folder.path("a.png")).unwrap()
}

/// Google Landmarks with the photos as files, and the same in two tar files.
fn google_landmarks() -> [LittleFolder; 2] {
    let [files, tars] = [LittleFolder::new(), LittleFolder::new()];
    let rows: String = PHOTOS.iter().map(|(id, landmark)| format!("{id},http://x/,{landmark}\n")).collect();
    let table = format!("id,url,landmark_id\n{rows}eeee000000000000,http://x/,7\n");
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    for (look, (id, _)) in (0..).zip(PHOTOS) {
        files.photo(&format!("train/{}", path_of(id)), look);
        members.push((path_of(id), photo(look)));
    }
    for folder in [&files, &tars] {
        folder.file("train.csv", table.as_bytes());
    }
    let members: Vec<(&str, Vec<u8>)> =
        members.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    tar(&tars, "images_000.tar", &members[..4]);
    tar(&tars, "images_001.tar", &members[4..]);
    [files, tars]
}

fn open(folder: &LittleFolder) -> ImageFolder {
    ImageFolder::open(folder.root(), &ValidSplit { fraction: 0.3, seed: 1 }).unwrap()
}

fn names(examples: &[Example]) -> Vec<String> {
    examples.iter().map(Example::relative_path).collect()
}

fn view() -> View {
    let augment = Augmentations(vec![
        Augmentation::RandomResizedCrop { size: 10, scale: [0.5, 1.0], ratio: [0.75, 1.3] },
        Augmentation::HorizontalFlip { p: 0.5 },
    ]);
    View::Train { augment, normalisation: Normalisation::IMAGENET }
}

/// The bits of all batches of two epochs.
fn batches(examples: &[Example], cache: PhotoCache) -> Vec<u32> {
    let options =
        LoaderOptions { batch_size: 2, workers: 2, shuffle: true, seed: 3, ..LoaderOptions::default() };
    let loader = Loader::new(examples, view(), options).unwrap().cached(Arc::new(cache));
    let epochs = (0..2).flat_map(|epoch| loader.epoch(epoch, 0));
    epochs.flat_map(|batch| batch.pixels.iter().map(|pixel| pixel.to_bits()).collect::<Vec<_>>()).collect()
}

#[test]
fn google_landmarks_in_tar_files_is_the_same_data_set_as_unpacked() {
    let [files, tars] = google_landmarks().map(|folder| (open(&folder), folder));
    let ((files, _files), (tars, _tars)) = (files, tars);
    assert_eq!(files.classes, tars.classes);
    assert_eq!((names(&files.train), names(&files.valid)), (names(&tars.train), names(&tars.valid)));
    assert!(!files.valid.is_empty());
    assert_eq!((files.ignored.len(), tars.ignored.len()), (1, 1));
    let expected = batches(&files.train, PhotoCache::off());
    assert!(batches(&tars.train, PhotoCache::off()) == expected);
    let kept = CacheOptions { mode: CacheMode::Ram, ..CacheOptions::default() };
    assert!(batches(&tars.train, PhotoCache::open(&kept, 0).unwrap()) == expected);
    let framing = Framing::ShortSideCrop { short_side: 12, crop: 10 };
    let measured = |data: &ImageFolder| mean_std(&data.train, &framing, |_, _| ()).unwrap().normalisation;
    assert_eq!(measured(&tars), measured(&files));
    let [sizes, expected] = [&tars, &files].map(|data| {
        let stats = stats(data, &framing, |_, _| ()).unwrap();
        serde_json::to_value(stats).unwrap()
    });
    assert_eq!(sizes, expected);
}

#[test]
fn web_datasets_have_classes_beside_the_photos_and_parts_by_the_names_of_their_files() {
    let folder = LittleFolder::new();
    let sample = |key: &str, class: &str, look| {
        [(format!("{key}.png"), photo(look)), (format!("{key}.cls"), class.as_bytes().to_vec())]
    };
    let shard = |name: &str, samples: &[(&str, &str, u32)]| {
        let members: Vec<_> =
            samples.iter().flat_map(|(key, class, look)| sample(key, class, *look)).collect();
        let members: Vec<_> = members.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        tar(&folder, name, &members);
    };
    // Keys are those of a shard.
    shard("train-000.tar", &[("000", "12\n", 1), ("001", "3", 2)]);
    shard("train-001.tar", &[("000", "3", 3), ("a/001", "Big Dome", 4)]);
    shard("val-000.tar", &[("000", "12", 5)]);
    shard("test_000.tar", &[("000", "3", 6)]);
    let data = open(&folder);
    let classes: Vec<&str> = data.classes.iter().map(|(_, class)| class.folder.as_str()).collect();
    assert_eq!(classes, ["12", "3", "Big Dome"]);
    let train = [
        "train-000.tar/000.png",
        "train-000.tar/001.png",
        "train-001.tar/000.png",
        "train-001.tar/a/001.png",
    ];
    assert_eq!(names(&data.train), train);
    assert_eq!(names(&data.valid), ["val-000.tar/000.png"]);
    assert_eq!(names(&data.test), ["test_000.tar/000.png"]);
    let report = check(folder.root(), ManifestPaths::default(), |_, _| ()).unwrap();
    assert_eq!((report.photos, report.problems()), (6, 0));
}

#[test]
fn a_photo_in_no_class_is_told_of_and_so_is_a_bad_one_by_its_tar_file() {
    let folder = LittleFolder::new();
    tar(
        &folder,
        "train/a.tar",
        &[
            ("00.Arch/1.png", photo(1)),
            ("00.Arch/._1.png", b"what macOS leaves".to_vec()),
            ("01.Dome/2.png", b"no photo".to_vec()),
            ("3.png", photo(3)),
            ("01.Dome/4.png", photo(1)),
            ("notes.txt", b"".to_vec()),
        ],
    );
    let report = check(folder.root(), ManifestPaths::default(), |_, _| ()).unwrap();
    assert_eq!(report.outside_classes, [folder.path("train/a.tar/3.png")]);
    assert_eq!((report.unreadable.len(), report.in_two_classes.len(), report.problems()), (1, 1, 3));
    let bad = report.unreadable[0].message();
    assert!(bad.contains("train/a.tar/01.Dome/2.png"), "{bad}");
}

#[test]
fn a_tar_file_that_is_cut_short_is_an_error_that_names_it_and_one_beside_class_folders_is_passed_over() {
    let folder = LittleFolder::new();
    tar(&folder, "train/a.tar", &[("00.Arch/1.png", photo(1)), ("00.Arch/2.png", photo(2))]);
    let whole = fs::read(folder.path("train/a.tar")).unwrap();
    // Within the content of the last photo.
    fs::write(folder.path("train/a.tar"), &whole[..whole.len() - 1024 - 700]).unwrap();
    let error = ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap_err();
    assert!(error.to_string().contains("a.tar"), "{error}");

    folder.photo("train/00.Arch/1.png", 1).photo("train/00.Arch/2.png", 2);
    let data = open(&folder);
    assert_eq!(data.train.len() + data.valid.len(), 2);
    assert!(!data.train[0].place.is_member());
}

#[test]
fn a_photo_whose_tar_file_was_replaced_meanwhile_is_bad_and_the_others_go_on() {
    let [_, folder] = google_landmarks();
    let data = ImageFolder::open(folder.root(), &ValidSplit { fraction: 0.0, seed: 0 }).unwrap();
    fs::write(folder.path("images_001.tar"), b"").unwrap();
    let loader = Loader::new(data.train, view(), LoaderOptions::default()).unwrap();
    let batches: Vec<_> = loader.epoch(0, 0).collect();
    let (good, bad): (Vec<_>, Vec<_>) = batches.iter().map(|batch| (batch.len(), batch.bad.len())).unzip();
    assert!(good.iter().sum::<usize>() > 0 && bad.iter().sum::<usize>() > 0);
    assert!(batches[0].bad[0].message().contains("images_001.tar"), "{:?}", batches[0].bad);
}
