//! `cairn export`

mod int8;

use cairn_dataset::path_text;
use std::io::Write;
use std::path::{Path, PathBuf};

#[cfg(feature = "verify")]
use anyhow::Context;
use anyhow::{Result, bail};
use cairn_dataset::ValidSplit;
use cairn_eval::{Evaluation, Scores};
#[cfg(feature = "verify")]
use cairn_model::export::OnnxModel;
use cairn_model::export::{
    ExportedFile, HubFolder, PhotoElement, TestFigures, WeightFormat, to_bundle, to_onnx, to_torchscript,
    write_files,
};
use cairn_model::{Model, Precision, bundle_path};
#[cfg(feature = "verify")]
use cairn_photo::Photo;
use cairn_photo::TestViews;
use cairn_train::{ModelTest, RunFolder};
use clap::{Args, ValueEnum};

use crate::causes::with_causes;
use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::model_source::ModelArgument;
use crate::output::{OutputOption, Outputs};
#[cfg(feature = "verify")]
use crate::photo_files::named_photos;
use crate::progress::say;
use crate::standard_output::StandardOutput;
use crate::tested::Tested;
use crate::tta::Tta;

/// Write a model in another format, preprocessing and labels included
///
/// Exported models take photos as RGB tensors [batch, 3, height, width] of any size and give the probability of each
/// landmark, as `cairn predict` does: by all views of the model, whose number makes it slower.
#[derive(Debug, Args)]
#[command(mut_arg("out", |out| {
    out.required(true).value_name("FILE|DIR").help("File to write; for safetensors, a folder")
}))]
pub(crate) struct Export {
    #[command(flatten)]
    model: ModelArgument,
    /// Format of the exported model
    #[arg(long, value_enum)]
    format: Format,
    #[command(flatten)]
    output: OutputOption,
    /// Store weights as 16-bit floats (half the size)
    #[arg(long, conflicts_with = "int8")]
    half: bool,
    /// Store weights as 8-bit integers (a quarter of the size); prints the loss of accuracy. A bundle computes in 8 bits, too
    #[arg(long)]
    int8: bool,
    /// Photos to measure activations on, for a bundle with --int8: a data set, whose validation photos say how much
    /// accuracy is lost, or a folder of photos [default: the data set that the run was trained on]
    #[arg(long, value_name = "DIR", requires = "int8")]
    calibration: Option<PathBuf>,
    /// Type of ONNX's input: levels from 0 to 255, or floats from 0 to 1 [default: uint8]; TorchScript takes both
    #[arg(long, value_enum)]
    input: Option<Input>,
    /// Views of each photo whose mean probabilities the exported model gives; other views than the model's get a
    /// temperature of their own where the validation photos of its run are there [default: the model's setting]
    #[arg(long, value_enum, value_name = "VIEWS")]
    views: Option<Tta>,
    /// Run the ONNX model on these photos or folders of photos, and write it only if it gives the probabilities that
    /// `cairn predict` gives
    #[cfg(feature = "verify")]
    #[arg(long, value_name = "PHOTO|DIR", num_args = 1..)]
    verify: Vec<PathBuf>,
    /// Labelled photos, for --int8's accuracy and the model card [default: the data set that the run was trained on]
    #[arg(long, value_name = "DIR")]
    test: Option<PathBuf>,
    #[command(flatten)]
    data_set: DataSetOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For ONNX Runtime, OpenVINO and others: opset 18
    Onnx,
    /// For `torch.jit.load` and libtorch
    Torchscript,
    /// For model hubs: weights in torchvision's names, config.json and a model card
    Safetensors,
    /// For cairn: all that the model knows, learned landmarks too, in one file; smaller with --half, faster with --int8
    Bundle,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Input {
    Uint8,
    Float,
}

impl Export {
    pub(crate) fn run(self) -> Result<Status> {
        self.check_usage()?;
        let out = self.output.named()?;
        let model_file = self.model.source.path().map(bundle_path).transpose()?;
        let data = self.test.as_deref().into_iter().chain(self.calibration.as_deref());
        let data = data.chain(model_file.as_deref());
        Outputs::files(self.paths(&out)).reading(data).reading(self.photos()).check(self.output.force)?;
        let mut model = self.model.source.open()?;
        let left_out = self.views.map_or(Ok(0), |views| self.set_views(&mut model, views.into()))?;
        let learned = model.classes().len() - model.info().classes.len();
        if learned > 0 && self.format != Format::Bundle {
            say(format!("{learned} landmarks learned without training are not exported"));
        }
        let (exported, whole, calibrating_left_out) = if self.format == Format::Bundle && self.int8 {
            let (exported, bad) =
                int8::bring_to_int8(&self.model.source, self.calibration.as_deref(), self.data_set, &model)?;
            let whole = std::mem::replace(&mut model, exported.clone()).with_precision(Precision::F32);
            (exported, whole, bad)
        } else {
            (model.as_exported(self.weights())?, model.as_exported(WeightFormat::F32)?, 0)
        };
        let (figures, mut bad_photos) = self.figures(&whole, &exported)?;
        bad_photos += left_out + calibrating_left_out;
        let files = self.files(&model, figures.as_ref(), &out)?;
        bad_photos += self.verified(&exported, &files)?;
        write_files(&files, self.output.force.replace)?;
        for file in &files {
            say(format!("wrote {} ({:.1} MB)", path_text(&file.path), file.bytes.len() as f64 / 1e6));
        }
        Ok(Status::with_bad_photos(bad_photos))
    }

