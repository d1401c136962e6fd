CREATE TABLE certificates (
    id BLOB PRIMARY KEY,
    program TEXT NOT NULL,
    partner BLOB NOT NULL,
    person BLOB NOT NULL,
    holder TEXT NOT NULL,
    certification TEXT NOT NULL,
    status TEXT NOT NULL,
    issued_on TEXT NOT NULL,
    expires_on TEXT NOT NULL,
    renewed_on TEXT,
    revoked_on TEXT,
    revocation_reason TEXT,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL
);

CREATE INDEX certificates_by_expiry ON certificates (program, expires_on, id);
CREATE INDEX certificates_by_partner ON certificates (partner, expires_on, id);
