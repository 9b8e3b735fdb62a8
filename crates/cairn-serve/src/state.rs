//! What all routes share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::body::Body;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::{Semaphore, oneshot};

use crate::ServedModel;
use crate::admission::{BodyKind, BodyReader, MemoryPermits, SharedPermit};
use crate::config::{Limits, ServeConfig};
use crate::deadline::Deadline;
use crate::engine::{Engine, Job, PhotoOutput};
use crate::error::{ApiError, ErrorType};
use crate::events::{Event, Observer};
use crate::feedback::{Corrected, FeedbackFolder, Kept};
use crate::fetch::{AT_ONCE, Fetched, Fetcher, not_allowed};
use crate::metrics::{Metrics, PhotoOutcome};
use crate::photos::{PhotoAnswer, PredictOptions, Predictions, SubmittedPhoto};
use crate::serve_error::ServeError;
use crate::served_model::CurrentModel;

/// What all routes share. A clone shares everything.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

struct Shared {
    config: ServeConfig,
    limits: Arc<Limits>,
    model: CurrentModel,
    engine: Engine,
    memory: MemoryPermits,
    /// Places for photos that are accepted and not yet answered.
    places: Arc<Semaphore>,
    /// Explanations take much memory: one at a time.
    explaining: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    ready: AtomicBool,
    feedback: Option<Arc<FeedbackFolder>>,
    /// Where photos are fetched by address, if any host is allowed.
    fetcher: Option<Fetcher>,
    fetching: Semaphore,
    observer: Arc<dyn Observer>,
}

