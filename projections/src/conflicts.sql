CREATE TABLE conflicts (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    opportunity BLOB NOT NULL,
    status TEXT NOT NULL,
    holder BLOB NOT NULL,
    holder_partner BLOB NOT NULL,
    contender BLOB NOT NULL,
    contender_partner BLOB NOT NULL,
    opened_on TEXT NOT NULL,
    earliest_free_day TEXT NOT NULL,
    escalated_to TEXT,
    escalation_reason TEXT,
    winner BLOB,
    loser BLOB,
    rule TEXT,
    resolution_reason TEXT,
    resolved_by TEXT,
    resolved_at INTEGER,
    closed_because TEXT,
    opened INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX conflicts_by_program ON conflicts (program, opened);
CREATE INDEX conflicts_by_holder ON conflicts (holder_partner, opened);
CREATE INDEX conflicts_by_contender ON conflicts (contender_partner, opened);
