//! A row says what the model says of the photo.

use std::fs;
use std::num::NonZeroUsize;

use cairn_label::{DiskStore, Settings, read_embeddings};
use cairn_model::ModelOptions;
use cairn_model::rows::ModelIdentity;
use serde_json::{Value, json};

use crate::photos::{Folder, PHOTOS, parts};

fn close(found: &Value, expected: f64) -> bool {
    found.as_f64().is_some_and(|found| found == expected)
}

#[test]
fn a_row_is_what_the_model_predicts_and_a_bad_photo_is_a_row_with_its_error() {
    let folder = Folder::new();
    let out = DiskStore::new(folder.path("out"));
    folder.label_with(&[folder.list()], &out, Settings { embed: true, ..folder.settings(4) });
    let rows = folder.rows("out");
    for (name, row) in PHOTOS.iter().zip(&rows) {
        let path = folder.path("photos").join(name);
        let prediction = match folder.model.predict(&path, 3) {
            Ok(prediction) => prediction,
            Err(error) => {
                let expected = error.to_string().replace(&format!("{}: ", path.display()), "");
                assert_eq!(row["error"], expected, "{row}");
                assert!(
                    row["is_landmark"].is_null() && row["name"].is_null() && row["width"].is_null(),
                    "{row}"
                );
                assert!(row["embedding"].is_null() && row["landmarks"] == json!([]), "{row}");
                continue;
            }
        };
        assert!(row["error"].is_null(), "{row}");
        assert_eq!(row["is_landmark"], json!(prediction.is_landmark));
        assert!(close(&row["landmark_score"], prediction.landmark_score), "{row}");
        let named = prediction.named();
        assert_eq!(row["class"].as_str(), named.map(|landmark| landmark.class.as_str()));
        assert_eq!(row["name"].as_str(), named.map(|landmark| landmark.name.as_str()));
        assert_eq!(
            row["latitude"].as_f64(),
            named.and_then(|landmark| Some(landmark.place.as_ref()?.latitude.degrees()))
        );
        let landmarks = row["landmarks"].as_array().unwrap();
        assert_eq!(landmarks.len(), 3);
        for (found, expected) in landmarks.iter().zip(&prediction.landmarks) {
            assert_eq!(found["class"], expected.class);
            assert_eq!(found["name"], expected.name);
            assert!(close(&found["probability"], f64::from(expected.probability.value())), "{found}");
            assert_eq!(
                found["longitude"].as_f64(),
                expected.place.as_ref().map(|place| place.longitude.degrees())
            );
        }
        let photo = cairn_photo::Photo::open(&path).unwrap();
        assert_eq!(
            (row["width"].as_u64(), row["height"].as_u64()),
            (Some(photo.width().into()), Some(photo.height().into()))
        );
        let expected = folder.model.output(&path).unwrap();
        let found: Vec<f32> =
            row["embedding"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect();
        assert_eq!(found, expected.embedding.values());
    }
}

#[test]
fn the_size_of_a_row_is_that_of_the_picture_in_the_file_and_not_that_at_which_it_is_read() {
    let folder = Folder::new();
    let photo = cairn_photo::Photo::filled(900, 1700, [9, 80, 70]);
    photo.save_png(folder.path("large.png")).unwrap();
    folder.label(&[folder.path("large.png")], "out", 1);
    let row = &folder.rows("out")[0];
    assert_eq!((row["width"].as_u64(), row["height"].as_u64()), (Some(900), Some(1700)));
}

#[test]
fn files_are_equal_byte_by_byte_on_any_number_of_threads() {
    let mut folder = Folder::new();
    let bytes = |folder: &Folder, out: &str| {
        parts(&folder.path(out))
            .iter()
            .map(|part| (part.file_name().unwrap().to_owned(), fs::read(part).unwrap()))
            .collect::<Vec<_>>()
    };
    folder.label(&[folder.list()], "some", 4);
    for threads in [1, 3] {
        let options = ModelOptions { threads: NonZeroUsize::new(threads), ..folder.model.options().clone() };
        folder.model = folder.model.with_options(options).unwrap();
        let out = format!("threads-{threads}");
        folder.label(&[folder.list()], &out, 4);
        assert!(bytes(&folder, "some") == bytes(&folder, &out), "{threads} threads");
    }
}

#[test]
fn embeddings_are_read_back_in_the_order_of_the_list_without_bad_photos() {
    let folder = Folder::new();
    let out = DiskStore::new(folder.path("out"));
    let settings = Settings { embed: true, ..folder.settings(4) };
    let identity = ModelIdentity { name: settings.model.clone(), digest: settings.digest.clone() };
    let features = folder.model.network().feature_count();
    folder.label_with(&[folder.list()], &out, settings);
    let gallery = read_embeddings(&out, features, &identity).unwrap();
    let readable: Vec<_> =
        PHOTOS.iter().filter_map(|name| folder.model.output(folder.path("photos").join(name)).ok()).collect();
    assert_eq!(gallery.len(), readable.len());
    assert!(readable.len() > 4 && readable.len() < PHOTOS.len(), "the list has bad photos");
    for output in &readable {
        let nearest = gallery.nearest(&output.embedding, 1);
        assert!(nearest[0].likeness > 0.999_999, "{nearest:?}");
    }

    let refused =
        |out: &DiskStore, identity| read_embeddings(out, features, identity).unwrap_err().to_string();
    let other = ModelIdentity { digest: "sha256:0".to_owned(), ..identity.clone() };
    assert!(refused(&out, &other).contains("was labelled by the model"));
    assert!(refused(&DiskStore::new(folder.path("photos")), &identity).contains("has no plan"));
    folder.label(&[folder.list()], "plain", 4);
    assert!(refused(&DiskStore::new(folder.path("plain")), &identity).contains("--embed"));
    fs::write(&parts(&folder.path("out"))[0], "PAR1").unwrap();
    assert!(refused(&out, &identity).contains("cannot be read"));
    fs::remove_file(&parts(&folder.path("out"))[0]).unwrap();
    assert!(refused(&out, &identity).contains("is not finished"));
}
