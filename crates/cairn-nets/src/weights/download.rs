//! Published weights, fetched once into a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use ureq::http::StatusCode;
use ureq::http::header::RANGE;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Why published weights could not be had.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No connection, or the server does not give it.
    #[error(
        "{url}: cannot be downloaded ({source}); without a connection, download it elsewhere and copy it to {}",
        file.display()
    )]
    Fetch {
        /// The address.
        url: String,
        /// Where it is looked for.
        file: PathBuf,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The connection ended early.
    #[error(
        "{url}: the connection broke after {received} of {expected} bytes; try again, and it goes on from there"
    )]
    Incomplete {
        /// The address.
        url: String,
        /// Bytes on disk.
        received: u64,
        /// Bytes in the whole file.
        expected: u64,
    },
    /// The bytes are not those that were published.
    #[error("{}: SHA-256 is {found}, expected {expected} by its name: delete it and download it again", file.display())]
    Checksum {
        /// The file.
        file: PathBuf,
        /// The first digits that the name promises.
        expected: String,
        /// The digits found.
        found: String,
    },
    /// The folder cannot be written, or the file in it not be read.
    #[error("{}: cannot be read or written: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// The file of this address in `folder`, which is fetched if it is not there. A download that broke off goes on where
/// it stopped; `progress` is told bytes done, and of how many where the server says.
///
/// Files of PyTorch's model zoo carry the first digits of their SHA-256 in their names
/// (`resnet34-b627a593.pth`), which is what they are held to.
///
/// # Errors
/// When the server or the folder fails, or the bytes are not those that were published.
pub fn fetch_weights(
    url: &str,
    folder: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<PathBuf, DownloadError> {
    let name = url.rsplit('/').next().unwrap_or(url);
    let (file, part) = (folder.join(name), folder.join(format!("{name}.part")));
    let failed = |source| DownloadError::File { file: file.clone(), source };
    if !file.is_file() {
        fs::create_dir_all(folder).map_err(failed)?;
        download(url, &file, &part, progress)?;
        check(&part, name).inspect_err(|_| {
            // Going on from wrong bytes would never end well.
            let _ = fs::remove_file(&part);
        })?;
        fs::rename(&part, &file).map_err(failed)?;
    }
    check(&file, name)?;
    Ok(file)
}

/// Fetches what `part` still lacks.
fn download(
    url: &str,
    file: &Path,
    part: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), DownloadError> {
    let broken = |source| DownloadError::Fetch {
        url: url.to_owned(),
        file: file.to_owned(),
        source: Box::new(source),
    };
    let failed = |source| DownloadError::File { file: part.to_owned(), source };
    let have = fs::metadata(part).map_or(0, |metadata| metadata.len());
    let mut request = ureq::get(url);
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let mut response = match request.call() {
        // The whole file was there already; its checksum tells.
        Err(ureq::Error::StatusCode(code)) if code == StatusCode::RANGE_NOT_SATISFIABLE && have > 0 => {
            return Ok(());
        }
        response => response.map_err(broken)?,
    };
    // A server without range requests begins at the first byte.
    let mut done = if response.status() == StatusCode::PARTIAL_CONTENT { have } else { 0 };
    let total = response.body().content_length().map(|rest| done + rest);
    let mut to = OpenOptions::new().create(true).write(true).truncate(false).open(part).map_err(failed)?;
    to.set_len(done).map_err(failed)?;
    io::Seek::seek(&mut to, io::SeekFrom::Start(done)).map_err(failed)?;

    let mut body = response.body_mut().with_config().limit(u64::MAX).reader();
    let mut chunk = vec![0; CHUNK];
    loop {
        progress(done, total);
        let count = match body.read(&mut chunk) {
            Ok(count) => count,
            // Said below, where it is known how much is missing.
            Err(_) if total.is_some() => 0,
            Err(source) => return Err(broken(ureq::Error::Io(source))),
        };
        if count == 0 {
            break;
        }
        to.write_all(&chunk[..count]).map_err(failed)?;
        done += count as u64;
    }
    match total {
        Some(expected) if done < expected => {
            Err(DownloadError::Incomplete { url: url.to_owned(), received: done, expected })
        }
        _ => Ok(()),
    }
}

/// Holds a file to the digits in the name that it was published under.
fn check(file: &Path, name: &str) -> Result<(), DownloadError> {
    let Some(expected) = digits_in(name) else { return Ok(()) };
    let failed = |source| DownloadError::File { file: file.to_owned(), source };
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(file).map_err(failed)?, &mut hasher).map_err(failed)?;
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let found = &digest[..expected.len()];
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (expected.to_owned(), found.to_owned());
    Err(DownloadError::Checksum { file: file.to_owned(), expected, found })
}

