//! How many executors a scheduler has.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::SchedulerAddress;

/// How long the scheduler may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// An answer is shorter.
const MOST: u64 = 4096;

/// How many executors are registered with the scheduler; `None` where it does not say.
pub(super) fn executors(scheduler: &SchedulerAddress) -> Option<usize> {
    let address = (scheduler.host.trim_matches(['[', ']']), scheduler.port).to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: scheduler\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer).ok()?;
    count(&answer)
}

/// The number in `ready: 3 executors registered` or `not ready: 0/1 executors registered`.
fn count(answer: &str) -> Option<usize> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let (_, rest) = body.split_once("ready: ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_either_answer() {
        for (body, expected) in [
            ("ready: 12 executors registered\n", Some(12)),
            ("not ready: 0/1 executors registered\n", Some(0)),
            ("never heard of it", None),
        ] {
            assert_eq!(count(&format!("HTTP/1.1 200 OK\r\nserver: x\r\n\r\n{body}")), expected);
        }
        assert_eq!(count("ready: 1"), None);
    }
}
