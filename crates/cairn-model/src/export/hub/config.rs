//! `config.json`.

use cairn_photo::{Framing, Normalisation};
use serde_json::{Map, Value, json};

use crate::BundleInfo;

/// The configuration, under the keys of timm, with labels as Transformers has them beside it; `cairn` holds what these
/// have no words for. `names` are the labels.
pub(super) fn config(info: &BundleInfo, names: &[String]) -> String {
    let numbered: Map<String, Value> =
        names.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name))).collect();
    let Normalisation { mean, std } = &info.preprocess.normalisation;
    let (crop_mode, crop_share) = crop(&info.preprocess.framing);
    let config = json!({
        "architecture": info.network.architecture,
        "num_classes": info.network.classes,
        "label_names": names,
        "id2label": numbered,
        "pretrained_cfg": {
            "num_classes": info.network.classes,
            "input_size": [3, info.preprocess.input_height(), info.preprocess.input_width()],
            "interpolation": "bilinear",
            "crop_mode": crop_mode,
            "crop_pct": crop_share,
            "mean": mean,
            "std": std,
        },
        "cairn": { "network": info.network, "preprocess": info.preprocess, "classes": info.classes, "temperature": info.temperature, "views": info.views },
    });
    format!("{config:#}\n")
}

/// timm's name of the framing, and how much of the resized photo's shorter side is kept.
fn crop(framing: &Framing) -> (&'static str, f64) {
    match *framing {
        Framing::Squash { .. } => ("squash", 1.0),
        Framing::ShortSideCrop { short_side, crop } => {
            let (short_side, crop) = (f64::from(short_side), f64::from(crop));
            let share = crop / short_side;
            // timm divides the crop by the share and rounds down: rounding must not take a pixel from the side.
            ("center", if (crop / share).floor() < short_side { share.next_down() } else { share })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crop_share_gives_the_short_side_back_when_rounded_down() {
        for crop_side in 1..=512 {
            for short_side in crop_side..=600 {
                let (_, share) = crop(&Framing::ShortSideCrop { short_side, crop: crop_side });
                assert_eq!((f64::from(crop_side) / share).floor(), f64::from(short_side), "{crop_side}");
            }
        }
    }
}
