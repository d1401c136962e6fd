//! What an auditor and a data subject rely on. Today: the key store, beside the log.
//!
//! Invariant: this crate reads no event and decides nothing; it keeps and destroys keys.

mod key_store;

pub use key_store::SqliteKeyStore;
