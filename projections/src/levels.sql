CREATE TABLE levels (
    partner BLOB NOT NULL,
    track TEXT NOT NULL,
    program TEXT NOT NULL,
    level TEXT,
    since TEXT,
    cause TEXT,
    reason TEXT,
    rulebook_version INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (partner, track)
) WITHOUT ROWID;

CREATE INDEX levels_by_level ON levels (program, track, level, partner);

CREATE TABLE level_history (
    position INTEGER PRIMARY KEY,
    event BLOB NOT NULL,
    program TEXT NOT NULL,
    partner BLOB NOT NULL,
    track TEXT NOT NULL,
    from_level TEXT,
    to_level TEXT,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    review BLOB,
    rulebook_version INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
);

CREATE INDEX level_history_by_partner ON level_history (partner, position);

-- Contract for reporting jobs: one row per partner and track. `partner` is the id as lower-case
-- hexadecimal without dashes; `since` is a day; columns are added at the end, never changed.
CREATE VIEW report_levels AS
SELECT
    l.program AS program,
    lower(hex(l.partner)) AS partner,
    p.name AS company,
    p.country AS country,
    p.status AS status,
    l.track AS track,
    l.level AS level,
    l.since AS since,
    l.rulebook_version AS rulebook_version
FROM levels AS l
JOIN partners AS p ON p.id = l.partner;
