//! `stats` and `mean_std` count and measure what is there.

use cairn_dataset::{DatasetError, FormatCount, ImageFolder, PartCounts, SizeCount, Spread, ValidSplit};
use cairn_dataset::{mean_std, stats};
use cairn_photo::{Framing, Photo};

use crate::little_folder::LittleFolder;

const FRAMING: Framing = Framing::Squash { width: 8, height: 8 };

fn open(folder: &LittleFolder) -> ImageFolder {
    ImageFolder::open(folder.root(), &ValidSplit::default()).unwrap()
}

#[test]
fn parts_classes_sizes_and_formats_are_counted() {
    let folder = LittleFolder::new();
    for i in 0..3 {
        folder.photo_of(&format!("train/a/{i}.png"), &Photo::filled(40, 30, [i; 3]));
    }
    folder.photo_of("train/b/0.png", &Photo::filled(10, 60, [9; 3]));
    folder.photo_of("valid/b/0.jpg", &Photo::filled(20, 20, [9; 3])).folder("test");
    folder.file("test/b/0.webp", b"broken").file("test/b/notes.txt", b"");
    let found = stats(&open(&folder), &FRAMING, |_, _| {}).unwrap();

    assert_eq!(found.photos, PartCounts { train: 4, valid: 1, test: 1 });
    let of_class: Vec<_> = found.classes.iter().map(|class| (class.name.as_str(), class.photos)).collect();
    let a = PartCounts { train: 3, valid: 0, test: 0 };
    let b = PartCounts { train: 1, valid: 1, test: 1 };
    assert_eq!(of_class, [("a", a), ("b", b)]);
    assert_eq!(found.balance.photos, Spread { min: 1, median: 3, max: 3 });
    assert_eq!(found.balance.ratio, Some(3.0));
    assert_eq!(found.width, Spread { min: 10, median: 40, max: 40 });
    assert_eq!(found.height, Spread { min: 20, median: 30, max: 60 });
    assert_eq!(found.sizes[0], SizeCount { width: 40, height: 30, photos: 3 });
    // The photo named .jpg is a PNG all the same.
    assert_eq!(found.formats, [FormatCount { format: "png".to_owned(), photos: 5 }]);
    assert_eq!(found.unreadable.len(), 1);
    assert_eq!(found.unreadable[0].path(), folder.path("test/b/0.webp"));
    assert_eq!(found.ignored, 1);
}

#[test]
fn colours_are_those_of_the_training_photos_each_counting_the_same() {
    let folder = LittleFolder::new();
    // A large and a small photo weigh the same; the one in test does not count.
    folder.photo_of("train/a/0.png", &Photo::filled(400, 300, [0, 51, 255]));
    folder.photo_of("train/a/1.png", &Photo::filled(4, 3, [255, 51, 153])).folder("valid");
    folder.photo_of("test/a/0.png", &Photo::filled(40, 30, [77; 3]));
    let data = open(&folder);
    let found = stats(&data, &FRAMING, |_, _| {}).unwrap().normalisation;
    let expected_mean = [0.5, 0.2, 0.8];
    let expected_std = [0.5, 1.0 / 255.0, 0.2];
    for channel in 0..3 {
        assert!((found.mean[channel] - expected_mean[channel]).abs() < 1e-6, "{found:?}");
        assert!((found.std[channel] - expected_std[channel]).abs() < 1e-6, "{found:?}");
    }
    assert_eq!(mean_std(&data.train, &FRAMING, |_, _| {}).unwrap().normalisation, found);
}

#[test]
fn photos_that_cannot_be_read_are_named_and_the_rest_measured() {
    let folder = LittleFolder::new();
    folder
        .photo_of("train/a/0.png", &Photo::filled(4, 4, [51; 3]))
        .file("train/a/1.png", b"x")
        .folder("valid");
    let found = mean_std(&open(&folder).train, &FRAMING, |_, _| {}).unwrap();
    assert_eq!(found.normalisation.mean, [0.2; 3]);
    assert_eq!(found.bad.iter().map(|bad| bad.path()).collect::<Vec<_>>(), [folder.path("train/a/1.png")]);
}

#[test]
fn a_data_set_in_which_nothing_can_be_read_is_an_error() {
    let folder = LittleFolder::new();
    folder.file("train/a/0.png", b"x").file("train/a/1.png", b"").folder("valid");
    for error in [
        mean_std(&open(&folder).train, &FRAMING, |_, _| {}).map(|_| ()).unwrap_err(),
        stats(&open(&folder), &FRAMING, |_, _| {}).map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, DatasetError::AllUnreadable { photos: 2, .. }), "{error}");
        assert!(error.to_string().contains("0.png"), "{error}");
    }
}
