//! Where a scheduler is.

use std::fmt;
use std::str::FromStr;

/// The port of schedulers.
const PORT: u16 = 50050;

/// Where a scheduler is: `df://HOST:PORT`, also without the `df://` or the port (50050).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerAddress {
    /// A name or an IP address; of IPv6 in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text that is no address of a scheduler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no address of a scheduler, such as df://127.0.0.1:50050")]
pub struct SchedulerAddressError(String);

impl FromStr for SchedulerAddress {
    type Err = SchedulerAddressError;

    fn from_str(text: &str) -> Result<Self, SchedulerAddressError> {
        let error = || SchedulerAddressError(text.to_owned());
        let place = text.strip_prefix("df://").unwrap_or(text).trim_end_matches('/');
        let (host, port) = match place.rsplit_once(':') {
            // The colons of an IPv6 address are in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| error())?),
            _ => (place, PORT),
        };
        let is_bracketed = host.starts_with('[') && host.ends_with(']');
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || "-._".contains(c) || is_bracketed && "[]:".contains(c);
        if host.is_empty() || !host.chars().all(is_plain) {
            return Err(error());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for SchedulerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "df://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_with_or_without_its_scheme() {
        for (text, shown) in [
            ("df://10.0.0.5:4000", "df://10.0.0.5:4000"),
            ("scheduler.example.org", "df://scheduler.example.org:50050"),
            ("df://localhost:50050/", "df://localhost:50050"),
            ("[::1]:70", "df://[::1]:70"),
            ("[::1]", "df://[::1]:50050"),
        ] {
            assert_eq!(text.parse::<SchedulerAddress>().unwrap().to_string(), shown);
        }
        for text in
            ["", "df://", ":50050", "host:port", "host:70000", "http://host:1", "a b", "::1", "df://a@b:1"]
        {
            let error = text.parse::<SchedulerAddress>().unwrap_err().to_string();
            assert!(error.contains("is no address of a scheduler"), "{text}: {error}");
        }
    }
}
