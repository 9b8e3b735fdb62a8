//! What a model says about a photo.

use std::fmt;

use cairn_dataset::Softmax;
use cairn_photo::Photo;
use cairn_places::Place;
use serde::{Deserialize, Serialize};

use crate::LandmarkSet;

/// A probability, in `[0, 1]`. Prints as a percentage.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Probability(f32);

impl Probability {
    /// The probabilities of all classes, in class order: softmax of the logits divided by `temperature`.
    ///
    /// Logits that are not finite have no softmax: all probabilities are 0 then.
    pub fn softmax(logits: &[f32], temperature: f64) -> Vec<Self> {
        let scaled = logits.iter().map(|&logit| f64::from(logit) / temperature);
        let softmax = Softmax::of(scaled.clone());
        if !softmax.log_sum().is_finite() {
            return vec![Self(0.0); logits.len()];
        }
        scaled.map(|logit| Self(softmax.probability(logit) as f32)).collect()
    }

    /// As a number in `[0, 1]`.
    pub fn value(self) -> f32 {
        self.0
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padding and alignment asked for in the format string hold for the whole, percent sign included.
        f.pad(&format!("{:.1}%", self.0 * 100.0))
    }
}

/// A landmark that a photo may show, and how probable that is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Landmark {
    /// The class folder, such as `12.Eiffel_Tower`.
    pub class: String,
    /// The name for people, such as `Eiffel Tower`: its place's where that is known, else its class's.
    pub name: String,
    /// How probable the model holds it.
    pub probability: Probability,
    /// Its place, if that is known.
    pub place: Option<Place>,
}

/// Words in the place of "the".
const DETERMINERS: [&str; 7] = ["a", "an", "his", "her", "my", "our", "the"];

impl Landmark {
    /// The name as a sentence has it: `the Eiffel Tower`, `Petra`. Without a place it takes "the", as most
    /// landmarks do, unless it begins with such a word itself: `Our town hall`.
    pub fn in_sentence(&self) -> String {
        let first_word = self.name.split(' ').next().unwrap_or_default().to_lowercase();
        match &self.place {
            Some(place) => place.with_article(),
            None if DETERMINERS.contains(&first_word.as_str()) => self.name.clone(),
            None => format!("the {}", self.name),
        }
    }

    /// `Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)`, or the name alone where the place is not known.
    pub fn summary(&self) -> String {
        self.place.as_ref().map_or_else(|| self.name.clone(), Place::summary)
    }
}

/// What a model says about a photo.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Prediction {
    /// Whether the photo shows a landmark that the model knows: whether its score reaches the bundle's threshold. `None`
    /// where the bundle has none.
    pub is_landmark: Option<bool>,
    /// Whether the photo surely shows a landmark that the model knows: whether its score reaches the bundle's sure
    /// threshold. `None` where the bundle has none.
    #[serde(default)]
    pub sure: Option<bool>,
    /// The score, of the kind that the bundle names; see [`OodScore`](crate::OodScore).
    pub landmark_score: f64,
    /// The likeliest landmarks, the likeliest first.
    pub landmarks: Vec<Landmark>,
    /// The smallest set of landmarks of the coverage that was asked for, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<LandmarkSet>,
}

/// Guesses that are less probable are not worth a person's time.
const WORTH_SAYING: f32 = 0.01;

impl Prediction {
    /// The landmark that the photo is taken to show: the likeliest, unless the photo shows none that the model knows.
    pub fn named(&self) -> Option<&Landmark> {
        self.landmarks.first().filter(|_| self.is_landmark != Some(false))
    }

    /// Whether it names one landmark and stands by it: the photo surely shows a landmark, and the likeliest one is
    /// likelier than all others together.
    pub fn is_certain(&self) -> bool {
        self.sure == Some(true) && self.named().is_some_and(|landmark| landmark.probability.value() > 0.5)
    }

    /// Whether it names a landmark that the model is not sure of: the photo may show none, or another is as likely.
    pub fn is_doubtful(&self) -> bool {
        self.named().is_some_and(|landmark| self.sure == Some(false) || landmark.probability.value() <= 0.5)
    }

    /// The landmarks that are worth a person's time: the likeliest, and others of at least 1 %.
    pub fn worth_saying(&self) -> &[Landmark] {
        let likely = |landmark: &Landmark| landmark.probability.value() >= WORTH_SAYING;
        let others = self.landmarks.iter().skip(1).take_while(|landmark| likely(landmark)).count();
        &self.landmarks[..self.landmarks.len().min(1 + others)]
    }
}

/// A photo with the three landmarks that it most likely shows.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// The photo, upright.
    pub photo: Photo,
    /// What the model says about it.
    pub prediction: Prediction,
}

