//! The hash that chains a stream's events and that an audit tree takes as its leaf.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::StreamName;

/// A SHA-256 digest of one event.
pub type EventHash = [u8; 32];

/// Hashes one event: SHA-256 over its id, stream, revision, type, the SHA-256 of its data bytes and
/// the SHA-256 of its metadata bytes. Texts are preceded by their length (8 bytes, big-endian), so
/// that no two different events share an input.
pub fn event_hash(
    (id, stream, revision): (Uuid, &StreamName, u64),
    kind: &str,
    data: &[u8],
    metadata: &[u8],
) -> EventHash {
    let mut hasher = Sha256::new();
    hasher.update(id.as_bytes());
    for text in [stream.as_str(), kind] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.update(revision.to_be_bytes());
    hasher.update(Sha256::digest(data));
    hasher.update(Sha256::digest(metadata));
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(stream: &str, kind: &str, data: &[u8]) -> EventHash {
        event_hash((Uuid::nil(), &stream.parse().unwrap(), 0), kind, data, b"")
    }

    #[test]
    fn every_part_of_an_event_changes_its_hash() {
        let base = hash("deal-1", "DealWon", b"x");
        assert_ne!(base, hash("deal-2", "DealWon", b"x"));
        assert_ne!(base, hash("deal-1", "DealLost", b"x"));
        assert_ne!(base, hash("deal-1", "DealWon", b"y"));
    }

    #[test]
    fn text_cannot_move_between_stream_and_type_unnoticed() {
        assert_ne!(hash("ab", "c", b""), hash("a", "bc", b""));
    }
}