impl AppState {
    /// The state of a server whose model is `served`. It is not [ready](AppState::is_ready) yet.
    pub(crate) fn new(
        config: ServeConfig,
        served: ServedModel,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ServeError> {
        let metrics = Metrics::new();
        let limits = Arc::new(config.limits.clone());
        let engine = Engine::start(limits.workers, &metrics)?;
        let feedback = config.feedback.as_ref().map(|folder| {
            FeedbackFolder::open(folder, config.max_feedback)
                .map_err(|source| ServeError::Feedback { folder: folder.clone(), source })
        });
        let fetcher = (!config.allow_urls.is_empty()).then(|| Fetcher::new(&config.allow_urls));
        let state = Self(Arc::new(Shared {
            feedback: feedback.transpose()?.map(Arc::new),
            fetcher,
            fetching: Semaphore::new(AT_ONCE),
            memory: MemoryPermits::new(limits.max_memory),
            places: Arc::new(Semaphore::new(limits.queue)),
            explaining: Arc::new(Semaphore::new(1)),
            model: CurrentModel::new(served),
            config,
            limits,
            engine,
            metrics,
            ready: AtomicBool::new(false),
            observer,
        }));
        state.tell_model();
        Ok(state)
    }

    /// How the server was started.
    pub fn config(&self) -> &ServeConfig {
        &self.0.config
    }

    /// The limits of requests.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The model that answers now.
    pub fn served(&self) -> Arc<ServedModel> {
        self.0.model.get()
    }

    pub(crate) fn replace_model(&self, served: ServedModel) {
        self.0.model.replace(served);
        self.tell_model();
    }

    fn tell_model(&self) {
        let served = self.served();
        let network = served.model.info().network.architecture.to_string();
        self.0.metrics.model(&served.identity.name, &network, &served.identity.digest);
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn observe(&self, event: &Event<'_>) {
        self.0.observer.event(event);
    }

    /// Whether photos are taken: the model is warm, all workers live, and the server is not stopping.
    pub fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Relaxed) && self.0.engine.is_whole()
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Relaxed);
    }

    /// Photos that are accepted and not yet answered.
    pub(crate) fn accepted(&self) -> usize {
        self.0.limits.queue - self.0.places.available_permits()
    }

    /// Bytes of bodies in memory.
    pub(crate) fn bytes_in_flight(&self) -> u64 {
        self.0.memory.taken()
    }

    /// Takes memory for a body, and reads it.
    ///
    /// # Errors
    /// When it is too large, or there is no memory now.
    pub(crate) fn read_body(&self, body: Body, kind: BodyKind) -> Result<BodyReader, ApiError> {
        BodyReader::admit(body, kind, &self.0.limits, &self.0.memory)
    }

    /// The whole of a body, and its memory.
    ///
    /// # Errors
    /// As [`AppState::read_body`], and when the client stops or is too slow.
    pub(crate) async fn whole_body(
        &self,
        body: Body,
        kind: BodyKind,
    ) -> Result<(Vec<u8>, SharedPermit), ApiError> {
        let mut reader = self.read_body(body, kind)?;
        let bytes = reader.whole().await?;
        Ok((bytes, reader.permit()))
    }

    /// The photo at an address.
    ///
    /// # Errors
    /// When its host is not allowed, does not answer, or answers with something else.
    pub(crate) async fn fetch(&self, url: &str) -> Result<Fetched, ApiError> {
        let fetcher = self.0.fetcher.clone().ok_or_else(not_allowed)?;
        fetcher.check(url)?;
        // The semaphore is never closed.
        let _turn = self.0.fetching.acquire().await.ok();
        let most = self.limits().max_photo;
        let memory = self.0.memory.try_take(most).ok_or_else(|| {
            ApiError::overloaded(
                "other requests take the memory that all may have together (--max-memory); try again",
            )
        })?;
        let url = url.to_owned();
        let fetched = tokio::task::spawn_blocking(move || fetcher.fetch(&url, most)).await;
        let bytes = fetched.unwrap_or_else(|panic| Err(ApiError::internal(panic.to_string())))?;
        Ok(Fetched { bytes, memory: SharedPermit::new(memory) })
    }

    /// Keeps a photo that was corrected.
    ///
    /// # Errors
    /// When no folder was given, or it is full or cannot be written.
    pub(crate) async fn keep(&self, photo: Corrected) -> Result<Kept, ApiError> {
        let folder = self.0.feedback.clone();
        let folder = folder.ok_or_else(|| ApiError::internal("there is no folder for corrections"))?;
        let kept = tokio::task::spawn_blocking(move || folder.keep(&photo)).await;
        kept.unwrap_or_else(|panic| Err(ApiError::internal(panic.to_string())))
    }

    /// What the model says of photos, in their order. Each photo's fault is its own.
    ///
    /// # Errors
    /// When there are too many photos, or the server has no places for them now, or would not answer them in time.
    pub async fn predict(
        &self,
        photos: Vec<SubmittedPhoto>,
        options: &PredictOptions,
    ) -> Result<Predictions, ApiError> {
        let (served, answers) = self.submit(photos, options).await?;
        let mut photos: Vec<PhotoAnswer> = answers.collect().await;
        photos.sort_by_key(|photo| photo.index);
        Ok(Predictions { served, photos })
    }

    /// The same, each photo as it is done. Photos that nobody waits for any more, because the stream was dropped, are not
    /// looked at.
    ///
    /// # Errors
    /// As [`AppState::predict`].
    pub async fn submit(
        &self,
        photos: Vec<SubmittedPhoto>,
        options: &PredictOptions,
    ) -> Result<(Arc<ServedModel>, impl Stream<Item = PhotoAnswer> + Send + 'static + use<>), ApiError> {
        let limits = self.limits();
        self.check_count(photos.len())?;
        if options.landmarks == 0 {
            return Err(ApiError::validation("k=0 names nothing; ask for at least one landmark"));
        }
        let served = self.served();
        if let Some(coverage) = options.coverage {
            served.model.check_coverage(coverage).map_err(|error| ApiError::validation(error.to_string()))?;
        }
        let count = u32::try_from(photos.len()).unwrap_or(u32::MAX);
        let mut places = Arc::clone(&self.0.places).try_acquire_many_owned(count).map_err(|_| {
            ApiError::overloaded(format!(
                "the {} places for photos are taken (--queue); try again",
                limits.queue
            ))
        })?;
        self.check_wait(photos.len())?;
        self.0.metrics.photos_of_request(photos.len());
        let deadline = Deadline::new(Instant::now(), limits.deadline);
        let accepted: Vec<_> = photos
            .into_iter()
            .enumerate()
            // There are as many places as photos.
            .filter_map(|(index, photo)| Some((index, photo, places.split(1)?, Tally::new(&self.0.metrics))))
            .collect();
        let (state, model, options) = (self.clone(), Arc::clone(&served), options.clone());
        let answers = stream::iter(accepted).map(move |(index, photo, place, tally)| {
            let (state, served, options) = (state.clone(), Arc::clone(&model), options.clone());
            async move {
                let name = photo.name.clone();
                let outcome = state.output(photo, place, served, options, deadline).await;
                tally.count(&outcome);
                PhotoAnswer { index, name, outcome }
            }
        });
        Ok((served, answers.buffer_unordered(limits.max_batch)))
    }

    async fn output(
        &self,
        photo: SubmittedPhoto,
        place: tokio::sync::OwnedSemaphorePermit,
        served: Arc<ServedModel>,
        options: PredictOptions,
        deadline: Deadline,
    ) -> Result<PhotoOutput, ApiError> {
        let bytes = photo.bytes?;
        self.0.metrics.received(bytes.len());
        let begun = Arc::new(OnceLock::new());
        let answered = async {
            let _turn = match &options.explain {
                // The semaphore is never closed.
                Some(_) => self.0.explaining.acquire().await.ok(),
                None => None,
            };
            let (answer, output) = oneshot::channel();
            self.0.engine.submit(Job {
                name: photo.name,
                bytes,
                memory: photo.memory,
                place,
                served,
                landmarks: options.landmarks,
                threshold: options.threshold,
                coverage: options.coverage,
                explain: options.explain,
                queued: Instant::now(),
                deadline,
                begun: Arc::clone(&begun),
                answer,
            });
            output.await.unwrap_or_else(|_| Err(ApiError::internal("a worker thread died; please report it")))
        };
        tokio::time::timeout_at(deadline.end().into(), answered)
            .await
            .unwrap_or_else(|_| Err(deadline.missed(begun.get().copied())))
    }

    /// Whether photos that have their places now will be answered in time, as fast as photos were lately.
    fn check_wait(&self, photos: usize) -> Result<(), ApiError> {
        let (accepted, deadline) = (self.accepted(), self.limits().deadline);
        // What has nothing before it is always taken, so that slow photos of long ago do not close the server for good.
        let before = accepted.saturating_sub(photos);
        let wait = self.0.engine.wait(accepted);
        if before == 0 || wait <= deadline {
            return Ok(());
        }
        let text = format!(
            "{before} photos are before this, which would be answered after {:.0} s, and {} s is the limit (--deadline); \
             try again",
            wait.as_secs_f64(),
            deadline.as_secs_f64()
        );
        // Then as many are done as are too many now.
        Err(ApiError::overloaded(text).after((wait - deadline).min(deadline)))
    }
}

