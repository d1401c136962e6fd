-- Names are stored once; rows and indexes hold small integers instead, which keeps neighbours in a
-- stream, and streams of the same age, close together on disk.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Whether `stream_ids` holds every event of the stream.
    ids_indexed INTEGER NOT NULL
) STRICT;

CREATE TABLE kinds (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- The large columns stand last, so that a scan that filters does not touch them.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    created_micros INTEGER NOT NULL,
    id BLOB NOT NULL,
    data BLOB NOT NULL,
    metadata BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);

-- Only for streams that were appended to without a revision (see `placing.rs`).
CREATE TABLE stream_ids (
    stream INTEGER NOT NULL,
    id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (stream, id)
) STRICT, WITHOUT ROWID;
