//! A model is shared by threads.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used)]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_model::{BundleInfo, Model, Prediction, Provenance, write_bundle};
use cairn_nets::{Architecture, Init, NetworkSpec, Pooling, Precision};
use cairn_photo::{Framing, Normalisation, Photo, Preprocess, TestViews};
use rayon::prelude::*;

/// How long photos may take that are read in a second: threads that wait for each other wait for ever.
const PATIENCE: Duration = Duration::from_secs(900);

const SIDE: u32 = 64;

/// The bytes of a model that has much to make of its weights when it first sees a photo.
fn bundle() -> Vec<u8> {
    let spec = NetworkSpec {
        architecture: Architecture::ResNet18,
        classes: 3,
        side: SIDE as usize,
        dropout: 0.0,
        pooling: Pooling::Average,
    };
    let network = spec.build(Init::Default, 5, &Device::flex()).unwrap();
    let info = BundleInfo {
        network: spec,
        classes: ClassList::from_folders(["Arc", "Bridge", "Castle"]),
        preprocess: Preprocess {
            framing: Framing::ShortSideCrop { short_side: SIDE, crop: SIDE },
            normalisation: Normalisation::IMAGENET,
        },
        temperature: 1.0,
        conformal: None,
        views: TestViews::One,
        rejection: None,
        learning: None,
        backbone: None,
        provenance: Provenance {
            cairn: "0.1.0".to_owned(),
            recipe: String::new(),
            data_fingerprint: String::new(),
            epoch: 0,
            valid_loss: f64::NAN,
            valid_accuracy: f64::NAN,
        },
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_bundle(&path, &network, &info).unwrap();
    std::fs::read(path).unwrap()
}

fn photos() -> Vec<Photo> {
    (0..32_u32)
        .map(|seed| {
            let level = |i: u32| (i * (seed + 3) * 7 % 251) as u8;
            Photo::from_pixels(SIDE, SIDE, (0..SIDE * SIDE * 3).map(level).collect()).unwrap()
        })
        .collect()
}

/// What `work` gives, or a failed test if it is not done in time.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    thread::spawn(move || drop(done.send(work())));
    outcome.recv_timeout(PATIENCE).expect("threads that share a model wait for each other for ever")
}

fn alone(model: &Model, photos: &[Photo]) -> Vec<Prediction> {
    photos.iter().map(|photo| model.predict(photo, 3).unwrap()).collect()
}

#[test]
fn a_model_can_be_sent_to_threads_and_shared_by_them() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Model>();
}

#[test]
fn photos_in_parallel_on_a_fresh_model_get_the_answers_that_they_get_one_by_one() {
    let bytes = bundle();
    let open = move || Model::from_bytes(&bytes, "model").unwrap().with_precision(Precision::F32);
    let expected = alone(&open(), &photos());
    in_time(move || {
        for threads in [2, 4, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for _ in 0..4 {
                let (model, photos) = (open(), photos());
                let found: Vec<Prediction> = pool
                    .install(|| photos.par_iter().map(|photo| model.predict(photo, 3).unwrap()).collect());
                assert_eq!(found, expected, "{threads} threads");
            }
        }
    });
}

#[test]
fn threads_of_the_operating_system_share_a_fresh_model() {
    let bytes = bundle();
    let model = Model::from_bytes(&bytes, "model").unwrap().with_precision(Precision::F32);
    let expected =
        alone(&Model::from_bytes(&bytes, "model").unwrap().with_precision(Precision::F32), &photos());
    in_time(move || {
        let photos = photos();
        let found: Vec<Vec<Prediction>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| alone(&model, &photos))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(found.iter().all(|found| *found == expected));
    });
}
