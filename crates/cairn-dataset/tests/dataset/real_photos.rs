//! The real photos, where there are some.

use cairn_dataset::{Example, ImageFolder, ValidSplit, mean_std};
use cairn_photo::Framing;
use cairn_reference::data_folder;

#[test]
fn the_landmarks_are_indexed_whole() {
    let Some(landmarks) = data_folder("landmarks") else { return };
    let data = ImageFolder::open(&landmarks, &ValidSplit::default()).unwrap();
    assert_eq!(data.classes.len(), 32);
    assert_eq!(data.train.len() + data.valid.len(), 3923);
    assert_eq!(data.test.len(), 1153);
    assert!(data.ignored.is_empty(), "{:?}", data.ignored);
    assert!((300..500).contains(&data.valid.len()), "{} held back", data.valid.len());
    assert_eq!(data.classes.find("eiffel tower"), data.classes.by_folder("12.Eiffel_Tower"));
}

#[test]
fn the_split_of_the_landmarks_is_by_position_but_for_classes_that_it_would_leave_without_validation() {
    let Some(landmarks) = data_folder("landmarks") else { return };
    let split = ValidSplit::default();
    let data = ImageFolder::open(&landmarks, &split).unwrap();
    let mut rescued = 0;
    for (id, class) in data.classes.iter() {
        let of_class = |photos: &[Example]| -> Vec<String> {
            let photos = photos.iter().filter(|photo| photo.class == id);
            photos.map(|photo| photo.relative_path()).collect()
        };
        let (train, valid) = (of_class(&data.train), of_class(&data.valid));
        let by_position = valid.iter().filter(|photo| split.holds_back(photo)).count();
        assert!(train.iter().all(|photo| !split.holds_back(photo)), "{}", class.folder);
        match by_position {
            0 => rescued += valid.len(),
            _ => assert_eq!(by_position, valid.len(), "{}", class.folder),
        }
        assert!(!valid.is_empty(), "{}", class.folder);
    }
    println!("classes that the positions alone would leave without validation: {rescued}");
    assert!(rescued <= 2, "classes here have 29 photos at least: {rescued}");
}

#[test]
fn mean_and_deviation_agree_with_torchvision() {
    let Some(landmarks) = data_folder("landmarks") else { return };
    let data = ImageFolder::open(&landmarks, &ValidSplit::default()).unwrap();
    let eiffel_tower = data.classes.by_folder("12.Eiffel_Tower").unwrap();
    let some: Vec<_> =
        data.test.into_iter().filter(|example| example.class == eiffel_tower).take(40).collect();
    let framing = Framing::ShortSideCrop { short_side: 256, crop: 224 };
    let found = mean_std(&some, &framing, |_, _| {}).unwrap();
    assert!(found.bad.is_empty());
    // The first 40 photos of the folder in order of name, through Resize(256), CenterCrop(224), ToTensor(); mean and
    // std (unbiased=False) of all pixels in f64. torchvision 0.26.0, Pillow 13.0.0.
    let (mean, std) = ([0.4653, 0.4965, 0.5251], [0.2845, 0.2721, 0.3091]);
    for channel in 0..3 {
        // JPEG decoders differ by up to a level here and there, 1 / 255 = 0.0039; on average by much less.
        assert!(
            (found.normalisation.mean[channel] - mean[channel]).abs() < 1e-3,
            "{:?}",
            found.normalisation
        );
        assert!((found.normalisation.std[channel] - std[channel]).abs() < 1e-3, "{:?}", found.normalisation);
    }
}
