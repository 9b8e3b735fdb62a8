//! Teachers of a knowledge distillation: models whose answers are targets beside the labels.

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use cairn_dataset::ClassList;
use cairn_kernels::layers::images;
use cairn_model::Model;
use cairn_nets::NetworkSpec;
use cairn_photo::Normalisation;

use crate::TrainError;
use crate::recipe::Recipe;

/// The recipe's teachers, in evaluation. They see the very pixels that the network learns from: same crop, same colours
/// (Beyer et al. 2022, "A good teacher is patient and consistent", <https://arxiv.org/abs/2106.05237>).
#[derive(Debug)]
pub(crate) struct Teachers {
    teachers: Vec<Teacher>,
    temperature: f64,
}

#[derive(Debug)]
struct Teacher {
    model: Model,
    renormalisation: Option<Renormalisation>,
}

/// From numbers of one normalisation to those of another: `value * scale + shift` in each channel.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Renormalisation {
    scale: [f32; 3],
    shift: [f32; 3],
}

impl Teachers {
    /// Opens them, where the recipe names any, for photos of these classes and this normalisation.
    pub(crate) fn open(
        recipe: &Recipe,
        classes: &ClassList,
        normalisation: &Normalisation,
        device: &Device,
    ) -> Result<Option<Self>, TrainError> {
        let Some(distil) = &recipe.distil else { return Ok(None) };
        let open = |path: &String| {
            let path = Path::new(path);
            let model = Model::open_on(path, device)?.with_precision(recipe.precision());
            check_classes(path, &model.info().classes, classes)?;
            check_size(path, &model.info().network, recipe)?;
            let own = &model.info().preprocess.normalisation;
            let renormalisation =
                (own != normalisation).then(|| Renormalisation::between(normalisation, own));
            Ok(Teacher { model, renormalisation })
        };
        let teachers = distil.teachers.iter().map(open).collect::<Result<_, TrainError>>()?;
        Ok(Some(Self { teachers, temperature: distil.temperature }))
    }

    /// The mean of their softened probabilities, `[photos * classes]`, of normalised photos, `[photos, 3, height, width]`:
    /// their `pixels`, and the same as `photos` on a device without gradients.
    pub(crate) fn answers(&self, pixels: &[f32], photos: &Tensor<4>) -> Vec<f32> {
        let answer = |teacher: &Teacher| {
            let images = match teacher.renormalisation {
                Some(renormalisation) => renormalisation.apply(pixels, photos),
                None => photos.clone(),
            };
            let logits = teacher.model.network().forward(images, teacher.model.precision());
            softmax(logits.div_scalar(self.temperature), 1)
        };
        let sum = self.teachers.iter().map(answer).reduce(|sum, answer| sum + answer);
        let mean = sum.map(|sum| sum.div_scalar(self.teachers.len() as f64));
        mean.map_or_else(Vec::new, |mean| mean.into_data().iter::<f32>().collect())
    }
}

impl Renormalisation {
    fn between(from: &Normalisation, to: &Normalisation) -> Self {
        Self {
            scale: std::array::from_fn(|channel| from.std[channel] / to.std[channel]),
            shift: std::array::from_fn(|channel| (from.mean[channel] - to.mean[channel]) / to.std[channel]),
        }
    }

    /// These pixels, which are those of `photos`. Not by operations on the tensor: broadcast, they took a quarter of a step.
    fn apply(self, pixels: &[f32], photos: &Tensor<4>) -> Tensor<4> {
        let [_, channels, height, width] = photos.dims();
        let mut own = pixels.to_vec();
        for (at, plane) in own.chunks_exact_mut(height * width).enumerate() {
            let (scale, shift) = (self.scale[at % channels], self.shift[at % channels]);
            plane.iter_mut().for_each(|value| *value = *value * scale + shift);
        }
        images(&own, photos.dims(), &photos.device())
    }
}

/// The logits of teacher and network must mean the same.
fn check_classes(path: &Path, teacher: &ClassList, wanted: &ClassList) -> Result<(), TrainError> {
    let folders = |classes: &ClassList| -> BTreeSet<String> {
        classes.iter().map(|(_, class)| class.folder.clone()).collect()
    };
    let (teacher, wanted) = (folders(teacher), folders(wanted));
    if teacher == wanted {
        return Ok(());
    }
    let path = path.to_owned();
    let only = |these: &BTreeSet<String>, those| these.difference(those).cloned().collect();
    Err(TrainError::TeacherClasses {
        path,
        missing: only(&wanted, &teacher),
        surplus: only(&teacher, &wanted),
    })
}

/// A teacher must take photos of every size that the network is shown.
fn check_size(path: &Path, teacher: &NetworkSpec, recipe: &Recipe) -> Result<(), TrainError> {
    let largest = recipe.network_spec(2).side;
    let smallest = recipe.photos.growth.map_or(largest, |growth| growth.from);
    let only = teacher.architecture.takes_one_size().then_some(teacher.side);
    let fits = only.is_none_or(|side| side == largest && side == smallest)
        && NetworkSpec { side: smallest, ..teacher.clone() }.validate().is_ok();
    if fits {
        return Ok(());
    }
    Err(TrainError::TeacherSize {
        path: path.to_owned(),
        architecture: teacher.architecture,
        side: teacher.side,
        smallest,
        largest,
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn numbers_of_one_normalisation_become_those_of_another() {
        let ours = Normalisation { mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 0.4] };
        let levels = [0.0_f64, 0.5, 1.0];
        let normalised = |normalisation: &Normalisation| -> Vec<f32> {
            let number = |channel: usize| {
                let (mean, std) = (normalisation.mean[channel], normalisation.std[channel]);
                ((levels[channel] - f64::from(mean)) / f64::from(std)) as f32
            };
            (0..3).map(number).collect()
        };
        let pixels = normalised(&ours);
        let photos = images(&pixels, [1, 3, 1, 1], &Device::flex());
        let found = Renormalisation::between(&ours, &Normalisation::IMAGENET).apply(&pixels, &photos);
        let found: Vec<f32> = found.into_data().iter::<f32>().collect();
        for (found, expected) in found.iter().zip(normalised(&Normalisation::IMAGENET)) {
            assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
        }
    }

    #[test]
    fn a_teacher_of_other_classes_is_refused_by_their_names() {
        let (ours, other) = (ClassList::from_folders(["a", "b"]), ClassList::from_folders(["b", "c"]));
        let message = check_classes(Path::new("run"), &other, &ours).unwrap_err().to_string();
        assert!(message.contains("without a") && message.contains("with c"), "{message}");
        assert!(check_classes(Path::new("run"), &ours, &ours).is_ok());
    }
}
