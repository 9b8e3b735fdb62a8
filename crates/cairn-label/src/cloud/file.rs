//! A file in a store that is read by ranges.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use object_store::{GetOptions, GetRange, ObjectStore as _};
use tokio::task::JoinHandle;

use super::connection::Object;
use super::fault::io_error;
use crate::store::StoredFile;

/// What is kept of a file, and how many such pieces: a footer is looked at again and again, and pages of a table have their
/// headers before them.
const BLOCK: u64 = 256 << 10;
const BLOCKS: usize = 8;
/// Whoever reads on gets more at once, up to so much.
const MOST_AT_ONCE: u64 = 8 << 20;
/// A file of a server that knows no ranges is read whole, if it isn't larger.
const MOST_WHOLE: u64 = 256 << 20;

/// A file in a store.
pub(super) struct FarFile(Arc<Opened>);

struct Opened {
    object: Object,
    size: u64,
    tag: String,
    /// What a range must still be of; `None` where the store has no such tags.
    unchanged: Option<String>,
    blocks: Mutex<VecDeque<(u64, Bytes)>>,
    whole: OnceLock<Bytes>,
}

impl FarFile {
    /// Asks what the file is; `None` where there is none.
    pub(super) fn open(object: Object) -> io::Result<Option<Self>> {
        // A signed URL is often good for GET alone: what it answers is not read.
        let head = !object.address.scheme.is_web();
        let asked = object.store.get_opts(&object.path, GetOptions { head, ..GetOptions::default() });
        let meta = match object.wait(asked) {
            Ok(answer) => answer.meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let tag = meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.timestamp().to_string());
        // A weak tag never matches.
        let unchanged = meta.e_tag.filter(|tag| head && !tag.starts_with("W/"));
        let (blocks, whole) = (Mutex::default(), OnceLock::new());
        Ok(Some(Self(Arc::new(Opened { object, size: meta.size, tag, unchanged, blocks, whole }))))
    }
}

impl StoredFile for FarFile {
    fn size(&self) -> u64 {
        self.0.size
    }

    fn tag(&self) -> String {
        self.0.tag.clone()
    }

    fn read(&self, start: u64, end: u64) -> io::Result<Box<dyn Read + Send>> {
        let end = end.min(self.0.size);
        let file = Arc::clone(&self.0);
        Ok(Box::new(Reader {
            file,
            place: start.min(end),
            end,
            chunk: Bytes::new(),
            next: None,
            at_once: BLOCK,
            chunks: 0,
        }))
    }
}

impl Opened {
    /// A piece of the file.
    async fn range(self: Arc<Self>, start: u64, end: u64) -> io::Result<Bytes> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole.slice(start as usize..end as usize));
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(start..end)),
            if_match: self.unchanged.clone(),
            ..GetOptions::default()
        };
        let answer = self.object.store.get_opts(&self.object.path, options).await;
        let bytes = match answer {
            Err(object_store::Error::NotSupported { .. }) if self.size <= MOST_WHOLE => {
                let answer = self.object.store.get_opts(&self.object.path, GetOptions::default()).await;
                let bytes = self.bytes(answer, 0..self.size).await?;
                return Ok(self.whole.get_or_init(|| bytes).slice(start as usize..end as usize));
            }
            answer => self.bytes(answer, start..end).await?,
        };
        Ok(bytes)
    }

    async fn bytes(
        &self,
        answer: object_store::Result<object_store::GetResult>,
        range: std::ops::Range<u64>,
    ) -> io::Result<Bytes> {
        let fault = |error| io_error(error, &self.object.address);
        let answer = answer.map_err(fault)?;
        if answer.meta.size != self.size {
            return Err(io::Error::other("has changed while it was read"));
        }
        let bytes = answer.bytes().await.map_err(fault)?;
        if bytes.len() as u64 != range.end - range.start {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }

    /// What is from here on in the block of this place, which is kept.
    fn block(self: &Arc<Self>, place: u64) -> io::Result<Bytes> {
        let start = place / BLOCK * BLOCK;
        let kept = {
            // A queue is never half changed.
            let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.iter().find(|(of, _)| *of == start).map(|(_, bytes)| bytes.clone())
        };
        let bytes = match kept {
            Some(bytes) => bytes,
            None => {
                let read = Arc::clone(self).range(start, (start + BLOCK).min(self.size));
                let bytes = self.object.wait_for(read)??;
                let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
                blocks.truncate(BLOCKS - 1);
                blocks.push_front((start, bytes.clone()));
                bytes
            }
        };
        Ok(bytes.slice((place - start) as usize..))
    }
}

/// Reads from one place to another: first a block, then more and more at once, of which the next is on its way meanwhile.
struct Reader {
    file: Arc<Opened>,
    place: u64,
    end: u64,
    chunk: Bytes,
    next: Option<Ahead>,
    at_once: u64,
    chunks: usize,
}

/// A piece that is being read, until it's no longer wanted.
struct Ahead(JoinHandle<io::Result<Bytes>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reader {
    fn next_chunk(&mut self) -> io::Result<Bytes> {
        self.chunks += 1;
        if self.chunks == 1 {
            let mut chunk = self.file.block(self.place)?;
            chunk.truncate((self.end - self.place) as usize);
            self.place += chunk.len() as u64;
            return Ok(chunk);
        }
        let mut ahead = match self.next.take() {
            Some(ahead) => ahead,
            None => self.ahead()?,
        };
        let chunk = self.file.object.wait_for(&mut ahead.0)?.map_err(io::Error::other)??;
        if self.place < self.end {
            self.next = Some(self.ahead()?);
        }
        Ok(chunk)
    }

    /// Begins to read the next piece.
    fn ahead(&mut self) -> io::Result<Ahead> {
        let (start, end) = (self.place, (self.place + self.at_once).min(self.end));
        (self.place, self.at_once) = (end, (2 * self.at_once).min(MOST_AT_ONCE));
        let read = Arc::clone(&self.file).range(start, end);
        Ok(Ahead(self.file.object.spawn(read)?))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && (self.place < self.end || self.next.is_some()) {
            self.chunk = self.next_chunk()?;
        }
        let count = buffer.len().min(self.chunk.len());
        buffer[..count].copy_from_slice(&self.chunk.split_to(count));
        Ok(count)
    }
}
