//! Names the landmarks in photos: `cargo run --example name_photos -- MODEL PHOTO...`

// An example says what it found.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::PathBuf;

use cairn_model::{Model, ModelOptions, PhotoSource, Precision};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let model = arguments.next().ok_or("usage: name_photos MODEL PHOTO...")?;
    let photos: Vec<PathBuf> = arguments.collect();
    let options = ModelOptions { precision: Some(Precision::F32), ..ModelOptions::default() };
    let model = Model::open_with(model, options)?;

    // Many photos: read and looked at on all cores, answered in their order. A bad photo ends nothing.
    for (path, prediction) in photos.iter().zip(model.predict_many(&photos, 1)) {
        match prediction {
            Ok(prediction) => match prediction.named() {
                Some(landmark) => {
                    println!("{}: {} {}", path.display(), landmark.summary(), landmark.probability);
                }
                None => println!("{}: no landmark that the model knows", path.display()),
            },
            Err(error) => eprintln!("{error}"),
        }
    }

    // One photo that is in memory, such as an upload: the same limits hold as for files.
    if let Some(path) = photos.first() {
        let upload = PhotoSource::bytes(std::fs::read(path)?, "upload");
        println!("{:?}", model.predict(upload, 3)?.landmarks);
    }
    Ok(())
}
