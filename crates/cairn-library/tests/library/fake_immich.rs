//! A small server that answers as Immich's API does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// A server on a port of the system's choice, which ends with the test's process.
pub(crate) struct Fake {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

#[derive(Default)]
struct Content {
    /// The paths of the assets; their ids are `asset-` and the path.
    assets: Vec<String>,
    /// Name and assets of albums by id.
    albums: BTreeMap<String, (String, Vec<String>)>,
    made: usize,
}

impl Fake {
    pub(crate) fn start(assets: &[&str]) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let assets = assets.iter().map(|path| (*path).to_owned()).collect();
        let content = Arc::new(Mutex::new(Content { assets, ..Content::default() }));
        let shared = Arc::clone(&content);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Fake { address, content }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn person_makes(&self, name: &str, paths: &[&str]) {
        let assets = paths.iter().map(|path| format!("asset-{path}")).collect();
        let mut content = self.content.lock().unwrap();
        content.albums.insert(format!("own-{name}"), (name.to_owned(), assets));
    }

    /// The albums' names, and the paths in them, in order.
    pub(crate) fn albums(&self) -> Vec<(String, Vec<String>)> {
        let content = self.content.lock().unwrap();
        let path = |asset: &String| asset.strip_prefix("asset-").unwrap().to_owned();
        let mut albums: Vec<(String, Vec<String>)> = content
            .albums
            .values()
            .map(|(name, assets)| {
                let mut paths: Vec<String> = assets.iter().map(path).collect();
                paths.sort();
                (name.clone(), paths)
            })
            .collect();
        albums.sort();
        albums
    }
}

fn serve(stream: &TcpStream, content: &Mutex<Content>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut parts = line.split_whitespace();
        let (method, path) = (parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned());
        let (mut length, mut key) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "x-api-key" => key = value.trim().to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = match key.as_str() {
            "the key" => answer(&method, &path, &body, &mut content.lock().unwrap()),
            _ => (401, json!({ "message": "Invalid API key" })),
        };
        let text = if status == 204 { String::new() } else { answer.to_string() };
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        if (&*stream).write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(method: &str, path: &str, body: &Value, content: &mut Content) -> (u16, Value) {
    let path = path.split('?').next().unwrap();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let ids = || -> Vec<String> {
        body["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let album = |id: &str, (name, assets): &(String, Vec<String>)| json!({ "id": id, "albumName": name, "assetCount": assets.len() });
    match (method, parts.as_slice()) {
        ("GET", ["api", "albums"]) => {
            (200, content.albums.iter().map(|(id, of)| album(id, of)).collect::<Vec<Value>>().into())
        }
        ("POST", ["api", "albums"]) => {
            content.made += 1;
            let id = format!("made-{}", content.made);
            let made = (body["albumName"].as_str().unwrap().to_owned(), Vec::new());
            let answer = album(&id, &made);
            content.albums.insert(id, made);
            (201, answer)
        }
        ("GET", ["api", "albums", id]) => match content.albums.get(*id) {
            Some(found) => (200, album(id, found)),
            None => (400, json!({ "message": "Not found or no album.read access" })),
        },
        ("DELETE", ["api", "albums", id]) => match content.albums.remove(*id) {
            Some(_) => (204, Value::Null),
            None => (400, Value::Null),
        },
        ("PUT", ["api", "albums", id, "assets"]) => {
            let (_, assets) = content.albums.get_mut(*id).unwrap();
            let add = |asset: String| {
                let is_new = !assets.contains(&asset);
                if is_new {
                    assets.push(asset.clone());
                }
                json!({ "id": asset, "success": is_new, "error": (!is_new).then_some("duplicate") })
            };
            (200, ids().into_iter().map(add).collect::<Vec<Value>>().into())
        }
        ("DELETE", ["api", "albums", id, "assets"]) => {
            let removed = ids();
            content.albums.get_mut(*id).unwrap().1.retain(|asset| !removed.contains(asset));
            (
                200,
                removed.iter().map(|id| json!({ "id": id, "success": true })).collect::<Vec<Value>>().into(),
            )
        }
        ("POST", ["api", "search", "metadata"]) => {
            let wanted = body["originalPath"].as_str().unwrap();
            let items: Vec<Value> = content
                .assets
                .iter()
                .filter(|path| path.contains(wanted))
                .map(|path| json!({ "id": format!("asset-{path}"), "originalPath": path }))
                .collect();
            (200, json!({ "assets": { "items": items, "total": items.len() } }))
        }
        _ => (404, json!({ "message": "Cannot find this" })),
    }
}