    /// Makes `model` look at these views, with the temperature that suits them best on the validation photos of its run;
    /// the number of photos that could not be read (each is named).
    fn set_views(&self, model: &mut Model, views: TestViews) -> Result<usize> {
        if views == model.info().views {
            return Ok(0);
        }
        model.set_views(views);
        let data = self.model.source.path().and_then(RunFolder::record).map(|run| run.data);
        let Some(data) = data.filter(|data| data.is_dir()) else {
            say("no validation photos: the temperature is that of the model's own views");
            return Ok(0);
        };
        let data = self.data_set.open(&data, &ValidSplit::default())?;
        if data.classes != model.info().classes {
            bail!("{}: these are not the classes that the run was trained on", path_text(&data.root));
        }
        let (trained, mut scores) = (model.as_exported(WeightFormat::F32)?, Scores::new(data.classes.len()));
        let mut bad = 0;
        for (example, output) in data.valid.iter().zip(trained.outputs(&data.valid)) {
            match output {
                Ok(output) => scores.push(example.class, &output.logits),
                Err(error) => {
                    bad += 1;
                    say(format!("left out: {}", with_causes(&error)));
                }
            }
        }
        if scores.is_empty() {
            say("no validation photos: the temperature is that of the model's own views");
            return Ok(bad);
        }
        let (before, temperature) = (model.info().temperature, scores.fit_temperature());
        model.set_temperature(temperature);
        say(format!("temperature of these views: {temperature:.3} (of the model's own: {before:.3})"));
        Ok(bad)
    }

    /// What clap cannot say: which options go with which format.
    fn check_usage(&self) -> Result<()> {
        if self.format != Format::Onnx && self.input.is_some() {
            bail!(
                "--input is for ONNX: TorchScript takes levels and floats alike, and the others are weights alone"
            );
        }
        if self.format == Format::Safetensors && self.int8 {
            bail!("--int8 is for bundles, ONNX and TorchScript; safetensors can be exported with --half");
        }
        if self.format != Format::Bundle && self.calibration.is_some() {
            bail!("--calibration is for --format bundle: the other formats compute in floats");
        }
        #[cfg(feature = "verify")]
        if self.format != Format::Onnx && !self.verify.is_empty() {
            bail!("--verify runs ONNX models only; add --format onnx");
        }
        Ok(())
    }

    fn weights(&self) -> WeightFormat {
        match (self.half, self.int8) {
            (true, _) => WeightFormat::F16,
            (_, true) => WeightFormat::Int8,
            _ => WeightFormat::F32,
        }
    }

    fn photo_element(&self) -> PhotoElement {
        match self.input {
            Some(Input::Float) => PhotoElement::Float,
            Some(Input::Uint8) | None => PhotoElement::Uint8,
        }
    }

    /// Where the files go.
    fn paths(&self, out: &Path) -> Vec<PathBuf> {
        match self.format {
            Format::Onnx | Format::Torchscript | Format::Bundle => vec![out.to_owned()],
            Format::Safetensors => HubFolder::paths(out).to_vec(),
        }
    }