/// Counts what becomes of a photo: a photo that was accepted and whose answer nobody waited for is counted as dropped.
struct Tally {
    metrics: Arc<Metrics>,
    outcome: PhotoOutcome,
}

impl Tally {
    fn new(metrics: &Arc<Metrics>) -> Self {
        Self { metrics: Arc::clone(metrics), outcome: PhotoOutcome::Dropped }
    }

    fn count(mut self, outcome: &Result<PhotoOutput, ApiError>) {
        self.outcome = match outcome {
            Ok(output) if output.prediction.named().is_some() => PhotoOutcome::Landmark,
            Ok(_) => PhotoOutcome::Other,
            Err(error) if matches!(error.error_type, ErrorType::Timeout | ErrorType::Overloaded) => {
                PhotoOutcome::Dropped
            }
            Err(_) => PhotoOutcome::Bad,
        };
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.metrics.photo(self.outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;
    use cairn_model::Model;
    use cairn_model::rows::ModelIdentity;
    use cairn_photo::{Photo, PictureKind};

    use super::*;
    use crate::events::Silent;

    fn state(deadline: Duration) -> AppState {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cairn-model/models/landmarks.safetensors");
        let served = ServedModel::new(Model::open(path).unwrap(), ModelIdentity::new("model", b"model"));
        let limits = Limits { workers: 1, deadline, ..Limits::default() };
        AppState::new(ServeConfig { limits, ..ServeConfig::default() }, served, Arc::new(Silent)).unwrap()
    }

    fn photos(count: usize) -> Vec<SubmittedPhoto> {
        let bytes = Photo::filled(40, 30, [9; 3]).encode(PictureKind::Jpeg).unwrap();
        let photo = SubmittedPhoto { name: "photo".to_owned(), bytes: Ok(bytes.into()), memory: None };
        vec![photo; count]
    }

    /// Takes places for photos that are not looked at until the answers are asked for.
    async fn accept(
        state: &AppState,
        count: usize,
    ) -> Result<impl Stream<Item = PhotoAnswer> + use<>, ApiError> {
        Ok(state.submit(photos(count), &PredictOptions::default()).await?.1)
    }

    #[tokio::test]
    async fn photos_that_would_wait_longer_than_the_deadline_are_refused_at_once() {
        let state = state(Duration::from_secs(25));
        let unknown = accept(&state, 64).await.ok();
        assert!(unknown.is_some(), "all are taken before it is known how long photos take");
        drop(unknown);

        state.0.engine.observe(Duration::from_secs(10));
        let first = accept(&state, 2).await.ok();
        assert!(first.is_some(), "20 s");
        let refused = accept(&state, 1).await.err().unwrap();
        assert_eq!((refused.error_type, state.accepted()), (ErrorType::Overloaded, 2));
        assert_eq!(refused.retry_after, Some(Duration::from_secs(5)), "30 s, of which 25 are allowed");
        let response = refused.into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        drop(first);
        assert!(accept(&state, 2).await.is_ok(), "their places are free again");
    }

    #[tokio::test]
    async fn photos_that_have_nothing_before_them_are_taken_however_slow_photos_were() {
        let state = state(Duration::from_secs(1));
        state.0.engine.observe(Duration::from_secs(3600));
        let all = accept(&state, 3).await.ok();
        assert!(all.is_some());
        let refused = accept(&state, 1).await.err().unwrap();
        assert_eq!(refused.retry_after, Some(Duration::from_secs(1)), "no longer than the deadline");
    }

    #[tokio::test]
    async fn photos_whose_time_is_over_before_a_worker_takes_them_are_told_to_come_again() {
        let state = state(Duration::from_millis(1));
        let answers = accept(&state, 2).await.unwrap();
        let end = Instant::now() + Duration::from_millis(1);
        while Instant::now() <= end {
            tokio::task::yield_now().await;
        }
        let photos: Vec<PhotoAnswer> = answers.collect().await;
        let predictions = Predictions { served: state.served(), photos };
        let error = predictions.error().expect("not one is answered");
        assert_eq!((error.status(), error.retry_after.is_some()), (StatusCode::TOO_MANY_REQUESTS, true));
        let text = state.metrics().text(0, 0).unwrap();
        assert!(text.contains("cairn_photos_total{outcome=\"dropped\"} 2"), "{text}");
    }
}
