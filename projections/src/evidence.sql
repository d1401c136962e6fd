-- Facts that level requirements count. `subject` names what the fact is about: a certificate, a
-- licence, a reference's event, or partner and duty or document. `valid_from` is the first day on
-- which it counts; the last one stands in `data`, the fact as JSON.
CREATE TABLE facts (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    program TEXT NOT NULL,
    partner BLOB NOT NULL,
    event BLOB NOT NULL,
    valid_from TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (kind, subject)
) WITHOUT ROWID;

CREATE INDEX facts_by_partner ON facts (partner);
