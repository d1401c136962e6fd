//! What is put under load: the server's address, the program, and requests to it.

use std::fmt::Write;
use std::net::{SocketAddr, ToSocketAddrs};

use anyhow::{Context, ensure};

/// A server, named by a URL such as `http://127.0.0.1:8080`.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// As the `Host` header has it.
    pub(crate) host: String,
}

impl Server {
    /// Only loopback addresses, unless a remote one is explicitly allowed: load is no toy.
    pub(crate) fn parse(url: &str, allow_remote: bool) -> anyhow::Result<Self> {
        let host = url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|host| !host.is_empty() && !host.contains('/'))
            .with_context(|| format!("`{url}` is no URL of the form http://HOST:PORT"))?;
        let with_port = if host.parse::<std::net::Ipv6Addr>().is_ok() || !host.contains(':') {
            format!("{host}:80")
        } else {
            host.to_owned()
        };
        let mut addresses =
            with_port.to_socket_addrs().with_context(|| format!("`{host}` is not known"))?;
        let address = addresses.next().with_context(|| format!("`{host}` has no address"))?;
        ensure!(
            allow_remote || address.ip().is_loopback(),
            "`{host}` is not this machine; add --allow-remote if it is yours to load"
        );
        Ok(Self { address, host: host.to_owned() })
    }
}

/// Writes requests of one caller to one program.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// `/v1/programs/{program}/`
    base: String,
    /// Everything of the head that is the same in each request.
    head: String,
}

impl Caller {
    pub(crate) fn new(server: &Server, program: &str, token: &str) -> Self {
        let host = &server.host;
        Self {
            base: format!("/v1/programs/{program}/"),
            head: format!(" HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"),
        }
    }

    /// Replaces `request` by a GET of a path below the program.
    pub(crate) fn get(&self, request: &mut String, path: &str) {
        request.clear();
        let written = write!(request, "GET {}{path}{}\r\n", self.base, self.head);
        written.expect("a string takes everything");
    }

    /// Replaces `request` by a command with its own `Idempotency-Key`.
    pub(crate) fn post(&self, request: &mut String, path: &str, key: &str, body: &str) {
        self.post_as("application/json", request, (path, key), body);
    }

    /// The same with a rulebook.
    pub(crate) fn post_toml(&self, request: &mut String, path: &str, key: &str, body: &str) {
        self.post_as("application/toml", request, (path, key), body);
    }

    fn post_as(&self, media: &str, request: &mut String, (path, key): (&str, &str), body: &str) {
        request.clear();
        let (base, head, length) = (&self.base, &self.head, body.len());
        let written = write!(
            request,
            "POST {base}{path}{head}Idempotency-Key: {key}\r\nContent-Type: {media}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        written.expect("a string takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_a_target() {
        let server = Server::parse("http://127.0.0.1:8080/", false).unwrap();
        assert_eq!((server.address.port(), server.host.as_str()), (8080, "127.0.0.1:8080"));
        assert_eq!(Server::parse("http://127.0.0.1", false).unwrap().address.port(), 80);
        assert!(Server::parse("http://[::1]:80", false).is_ok());
    }

    #[test]
    fn another_machine_is_a_target_only_where_that_is_allowed() {
        assert!(Server::parse("http://192.0.2.1:80", false).is_err());
        assert!(Server::parse("http://192.0.2.1:80", true).is_ok());
    }

    #[test]
    fn other_urls_are_refused() {
        for url in ["https://127.0.0.1", "127.0.0.1:80", "http://", "http://127.0.0.1/v1"] {
            assert!(Server::parse(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn a_command_is_one_whole_request() {
        let server = Server::parse("http://127.0.0.1:9", false).unwrap();
        let (caller, mut request) = (Caller::new(&server, "acme", "t"), String::new());
        caller.post(&mut request, "deals", "k-1", "{}");
        assert_eq!(
            request,
            "POST /v1/programs/acme/deals HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\
             Authorization: Bearer t\r\nIdempotency-Key: k-1\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        );
    }
}
