//! Connections to stores, one for each bucket, and what waits for their answers.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{HttpClient, HttpConnector, ReqwestConnector};
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, HeaderValue, ObjectStore, RetryConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::fault::io_error;
use crate::address::{Address, Scheme};
use crate::stores::Stop;

/// Threads that carry bytes: photos are looked at on others.
const THREADS: usize = 2;
/// How often whoever waits looks whether somebody wants to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Connections, made when they are first needed.
pub(super) struct Connections {
    stop: Stop,
    /// Of the environment: credentials, endpoints.
    variables: Vec<(String, String)>,
    runtime: OnceLock<Runtime>,
    buckets: Mutex<HashMap<(Scheme, String), Arc<dyn ObjectStore>>>,
    web: OnceLock<HttpClient>,
}

/// A file or prefix in a store that is connected to.
#[derive(Clone)]
pub(super) struct Object {
    pub(super) address: Address,
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) path: Path,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(stop: Stop, variables: Vec<(String, String)>) -> Self {
        Self { stop, variables, runtime: OnceLock::new(), buckets: Mutex::default(), web: OnceLock::new() }
    }

    /// The file or prefix of an address.
    pub(super) fn object(connections: &Arc<Self>, address: &Address) -> io::Result<Object> {
        connections.runtime()?;
        let invalid = |error: object_store::path::Error| {
            // A name that no store can have is the fault of what names it.
            io::Error::new(io::ErrorKind::InvalidInput, format!("is no name of a file in a store: {error}"))
        };
        let (store, path) = if address.scheme.is_web() {
            (connections.web_file(address)?, Path::default())
        } else {
            let path = Path::parse(&address.path).map_err(invalid)?;
            (connections.bucket(address)?, path)
        };
        Ok(Object { address: address.clone(), store, path, connections: Arc::clone(connections) })
    }

    fn runtime(&self) -> io::Result<&Runtime> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("store").enable_all().build()?;
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// The bucket or container of an address, as the environment has its credentials.
    fn bucket(&self, address: &Address) -> io::Result<Arc<dyn ObjectStore>> {
        let key = (address.scheme, address.place.clone());
        // A map is never half changed.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = buckets.get(&key) {
            return Ok(Arc::clone(store));
        }
        let place = address.place.as_str();
        let store: object_store::Result<Arc<dyn ObjectStore>> = match address.scheme {
            Scheme::Google => {
                let mut builder =
                    GoogleCloudStorageBuilder::new().with_bucket_name(place).with_retry(retries());
                for (key, value) in self.settings("GOOGLE_") {
                    builder = builder.with_config(key, value);
                }
                builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
            }
            Scheme::Azure => {
                let mut builder =
                    MicrosoftAzureBuilder::new().with_container_name(place).with_retry(retries());
                for (key, value) in self.settings("AZURE_") {
                    builder = builder.with_config(key, value);
                }
                if let Some(endpoint) = self.variable(&["IDENTITY_ENDPOINT"]) {
                    builder = builder.with_msi_endpoint(endpoint);
                }
                // Who names a store without TLS means it.
                if self.variable(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"]).is_some_and(is_plain) {
                    builder = builder.with_allow_http(true);
                }
                builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
            }
            _ => {
                let mut builder = AmazonS3Builder::new().with_bucket_name(place).with_retry(retries());
                for (key, value) in self.settings("AWS_") {
                    builder = builder.with_config(key, value);
                }
                let endpoint = self.variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint);
                    if is_plain(endpoint) {
                        builder = builder.with_allow_http(true);
                    }
                }
                builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
            }
        };
        let store = store.map_err(|error| io_error(error, address))?;
        buckets.insert(key, Arc::clone(&store));
        Ok(store)
    }

    /// The settings of a store, which variables of this prefix hold; others of the same prefix are not the store's.
    fn settings<Key: FromStr>(&self, prefix: &str) -> impl Iterator<Item = (Key, &str)> {
        self.variables
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.as_str())))
    }

    /// The first of these variables that is there.
    fn variable(&self, names: &[&str]) -> Option<&str> {
        let value = |wanted: &&str| self.variables.iter().find(|(name, _)| name == wanted);
        names.iter().find_map(value).map(|(_, value)| value.as_str())
    }

    /// A file of a web server. A URL is a store of its own, so that its query is sent as it is; all share their connections.
    fn web_file(&self, address: &Address) -> io::Result<Arc<dyn ObjectStore>> {
        let fault = |error| io_error(error, address);
        // Some servers refuse programs that do not say who they are.
        let agent = HeaderValue::from_static(concat!("cairn/", env!("CARGO_PKG_VERSION")));
        let options = ClientOptions::new().with_allow_http(true).with_user_agent(agent);
        let client = match self.web.get() {
            Some(client) => client,
            None => {
                let client = ReqwestConnector::default().connect(&options).map_err(fault)?;
                self.web.get_or_init(|| client)
            }
        };
        let builder = HttpBuilder::new().with_url(address.url()).with_retry(retries());
        let store = builder.with_client_options(options).with_http_connector(Shared(client.clone())).build();
        Ok(Arc::new(store.map_err(fault)?))
    }
}

fn is_plain(endpoint: &str) -> bool {
    endpoint.starts_with("http://")
}

/// How often a request is tried: a bad minute fails the shard, which is tried again when the others are done.
fn retries() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(10),
        base: 3.0,
    };
    RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(60) }
}

impl Drop for Connections {
    fn drop(&mut self) {
        // The last to hold it may be a task that was ended, on one of its own threads: there nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Connections that are there.
#[derive(Debug)]
struct Shared(HttpClient);

impl HttpConnector for Shared {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(self.0.clone())
    }
}

impl Object {
    /// Another file of the same store.
    pub(super) fn with_path(&self, path: Path) -> Self {
        Self { address: self.address.with_path(path.as_ref()), path, ..self.clone() }
    }

    /// Waits for an answer of the store, or until somebody wants to stop.
    pub(super) fn wait<T>(&self, answer: impl Future<Output = object_store::Result<T>>) -> io::Result<T> {
        self.wait_for(answer)?.map_err(|error| io_error(error, &self.address))
    }

    /// The same of any work.
    pub(super) fn wait_for<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        let stopped = async {
            while !(self.connections.stop)() {
                tokio::time::sleep(LOOK).await;
            }
        };
        self.connections.runtime()?.block_on(async {
            tokio::select! {
                biased;
                () = stopped => Err(io::Error::other("stopped")),
                done = work => Ok(done),
            }
        })
    }

    /// Does some work meanwhile.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        Ok(self.connections.runtime()?.spawn(work))
    }
}
