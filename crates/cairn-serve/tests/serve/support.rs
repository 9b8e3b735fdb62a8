//! A small model, drawn photos, and a server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use bytes::Bytes;
use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, ModelOptions, Photo, TestViews};
use cairn_photo::PictureKind;
use cairn_serve::{
    AppState, Event, Limits, ModelSource, Observer, OpenError, ServeConfig, Server, Silent, router, start,
};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tower::ServiceExt;

/// Nothing here takes longer, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The model that comes with cairn.
pub(crate) fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cairn-model/models/landmarks.safetensors")
}

/// A model's file, and how it answers.
pub(crate) struct FileSource {
    pub(crate) path: PathBuf,
    pub(crate) views: TestViews,
}

impl FileSource {
    /// The model that comes with cairn, by one view of each photo.
    pub(crate) fn quick() -> Self {
        Self { path: shipped(), views: TestViews::One }
    }
}

impl ModelSource for FileSource {
    fn open(&self) -> Result<(Model, ModelIdentity), OpenError> {
        let bytes = std::fs::read(&self.path)?;
        let options = ModelOptions { views: Some(self.views), ..ModelOptions::default() };
        let model = Model::from_bytes(&bytes, "model")?.with_options(options)?;
        Ok((model, ModelIdentity::new("model", &bytes)))
    }

    fn path(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }
}

/// Remembers what happened.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Vec<String>>);

impl Remembered {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Remembered {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(serde_json::to_string(event).unwrap());
    }
}

/// The defaults, with two workers and limits that tests reach quickly.
pub(crate) fn config() -> ServeConfig {
    let limits = Limits { workers: 2, max_request: 8 << 20, max_memory: 16 << 20, ..Limits::default() };
    ServeConfig { address: ([127, 0, 0, 1], 0).into(), limits, ..ServeConfig::default() }
}

pub(crate) fn state(config: ServeConfig) -> AppState {
    start(config, &FileSource::quick(), Arc::new(Silent)).unwrap()
}

/// A drawn photo of this width, with detail everywhere.
pub(crate) fn photo(width: u32) -> Photo {
    let height = (width * 3 / 4).max(1);
    let mut photo = Photo::filled(width, height, [0; 3]);
    for (at, level) in photo.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (at / 3 % width as usize, at / 3 / width as usize);
        *level = ((x * (3 + at % 3) + y * 2) % 251) as u8;
    }
    photo
}

/// Its file.
pub(crate) fn jpeg(width: u32) -> Bytes {
    photo(width).encode(PictureKind::Jpeg).unwrap().into()
}

/// What is asked of a router.
pub(crate) async fn ask(state: &AppState, request: Request<Body>) -> Response<Body> {
    router(state).oneshot(request).await.unwrap()
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}

pub(crate) fn post_as(path: &str, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap()
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// The same, accepting this.
pub(crate) fn accepting(mut request: Request<Body>, accept: &str) -> Request<Body> {
    request.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
    request
}

pub(crate) async fn bytes_of(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

pub(crate) async fn text_of(response: Response<Body>) -> String {
    String::from_utf8(bytes_of(response).await.to_vec()).unwrap()
}

pub(crate) async fn json_of(response: Response<Body>) -> Value {
    serde_json::from_slice(&bytes_of(response).await).unwrap()
}

/// The kind of an error, with its status.
pub(crate) async fn error_of(response: Response<Body>) -> (StatusCode, String, String) {
    let status = response.status();
    let error = json_of(response).await;
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    (status, text("error_type"), text("error"))
}

/// A form with these photos and fields.
pub(crate) fn form(photos: &[(&str, Bytes)], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, photo) in photos {
        body.extend(
            format!(
                "--BOUNDARY\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"{name}\"\r\n\
                 content-type: image/jpeg\r\n\r\n"
            )
            .bytes(),
        );
        body.extend_from_slice(photo);
        body.extend(b"\r\n");
    }
    for (name, value) in fields {
        body.extend(
            format!("--BOUNDARY\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .bytes(),
        );
    }
    body.extend(b"--BOUNDARY--\r\n");
    body
}

pub(crate) const FORM: &str = "multipart/form-data; boundary=BOUNDARY";

/// The value of a metric.
pub(crate) async fn metric(state: &AppState, name: &str) -> f64 {
    let text = text_of(ask(state, get("/metrics")).await).await;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no metric {name} in {text}")).parse().unwrap()
}

/// A server on a port of its own.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) state: AppState,
    pub(crate) runtime: Runtime,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<tokio::task::JoinHandle<usize>>,
}

impl Running {
    pub(crate) fn new(config: ServeConfig) -> Self {
        Self::with_state(state(config))
    }

    pub(crate) fn with_state(state: AppState) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::bind(state.clone())).unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ended = runtime.spawn(server.run(async {
            stopped.await.unwrap();
        }));
        Self { address, state, runtime, stop: Some(stop), ended: Some(ended) }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks it to stop; how many connections were left unanswered.
    pub(crate) fn stop(&mut self) -> usize {
        self.stop.take().unwrap().send(()).unwrap();
        self.runtime.block_on(async { self.ended.take().unwrap().await.unwrap() })
    }

    pub(crate) fn metric(&self, name: &str) -> f64 {
        self.runtime.block_on(metric(&self.state, name))
    }

    /// Waits until a metric is as it should be.
    pub(crate) fn wait_for(&self, name: &str, reached: impl Fn(f64) -> bool) {
        let begun = Instant::now();
        loop {
            let found = self.metric(name);
            if reached(found) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} stays at {found}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until no body and no photo is held any more.
    pub(crate) fn wait_until_idle(&self) {
        for name in ["cairn_in_flight_bytes", "cairn_queue_photos"] {
            self.wait_for(name, |held| held == 0.0);
        }
    }
}

/// A request as it goes over the wire.
pub(crate) fn raw_post(path: &str, body: &[u8]) -> Vec<u8> {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len())
            .into_bytes();
    request.extend_from_slice(body);
    request
}

/// One answer: its status, its headers and its body.
pub(crate) fn read_answer(stream: &mut TcpStream) -> (u16, String, Vec<u8>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            end => panic!("{end:?} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (status, head, body)
}

/// A request, and its answer.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8]) -> (u16, String, Vec<u8>) {
    stream.write_all(request).unwrap();
    read_answer(stream)
}
