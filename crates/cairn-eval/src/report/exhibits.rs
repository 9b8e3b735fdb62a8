//! Photos of the test: the worst mistakes, and the answers that were right and most sure of it.

use crate::error::EvalError;
use crate::evaluation::{Evaluation, percent};
use crate::prediction::Prediction;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_dataset::escape::shown;
use cairn_photo::Photo;
use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder};
use maud::{Markup, html};

/// A photo of the test, and what the model said of it.
#[derive(Debug, Clone)]
pub struct Exhibit {
    /// The photo as the network sees it, some hundred pixels wide.
    pub photo: Photo,
    /// The same with what the answer was seen by laid over it, where that is known.
    pub heat: Option<Photo>,
    /// The photo's name.
    pub path: String,
    /// The model's answer.
    pub prediction: Prediction,
}

/// Of 0 to 100: a thumbnail of 200 px has some 8 kB.
const JPEG_QUALITY: u8 = 80;

/// The places of the wrong answers among `predictions`, the surest first, `most` of them at most.
pub fn worst_mistakes(predictions: &[Option<Prediction>], most: usize) -> Vec<usize> {
    surest(predictions, most, |prediction| !prediction.is_right())
}

/// The places of the right answers among `predictions`, the surest first, `most` of them at most.
pub fn surest_hits(predictions: &[Option<Prediction>], most: usize) -> Vec<usize> {
    surest(predictions, most, Prediction::is_right)
}

fn surest(predictions: &[Option<Prediction>], most: usize, wanted: fn(&Prediction) -> bool) -> Vec<usize> {
    let probability = |&(_, prediction): &(usize, &Prediction)| prediction.probability;
    let with_place = predictions.iter().enumerate();
    let mut found: Vec<_> =
        with_place.filter_map(|(place, p)| Some((place, p.as_ref().filter(|p| wanted(p))?))).collect();
    found.sort_by(|a, b| probability(b).total_cmp(&probability(a)));
    found.into_iter().take(most).map(|(place, _)| place).collect()
}

/// The exhibits, `answers` in a word or two; nothing where there are none.
pub(super) fn section(
    title: &str,
    answers: &str,
    exhibits: &[Exhibit],
    evaluation: &Evaluation,
) -> Result<Markup, EvalError> {
    let cards = exhibits.iter().map(|exhibit| card(exhibit, evaluation)).collect::<Result<Vec<_>, _>>()?;
    let with_heat = exhibits.iter().any(|exhibit| exhibit.heat.is_some());
    Ok(html! {
        @if !cards.is_empty() {
            section {
                h2 { (title) }
                p.lead {
                    (answers) ", the surest first."
                    @if with_heat { " Left what the network saw, in all its views; right, the brighter, the more spoke for the answer." }
                }
                div.exhibits { @for card in &cards { (card) } }
            }
        }
    })
}

fn card(exhibit: &Exhibit, evaluation: &Evaluation) -> Result<Markup, EvalError> {
    let Prediction { truth, class, probability, .. } = exhibit.prediction;
    let name = |class: cairn_dataset::ClassId| shown(&evaluation.per_class[class.index()].name);
    Ok(html! {
        article.exhibit {
            div.photos {
                img src=(data_uri(&exhibit.path, &exhibit.photo)?) alt=(shown(&exhibit.path));
                @if let Some(heat) = &exhibit.heat {
                    img src=(data_uri(&exhibit.path, heat)?) alt="Where the answer was seen";
                }
            }
            p.answer { strong { (name(class)) } " " (percent(probability)) }
            @if class != truth { p.truth { "shows " (name(truth)) } }
            p.path { (shown(&exhibit.path)) }
        }
    })
}

/// The picture as a JPEG within the page; `path` is what errors call it.
pub(super) fn data_uri(path: &str, photo: &Photo) -> Result<String, EvalError> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .write_image(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8)
        .map_err(|error| EvalError::Draw { title: path.to_owned(), reason: error.to_string() })?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}
