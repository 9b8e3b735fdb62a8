//! From a photo to an answer: `load` makes views of it, `forward` shows them to the network, `aggregate` makes one answer of
//! what it says of them; `stream` does so to many photos at once.

mod aggregate;
mod class_name;
mod forward;
mod load;
mod output;
mod prediction;
mod stream;

use std::num::NonZeroUsize;
use std::sync::Arc;

use cairn_dataset::{Class, ClassId};
use cairn_photo::{Photo, PhotoError, SizedPhoto};

pub use class_name::ClassNameError;
pub(crate) use class_name::{class_named, landmark_name};
pub use load::PhotoSource;
pub use output::ModelOutput;
pub use prediction::{Landmark, Prediction, Probability, Suggestion};

use crate::conformal::members;
use crate::{CoverageError, LandmarkSet, Model};

/// How many landmarks a suggestion names.
const SUGGESTED: usize = 3;

/// What a model says of photos. A photo is a path, bytes with a name, or pixels: see [`PhotoSource`].
///
/// Each method but [`Model::forward`] looks at a photo by the model's views, and gives the same bits for it whatever other
/// photos are asked about, on any number of threads.
impl Model {
    /// The `k` likeliest landmarks in a photo, the likeliest first, and whether it shows one at all.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn predict(&self, photo: impl Into<PhotoSource>, k: usize) -> Result<Prediction, PhotoError> {
        Ok(self.prediction(&self.output(photo)?, k))
    }

    /// [`Model::predict`] of many photos, in their order; one that cannot be read is an error in its place.
    ///
    /// Photos are read and looked at on several threads ahead of the caller, who holds no more than a few of them in
    /// memory, however many there are.
    pub fn predict_many<I>(&self, photos: I, k: usize) -> impl Iterator<Item = Result<Prediction, PhotoError>>
    where
        I: IntoIterator,
        I::Item: Into<PhotoSource>,
    {
        let model = self.clone();
        self.map_photos(photos, move |_, photo| model.prediction(&model.output_of(&photo), k))
    }

    /// The model's output for a photo.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn output(&self, photo: impl Into<PhotoSource>) -> Result<ModelOutput, PhotoError> {
        let photo = self.load_photo(photo)?;
        Ok(self.with_threads(|| self.output_of(&photo)))
    }

    /// [`Model::output`] of many photos, as [`Model::predict_many`] goes through them.
    pub fn outputs<I>(&self, photos: I) -> impl Iterator<Item = Result<ModelOutput, PhotoError>>
    where
        I: IntoIterator,
        I::Item: Into<PhotoSource>,
    {
        self.map_photos(photos, |model, photo| model.output_of(&photo))
    }

    /// The result of `work` on each photo, as [`Model::predict_many`] goes through them: the photo is that of
    /// [`Model::load_photo`].
    pub fn map_photos<I, T>(
        &self,
        photos: I,
        work: impl Fn(&Model, Photo) -> T + Send + Sync + 'static,
    ) -> impl Iterator<Item = Result<T, PhotoError>>
    where
        I: IntoIterator,
        I::Item: Into<PhotoSource>,
        T: Send + 'static,
    {
        self.map_sized_photos(photos, move |model, sized| work(model, sized.photo))
    }

    /// [`Model::map_photos`], whose `work` learns how large the picture in the file is too.
    pub fn map_sized_photos<I, T>(
        &self,
        photos: I,
        work: impl Fn(&Model, SizedPhoto) -> T + Send + Sync + 'static,
    ) -> impl Iterator<Item = Result<T, PhotoError>>
    where
        I: IntoIterator,
        I::Item: Into<PhotoSource>,
        T: Send + 'static,
    {
        let threads = self.options().threads.map_or_else(rayon::current_num_threads, NonZeroUsize::get);
        let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
        let work = Arc::new(work);
        let (shared, model) = (Arc::clone(&work), self.clone());
        let mut photos = photos.into_iter();
        let mut first: Vec<I::Item> = photos.by_ref().take(2).collect();
        // One photo alone is done soonest by all threads together.
        let alone = if first.len() == 1 { first.pop() } else { None };
        let alone = alone.map(Into::into).into_iter().map(move |source: PhotoSource| {
            self.with_threads(|| Ok(shared(self, source.load(&self.info().preprocess)?)))
        });
        alone.chain(stream::Stream::new(first.into_iter().chain(photos), threads, move |source| {
            Ok(work(&model, source.load(&model.info().preprocess)?))
        }))
    }

    /// The probability of each class, in class order.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn probabilities(&self, photo: impl Into<PhotoSource>) -> Result<Vec<Probability>, PhotoError> {
        Ok(Probability::softmax(&self.output(photo)?.logits, self.info().temperature))
    }

    /// The photo, no larger than the model's views are taken from: they are the same as of the whole photo.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn load_photo(&self, photo: impl Into<PhotoSource>) -> Result<Photo, PhotoError> {
        photo.into().load(&self.info().preprocess).map(|sized| sized.photo)
    }

    /// The network's output for each of these views, which are of the input's size
    /// ([`Preprocess::frame`](cairn_photo::Preprocess::frame)).
    ///
    /// # Panics
    /// If a view is not of the input's size.
    pub fn forward(&self, views: &[Photo]) -> Vec<ModelOutput> {
        forward::forward(self, views)
    }

    /// The output for a photo of any size, by the model's views: [`Model::output`] of a photo that is loaded, on the current
    /// rayon pool.
    pub fn output_of(&self, photo: &Photo) -> ModelOutput {
        let views = self.info().preprocess.views(photo, self.views());
        ModelOutput::mean(&forward::forward(self, &views)).expect("a photo has a view")
    }

    /// What an output means: the `k` likeliest landmarks, and whether the photo shows one at all.
    pub fn prediction(&self, output: &ModelOutput, k: usize) -> Prediction {
        let probabilities = Probability::softmax(&output.logits, self.info().temperature);
        // Equals stay in class order, so that the answer never depends on chance.
        let mut ranked = members(&probabilities, 0.0);
        ranked.truncate(k);
        // The options were held against the bundle before.
        let set = self.options().coverage.and_then(|coverage| self.set_of(&probabilities, coverage).ok());
        let score = self.score(output, self.landmark_score());
        Prediction {
            // A score that is not a number reaches no threshold.
            is_landmark: self.threshold().map(|threshold| score >= threshold),
            sure: self.info().rejection.and_then(|rejection| rejection.sure).map(|sure| score >= sure),
            landmark_score: score,
            landmarks: self.landmarks(&ranked, &probabilities),
            set,
        }
    }

    /// The smallest set of landmarks that holds the truth as often as this coverage says, for an output.
    ///
    /// # Errors
    /// When the model has no sets, or none of this coverage.
    pub fn landmark_set(&self, output: &ModelOutput, coverage: f64) -> Result<LandmarkSet, CoverageError> {
        self.set_of(&Probability::softmax(&output.logits, self.info().temperature), coverage)
    }

    fn set_of(&self, probabilities: &[Probability], coverage: f64) -> Result<LandmarkSet, CoverageError> {
        let lowest = self.lowest_probability(coverage)?;
        let landmarks = self.landmarks(&members(probabilities, lowest), probabilities);
        Ok(LandmarkSet { coverage, landmarks })
    }

    /// These classes as landmarks, with their probabilities of all.
    fn landmarks(&self, ids: &[ClassId], probabilities: &[Probability]) -> Vec<Landmark> {
        let landmark = |&id: &ClassId| {
            let class = self.class(id)?;
            Some(Landmark {
                class: class.folder.clone(),
                name: self.landmark_name(class).to_owned(),
                probability: probabilities[id.index()],
                place: self.places().find(&class.folder).cloned(),
            })
        };
        ids.iter().filter_map(landmark).collect()
    }

    /// The class of this place in [`Model::classes`], which would copy them all.
    fn class(&self, id: ClassId) -> Option<&Class> {
        let trained = &self.info().classes;
        match id.index().checked_sub(trained.len()) {
            None => trained.get(id),
            Some(place) => self.info().learning.as_ref()?.classes.get(ClassId::new(place)),
        }
    }

    /// A photo, upright, with the three landmarks that it most likely shows.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn suggest(&self, path: impl AsRef<std::path::Path>) -> Result<Suggestion, PhotoError> {
        // To be shown to people, at its own size.
        let photo = Photo::open(&path)?.unless_too_thin(path.as_ref())?;
        let prediction = self.predict(&photo, SUGGESTED)?;
        Ok(Suggestion { photo, prediction })
    }
}
