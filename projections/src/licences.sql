CREATE TABLE licences (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    partner BLOB,
    customer TEXT NOT NULL,
    customer_key TEXT NOT NULL,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    "order" BLOB NOT NULL,
    reserved_by BLOB,
    items TEXT NOT NULL,
    seats INTEGER NOT NULL,
    servers INTEGER NOT NULL,
    mrr TEXT NOT NULL,
    starts_on TEXT NOT NULL,
    term_starts_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    opened INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX licences_by_program ON licences (program, opened);
CREATE INDEX licences_by_partner ON licences (partner, opened);
