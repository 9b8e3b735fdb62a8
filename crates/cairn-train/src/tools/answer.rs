//! A model's output as an answer that can be right or wrong.

use cairn_dataset::ClassId;
use cairn_eval::{Answer, Shows};
use cairn_model::ModelOutput;

/// The answer of `output`, of this score, for a photo that shows `truth`, or no landmark that the model knows.
pub fn answer(score: f64, output: &ModelOutput, truth: Option<ClassId>) -> Answer {
    let shows = match truth {
        None => Shows::NoLandmark,
        Some(truth) if output.likeliest() == Some(truth) => Shows::ThatLandmark,
        Some(_) => Shows::AnotherLandmark,
    };
    Answer { score, shows }
}
