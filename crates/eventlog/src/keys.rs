//! The port to the key store: one encryption key per person, kept beside the log.
//!
//! Events never hold a person's data in clear. Erasing the key erases the person, while every
//! event, and every hash over it, stays as it was.

use uuid::Uuid;

/// A person's 256-bit key.
pub type PersonKey = [u8; 32];

/// Why the key store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum KeyStoreError {
    /// The person's key was erased; a new one is never made for the same person.
    #[error("the person's key has been erased")]
    Erased,
    /// The store cannot be reached or is broken.
    #[error("the key store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keys of persons. Implementations are durable: a key is on disk before it is returned.
pub trait KeyStore: Send + Sync {
    /// The person's key, made on first use.
    fn key_or_create(&self, person: Uuid) -> Result<PersonKey, KeyStoreError>;

    /// The person's key; `None` when it never existed or was erased.
    fn key(&self, person: Uuid) -> Result<Option<PersonKey>, KeyStoreError>;

    /// Destroys the person's key for good. Erasing twice is not an error.
    fn erase(&self, person: Uuid) -> Result<(), KeyStoreError>;
}
