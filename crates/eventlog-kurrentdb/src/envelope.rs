//! Events on their way to the server and back, byte for byte.

use std::sync::Arc;

use accord_eventlog::{NewEvent, Position, RecordedEvent, StreamName};
use eventstore::{Error, EventData};
use serde_json::value::RawValue;

/// The server's clock counts in 100 nanoseconds.
const TICKS_PER_MICROSECOND: i64 = 10;

/// An event to append. Its data are marked as JSON where they are, so that the server's own tools
/// show them; they are sent as they are in any case.
pub(crate) fn to_wire(event: &NewEvent) -> EventData {
    let wire = as_json(event);
    let wire = wire.unwrap_or_else(|| EventData::binary(&*event.kind, event.data.clone()));
    wire.id(event.id).metadata(event.metadata.clone())
}

/// `None` where the client would change a byte, be it a blank around the value.
fn as_json(event: &NewEvent) -> Option<EventData> {
    let value: &RawValue = serde_json::from_slice(&event.data).ok()?;
    if value.get().len() != event.data.len() {
        return None;
    }
    EventData::json(&*event.kind, &value).ok()
}

/// An event as the server tells it.
pub(crate) fn from_wire(wire: eventstore::RecordedEvent) -> Result<RecordedEvent, Error> {
    let stream = StreamName::including_system(wire.stream_id()).map_err(|error| {
        let position = wire.position.commit;
        let why = format!("the stream's name at position {position} is none: {error}");
        Error::InternalParsingError(why)
    })?;
    Ok(RecordedEvent {
        id: wire.id,
        stream,
        revision: wire.revision,
        position: Position(wire.position.commit),
        created_micros: created_micros(&wire),
        kind: Arc::from(wire.event_type),
        data: wire.data,
        metadata: wire.custom_metadata,
    })
}

/// The client cuts the time to seconds, but leaves the server's own ticks beside it.
fn created_micros(wire: &eventstore::RecordedEvent) -> i64 {
    let ticks = wire.metadata.get("created").and_then(|ticks| ticks.parse::<i64>().ok());
    ticks.map_or_else(|| wire.created.timestamp_micros(), |ticks| ticks / TICKS_PER_MICROSECOND)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;

    fn event(data: &'static [u8]) -> NewEvent {
        let metadata = Bytes::from_static(b"{}");
        NewEvent { id: Uuid::nil(), kind: "DealWon".into(), data: data.into(), metadata }
    }

    #[test]
    fn only_data_that_stay_as_they_are_pass_as_json() {
        for (data, is_json) in [
            (&b"{\"a\" : 1.0,  \"b\":[ ]}"[..], true),
            (b"7", true),
            (b" {}", false),
            (b"{}\n", false),
            (b"", false),
            (b"\xff", false),
            (b"{} {}", false),
        ] {
            assert_eq!(as_json(&event(data)).is_some(), is_json, "{data:?}");
        }
    }
}
