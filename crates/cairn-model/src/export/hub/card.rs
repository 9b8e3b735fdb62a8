//! The model card.

use std::fmt::Write;

use cairn_dataset::escape::shown;
use cairn_nets::Pooling;
use cairn_photo::Framing;
use serde_json::json;

use super::markdown::{code, code_block, text};
use super::test_figures::TestFigures;
use crate::BundleInfo;
use crate::export::WeightFormat;

/// The card in Markdown, headed by the metadata that hubs index it by.
pub(super) fn card(
    info: &BundleInfo,
    names: &[String],
    weights: WeightFormat,
    test: Option<&TestFigures>,
) -> String {
    let title = format!("{} for {} landmarks", info.network.architecture, info.classes.len());
    let mut card = metadata(&title, test);
    let out = &mut card;
    // Writing to a String never fails.
    let _ = write!(out, "\n# {title}\n\n{}", facts(info, weights));
    let _ = write!(out, "\n## Test\n\n{}", test.map_or(untested(), figures));
    let _ = write!(out, "\n## Use\n\n{USE}");
    let _ = write!(out, "\n## Landmarks\n\n{}", landmarks(names));
    let _ = write!(out, "\n## Recipe\n\n{}", code_block("toml", &info.provenance.recipe));
    card
}

const USE: &str = "\
    cairn predict PHOTO -m model.safetensors

The tensors of `model.safetensors` have torchvision's names and layouts, `[outputs, inputs, height, width]` for convolutions
and `[outputs, inputs]` for linear layers. `config.json` has labels and preprocessing.

The model answers with one of the landmarks below, whatever the photo shows.
";

/// The block of metadata: YAML, which includes JSON.
fn metadata(title: &str, test: Option<&TestFigures>) -> String {
    let mut block = String::from(
        "---\nlibrary_name: cairn\npipeline_tag: image-classification\n\
         tags: [image-classification, landmark-recognition]\n",
    );
    if let Some(test) = test {
        let metric =
            |kind: &str, name: &str, value: f64| json!({ "type": kind, "name": name, "value": value });
        let results = json!([{
            "task": { "type": "image-classification", "name": "Image classification" },
            "dataset": { "type": shown(&test.data), "name": shown(&test.data), "split": "test" },
            "metrics": [
                metric("accuracy", "Accuracy", test.accuracy),
                metric("top-3-accuracy", "Top-3 accuracy", test.top3),
                metric("f1", "Macro F1", test.macro_f1),
            ],
        }]);
        // Writing to a String never fails.
        let _ = writeln!(block, "model-index: {}", json!([{ "name": title, "results": results }]));
    }
    block.push_str("---\n");
    block
}

fn facts(info: &BundleInfo, weights: WeightFormat) -> String {
    let provenance = &info.provenance;
    let framing = match info.preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => {
            format!("shorter side to {short_side} px (bilinear, antialiased), middle {crop} x {crop} px")
        }
        Framing::Squash { width, height } => format!("{width} x {height} px (bilinear, antialiased)"),
    };
    let weights = match weights {
        WeightFormat::F32 => "f32",
        WeightFormat::F16 => "convolutions and linear layers f16, the rest f32",
        WeightFormat::Int8 => {
            "convolutions and linear layers 8-bit integers with a scale a channel, the rest f32"
        }
    };
    let mean_std = &info.preprocess.normalisation;
    let views = match info.views.count() {
        1 => "one".to_owned(),
        count => format!("{count}, whose probabilities are averaged"),
    };
    let pool = match info.network.pooling {
        Pooling::Average => "",
        Pooling::Gem => {
            "| Pool | generalised mean (GeM), whose power is `pool.p`, in place of the average pool |\n"
        }
    };
    format!(
        "Names the landmark in a photo. Trained with cairn {}.\n\n\
         | | |\n| --- | --- |\n\
         | Network | {} |\n{pool}\
         | Photos | RGB, {framing} |\n\
         | Views | {views} |\n\
         | Normalisation | mean {:?}, standard deviation {:?}, on a scale of 0 to 1 |\n\
         | Weights | {weights} |\n\
         | Validation | accuracy {:.1} %, cross-entropy {:.3} nats, after epoch {} |\n\
         | Training photos | fingerprint {} |\n",
        text(&provenance.cairn),
        info.network.architecture,
        mean_std.mean,
        mean_std.std,
        100.0 * provenance.valid_accuracy,
        provenance.valid_loss,
        provenance.epoch,
        text(&provenance.data_fingerprint),
    )
}

fn figures(test: &TestFigures) -> String {
    let TestFigures { data, photos, accuracy, top3, macro_f1, loss, ece } = test;
    let percent = |share: &f64| format!("{:.1} %", 100.0 * share);
    format!(
        "{photos} test photos of {}, which the network was not trained on.\n\n\
         | accuracy | top-3 | macro F1 | calibration error | cross-entropy |\n| ---: | ---: | ---: | ---: | ---: |\n\
         | {} | {} | {} | {} | {loss:.3} nats |\n",
        code(data),
        percent(accuracy),
        percent(top3),
        percent(macro_f1),
        percent(ece),
    )
}

fn untested() -> String {
    "No test figures were given when this model was exported.\n".to_owned()
}

fn landmarks(names: &[String]) -> String {
    names.iter().enumerate().map(|(id, name)| format!("{id}. {}\n", text(name))).collect()
}
