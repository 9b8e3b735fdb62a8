//! Photos at addresses, where hosts are allowed.
//!
//! An address that a client gives is an address that the server calls: without care it reaches what only the server may
//! (OWASP, server-side request forgery). So a host must be allowed by name, must not be within the server's own network, is
//! connected to at the address that was checked, and may not send the server on to another.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use bytes::Bytes;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::admission::SharedPermit;
use crate::error::{ApiError, ErrorType};

/// How long a photo may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Hosts whose photos are fetched at once.
pub(crate) const AT_ONCE: usize = 8;

/// A photo that was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) bytes: Bytes,
    /// The memory of its bytes.
    pub(crate) memory: SharedPermit,
}

/// Fetches photos from allowed hosts.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    hosts: Vec<String>,
    agent: Agent,
}

impl Fetcher {
    pub(crate) fn new(hosts: &[String]) -> Self {
        Self::with_resolver(hosts, PublicAddresses(DefaultResolver::default()))
    }

    fn with_resolver(hosts: &[String], resolver: impl Resolver) -> Self {
        let config = Config::builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            // A redirect is an answer then, not an error.
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // A proxy would look names up by itself.
            .proxy(None)
            .user_agent(concat!("cairn/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), resolver);
        Self { hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(), agent }
    }

    /// Whether photos may be fetched from this address.
    ///
    /// # Errors
    /// When its host is not allowed, or it is no address of HTTP.
    pub(crate) fn check(&self, url: &str) -> Result<Uri, ApiError> {
        let uri: Uri = url.parse().map_err(|_| ApiError::validation("not an address (URL) of a photo"))?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let Some(host) = uri.host().filter(|_| is_http).map(str::to_ascii_lowercase) else {
            return Err(ApiError::validation("an address of a photo begins with https:// or http://"));
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(ApiError::validation("an address of a photo holds no user and password"));
        }
        if !self.hosts.contains(&host) {
            return Err(not_allowed());
        }
        Ok(uri)
    }

    /// The bytes at an address, `most` at most. It blocks.
    ///
    /// # Errors
    /// When the host is not allowed, does not answer, or answers with something else.
    pub(crate) fn fetch(&self, url: &str, most: u64) -> Result<Bytes, ApiError> {
        let uri = self.check(url)?;
        let cannot = |reason: String| ApiError::new(ErrorType::Photo, format!("cannot be fetched: {reason}"));
        let mut response = self.agent.get(uri).call().map_err(|error| match error {
            ureq::Error::HostNotFound => cannot("its host has no public address".to_owned()),
            error => cannot(error.to_string()),
        })?;
        if response.status().is_redirection() {
            return Err(cannot("the host sends elsewhere, where the server does not follow".to_owned()));
        }
        if !response.status().is_success() {
            return Err(cannot(format!("the host answers with status {}", response.status().as_u16())));
        }
        let read = response.body_mut().with_config().limit(most).read_to_vec();
        read.map(Bytes::from).map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => ApiError::too_large(format!(
                "the photo is larger than {}, which is the limit (--max-photo)",
                crate::size::shown_size(most)
            )),
            error => cannot(error.to_string()),
        })
    }
}

/// No host is allowed, or this one is not.
pub(crate) fn not_allowed() -> ApiError {
    ApiError::new(
        ErrorType::Forbidden,
        "photos are not fetched from this host (--allow-urls); send the photo itself",
    )
}

/// Looks names up, and leaves out addresses that only the server's own network has. Its answer is what is connected to.
#[derive(Debug)]
struct PublicAddresses(DefaultResolver);

impl Resolver for PublicAddresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut public = self.empty();
        for address in &*self.0.resolve(uri, config, timeout)? {
            if is_public(address.ip()) {
                public.push(*address);
            }
        }
        if public.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(public) }
    }
}

/// Whether an address is of the public internet (IANA's registries of special-purpose addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            let special = address.is_unspecified()
                || address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_broadcast()
                || address.is_multicast()
                || address.is_documentation()
                || first == 0
                || first >= 240
                // Shared by carriers, protocol assignments, benchmarks.
                || (first == 100 && (64..128).contains(&second))
                || (first == 192 && second == 0 && third == 0)
                || (first == 198 && (18..20).contains(&second));
            !special
        }
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return is_public(address.into());
    }
    let [first, second, ..] = address.segments();
    // Of global unicast addresses, 2000::/3, those for special uses (2001::/23, documentation) and those that hold an
    // IPv4 address (6to4) are left out; NAT64's 64:ff9b::/96 is not in it.
    first & 0xe000 == 0x2000
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
        && !(first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn addresses_of_the_servers_own_network_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in
            ["93.184.216.34", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2001:4860::8888"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn only_hosts_that_are_allowed_are_called() {
        let fetcher = Fetcher::new(&["Photos.Example.org".to_owned()]);
        let refused = |url: &str| fetcher.check(url).unwrap_err().error_type;
        assert!(fetcher.check("https://photos.example.org/a.jpg").is_ok());
        assert!(fetcher.check("https://PHOTOS.example.org:8443/a.jpg?b=c").is_ok());
        for url in [
            "https://photos.example.org.evil.org/a.jpg",
            "https://evil.org/photos.example.org",
            "http://127.0.0.1/a.jpg",
            "http://[::1]/a.jpg",
        ] {
            assert_eq!(refused(url), ErrorType::Forbidden, "{url}");
        }
        for url in [
            "file:///etc/passwd",
            "photos.example.org/a.jpg",
            "ftp://photos.example.org/a",
            "",
            "https://photos.example.org@evil.org/a.jpg",
            "https://user@photos.example.org/a.jpg",
        ] {
            assert_eq!(refused(url), ErrorType::Validation, "{url}");
        }
    }

    #[test]
    fn an_allowed_name_of_this_machine_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let fetcher = Fetcher::new(&["localhost".to_owned(), "127.0.0.1".to_owned()]);
        for host in ["localhost", "127.0.0.1"] {
            let error = fetcher.fetch(&format!("http://{host}:{port}/a.jpg"), 1000).unwrap_err();
            assert!(error.message.contains("no public address"), "{host}: {error}");
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody called");
    }

    /// Answers each of these to a request.
    fn host(answers: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                assert!(stream.read(&mut request).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        port
    }

    #[test]
    fn a_redirect_is_not_followed_and_a_long_answer_is_not_read() {
        let port = host(&[
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nphoto",
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfar too long an answer",
        ]);
        let fetcher = Fetcher::with_resolver(&["localhost".to_owned()], DefaultResolver::default());
        let fetch = || fetcher.fetch(&format!("http://localhost:{port}/a.jpg"), 10);
        assert_eq!(fetch().unwrap(), "photo");
        assert!(fetch().unwrap_err().message.contains("does not follow"));
        assert!(fetch().unwrap_err().message.contains("404"));
        assert_eq!(fetch().unwrap_err().error_type, ErrorType::TooLarge);
    }
}
