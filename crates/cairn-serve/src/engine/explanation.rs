//! The heat map of a photo.

use bytes::Bytes;
use cairn_model::explain::{CamMethod, Explainer, HeatMap};
use cairn_model::{Model, ModelOutput};
use cairn_photo::{Limits, Photo, PictureKind, ReadSize};

use crate::error::{ApiError, ErrorType};

/// Longer side of the picture at most, in pixels.
const MOST_SIDE: u32 = 1024;

/// Which heat map is wanted.
#[derive(Debug, Clone, Default)]
pub struct ExplainOptions {
    /// A landmark's name or class folder; the likeliest where none is named.
    pub class: Option<String>,
    /// How the map is computed.
    pub method: CamMethod,
}

/// What spoke for a landmark in a photo.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The landmark's class folder.
    pub class: String,
    /// The map laid over the photo, as PNG.
    pub png: Bytes,
    /// The map alone.
    pub map: HeatMap,
}

pub(super) fn explain(
    model: &Model,
    bytes: &[u8],
    name: &str,
    output: &ModelOutput,
    options: &ExplainOptions,
) -> Result<Explanation, ApiError> {
    let classes = model.classes();
    let class = match &options.class {
        Some(name) => model.class_named(name).map_err(|error| ApiError::validation(error.to_string()))?,
        None => output.likeliest().ok_or_else(|| ApiError::internal("the output has no likeliest class"))?,
    };
    let folder = classes.get(class).map(|class| class.folder.clone()).unwrap_or_default();
    // The network has no output for what was learned from a few photos, so no gradient leads to it.
    let trained = model.info().classes.by_folder(&folder).ok_or_else(|| {
        ApiError::new(
            ErrorType::Photo,
            format!(
                "`{folder}` was learned from a few photos: only landmarks that the network was trained on have heat \
                 maps; name one by class="
            ),
        )
    })?;
    let cannot = |error: &dyn std::error::Error| ApiError::new(ErrorType::Photo, error.to_string());
    let photo = Photo::decode_at(bytes, name, ReadSize::Full, &Limits::default()).map_err(|e| cannot(&e))?;
    let explainer = Explainer::new(model, None, options.method).map_err(|error| cannot(&error))?;
    let explained = explainer.explain_views(&photo, &[trained]).map_err(|error| cannot(&error))?;
    let map = explained.maps.into_iter().next().ok_or_else(|| ApiError::internal("no heat map was made"))?;
    let seen = at_most(explained.part.of(&photo), MOST_SIDE);
    let png =
        map.over(&seen).encode(PictureKind::Png).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(Explanation { class: folder, png: png.into(), map })
}

/// The photo, no larger than this.
fn at_most(photo: Photo, side: u32) -> Photo {
    let longer = photo.width().max(photo.height());
    if longer <= side {
        return photo;
    }
    let shorter = |length: u32| ((u64::from(length) * u64::from(side) / u64::from(longer)) as u32).max(1);
    photo.resized(shorter(photo.width()), shorter(photo.height()))
}
