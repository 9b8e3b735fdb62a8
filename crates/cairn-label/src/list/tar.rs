//! Tar files: the members that are photos by their name.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use cairn_dataset::{each_tar_member, path_text};
use cairn_photo::Limits;
use flate2::read::MultiGzDecoder;

use super::{Listed, ListedPhoto, Rows};
use crate::store::StoredFile;

/// Photos that are read ahead of the one that is wanted.
const AHEAD: usize = 4;

type Row = Result<ListedPhoto, String>;

/// The photos in the file, read by a thread of their own that ends with them or when they are no longer wanted.
pub(super) fn rows(name: &str, file: &dyn StoredFile, gzip: bool) -> Result<Rows, String> {
    let input = file.read(0, file.size()).map_err(|error| error.to_string())?;
    let input: Box<dyn Read + Send> = if gzip { Box::new(MultiGzDecoder::new(input)) } else { input };
    let (send, rows): (SyncSender<Row>, Receiver<Row>) = sync_channel(AHEAD);
    let name = name.to_owned();
    let reading = thread::Builder::new().name("tar".to_owned()).spawn(move || {
        if let Err(error) = send_photos(&name, input, &send) {
            // Whoever asked may have lost interest.
            drop(send.send(Err(error.to_string())));
        }
    });
    reading.map_err(|error| error.to_string())?;
    Ok(Box::new(rows.into_iter()))
}

fn send_photos(name: &str, input: Box<dyn Read + Send>, send: &SyncSender<Row>) -> io::Result<()> {
    let most = Limits::default().max_bytes;
    each_tar_member(input, |member| {
        if !member.is_photo() {
            return Ok(ControlFlow::Continue(()));
        }
        let photo = format!("{name}/{}", path_text(&member.path));
        let row = if member.bytes > most {
            ListedPhoto::unusable(photo, "too large: no photo has so many bytes")
        } else {
            let mut bytes =
                Vec::with_capacity(usize::try_from(member.bytes).unwrap_or_default().min(1 << 24));
            member.content.read_to_end(&mut bytes)?;
            if (bytes.len() as u64) < member.bytes {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            ListedPhoto { name: photo, source: Listed::Bytes(bytes) }
        };
        match send.send(Ok(row)) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(_) => Ok(ControlFlow::Break(())),
        }
    })
}
