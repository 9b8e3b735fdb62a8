//! `cairn explain`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cairn_dataset::{ClassId, Tile, montage};
use cairn_model::explain::{CamMethod, Explainer, HeatMap};
use cairn_model::{Landmark, Model};
use cairn_photo::{Limits, Photo, Preprocess};
use clap::Args;

use crate::exit::Status;
use crate::model_source::ModelOption;
use crate::progress::say;
use crate::rows::write_landmark;
use crate::terminal;

/// Landmarks explained where none is named.
const EXPLAINED: usize = 3;
/// Side of the pictures at least, in pixels: the network's input may be small.
const LEAST_SIDE: u32 = 400;

/// Show which part of a photo spoke for a landmark (Grad-CAM)
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The photo
    photo: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    /// The picture to write: the photo, and beside it the heat of each landmark [default: PHOTO-explained.png, here]
    #[arg(short, long, value_name = "PNG")]
    out: Option<PathBuf>,
    /// The landmark to explain, by its name or class folder [default: the three likeliest]
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// gradcam, gradcam++ or hirescam
    #[arg(long, value_name = "NAME", default_value_t = CamMethod::default())]
    method: CamMethod,
    /// The layer whose map is shown, such as layer4 [default: the last map before the network's head]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Also write the first landmark's map as numbers from 0 to 1, a NumPy array of the network's input's size
    #[arg(long, value_name = "NPY")]
    raw: Option<PathBuf>,
}

impl Explain {
    pub(crate) fn run(self) -> Result<Status> {
        let model = self.model.source.open()?;
        let explainer = Explainer::new(&model, self.layer.as_deref(), self.method)?;
        let framed = model.open_framed(&self.photo)?;
        let landmarks = self.landmarks(&model, &framed)?;
        let classes: Vec<ClassId> =
            landmarks.iter().filter_map(|landmark| model.info().classes.by_folder(&landmark.class)).collect();
        let maps = explainer.explain(&framed, &classes)?;
        if let (Some(path), Some(map)) = (&self.raw, maps.first()) {
            map.resized(framed.width() as usize, framed.height() as usize).save_npy(path)?;
        }
        let out = self.out.clone().unwrap_or_else(|| default_out(&self.photo));
        if let Some(picture) = self.picture(&model.info().preprocess, &landmarks, &maps)? {
            picture.save_png(&out)?;
            terminal::show(&picture);
        }
        let mut stdout = io::stdout().lock();
        for landmark in &landmarks {
            write_landmark(&mut stdout, landmark)?;
        }
        stdout.flush()?;
        say(format!("{} at {}: {}", self.method, explainer.layer(), out.display()));
        Ok(Status::Done)
    }

    /// The landmarks to explain, the likeliest first.
    fn landmarks(&self, model: &Model, framed: &Photo) -> Result<Vec<Landmark>> {
        // Those learned from a few photos are none of the network's own.
        let classes = &model.info().classes;
        let mut landmarks: Vec<Landmark> = model
            .outputs(&[framed])
            .iter()
            .flat_map(|output| model.prediction(output, output.logits.len()).landmarks)
            .filter(|landmark| classes.by_folder(&landmark.class).is_some())
            .collect();
        match &self.class {
            None => landmarks.truncate(EXPLAINED),
            Some(name) => {
                let Some(class) = classes.find(name).and_then(|id| classes.get(id)) else {
                    let names: Vec<&str> = classes.iter().map(|(_, class)| class.name.as_str()).collect();
                    bail!("the model knows no landmark `{name}`; it knows {}", names.join(", "));
                };
                landmarks.retain(|landmark| landmark.class == class.folder);
            }
        }
        Ok(landmarks)
    }

    /// The photo and the maps side by side.
    fn picture(
        &self,
        preprocess: &Preprocess,
        landmarks: &[Landmark],
        maps: &[HeatMap],
    ) -> Result<Option<Photo>> {
        let times = LEAST_SIDE.div_ceil(preprocess.input_width().min(preprocess.input_height()));
        let larger = Preprocess { framing: preprocess.framing.enlarged(times), ..preprocess.clone() };
        let photo = Photo::open_at(&self.photo, larger.framing.read_size(), &Limits::default())?;
        let photo = larger.frame(&photo);
        let heat = landmarks.iter().zip(maps).map(|(landmark, map)| Tile {
            name: format!("{} {}", landmark.name, landmark.probability),
            photo: map.over(&photo),
        });
        let name = self.photo.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let tiles: Vec<Tile> = [Tile { name, photo: photo.clone() }].into_iter().chain(heat).collect();
        Ok(montage(&tiles, tiles.len()))
    }
}

fn default_out(photo: &Path) -> PathBuf {
    let stem = photo.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from(format!("{stem}-explained.png"))
}
