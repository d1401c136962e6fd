CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    folded INTEGER NOT NULL
);

CREATE TABLE projection_versions (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL
);

CREATE TABLE quarantine (
    position INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    error TEXT NOT NULL,
    quarantined_at INTEGER NOT NULL
);
