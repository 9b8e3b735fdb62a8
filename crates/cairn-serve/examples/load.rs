//! Asks a server for the landmarks in a photo, over and over, and says how fast it answers.
//!
//! ```text
//! load 127.0.0.1:8080 photo.jpg [--clients 32] [--seconds 10] [--rate R] [--path /v1/predict]
//! ```
//!
//! Each client has a connection of its own and asks again as soon as it is answered. With `--rate`, requests begin so many a
//! second instead, whether or not those before are answered, and their time is counted from when they should have begun: a
//! server that stalls does not keep the load from it ("coordinated omission").
//!
//! `load library photo.jpg --path MODEL` asks the library instead, one photo after the other, for comparison; with
//! `--pixels true` it has the decoded photo already.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cairn_model::PhotoSource;
use cairn_photo::{Limits, Photo, PhotoError, ReadSize};

struct Plan {
    address: String,
    path: String,
    photo: Vec<u8>,
    clients: usize,
    seconds: f64,
    rate: Option<f64>,
    pixels: bool,
}

impl Plan {
    fn of_arguments() -> Result<Self, Box<dyn Error>> {
        let mut arguments = std::env::args().skip(1);
        let usage = "load ADDRESS PHOTO [--clients N] [--seconds S] [--rate R] [--path PATH] [--pixels true]";
        let (address, photo) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
        let mut plan = Self {
            address,
            path: "/v1/predict".to_owned(),
            photo: std::fs::read(photo)?,
            clients: 32,
            seconds: 10.0,
            rate: None,
            pixels: false,
        };
        while let Some(flag) = arguments.next() {
            let value = arguments.next().ok_or(usage)?;
            match flag.as_str() {
                "--clients" => plan.clients = value.parse()?,
                "--seconds" => plan.seconds = value.parse()?,
                "--rate" => plan.rate = Some(value.parse()?),
                "--path" => plan.path = value,
                "--pixels" => plan.pixels = value.parse()?,
                _ => return Err(usage.into()),
            }
        }
        Ok(plan)
    }
}

/// What clients saw: how often each status came (0: no answer), and how long answers of 200 took, in seconds.
#[derive(Default)]
struct Seen {
    statuses: BTreeMap<u16, usize>,
    times: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let plan = Plan::of_arguments()?;
    if plan.address == "library" {
        return library(&plan);
    }
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: image/jpeg\r\ncontent-length: {}\r\n\r\n",
        plan.path,
        plan.address,
        plan.photo.len()
    );
    let request = [head.as_bytes(), &plan.photo].concat();
    let begun = Instant::now();
    let next = AtomicU64::new(0);
    let mut all = Seen::default();
    std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..plan.clients).map(|_| scope.spawn(|| client(&plan, &request, begun, &next))).collect();
        for seen in clients.into_iter().filter_map(|client| client.join().ok()) {
            all.times.extend(seen.times);
            for (status, count) in seen.statuses {
                *all.statuses.entry(status).or_default() += count;
            }
        }
    });
    all.print(begun);
    Ok(())
}

/// The whole photo in a file.
fn decoded(file: &[u8]) -> Result<Photo, PhotoError> {
    Photo::decode_at(file, "photo", ReadSize::Full, &Limits::default())
}

/// What the library takes for the same.
fn library(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let model = cairn_model::Model::open(&plan.path)?;
    let file = PhotoSource::bytes(plan.photo.clone(), "photo");
    let photo: PhotoSource = if plan.pixels { decoded(&plan.photo)?.into() } else { file };
    model.predict(photo.clone(), 3)?;
    let (begun, mut all) = (Instant::now(), Seen::default());
    while begun.elapsed().as_secs_f64() < plan.seconds {
        let photo = photo.clone();
        let from = Instant::now();
        model.predict(photo, 3)?;
        all.times.push(from.elapsed().as_secs_f64());
    }
    all.print(begun);
    Ok(())
}

impl Seen {
    fn print(mut self, begun: Instant) {
        let all = &mut self;
        let seconds = begun.elapsed().as_secs_f64();
        all.times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = ((all.times.len() as f64 * share) as usize).min(all.times.len().saturating_sub(1));
            all.times.get(place).map_or(f64::NAN, |time| time * 1e3)
        };
        println!(
            "{:.1} answers a second; milliseconds: p50 {:.3}, p90 {:.3}, p99 {:.3}, most {:.3}; statuses {:?}",
            all.times.len() as f64 / seconds,
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0),
            all.statuses
        );
    }
}

/// Asks until the time is up.
fn client(plan: &Plan, request: &[u8], begun: Instant, next: &AtomicU64) -> Seen {
    let mut seen = Seen::default();
    let mut connection = None;
    let end = Duration::from_secs_f64(plan.seconds);
    while begun.elapsed() < end {
        let due =
            plan.rate.map(|rate| Duration::from_secs_f64(next.fetch_add(1, Ordering::Relaxed) as f64 / rate));
        if let Some(due) = due {
            if due >= end {
                break;
            }
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
        }
        let from = due.unwrap_or_else(|| begun.elapsed());
        let status = ask(&mut connection, plan, request).unwrap_or_else(|_| {
            connection = None;
            0
        });
        if status == 200 {
            seen.times.push((begun.elapsed() - from).as_secs_f64());
        }
        *seen.statuses.entry(status).or_default() += 1;
        if status == 0 || status == 429 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    seen
}

/// One request on a connection that is kept; its status.
fn ask(
    connection: &mut Option<BufReader<TcpStream>>,
    plan: &Plan,
    request: &[u8],
) -> Result<u16, Box<dyn Error>> {
    if connection.is_none() {
        let stream = TcpStream::connect(&plan.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        *connection = Some(BufReader::new(stream));
    }
    let stream = connection.as_mut().ok_or("no connection")?;
    stream.get_mut().write_all(request)?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
    let (mut length, mut closes) = (0, false);
    loop {
        line.clear();
        if stream.read_line(&mut line)? <= 2 {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        closes |= lower.starts_with("connection: close");
    }
    std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    if closes {
        *connection = None;
    }
    Ok(status)
}
