//! A web server that serves files, fails as it is told, and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What is answered instead of a file.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// A status, and a body.
    Status(u16, Vec<u8>),
    /// The connection is closed before all bytes are sent.
    Cut,
    /// The file.
    Served,
    /// Nothing, until the server has been asked for this path.
    WaitFor(String),
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// By the beginnings of paths. The last answer of a list stays.
    answers: BTreeMap<String, VecDeque<Answer>>,
    asked: Vec<String>,
    is_over: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether `Range` is looked at.
    ranges: bool,
}

/// A server on a free port, until it is dropped.
pub(super) struct Server {
    shared: Arc<Shared>,
    port: u16,
}

impl Server {
    /// Serves these files.
    pub(super) fn new<const N: usize>(files: [(&str, Vec<u8>); N]) -> Self {
        Self::of(files.map(|(path, bytes)| (path.to_owned(), bytes)), true)
    }

    pub(super) fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>, ranges: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = State { files: files.into_iter().collect(), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), ranges });
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if all.state.lock().unwrap().is_over {
                    return;
                }
                let shared = Arc::clone(&all);
                // Whoever asked may be gone.
                thread::spawn(move || drop(serve(&shared, stream)));
            }
        });
        Self { shared, port }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers so to those who ask for paths that begin so: once each, and the last ever after.
    pub(super) fn answers(&self, path: &str, answers: impl IntoIterator<Item = Answer>) {
        self.shared.state.lock().unwrap().answers.insert(path.to_owned(), answers.into_iter().collect());
    }

    /// What was asked: method, path and range.
    pub(super) fn asked(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().asked.clone()
    }

    /// Whether a path was asked for.
    pub(super) fn was_asked(&self, path: &str) -> bool {
        self.asked().iter().any(|asked| asked.split(' ').nth(1) == Some(path))
    }

    /// A way to ask that later.
    pub(super) fn watch(&self, path: &str) -> impl Fn() -> bool + Send + Sync + 'static {
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        move || {
            let state = shared.state.lock().unwrap();
            state.asked.iter().any(|asked| asked.split(' ').nth(1) == Some(path.as_str()))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.state.lock().unwrap().is_over = true;
        self.shared.changed.notify_all();
        // Wakes the one who listens.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

/// One request and its answer; the connection is closed with it.
fn serve(shared: &Shared, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut range = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("range") {
            range = value.trim().strip_prefix("bytes=").map(str::to_owned);
        }
    }
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let mut state = shared.state.lock().unwrap();
    state.asked.push(format!("{method} {target} {}", range.as_deref().unwrap_or("whole")));
    shared.changed.notify_all();
    let begins = state.answers.keys().find(|begins| path.starts_with(begins.as_str())).cloned();
    let answer = begins.and_then(|begins| {
        let answers = state.answers.get_mut(&begins)?;
        if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
    });
    if let Some(Answer::WaitFor(path)) = &answer {
        let is_asked = |state: &State| {
            state.asked.iter().any(|asked| asked.split(' ').nth(1).is_some_and(|target| target == path))
        };
        while !is_asked(&state) && !state.is_over {
            state = shared.changed.wait_timeout(state, Duration::from_secs(1)).unwrap().0;
        }
    }
    let file = state.files.get(&path).cloned();
    drop(state);
    let tag = file.as_ref().map_or(0, Vec::len);
    let (status, body, part) = match (&answer, file) {
        (Some(Answer::Status(status, body)), _) => (*status, body.clone(), None),
        (_, None) => (404, Vec::new(), None),
        (_, Some(file)) => match range.filter(|_| shared.ranges).and_then(|range| bounds(&range, file.len()))
        {
            Some((start, end)) => {
                let part = format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, file.len());
                (206, file[start..end].to_vec(), Some(part))
            }
            None => (200, file, None),
        },
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nETag: \"tag-{tag}\"\r\nConnection: close\r\n{}\r\n",
        part.unwrap_or_default()
    );
    stream.write_all(head.as_bytes())?;
    match (method, answer) {
        ("HEAD", _) => Ok(()),
        (_, Some(Answer::Cut)) => stream.write_all(&body[..length / 2]),
        _ => stream.write_all(&body),
    }
}

fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (start, end) = range.split_once('-')?;
    Some((start.parse().ok()?, (end.parse::<usize>().ok()? + 1).min(size)))
}