impl Suggestion {
    /// "This is the Eiffel Tower (99.5%)." where the model is sure, "Is this a picture of the Eiffel Tower, Petra or the
    /// Space Needle?" where it is not, or that it is no landmark that the model knows.
    pub fn sentence(&self) -> String {
        if let ([first, ..], true) = (self.prediction.landmarks.as_slice(), self.prediction.is_certain()) {
            return format!("This is {} ({}).", first.in_sentence(), first.probability);
        }
        let names: Vec<String> = self.prediction.worth_saying().iter().map(Landmark::in_sentence).collect();
        let names = match names.as_slice() {
            [] => return "No landmark comes to mind.".to_owned(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        };
        if self.prediction.is_landmark == Some(false) {
            format!("I don't think this shows a landmark that I know. The closest: {names}.")
        } else {
            format!("Is this a picture of {names}?")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_places::Gazetteer;

    fn suggestion(names: &[&str]) -> Suggestion {
        let landmark = |name: &&str| Landmark {
            class: format!("00.{name}"),
            name: (*name).to_owned(),
            probability: Probability(0.5),
            place: Gazetteer::builtin().find(name).cloned(),
        };
        let landmarks = names.iter().map(landmark).collect();
        let prediction =
            Prediction { is_landmark: Some(true), landmark_score: 0.5, landmarks, ..Prediction::default() };
        Suggestion { photo: Photo::filled(1, 1, [0; 3]), prediction }
    }

    #[test]
    fn softmax_agrees_with_f64_arithmetic_and_survives_large_logits() {
        let logits = [1000.0_f32, 1001.0, 998.5];
        for temperature in [1.0, 0.3, 2.5] {
            let exact: Vec<f64> =
                logits.iter().map(|l| (f64::from(l - 1001.0) / temperature).exp()).collect();
            let sum: f64 = exact.iter().sum();
            for (found, exact) in Probability::softmax(&logits, temperature).iter().zip(exact) {
                assert!((f64::from(found.value()) - exact / sum).abs() < 1e-6, "at {temperature}");
            }
        }
    }

    #[test]
    fn logits_that_are_not_numbers_give_no_probability() {
        for logits in [[f32::NAN, 1.0], [f32::INFINITY, 1.0], [f32::NEG_INFINITY; 2]] {
            assert_eq!(Probability::softmax(&logits, 1.0), [Probability(0.0); 2], "{logits:?}");
        }
    }

    #[test]
    fn the_question_reads_as_english_for_one_two_and_three_names() {
        assert_eq!(suggestion(&["Old Mill"]).sentence(), "Is this a picture of the Old Mill?");
        assert_eq!(suggestion(&["X", "Y"]).sentence(), "Is this a picture of the X or the Y?");
        assert_eq!(
            suggestion(&["Old Mill", "The Gherkin", "Our town hall"]).sentence(),
            "Is this a picture of the Old Mill, The Gherkin or Our town hall?"
        );
    }

    #[test]
    fn a_landmark_whose_place_is_known_is_called_as_its_place_is() {
        assert_eq!(
            suggestion(&["Eiffel Tower", "Petra", "Chichen Itza"]).sentence(),
            "Is this a picture of the Eiffel Tower, Petra or Chichén Itzá?"
        );
    }

    #[test]
    fn a_photo_that_shows_none_of_them_is_said_to() {
        let mut suggestion = suggestion(&["Eiffel Tower", "Petra"]);
        suggestion.prediction.is_landmark = Some(false);
        assert_eq!(
            suggestion.sentence(),
            "I don't think this shows a landmark that I know. The closest: the Eiffel Tower or Petra."
        );
    }

    #[test]
    fn a_summary_says_where_the_landmark_stands_if_that_is_known() {
        let summaries = |name| suggestion(&[name]).prediction.landmarks[0].summary();
        assert_eq!(summaries("Eiffel Tower"), "Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)");
        assert_eq!(summaries("Old Mill"), "Old Mill");
    }

    #[test]
    fn what_the_model_is_sure_of_is_said_and_not_asked() {
        let mut sure = suggestion(&["Eiffel Tower", "Petra"]);
        sure.prediction.sure = Some(true);
        sure.prediction.landmarks[0].probability = Probability(0.995);
        assert_eq!(sure.sentence(), "This is the Eiffel Tower (99.5%).");
        // Sure that it is a landmark, but not which.
        sure.prediction.landmarks[0].probability = Probability(0.5);
        assert_eq!(sure.sentence(), "Is this a picture of the Eiffel Tower or Petra?");
        sure.prediction.landmarks[0].probability = Probability(0.995);
        sure.prediction.sure = Some(false);
        assert_eq!(sure.sentence(), "Is this a picture of the Eiffel Tower or Petra?");
        // A threshold of the options may be above the sure one.
        sure.prediction.sure = Some(true);
        sure.prediction.is_landmark = Some(false);
        assert!(sure.sentence().starts_with("I don't think"), "{}", sure.sentence());
    }

    #[test]
    fn guesses_below_one_percent_are_left_out_but_the_likeliest_never() {
        let mut suggestion = suggestion(&["X", "Y", "Z"]);
        for (landmark, probability) in suggestion.prediction.landmarks.iter_mut().zip([0.98, 0.012, 0.008]) {
            landmark.probability = Probability(probability);
        }
        assert_eq!(suggestion.sentence(), "Is this a picture of the X or the Y?");
        for landmark in &mut suggestion.prediction.landmarks {
            landmark.probability = Probability(0.004);
        }
        assert_eq!(suggestion.sentence(), "Is this a picture of the X?");
        suggestion.prediction.landmarks.clear();
        assert_eq!(suggestion.sentence(), "No landmark comes to mind.");
    }
}