/// The digits between the last dash and the ending, as in `resnet34-b627a593.pth`; the rule of `torch.hub`.
fn digits_in(name: &str) -> Option<&str> {
    let (stem, _) = name.rsplit_once('.')?;
    let (_, digits) = stem.rsplit_once('-')?;
    let hexadecimal = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (digits.len() >= 8 && digits.len() <= 64 && hexadecimal).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    /// What the little server gives: 1,000,000 bytes, which SHA-256 (of Python's hashlib) begins so.
    const NAME: &str = "net-2c030d49.pth";

    fn content() -> Vec<u8> {
        (0..1_000_000_u32).map(|n| (n % 251) as u8).collect()
    }

    /// Serves `content` from `first` of the range on, breaking off after `most` bytes of body; one request.
    fn serve_once(listener: &TcpListener, content: &[u8], most: usize) {
        let (mut stream, _) = listener.accept().unwrap();
        let first = requested_first_byte(&mut stream);
        let body = &content[first..];
        let status = if first > 0 { "206 Partial Content" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())
            .unwrap();
        let _ = stream.write_all(&body[..body.len().min(most)]);
    }

    fn requested_first_byte(stream: &mut TcpStream) -> usize {
        let (mut request, mut byte) = (Vec::new(), [0]);
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let request = String::from_utf8(request).unwrap().to_lowercase();
        let range = request.lines().find_map(|line| line.strip_prefix("range: bytes="));
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }

    fn served(name: &str, answers: Vec<(Vec<u8>, usize)>) -> (String, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/models/{name}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            answers.iter().for_each(|(content, most)| serve_once(&listener, content, *most));
        });
        (url, server)
    }

    #[test]
    fn a_download_that_broke_off_goes_on_where_it_stopped_and_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let (url, server) = served(NAME, vec![(content(), 300_000), (content(), usize::MAX)]);
        let error = fetch_weights(&url, folder.path(), &mut |_, _| ()).unwrap_err();
        assert!(
            matches!(error, DownloadError::Incomplete { received: 300_000, expected: 1_000_000, .. }),
            "{error}"
        );
        assert!(!folder.path().join(NAME).exists(), "a file that is there is whole");
        let mut seen = Vec::new();
        let file = fetch_weights(&url, folder.path(), &mut |done, total| seen.push((done, total))).unwrap();
        assert_eq!(seen.first(), Some(&(300_000, Some(1_000_000))));
        assert_eq!(seen.last(), Some(&(1_000_000, Some(1_000_000))));
        assert_eq!(fs::read(&file).unwrap(), content());
        server.join().unwrap();
        // It is there now: no server is asked.
        assert_eq!(fetch_weights(&url, folder.path(), &mut |_, _| ()).unwrap(), file);
    }

    #[test]
    fn bytes_that_are_not_those_published_are_refused_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (url, server) = served(NAME, vec![(vec![0; 1000], usize::MAX)]);
        let error = fetch_weights(&url, folder.path(), &mut |_, _| ()).unwrap_err();
        assert!(matches!(error, DownloadError::Checksum { .. }), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        server.join().unwrap();
    }

    #[test]
    fn without_a_connection_the_error_names_the_address_and_where_to_put_the_file() {
        let folder = tempfile::tempdir().unwrap();
        // Port 9 of this machine: no server listens.
        let message =
            fetch_weights("http://127.0.0.1:9/resnet34-b627a593.pth", folder.path(), &mut |_, _| ())
                .unwrap_err()
                .to_string();
        let place = folder.path().join("resnet34-b627a593.pth").display().to_string();
        assert!(message.contains("http://127.0.0.1:9/") && message.contains(&place), "{message}");
    }

    #[test]
    fn the_digits_are_those_that_torch_hub_reads() {
        assert_eq!(digits_in("resnet34-b627a593.pth"), Some("b627a593"));
        assert_eq!(digits_in("alexnet-owt-7be5be79.pth"), Some("7be5be79"));
        assert_eq!(digits_in("my-weights.pth"), None);
    }
}