    /// The photos that the exported model is verified on.
    fn photos(&self) -> impl Iterator<Item = &Path> {
        #[cfg(feature = "verify")]
        return self.verify.iter().map(PathBuf::as_path);
        #[cfg(not(feature = "verify"))]
        return std::iter::empty();
    }

    /// Figures on the test photos, where there are any, and how many photos were left out. Accuracies are printed.
    fn figures(&self, whole: &Model, exported: &Model) -> Result<(Option<TestFigures>, usize)> {
        // Of a bundle in 8 bits the validation photos have told already.
        let wanted = self.format != Format::Bundle && (self.int8 || self.format == Format::Safetensors);
        let own =
            || self.model.source.path().filter(|_| wanted).and_then(RunFolder::record).map(|run| run.data);
        let Some(data) = self.test.clone().or_else(own) else {
            if wanted {
                say("accuracy not measured: name labelled photos with --test DIR");
            }
            return Ok((None, 0));
        };
        let tested = Tested::new(exported, &data, self.data_set)?;
        let ModelTest { evaluation: after, bad_photos, .. } = &tested.test;
        if self.weights() == WeightFormat::F32 {
            writeln!(StandardOutput::open()?, "accuracy: {}", after.accuracy_headline())?;
        } else {
            let before = tested.again(whole)?.test.evaluation;
            let points = 100.0 * (after.accuracy - before.accuracy);
            let (before, after) = (before.accuracy_headline(), after.accuracy_headline());
            writeln!(StandardOutput::open()?, "accuracy: {before} -> {after}, {points:+.2} points")?;
        }
        Ok((Some(test_figures(&data, after)), bad_photos.len()))
    }

    fn files(&self, model: &Model, figures: Option<&TestFigures>, out: &Path) -> Result<Vec<ExportedFile>> {
        let (parts, weights) = (model.parts(), self.weights());
        let bytes = match self.format {
            Format::Onnx => to_onnx(&parts.exportable(), weights, self.photo_element())?,
            Format::Torchscript => to_torchscript(&parts.exportable(), weights)?,
            Format::Bundle => to_bundle(model, weights)?,
            Format::Safetensors => {
                return Ok(HubFolder::new(model, weights, figures)?.into_files(out));
            }
        };
        Ok(vec![ExportedFile { path: out.to_owned(), bytes }])
    }

    /// Runs the ONNX model on the photos of `--verify`; the number that could not be read (each is named).
    #[cfg(feature = "verify")]
    fn verified(&self, exported: &Model, files: &[ExportedFile]) -> Result<usize> {
        let [file] = files else { return Ok(0) };
        let photos = named_photos(&self.verify);
        if photos.is_empty() {
            return match self.verify.is_empty() {
                true => Ok(0),
                false => bail!("no photos to verify the exported model on"),
            };
        }
        let onnx = OnnxModel::new(file.bytes.clone(), self.photo_element())?;
        let (mut bad, mut largest) = (0, 0.0_f32);
        for path in &photos {
            match Photo::open(path) {
                Ok(photo) => {
                    let difference = onnx.verify(exported, &photo);
                    largest = largest.max(difference.with_context(|| path_text(path))?);
                }
                Err(error) => {
                    bad += 1;
                    say(format!("left out: {}", with_causes(&error)));
                }
            }
        }
        if bad == photos.len() {
            return Err(crate::exit::none_read(bad));
        }
        say(format!("verified on {} photos: probabilities are within {largest:.1e}", photos.len() - bad));
        Ok(bad)
    }

    #[cfg(not(feature = "verify"))]
    fn verified(&self, _: &Model, _: &[ExportedFile]) -> Result<usize> {
        Ok(0)
    }
}

fn test_figures(data: &Path, evaluation: &Evaluation) -> TestFigures {
    let name = data.file_name().unwrap_or(data.as_os_str()).to_string_lossy().into_owned();
    TestFigures {
        data: name,
        photos: evaluation.total,
        accuracy: evaluation.accuracy,
        top3: evaluation.top3,
        macro_f1: evaluation.macro_f1,
        loss: evaluation.loss,
        ece: evaluation.ece,
    }
}
