CREATE TABLE level_reviews (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    partner BLOB NOT NULL,
    track TEXT NOT NULL,
    current TEXT,
    target TEXT NOT NULL,
    status TEXT NOT NULL,
    rulebook_version INTEGER NOT NULL,
    reason TEXT NOT NULL,
    opened_by TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    evaluations TEXT NOT NULL,
    judgements TEXT NOT NULL,
    recommendation TEXT,
    decision TEXT,
    appeal TEXT,
    withdrawn_reason TEXT,
    opened INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX level_reviews_by_program ON level_reviews (program, opened);
CREATE INDEX level_reviews_by_partner ON level_reviews (partner, opened);
