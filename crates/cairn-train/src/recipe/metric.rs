//! The section `[metric]`: margins between the classes, for features that tell classes apart that they never saw.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// ArcFace (Deng et al. 2019, <https://arxiv.org/abs/1801.07698>): the logit of a class is `scale` times the cosine of the
/// angle between a photo's features and the class's row of the head, and to the angle of the true class a margin is added.
///
/// With several centres (sub-center ArcFace, Deng et al. 2020, <https://doi.org/10.1007/978-3-030-58621-8_43>) a class has as
/// many rows, and its cosine is that to the nearest of them: photos that do not show the class, or show it from another side,
/// gather around a centre of their own.
///
/// The model that is saved has the same directions in an ordinary head: it names the class of the smallest angle. Of several
/// centres it has the one that was nearest to most of the class's training photos.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRecipe {
    /// Factor of the cosines, above 0: the more classes, the higher.
    #[serde(default = "thirty")]
    pub scale: f64,
    /// Centres of each class, at least 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub centres: usize,
    /// What is added to the angle of the true class, in radians.
    pub margin: Margin,
}

/// A margin in radians, at least 0 and below a quarter turn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Margin {
    /// The same for all classes.
    Fixed(f64),
    /// `factor * n ^ -power + least` for a class of `n` training photos: rare classes have larger margins (Ha et al. 2020,
    /// "Google Landmark Recognition 2020 Competition Third Place Solution", <https://arxiv.org/abs/2010.05350>, who take
    /// 0.5, 0.25 and 0.05).
    Dynamic {
        /// The part that shrinks with the class.
        factor: f64,
        /// How fast it does.
        power: f64,
        /// The part that stays.
        least: f64,
    },
}

fn thirty() -> f64 {
    30.0
}

fn one() -> usize {
    1
}

fn is_one(centres: &usize) -> bool {
    *centres == 1
}

/// The most centres of a class: more than a few share its photos too thinly.
const MOST_CENTRES: usize = 16;

impl Margin {
    /// The margin of a class of so many training photos.
    pub(crate) fn of(self, photos: usize) -> f64 {
        match self {
            Self::Fixed(margin) => margin,
            Self::Dynamic { factor, power, least } => factor * (photos.max(1) as f64).powf(-power) + least,
        }
    }
}

impl MetricRecipe {
    /// Checks the range of every figure.
    pub(crate) fn validate(&self, dropout: f64) -> Result<(), RecipeError> {
        // The largest of all classes.
        let largest = self.margin.of(1);
        let grows = matches!(self.margin, Margin::Dynamic { factor, power, least }
            if !(factor >= 0.0 && power >= 0.0 && least >= 0.0));
        RecipeError::check([
            (
                self.scale > 0.0 && self.scale.is_finite(),
                format!("metric.scale is {}; it must be above 0", self.scale),
            ),
            (
                (0.0..FRAC_PI_2).contains(&largest) && !grows,
                "metric.margin must be at least 0 and below 1.57 for all classes".to_owned(),
            ),
            (
                (1..=MOST_CENTRES).contains(&self.centres),
                format!("metric.centres is {}; it must be from 1 to {MOST_CENTRES}", self.centres),
            ),
            (dropout == 0.0, "metric compares whole feature vectors: set network.dropout = 0".to_owned()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_classes_have_larger_margins() {
        let dynamic: MetricRecipe =
            toml::from_str("margin = { factor = 0.5, power = 0.25, least = 0.05 }").unwrap();
        // 0.5 * n ** -0.25 + 0.05 of Python.
        for (photos, margin) in [(29, 0.265_461_909_729), (110, 0.204_390_947_698), (331, 0.167_223_047_001)]
        {
            assert!((dynamic.margin.of(photos) - margin).abs() < 1e-9);
        }
        assert_eq!(dynamic.scale, 30.0);
        let fixed: MetricRecipe = toml::from_str("scale = 20.0\nmargin = 0.3").unwrap();
        assert_eq!((fixed.margin.of(7), fixed.centres), (0.3, 1));
    }

    #[test]
    fn figures_out_of_range_and_dropout_are_refused() {
        let recipe = |scale, margin| MetricRecipe { scale, margin, centres: 1 };
        let with_centres = |centres| MetricRecipe { centres, ..recipe(30.0, Margin::Fixed(0.5)) };
        assert!(recipe(30.0, Margin::Fixed(0.5)).validate(0.0).is_ok());
        assert!(with_centres(16).validate(0.0).is_ok());
        for (faulty, dropout) in [
            (recipe(0.0, Margin::Fixed(0.5)), 0.0),
            (recipe(30.0, Margin::Fixed(1.6)), 0.0),
            (recipe(30.0, Margin::Fixed(f64::NAN)), 0.0),
            (recipe(30.0, Margin::Dynamic { factor: 0.1, power: -1.0, least: 0.0 }), 0.0),
            (recipe(30.0, Margin::Fixed(0.5)), 0.2),
            (with_centres(0), 0.0),
            (with_centres(17), 0.0),
        ] {
            assert!(faulty.validate(dropout).is_err(), "{faulty:?}");
        }
    }
}
