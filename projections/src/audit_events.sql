-- Every word that repeats in the index of events, once.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

-- One row per event of the log. `category` and `aggregate` make its stream; `category`, `program`,
-- `actor`, `kind` and `command` are names. What an event says is read from the log itself.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    category INTEGER NOT NULL,
    aggregate BLOB NOT NULL,
    revision INTEGER NOT NULL,
    program INTEGER NOT NULL,
    partner BLOB,
    actor INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    command INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
);

-- Every index costs every event: actors and types are few, and found by reading on.
CREATE INDEX events_by_aggregate ON events (aggregate);
CREATE INDEX events_by_partner ON events (partner);

-- First and last position recorded within an hour: enough to find a time without an index on it.
CREATE TABLE event_hours (
    hour INTEGER PRIMARY KEY,
    first_position INTEGER NOT NULL,
    last_position INTEGER NOT NULL
);
