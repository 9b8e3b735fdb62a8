//! `cairn explain`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::escape::shown_path;
use cairn_dataset::{ClassId, Tile, montage, path_text};
use cairn_model::explain::{CamMethod, Explainer};
use cairn_model::{Landmark, Model, bundle_path};
use cairn_photo::{Photo, PictureKind};
use clap::Args;

use crate::exit::Status;
use crate::model_source::ModelOption;
use crate::output::{OutputOption, Outputs, free_file, make_folder_of};
use crate::photo_input::{PhotoInput, STDIN};
use crate::progress::say;
use crate::standard_output::StandardOutput;
use crate::terminal;

/// Landmarks explained where none is named.
const EXPLAINED: usize = 3;
/// Less probable landmarks are explained only if they are named: their maps are noise.
const LEAST_PROBABILITY: f32 = 0.01;
/// Shorter side of the pictures at least and longer side at most, in pixels.
const LEAST_SIDE: f64 = 400.0;
const MOST_SIDE: f64 = 1600.0;

/// Show which parts of a photo the network's answer depends on (Grad-CAM)
///
/// The probabilities are those of `cairn predict`, and the heat is that of all views of the photo by which the model
/// answers: each view's map is laid over the part that the view shows, and where views overlap the map is their mean.
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| {
    out.help(
        "Picture to write, .png, .jpg or .webp: the photo, and beside it the heat of each landmark [default: the first \
         free of PHOTO-explained.png, PHOTO-explained-2.png, ..., here]",
    )
}))]
pub(crate) struct Explain {
    /// The photo, or - for one on standard input
    photo: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    #[command(flatten)]
    output: OutputOption,
    /// Landmark to explain, by name or class folder [default: the three likeliest above 1 %]
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// Method: gradcam, gradcam++ or hirescam
    #[arg(long, value_name = "NAME", default_value_t = CamMethod::default())]
    method: CamMethod,
    /// Layer whose activations are shown, such as layer4 [default: the last layer before the head]
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Also write the first landmark's map as numbers from 0 to 1: a NumPy array, a number for each pixel of what the
    /// model's views show of the resized photo
    #[arg(long, value_name = "NPY")]
    raw: Option<PathBuf>,
}

impl Explain {
    pub(crate) fn run(self) -> Result<Status> {
        let out = self.output.out.clone().unwrap_or_else(|| self.default_out());
        let model_file = self.model.source.path().map(bundle_path).transpose()?;
        Outputs::files([out.clone()].into_iter().chain(self.raw.clone()))
            .reading([self.photo.as_path()].into_iter().chain(model_file.as_deref()))
            .check(self.output.force)?;
        PictureKind::of(&out)?;
        let mut stdout = StandardOutput::open()?;
        let input = PhotoInput::one(&self.photo)?;
        let file = input.photos[0].as_path();
        let model = self.model.source.open()?;
        let explainer = Explainer::new(&model, self.layer.as_deref(), self.method)?;
        let landmarks = self.landmarks(&model, file)?;
        let photo = Photo::open(file)?;
        let classes: Vec<ClassId> =
            landmarks.iter().filter_map(|landmark| model.info().classes.by_folder(&landmark.class)).collect();
        let explained = explainer.explain_views(&photo, &classes);
        let explained = explained.with_context(|| path_text(&self.photo))?;
        if let (Some(path), Some(map)) = (&self.raw, explained.maps.first()) {
            make_folder_of(path)?;
            map.save_npy(path)?;
        }
        let seen = large(&explained.part.of(&photo));
        let heat = explained.maps.iter().map(|map| map.over(&seen));
        let panels: Vec<Photo> = [seen.clone()].into_iter().chain(heat).collect();
        if let Some(picture) = self.picture(&panels, &landmarks) {
            make_folder_of(&out)?;
            picture.save(&out)?;
        }
        terminal::show_side_by_side(&panels);
        for landmark in &landmarks {
            writeln!(stdout, "{}", terminal::landmark_line(landmark))?;
        }
        stdout.flush()?;
        say(format!("{} at {}: {}", self.method, explainer.layer(), shown_path(&out)));
        Ok(Status::Done)
    }

    /// The landmarks to explain, the likeliest first, with the probabilities of a prediction.
    fn landmarks(&self, model: &Model, photo: &Path) -> Result<Vec<Landmark>> {
        let classes = model.classes();
        let named = self.class.as_deref().map(|name| model.class_named(name)).transpose()?;
        let mut landmarks = model.predict(photo, classes.len())?.landmarks;
        // The network has no output for what was learned from a few photos, so no gradient leads to it.
        let trained = |landmark: &Landmark| model.info().classes.by_folder(&landmark.class).is_some();
        if let Some(class) = named.and_then(|id| classes.get(id)) {
            landmarks.retain(|landmark| landmark.class == class.folder);
            if !landmarks.iter().all(trained) {
                bail!(
                    "\"{}\" was learned from a few photos: only landmarks that the network was trained on have heat maps",
                    model.landmark_name(class)
                );
            }
            return Ok(landmarks);
        }
        landmarks.truncate(EXPLAINED);
        let likely = landmarks.iter().filter(|l| l.probability.value() >= LEAST_PROBABILITY).count();
        landmarks.truncate(likely.max(1));
        for learned in landmarks.iter().filter(|landmark| !trained(landmark)) {
            say(format!(
                "\"{}\" ({}) was learned from a few photos and has no heat map",
                learned.name, learned.probability
            ));
        }
        landmarks.retain(trained);
        if landmarks.is_empty() {
            bail!("none of the likeliest landmarks has a heat map; name one with --class");
        }
        Ok(landmarks)
    }

    /// The panels side by side: the photo, and the heat of each landmark.
    fn picture(&self, panels: &[Photo], landmarks: &[Landmark]) -> Option<Photo> {
        let photo = shown_path(self.photo.file_name().unwrap_or_default().as_ref());
        let names = landmarks.iter().map(|landmark| format!("{} {}", landmark.name, landmark.probability));
        let names = [photo].into_iter().chain(names);
        let tiles: Vec<Tile> =
            panels.iter().zip(names).map(|(panel, name)| Tile { name, photo: panel.clone() }).collect();
        montage(&tiles, tiles.len())
    }

    fn default_out(&self) -> PathBuf {
        let stem = match self.photo.as_os_str() == STDIN {
            true => "stdin".into(),
            false => self.photo.file_stem().unwrap_or_default().to_string_lossy(),
        };
        free_file(&format!("{stem}-explained"), "png")
    }
}

/// The photo, magnified or reduced to a size to look at.
fn large(photo: &Photo) -> Photo {
    let [width, height] = [photo.width(), photo.height()].map(f64::from);
    let (short, long) = (width.min(height), width.max(height));
    let times = (LEAST_SIDE / short).min(MOST_SIDE / long);
    let side = |length: f64| ((length * times).round() as u32).max(1);
    photo.resized(side(width), side(height))
}
