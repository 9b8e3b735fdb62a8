//! Landmarks with their probabilities as bars.

use cairn_model::{Landmark, Probability};
use maud::{Markup, html};

/// A list of landmarks, the likeliest first, each with its probability as a number and as a bar.
pub(crate) fn bars(landmarks: &[Landmark]) -> Markup {
    html! {
        ol.bars {
            @for landmark in landmarks {
                li {
                    span.name { (landmark.name) }
                    " "
                    span.percent { (landmark.probability) }
                    (bar(landmark.probability))
                }
            }
        }
    }
}

/// A bar as wide as a probability. Its length is an attribute: a style would be against the pages' policy. Readers of
/// the screen hear the number beside it.
pub(crate) fn bar(probability: Probability) -> Markup {
    share_bar(f64::from(probability.value()))
}

/// A bar as wide as a share of 1; see [`bar`].
pub(crate) fn share_bar(share: f64) -> Markup {
    // A hundredth of a percent is a pixel on no screen.
    let width = (share.clamp(0.0, 1.0) * 1e4).round() / 1e2;
    html! {
        svg.bar viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect.track width="100" height="1" {}
            rect.level width=(width) height="1" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatible::sample;

    #[test]
    fn each_landmark_has_its_name_its_number_and_a_bar_of_that_length() {
        let text = bars(&sample::prediction(true).landmarks).into_string();
        for part in ["Eiffel Tower", "75.0%", "<rect class=\"level\" width=\"75\"", "25.0%", "width=\"25\""] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("style="), "{text}");
    }
}
