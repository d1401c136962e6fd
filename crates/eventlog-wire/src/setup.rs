//! What a listener may be told: its mode, who may come in, how, and how many.

use std::{fmt, net::SocketAddr, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};

/// What clients may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Read and subscribe. Every write is refused.
    #[default]
    ReadOnly,
    /// Everything. The listener must then be the only one that writes system events into the log.
    Full,
}

/// Bounds of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// Calls at a time on one connection; a client waits with more.
    pub calls_per_connection_max: u32,
    /// Reads and subscriptions at a time, over all connections; more are refused.
    pub reads_max: usize,
    /// Bytes of events on their way into the log, over all connections; more are refused.
    pub uploads_bytes_max: usize,
    /// Time for a connection to come to its first call.
    pub greeting_time_max: Duration,
    /// How often a silent connection is asked whether it still lives; and how long it may take to
    /// answer.
    pub keepalive: Duration,
    /// Time for running calls to end after the stop.
    pub drain_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            calls_per_connection_max: 256,
            reads_max: 512,
            uploads_bytes_max: 256 * 1024 * 1024,
            greeting_time_max: Duration::from_secs(30),
            keepalive: Duration::from_secs(20),
            drain_time_max: Duration::from_secs(10),
        }
    }
}

/// The user whom the listener lets in. Only digests are kept.
#[derive(Clone)]
pub struct Credentials {
    expected: [u8; 32],
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials")
    }
}

impl Credentials {
    /// One user with a password.
    pub fn new(user: &str, password: &str) -> Self {
        Self { expected: digest(format!("{user}:{password}").as_bytes()) }
    }

    /// Whether an `authorization` header names this user and password. Takes equally long for all
    /// wrong ones.
    pub(crate) fn admit(&self, authorization: Option<&[u8]>) -> bool {
        let given = authorization
            .filter(|header| header.len() > 6 && header[..6].eq_ignore_ascii_case(b"basic "))
            .and_then(|header| BASE64_STANDARD.decode(header[6..].trim_ascii()).ok());
        let given = digest(given.as_deref().unwrap_or_default());
        let differences = given.iter().zip(&self.expected).fold(0, |sum, (a, b)| sum | (a ^ b));
        differences == 0
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// A server's certificate and key.
#[derive(Clone)]
pub struct Tls {
    pub(crate) config: std::sync::Arc<ServerConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tls")
    }
}

impl Tls {
    /// Reads a certificate chain, the server's own first, and its private key (both PEM).
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, SetupError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|error| SetupError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(SetupError::Certificate("there is none in the file".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| SetupError::Key(error.to_string()))?;
        // Named, so that another provider in the process changes nothing here.
        let provider = std::sync::Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| SetupError::Key(error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { config: std::sync::Arc::new(config) })
    }
}

/// How a listener is to be. The default only lets read, without encryption, from this machine.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// What clients may do.
    pub mode: Mode,
    /// The user who is let in; `None` lets in everybody.
    pub credentials: Option<Credentials>,
    /// Encryption; `None` is plain HTTP/2.
    pub tls: Option<Tls>,
    /// Bounds.
    pub limits: Limits,
}

/// Why a listener cannot be as it was told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// An address that others can reach needs both.
    #[error(
        "{0} can be reached from other machines: that needs a TLS certificate and credentials \
         (listen on a loopback address to do without)"
    )]
    Exposed(SocketAddr),
    /// Clients do not send a password over a connection without encryption.
    #[error("credentials need a TLS certificate: without TLS clients drop them")]
    CredentialsInClear,
    /// The certificate cannot be read.
    #[error("the TLS certificate cannot be used: {0}")]
    Certificate(String),
    /// The key cannot be read, or belongs to another certificate.
    #[error("the TLS key cannot be used: {0}")]
    Key(String),
}

impl Setup {
    /// Whether a listener may be so at this address.
    pub fn check(&self, address: SocketAddr) -> Result<(), SetupError> {
        let (encrypted, closed) = (self.tls.is_some(), self.credentials.is_some());
        if closed && !encrypted {
            return Err(SetupError::CredentialsInClear);
        }
        if !(address.ip().to_canonical().is_loopback() || encrypted && closed) {
            return Err(SetupError::Exposed(address));
        }
        Ok(())
    }
}
