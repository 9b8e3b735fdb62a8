//! The requests that are made: Immich's API as of its version 2 (`/api`).

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ureq::typestate::WithBody;
use ureq::{Agent, RequestBuilder};

use crate::state::StateError;

/// A server that does not answer is not waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Assets in one request at most.
pub(super) const ASSETS_A_REQUEST: usize = 500;

/// An Immich server, and the key by which it knows the person.
pub struct Immich {
    url: String,
    key: String,
    agent: Agent,
}

/// Why a server's albums cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImmichError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The server cannot be reached, or refuses.
    #[error("{url}: {}", advice(source))]
    Request {
        /// The address.
        url: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The server's answer is not what its API says.
    #[error("{url}: the answer is not what cairn expects of Immich: {reason}")]
    Answer {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The journal.
    #[error("{}: cannot be read or written", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

fn advice(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(401) => "the server does not know this key".to_owned(),
        ureq::Error::StatusCode(403) => {
            "the key may not do this: it needs the permissions asset.read, album.read, album.create, album.delete, \
             albumAsset.create and albumAsset.delete"
                .to_owned()
        }
        ureq::Error::StatusCode(404) => "there is no Immich API at this address".to_owned(),
        error => error.to_string(),
    }
}

/// An album.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Album {
    pub(super) id: String,
    pub(super) album_name: String,
    #[serde(default)]
    pub(super) asset_count: u64,
}

/// A photo on the server.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asset {
    id: String,
    original_path: String,
}

#[derive(Deserialize)]
struct Found {
    assets: Assets,
}

#[derive(Deserialize)]
struct Assets {
    items: Vec<Asset>,
}

/// What became of an asset in a request for many.
#[derive(Deserialize)]
struct OfMany {
    id: String,
    success: bool,
}

#[derive(Serialize)]
struct Ids<'a> {
    ids: &'a [String],
}

impl Immich {
    /// The server at this address. Nothing is asked yet.
    pub fn new(url: &str, key: &str) -> Immich {
        let url = url.trim_end_matches('/').trim_end_matches("/api").to_owned();
        let agent = Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
        Immich { url, key: key.trim().to_owned(), agent }
    }

    /// The server's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The person's albums.
    pub(super) fn albums(&self) -> Result<Vec<Album>, ImmichError> {
        self.ask("GET", "/albums", None)
    }

    pub(super) fn album(&self, id: &str) -> Result<Album, ImmichError> {
        self.ask("GET", &format!("/albums/{id}?withoutAssets=true"), None)
    }

    pub(super) fn create_album(&self, name: &str) -> Result<Album, ImmichError> {
        let body = serde_json::json!({ "albumName": name, "description": "Made by cairn" });
        self.ask("POST", "/albums", Some(body.to_string()))
    }

    pub(super) fn delete_album(&self, id: &str) -> Result<(), ImmichError> {
        self.send("DELETE", &format!("/albums/{id}"), None).map(drop)
    }

    /// Adds assets to an album, and gives those that were not in it before.
    pub(super) fn add_assets(&self, album: &str, ids: &[String]) -> Result<Vec<String>, ImmichError> {
        let added: Vec<OfMany> =
            self.ask("PUT", &format!("/albums/{album}/assets"), Some(json(&Ids { ids })))?;
        Ok(added.into_iter().filter(|asset| asset.success).map(|asset| asset.id).collect())
    }

    pub(super) fn remove_assets(&self, album: &str, ids: &[String]) -> Result<(), ImmichError> {
        self.send("DELETE", &format!("/albums/{album}/assets"), Some(json(&Ids { ids }))).map(drop)
    }

    /// The asset whose file has this path on the server; `None` where there is none.
    pub(super) fn asset_at(&self, path: &str) -> Result<Option<String>, ImmichError> {
        let body = serde_json::json!({ "originalPath": path });
        let found: Found = self.ask("POST", "/search/metadata", Some(body.to_string()))?;
        // The server may also find paths that contain this one.
        Ok(found.assets.items.into_iter().find(|asset| asset.original_path == path).map(|asset| asset.id))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<T, ImmichError> {
        let text = self.send(method, path, body)?;
        serde_json::from_str(&text).map_err(|error| ImmichError::Answer {
            url: format!("{}/api{path}", self.url),
            reason: error.to_string(),
        })
    }

    fn send(&self, method: &str, path: &str, body: Option<String>) -> Result<String, ImmichError> {
        let url = format!("{}/api{path}", self.url);
        let with_key = |request: RequestBuilder<WithBody>| {
            request.header("x-api-key", &self.key).header("content-type", "application/json")
        };
        let sent = match (method, body) {
            ("POST", body) => with_key(self.agent.post(&url)).send(body.unwrap_or_default()),
            ("PUT", body) => with_key(self.agent.put(&url)).send(body.unwrap_or_default()),
            // A DELETE with a body is what Immich's API asks for.
            ("DELETE", Some(body)) => with_key(self.agent.delete(&url).force_send_body()).send(body),
            ("DELETE", None) => self.agent.delete(&url).header("x-api-key", &self.key).call(),
            _ => self.agent.get(&url).header("x-api-key", &self.key).call(),
        };
        let text = sent.and_then(|mut answer| answer.body_mut().read_to_string());
        text.map_err(|source| ImmichError::Request { url, source: Box::new(source) })
    }
}

fn json(ids: &Ids<'_>) -> String {
    // A list of texts: JSON has a form for each.
    serde_json::to_string(ids).unwrap_or_default()
}
