//! A server on a free port, and photos to send to it.

// Each test binary uses its part of this.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, ModelOptions, Threshold};
use cairn_serve::{ModelSource, OpenError, ServeConfig, Server, Silent};
use cairn_synthetic::Kind;
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// The model that ships, with a threshold of its own or another one.
#[derive(Clone, Copy)]
pub(crate) struct Shipped {
    threshold: Option<f64>,
}

impl Shipped {
    /// As it ships.
    pub(crate) const AS_IT_IS: Self = Self { threshold: None };
    /// Every photo shows a landmark, drawn ones too.
    pub(crate) const ALL_LANDMARKS: Self = Self { threshold: Some(f64::MIN) };
    /// No photo shows a landmark.
    pub(crate) const NO_LANDMARKS: Self = Self { threshold: Some(f64::MAX) };
}

impl ModelSource for Shipped {
    fn open(&self) -> Result<(Model, ModelIdentity), OpenError> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cairn-model/models/landmarks.safetensors");
        let threshold = self.threshold.map(Threshold::At);
        let model = Model::open_with(&path, ModelOptions { threshold, ..ModelOptions::default() })?;
        Ok((model, ModelIdentity::new("shipped", &std::fs::read(path)?)))
    }

    fn path(&self) -> Option<PathBuf> {
        None
    }
}

/// A server that runs until it is dropped.
pub(crate) struct TestServer {
    address: SocketAddr,
    base: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl TestServer {
    /// Serves on a free port, otherwise as `config` says.
    pub(crate) fn start(config: ServeConfig, model: Shipped) -> Self {
        let config = ServeConfig { address: ([127, 0, 0, 1], 0).into(), ..config };
        let base = config.base_path.clone();
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let state = cairn_serve::start(config, &model, Arc::new(Silent)).unwrap();
            runtime.block_on(async {
                let server = Server::bind(state).await.unwrap();
                tell.send(server.address().unwrap()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        Self { address: told.recv().unwrap(), base, stop: Some(stop), thread: Some(thread) }
    }

    /// Waits until a metric is as it should be.
    pub(crate) fn wait_for(&self, name: &str, reached: impl Fn(f64) -> bool) {
        let begun = Instant::now();
        loop {
            let text = ureq::get(self.url("/metrics")).call().unwrap().body_mut().read_to_string().unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            let found: f64 = line.unwrap_or_else(|| panic!("no metric {name} in {text}")).parse().unwrap();
            if reached(found) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} stays at {found}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The address of a path, which begins with `/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.base)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Drawn photos in a folder of their own, and a file that is none.
pub(crate) struct Photos {
    folder: TempDir,
}

impl Photos {
    /// `castle.png`, `dome.png`, `tower.png`, and `broken.jpg`.
    pub(crate) fn draw() -> Self {
        let folder = TempDir::new().unwrap();
        for (name, kind) in
            [("castle.png", Kind::Castle), ("dome.png", Kind::Dome), ("tower.png", Kind::ALL[0])]
        {
            cairn_synthetic::draw(kind, 7, 240).save(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("broken.jpg"), b"\xff\xd8\xff\xe0 this is no photo").unwrap();
        Self { folder }
    }

    /// The path of one.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
